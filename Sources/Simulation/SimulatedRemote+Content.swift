// SPDX-License-Identifier: Apache-2.0
//
// Content that comes to a simulated host, and what it says of it in the end.

internal import MailBytes

extension SimulatedRemote {
    func beginContent() {
        guard self.transaction?.recipients.isEmpty == false else {
            return self.answer("554 5.5.1 no valid recipients")
        }
        if !self.input.isEmpty { self.ledger.violate("\(self.host.name): content before 354") }
        self.answer("354 go on") { self.phase = .content }
    }

    func takeContent() -> Bool {
        let end: [UInt8] = [.cr, .lf, .dot, .cr, .lf]
        var index = 0
        if self.input.starts(with: end.dropFirst(2)) {
            self.input.removeFirst(3)
            self.finish([])
            return true
        }
        while let lf = self.input.span.firstIndex(of: .lf, from: index) {
            index = lf + 1
            guard index >= 5, self.input[(index - 5)..<index].elementsEqual(end) else { continue }
            let content = Array(self.input[..<(index - 3)])
            self.input.removeFirst(index)
            self.finish(Self.unstuffed(content))
            return true
        }
        return false
    }

    static func unstuffed(_ content: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var previous: UInt8 = .lf
        for octet in content {
            if octet == .dot, previous == .lf {
                previous = 0
                continue
            }
            out.append(octet)
            previous = octet
        }
        return out
    }

    func beginChunk(_ text: String) {
        let words = text.split(separator: " ")
        guard self.offers("CHUNKING"), words.count >= 2, let count = Int(words[1]) else {
            self.ledger.violate("\(self.host.name): \(text.prefix(40))")
            return self.answer("503 5.5.1 no")
        }
        self.phase = .chunk(left: count, isLast: words.count > 2)
    }

    func takeChunk(_ left: Int, _ isLast: Bool) -> Bool {
        let part = Array(self.input.prefix(left))
        self.input.removeFirst(part.count)
        self.transaction?.content += part
        guard part.count == left else {
            self.phase = .chunk(left: left - part.count, isLast: isLast)
            return false
        }
        self.phase = .commands
        guard self.transaction?.recipients.isEmpty == false else {
            self.answer("554 5.5.1 no valid recipients")
            return true
        }
        if isLast {
            self.finish(self.transaction?.content ?? [])
        } else {
            self.answer("250 2.0.0 more")
        }
        return true
    }

    /// Decides on content that is whole: whoever says yes has the message, heard or not.
    func finish(_ content: [UInt8]) {
        self.phase = .commands
        guard let transaction = self.transaction.take() else { return }
        let fault = self.fault()
        switch fault {
        case .refusal, .rejection, .goodbye: return self.carryOut(fault, "250 2.0.0 queued") {}
        case .silence, .end, .halfReply, .nonsense:
            if self.world.oneIn(2) { return self.carryOut(fault, "250 2.0.0 queued") {} }
        case .none: break
        }
        for recipient in transaction.recipients {
            self.ledger.delivered(
                content,
                from: transaction.reversePath,
                to: recipient,
                isPassedOn: self.offers("DSN")
            )
        }
        var isHeard = false
        self.carryOut(fault, "250 2.0.0 queued") { isHeard = true }
        guard !isHeard else {
            // The reply is on its way, and may come too late.
            return self.whenSaid { [weak self] stream in
                guard stream == nil || stream?.isOver == true else { return }
                self?.doubt(content, transaction.recipients)
            }
        }
        self.doubt(content, transaction.recipients)
    }

    func doubt(_ content: [UInt8], _ recipients: [String]) {
        for recipient in recipients { self.ledger.doubt(content, about: recipient) }
    }
}
