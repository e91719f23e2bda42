// SPDX-License-Identifier: Apache-2.0
//
// The part of a report that people read.

internal import MailBytes

extension ReportComposer {
    /// What happened, in plain words and the remote host's own.
    func textPart() -> ReportPart {
        var out: [UInt8] = []
        let hostname = ReportText.printable(self.reporter.hostname, octetsMax: 255)
        Self.addParagraph(
            "This is the mail server at \(String(decoding: hostname, as: UTF8.self)), about your "
                + "message of \(String(decoding: Self.date(self.message.arrivedAt), as: UTF8.self)).",
            to: &out
        )
        for action in ReportedAction.allCases {
            let recipients = self.recipients.filter { $0.action == action }
            guard !recipients.isEmpty else { continue }
            Self.add("", to: &out)
            Self.addParagraph(self.introduction(to: action), to: &out)
            for recipient in recipients { Self.addRecipient(recipient, to: &out) }
        }
        Self.add("", to: &out)
        Self.addParagraph(
            "What follows is the same for mail programs, and then "
                + (self.givesWhole ? "your message." : "the header of your message."),
            to: &out
        )
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
        let address = ReportText.safe(recipient.address, allowsUTF8: true)
        out += "  <".utf8
        // A mailbox is far shorter; a line must be.
        out += address.prefix(900)
        out += ">\r\n".utf8
        let reply = ReportText.printable(recipient.reply, octetsMax: self.replyOctetsMax)
        guard recipient.action == .failed || recipient.action == .delayed, !reply.isEmpty else {
            return
        }
        var words: [UInt8] = []
        if self.beginsWithCode(reply) {
            let isNamed = recipient.host.first.map { $0 != UInt8(ascii: "/") } ?? false
            words =
                isNamed
                ? ReportText.printable(recipient.host, octetsMax: 255)
                : Array("the next server".utf8)
            words += " said:".utf8 + [.space]
        }
        out += "   ".utf8
        self.wrap(words + reply, firstColumn: 3, indent: "    ", to: &out)
        out += [.cr, .lf]
    }

    private static func addParagraph(_ text: String, to out: inout [UInt8]) {
        // The first word comes behind a space, which goes again.
        var lines: [UInt8] = []
        self.wrap(Array(text.utf8), firstColumn: -1, indent: "", to: &lines)
        out += lines.dropFirst()
        out += [.cr, .lf]
    }
}
