// SPDX-License-Identifier: Apache-2.0
//
// The part of a report that programs read (RFC 3464, section 2; RFC 6533, section 4).

internal import MailBytes
internal import MailSyntax

extension ReportComposer {
    /// The delivery status: fields about the message, then a block for each recipient.
    func statusPart() -> ReportPart {
        var out: [UInt8] = []
        let hostname = ReportText.printable(self.reporter.hostname, octetsMax: 255)
        if !self.message.options.envelopeID.isEmpty {
            let id = RecipientText.decoded(xtext: self.message.options.envelopeID)
            Self.addField(
                "Original-Envelope-Id",
                ReportText.printable(id, octetsMax: 256),
                to: &out
            )
        }
        Self.addField("Reporting-MTA", Array("dns; ".utf8) + hostname, to: &out)
        Self.addField("Arrival-Date", Self.date(self.message.arrivedAt), to: &out)
        for recipient in self.recipients {
            Self.add("", to: &out)
            self.addBlock(recipient, to: &out)
        }
        return ReportPart(
            type: self.usesUTF8 ? "message/global-delivery-status" : "message/delivery-status",
            encodable: out,
            allowsEightBit: self.usesUTF8
        )
    }

    private func addBlock(_ recipient: ReportedRecipient, to out: inout [UInt8]) {
        let original = RecipientText.original(
            recipient.originalRecipient,
            usesUTF8: self.usesUTF8
        )
        if let original { Self.addField("Original-Recipient", original, to: &out) }
        Self.addField(
            "Final-Recipient",
            RecipientText.final(recipient.address, usesUTF8: self.usesUTF8),
            to: &out
        )
        Self.add("Action: \(recipient.action.rawValue)", to: &out)
        Self.add("Status: \(Self.status(of: recipient))", to: &out)
        if let host = Self.host(of: recipient), let name = host.split(separator: .space).first {
            Self.addField("Remote-MTA", Array("dns; ".utf8) + name, to: &out)
        }
        let reply = ReportText.printable(recipient.reply, octetsMax: Self.replyOctetsMax)
        if !reply.isEmpty {
            // The type "smtp" wants a reply, code and all (RFC 3464, section 2.3.6).
            let type = Self.beginsWithCode(reply) ? "smtp; " : "X-Martlet; "
            Self.addWords("Diagnostic-Code", Array(type.utf8) + reply, to: &out)
        }
        if let date = recipient.lastAttemptAt {
            Self.addField("Last-Attempt-Date", Self.date(date), to: &out)
        }
        if recipient.action == .delayed {
            Self.addField("Will-Retry-Until", Self.date(self.message.expiresAt), to: &out)
        }
    }

    /// The status, in a class that goes with the action (RFC 3464, section 2.3.4).
    private static func status(of recipient: ReportedRecipient) -> EnhancedStatus {
        let status = recipient.status
        return switch recipient.action {
        case .failed: status.statusClass == 2 ? EnhancedStatus(5, 0, 0) : status
        case .delayed: status.statusClass == 4 ? status : EnhancedStatus(4, 0, 0)
        case .delivered, .relayed: status.statusClass == 2 ? status : EnhancedStatus(2, 0, 0)
        }
    }

    /// The host in words; nil: there was none, or it is a socket, whose path is nobody's business.
    static func host(of recipient: ReportedRecipient) -> [UInt8]? {
        let host = ReportText.printable(recipient.host, octetsMax: 400)
        return host.isEmpty || host.contains(UInt8(ascii: "/")) ? nil : host
    }

    /// Whether text begins as a reply of SMTP does.
    static func beginsWithCode(_ text: [UInt8]) -> Bool {
        guard text.count >= 3, (UInt8(ascii: "2")...UInt8(ascii: "5")).contains(text[0]),
            text[1].isASCIIDigit, text[2].isASCIIDigit
        else { return false }
        return text.count == 3 || text[3] == .space || text[3] == UInt8(ascii: "-")
    }

    /// Most octets of what a remote host said.
    static let replyOctetsMax = 512
}
