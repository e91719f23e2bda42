// SPDX-License-Identifier: Apache-2.0
//
// The part of a report that people read.

internal import MailBytes
internal import MailSyntax

extension ReportComposer {
    /// What happened, in plain words and the remote host's own.
    func textPart() -> ReportPart {
        var out: [UInt8] = []
        let hostname = ReportText.printable(self.reporter.hostname, octetsMax: 255)
        let words =
            Array("This is the mail server at ".utf8) + hostname
            + ", about your message of ".utf8 + Self.date(self.message.arrivedAt)
        Self.addParagraph(words + ".".utf8, to: &out)
        for action in ReportedAction.allCases {
            let recipients = self.recipients.filter { $0.action == action }
            guard !recipients.isEmpty else { continue }
            Self.add("", to: &out)
            Self.addParagraph(Array(self.introduction(to: action).utf8), to: &out)
            for recipient in recipients { Self.addRecipient(recipient, to: &out) }
        }
        Self.add("", to: &out)
        let original = self.givesWhole ? "your message." : "the header of your message."
        let end = "What follows is the same for mail programs, and then \(original)"
        Self.addParagraph(Array(end.utf8), to: &out)
        return ReportPart(
            type: "text/plain; charset=\(ReportText.isASCII(out) ? "us-ascii" : "utf-8")",
            encodable: out,
            allowsEightBit: self.usesUTF8
        )
    }

    private func introduction(to action: ReportedAction) -> String {
        switch action {
        case .failed:
            return "It could not be delivered to the following, and will not be tried again:"
        case .delayed:
            let date = String(decoding: Self.date(self.message.expiresAt), as: UTF8.self)
            return "It has not been delivered to the following yet. You need not send it again: it "
                + "is tried until \(date)."
        case .delivered:
            return "It was delivered to:"
        case .relayed:
            return "It was passed on to a server that does not tell of success, and which will "
                + "only tell you if it fails, for:"
        }
    }

    private static func addRecipient(_ recipient: ReportedRecipient, to out: inout [UInt8]) {
        self.add("", to: &out)
        // A mailbox is far shorter; a line must be.
        let address = ReportText.safe(Array(recipient.address.prefix(900)), allowsUTF8: true)
        out += "  <".utf8 + address + ">\r\n".utf8
        guard recipient.action == .failed || recipient.action == .delayed else { return }
        out += "   ".utf8
        self.wrap(self.reason(of: recipient), firstColumn: 3, indent: "    ", to: &out)
        out += [.cr, .lf]
    }

    /// Why it was not delivered, in words.
    private static func reason(of recipient: ReportedRecipient) -> [UInt8] {
        var words: [UInt8] = []
        if recipient.action == .failed, recipient.status.statusClass == 4 {
            words += "It was tried for as long as mail is kept. At last ".utf8
        }
        let reply = ReportText.printable(recipient.reply, octetsMax: self.replyOctetsMax)
        guard !reply.isEmpty else { return words + "the status was \(recipient.status).".utf8 }
        guard self.beginsWithCode(reply) else { return words + reply }
        let host = self.host(of: recipient) ?? Array("the next server".utf8)
        return words + host + " said: ".utf8 + reply
    }

    private static func addParagraph(_ words: [UInt8], to out: inout [UInt8]) {
        // The first word comes behind a space, which goes again.
        var lines: [UInt8] = []
        self.wrap(words, firstColumn: -1, indent: "", to: &lines)
        out += lines.dropFirst()
        out += [.cr, .lf]
    }
}
