// SPDX-License-Identifier: Apache-2.0
//
// One connection of the control socket: reads requests of the command line, lets the store carry
// them out, and answers in order, each when the change is durable and out of every memory of the
// loop. Changes are handed on without waiting for those before them, so that thousands of accounts
// go into few transactions.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax

/// The driver of one control connection.
final class ControlDriver: Conversation {
    let stream: any ByteStream
    private unowned let server: MailServer
    /// Requests that the store is at work on; it answers changes in the order they were asked.
    private var waitingCount = 0
    private var serial: UInt32 = 0
    private var isBlocked = false
    private var inputHasEnded = false
    private var isClosing = false

    /// So many changes may be under way.
    private static let waitingMax = 512

    init(stream: any ByteStream, server: MailServer) {
        self.stream = stream
        self.server = server
    }

    func begin() { self.armDeadline() }

    func stop() {
        if !self.isWaiting { self.close() }
    }

    // MARK: - Requests

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        guard !self.isClosing else { return Consumption(count: octets.count, next: .finished) }
        self.armDeadline()
        var offset = 0
        while !self.isBlocked, self.waitingCount < Self.waitingMax {
            guard let end = octets.firstIndex(of: .lf, from: offset) else {
                guard octets.count - offset < ControlLine.octetsMax else {
                    self.reply("!", "the line is too long")
                    self.close()
                    return Consumption(count: octets.count, next: .finished)
                }
                return Consumption(count: offset, next: .awaitMore)
            }
            let line = octets.copy(ByteRange(at: offset, count: end - offset))
            guard self.take(line) else { return Consumption(count: offset, next: .suspend) }
            offset = end + 1
        }
        return Consumption(count: offset, next: .suspend)
    }

    /// Takes one request; false when it must wait for those before it.
    private func take(_ line: [UInt8]) -> Bool {
        let request = AdministrationRequest(line: line)
        let refusal =
            request.map { $0.refusal(localDomains: self.server.localDomains) }
            ?? "not a request this server knows"
        guard let request, refusal == nil else {
            // The answers keep the order of the requests.
            guard !self.isWaiting else { return false }
            self.reply("!", refusal ?? "")
            return true
        }
        switch request.step {
        case .write(let change):
            self.server.storage.write(change, for: self.ticket())
        case .read(let question):
            guard !self.isWaiting else { return false }
            self.server.storage.read(question, for: self.ticket())
        }
        return true
    }

    private var isWaiting: Bool { self.waitingCount > 0 }

    private func ticket() -> Ticket {
        self.waitingCount += 1
        self.serial &+= 1
        return Ticket(connection: self.stream.id, serial: self.serial)
    }

    // MARK: - Answers

    func answered(_ reply: StorageReply, serial: UInt32) {
        guard self.isWaiting else { return }
        self.waitingCount -= 1
        self.reply(AdministrationResult(reply))
        guard !self.isWaiting else { return }
        if self.server.isStopping || self.inputHasEnded { return self.close() }
        if !self.isBlocked { self.stream.resume() }
    }

    private func reply(_ result: AdministrationResult) {
        var lines = self.server.takeReplies()
        for row in result.rows {
            lines.append(ControlLine.encode([[UInt8(ascii: "=")]] + row))
            lines.append(.lf)
        }
        self.stream.send(lines.span)
        lines.removeAll()
        self.server.putBack(lines)
        if let failure = result.failure {
            self.reply("!", failure)
        } else {
            self.reply(".", "done")
        }
    }

    private func reply(_ mark: String, _ text: String) {
        let line = ControlLine.encode([Array(mark.utf8), Array(text.utf8)]) + [.lf]
        self.stream.send(line.span)
        if self.stream.pendingOutputCount > self.server.limits.outputBacklogOctets {
            self.isBlocked = true
        }
    }

    // MARK: - The end

    func inputEnded(_ stream: any ByteStream) {
        self.inputHasEnded = true
        if !self.isWaiting { self.close() }
    }

    func drained(_ stream: any ByteStream) {
        guard self.isBlocked else { return }
        self.isBlocked = false
        if !self.isWaiting, !self.isClosing { self.stream.resume() }
    }

    func deadlinePassed(_ stream: any ByteStream) { self.close() }

    func ended(_ stream: any ByteStream) { self.server.ended(self) }

    private func armDeadline() {
        self.stream.setDeadline(seconds: self.server.limits.idleSeconds)
    }

    private func close() {
        guard !self.isClosing else { return }
        self.isClosing = true
        self.stream.close()
    }
}
