// SPDX-License-Identifier: Apache-2.0
//
// MAIL and RCPT with the parameters that the peer knows.

internal import MailBytes
internal import MailSyntax

extension SMTPClientSession {
    func appendMAIL(to commands: inout ReplyBuffer) {
        guard let envelope = self.transaction.envelope else { return }
        let keywords = self.extensions.keywords
        let options = envelope.options
        commands.append("MAIL FROM:<")
        commands.append(envelope.reversePath)
        commands.append(">")
        if keywords.contains(.size) {
            commands.append(" SIZE=")
            commands.append(decimal: envelope.octets)
        }
        // What was not declared may be anything but 8-bit: the default need not be said.
        if options.body == .eightBitMIME { commands.append(" BODY=8BITMIME") }
        if self.needsUTF8(envelope) { commands.append(" SMTPUTF8") }
        if options.requiresTLS { commands.append(" REQUIRETLS") }
        if envelope.sendsAUTH, self.isAuthenticated { commands.append(" AUTH=<>") }
        if keywords.contains(.dsn) {
            switch options.returnedContent {
            case .unspecified: break
            case .headers: commands.append(" RET=HDRS")
            case .full: commands.append(" RET=FULL")
            }
            self.append(" ENVID=", options.envelopeID, of: envelope, to: &commands)
        }
        commands.appendCRLF()
    }

    func appendRCPT(_ index: Int, to commands: inout ReplyBuffer) {
        guard let envelope = self.transaction.envelope else { return }
        let recipient = envelope.recipients[index]
        commands.append("RCPT TO:<")
        commands.append(recipient.mailbox)
        commands.append(">")
        if self.extensions.keywords.contains(.dsn) {
            Self.append(recipient.notify, to: &commands)
            self.append(" ORCPT=", recipient.originalRecipient, of: envelope, to: &commands)
        }
        commands.appendCRLF()
    }

    /// Appends a parameter that came in xtext, unless it is empty or could not have come so.
    private func append(
        _ keyword: StaticString,
        _ value: [UInt8],
        of envelope: SMTPClientEnvelope,
        to commands: inout ReplyBuffer
    ) {
        // RFC 6533, section 3: with SMTPUTF8, an address may stand in UTF-8.
        let isUTF8 = self.needsUTF8(envelope)
        guard !value.isEmpty,
            value.allSatisfy({ (0x21...0x7e).contains($0) || $0 >= 0x80 && isUTF8 })
        else { return }
        commands.append(keyword)
        commands.append(value)
    }

    private static func append(_ notify: NotifyConditions, to commands: inout ReplyBuffer) {
        guard !notify.isEmpty else { return }
        commands.append(" NOTIFY=")
        guard !notify.contains(.never) else { return commands.append("NEVER") }
        var isFirst = true
        for (condition, name) in Self.conditions where notify.contains(condition) {
            if !isFirst { commands.append(",") }
            commands.append(name)
            isFirst = false
        }
    }

    private static let conditions: [(NotifyConditions, StaticString)] = [
        (.success, "SUCCESS"), (.failure, "FAILURE"), (.delay, "DELAY"),
    ]
}
