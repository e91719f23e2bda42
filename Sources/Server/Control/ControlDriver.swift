// SPDX-License-Identifier: Apache-2.0
//
// One connection of the control socket: reads requests of the command line, lets the store carry
// them out, and answers when the change is durable and out of every memory of the loop.

package import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax

/// The driver of one control connection.
final class ControlDriver: Conversation {
    let stream: any ByteStream
    private unowned let server: MailServer
    private var question = PendingQuestion()
    private var request: AdministrationRequest?
    private var isClosing = false

    init(stream: any ByteStream, server: MailServer) {
        self.stream = stream
        self.server = server
    }

    func begin() {
        self.stream.setDeadline(seconds: self.server.limits.idleSeconds)
    }

    func stop() {
        if self.request == nil { self.close() }
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        guard !self.isClosing else { return Consumption(count: octets.count, next: .finished) }
        guard let end = octets.firstIndex(of: .lf) else {
            guard octets.count < ControlLine.octetsMax else {
                self.reply("!", "the line is too long")
                self.close()
                return Consumption(count: octets.count, next: .finished)
            }
            return Consumption(count: 0, next: .awaitMore)
        }
        self.stream.setDeadline(seconds: self.server.limits.idleSeconds)
        let line = octets.copy(ByteRange(at: 0, count: end))
        guard let request = AdministrationRequest(line: line) else {
            self.reply("!", "not a request this server knows")
            return Consumption(count: end + 1, next: .yield)
        }
        if let refusal = request.refusal(localDomains: self.server.localDomains) {
            self.reply("!", refusal)
            return Consumption(count: end + 1, next: .yield)
        }
        self.request = request
        let ticket = self.question.next(self.stream.id)
        switch request.step {
        case .write(let change): self.server.storage.write(change, for: ticket)
        case .read(let question): self.server.storage.read(question, for: ticket)
        }
        return Consumption(count: end + 1, next: .suspend)
    }

    func answered(_ reply: StorageReply, serial: UInt32) {
        guard self.question.takes(serial), let request = self.request.take() else { return }
        if let address = request.changedAddress { self.server.accountsChanged(address) }
        let result = AdministrationResult(reply)
        var lines = ReplyBuffer(capacity: 256)
        for row in result.rows {
            lines.append(ControlLine.encode([[UInt8(ascii: "=")]] + row))
            lines.append(.lf)
        }
        self.stream.send(lines.span)
        if let failure = result.failure {
            self.reply("!", failure)
        } else {
            self.reply(".", "done")
        }
        if self.server.isStopping { return self.close() }
        self.stream.resume()
    }

    func inputEnded(_ stream: any ByteStream) { self.close() }

    func drained(_ stream: any ByteStream) {}

    func deadlinePassed(_ stream: any ByteStream) { self.close() }

    func ended(_ stream: any ByteStream) {
        self.question.forget()
        self.server.ended(self)
    }

    private func reply(_ mark: String, _ text: String) {
        var line = ReplyBuffer(capacity: 128)
        line.append(ControlLine.encode([Array(mark.utf8), Array(text.utf8)]))
        line.append(.lf)
        self.stream.send(line.span)
    }

    private func close() {
        guard !self.isClosing else { return }
        self.isClosing = true
        self.stream.close()
    }
}
