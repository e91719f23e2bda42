// SPDX-License-Identifier: Apache-2.0
//
// A peer that hands one message to the server by SMTP, command by command, for recipients here and
// elsewhere, and remembers what the server said to each of them.

internal import MailBytes
internal import MailSyntax

/// One connection with one message.
final class SimulatedSubmitter {
    private let ledger: QueueLedger
    private let entry: QueueLedger.Entry
    private let options: EnvelopeOptions
    private var recipients: ArraySlice<(String, NotifyConditions)>
    private var accepted: [String] = []
    private var stream: SimulatedStream?
    private var received: [UInt8] = []
    private var phase = Phase.greeting

    private enum Phase {
        case greeting
        case hello
        case mail
        case recipients
        case data
        case content
        case over
    }

    init(
        ledger: QueueLedger,
        entry: QueueLedger.Entry,
        recipients: [(String, NotifyConditions)],
        options: EnvelopeOptions
    ) {
        self.ledger = ledger
        self.entry = entry
        self.recipients = recipients[...]
        self.options = options
    }

    func connect(_ stream: SimulatedStream) { self.stream = stream }

    /// Octets from the server, or nil at its end.
    func receive(_ octets: [UInt8]?) {
        guard let octets else {
            self.stream = nil
            return
        }
        self.received += octets
        while let end = self.received.span.firstIndex(of: .lf) {
            let line = Array(self.received[...end])
            self.received.removeFirst(line.count)
            guard line.count > 4, line[3] != UInt8(ascii: "-") else { continue }
            self.reply(Int(String(decoding: line[..<3], as: UTF8.self)) ?? 0)
        }
    }

    private func reply(_ code: Int) {
        let isPositive = code / 100 == 2 || code / 100 == 3
        guard isPositive || self.phase == .recipients else {
            // 421 says that the server does not know itself.
            if self.phase == .content, code != 421 { self.ledger.refused(self.entry.number) }
            return self.quit()
        }
        switch self.phase {
        case .greeting:
            self.say("EHLO peer.example", .hello)
        case .hello:
            self.say("MAIL FROM:<\(self.entry.reversePath)>\(self.parameters)", .mail)
        case .mail:
            self.sayRecipient()
        case .recipients:
            if let (address, _) = self.recipients.popFirst(), isPositive {
                self.accepted.append(address)
            }
            self.sayRecipient()
        case .data:
            self.ledger.sent(self.entry.number, to: Set(self.accepted))
            self.phase = .content
            self.send(self.stuffedContent)
        case .content:
            self.ledger.accepted(self.entry.number)
            self.quit()
        case .over: break
        }
    }

    private func sayRecipient() {
        if let (address, notify) = self.recipients.first {
            return self.say("RCPT TO:<\(address)>\(Self.parameter(notify))", .recipients)
        }
        guard !self.accepted.isEmpty else { return self.quit() }
        self.say("DATA", .data)
    }

    private var parameters: String {
        var text = self.options.body == .eightBitMIME ? " BODY=8BITMIME" : ""
        if self.options.returnedContent == .full { text += " RET=FULL" }
        if !self.options.envelopeID.isEmpty {
            text += " ENVID=\(String(decoding: self.options.envelopeID, as: UTF8.self))"
        }
        return text
    }

    private static func parameter(_ notify: NotifyConditions) -> String {
        let names: [(NotifyConditions, String)] = [
            (.never, "NEVER"), (.success, "SUCCESS"), (.failure, "FAILURE"), (.delay, "DELAY"),
        ]
        let wanted = names.filter { notify.contains($0.0) }.map(\.1)
        return wanted.isEmpty ? "" : " NOTIFY=\(wanted.joined(separator: ","))"
    }

    private var stuffedContent: [UInt8] {
        var out: [UInt8] = []
        var previous: UInt8 = .lf
        for octet in self.entry.content {
            if octet == .dot, previous == .lf { out.append(.dot) }
            out.append(octet)
            previous = octet
        }
        return out + Array(".\r\n".utf8)
    }

    private func say(_ line: String, _ next: Phase) {
        self.phase = next
        self.send(Array("\(line)\r\n".utf8))
    }

    private func quit() {
        guard self.phase != .over else { return }
        self.phase = .over
        self.send(Array("QUIT\r\n".utf8))
    }

    private func send(_ octets: [UInt8]) {
        // Never from within what the server is doing.
        let stream = self.stream
        stream?.world.after(seconds: 0) { stream?.arrive(octets) }
    }
}
