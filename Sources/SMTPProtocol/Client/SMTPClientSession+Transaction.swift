// SPDX-License-Identifier: Apache-2.0
//
// What is said in a mail transaction (RFC 5321, section 3.3): what must not be said to this peer at
// all, then RSET where it is needed, MAIL, each RCPT and DATA or BDAT, one at a time or in groups
// (RFC 2920).

internal import MailBytes
internal import MailSyntax

extension SMTPClientSession {
    private var pipelines: Bool {
        self.settings.pipelines && self.extensions.keywords.contains(.pipelining)
    }

    /// Takes `.transaction`.
    mutating func begin(
        _ envelope: SMTPClientEnvelope,
        into commands: inout ReplyBuffer
    ) -> Effect {
        precondition(self.phase == .ready, "one transaction ends before the next begins")
        self.transactionCount += 1
        self.phase = .inTransaction
        self.transaction.begin(
            envelope,
            resets: self.needsReset,
            isChunked: self.takesChunk(envelope)
        )
        if let refusal = self.refusal(of: envelope) {
            self.transaction.decideRest(refusal)
        } else {
            self.excludeRecipients(of: envelope)
        }
        guard self.transaction.isHopeful else { return self.finishTransaction() }
        return self.sendCommands(into: &commands)
    }

    /// Whether the content goes out as one chunk behind its envelope.
    ///
    /// Not in LMTP: there is no telling how many replies follow a chunk that was refused.
    private func takesChunk(_ envelope: SMTPClientEnvelope) -> Bool {
        self.settings.dialect == .smtp && self.pipelines
            && self.extensions.keywords.contains(.chunking)
            && envelope.octets <= self.settings.chunkOctetsMax && envelope.octets > 0
    }

    /// Says what may be said now.
    mutating func sendCommands(into commands: inout ReplyBuffer) -> Effect {
        let unansweredMax = self.pipelines ? self.settings.pipelinedCommandsMax : 1
        // Refilled by halves, so that a group is worth its packet.
        guard self.transaction.unansweredCount * 2 <= unansweredMax else { return .awaitInput }
        while self.transaction.unansweredCount < unansweredMax {
            switch self.transaction.next {
            case .reset:
                commands.append("RSET\r\n")
            case .mail:
                self.appendMAIL(to: &commands)
            case .recipient(let index):
                self.appendRCPT(index, to: &commands)
            case .content:
                // When all is answered it is known whether there is anybody to send it to.
                guard self.transaction.unansweredCount > 0 || self.transaction.hasAccepted else {
                    return self.finishTransaction()
                }
                self.transaction.say()
                return self.sayContent(into: &commands)
            case .none:
                let isDone = self.transaction.unansweredCount == 0
                return isDone ? self.finishTransaction() : .awaitInput
            }
            self.transaction.say()
        }
        return .awaitInput
    }

    private mutating func sayContent(into commands: inout ReplyBuffer) -> Effect {
        guard self.transaction.isChunked, let octets = self.transaction.envelope?.octets else {
            commands.append("DATA\r\n")
            return .awaitInput
        }
        commands.append("BDAT ")
        commands.append(decimal: octets)
        commands.append(" LAST\r\n")
        self.transaction.beginContent()
        return .sendContent(.chunk(octets: octets))
    }

    /// Ends the transaction; all outcomes stand.
    mutating func finishTransaction() -> Effect {
        if self.transaction.isMailAccepted { self.needsReset = true }
        self.transaction.conclude()
        let transactionsMax = self.extensions.transactionsMax ?? .max
        self.phase = self.transactionCount < transactionsMax ? .ready : .closed
        return .finished
    }

    // MARK: - What is not said

    /// Why this peer cannot get the message at all.
    private func refusal(of envelope: SMTPClientEnvelope) -> SMTPClientOutcome? {
        let keywords = self.extensions.keywords
        if envelope.options.requiresTLS, !self.isVerified || !keywords.contains(.requireTLS) {
            return Self.refusal(
                EnhancedStatus(5, 7, 30),
                "the message requires TLS all the way (REQUIRETLS), which the next host lacks"
            )
        }
        if self.needsUTF8(envelope), !keywords.contains(.smtpUTF8) {
            return Self.refusal(
                EnhancedStatus(5, 6, 7),
                "the next host does not take internationalized addresses (SMTPUTF8)"
            )
        }
        if envelope.options.body == .eightBitMIME, !keywords.contains(.eightBitMIME) {
            return Self.refusal(
                EnhancedStatus(5, 6, 3),
                "the next host does not take 8-bit content (8BITMIME)"
            )
        }
        if let octetsMax = self.extensions.messageOctetsMax, envelope.octets > octetsMax {
            return Self.refusal(
                EnhancedStatus(5, 3, 4),
                "the message is larger than the next host takes (SIZE)"
            )
        }
        guard !Self.endsLine(envelope.reversePath) else {
            return Self.refusal(EnhancedStatus(5, 1, 7), "the reverse-path is no mailbox")
        }
        return nil
    }

    func needsUTF8(_ envelope: SMTPClientEnvelope) -> Bool {
        envelope.options.needsUTF8 || envelope.reversePath.contains { $0 >= 0x80 }
            || envelope.recipients.contains { $0.mailbox.contains { $0 >= 0x80 } }
    }

    private mutating func excludeRecipients(of envelope: SMTPClientEnvelope) {
        var left = min(self.settings.recipientsMax, self.extensions.recipientsMax ?? .max)
        for (index, recipient) in envelope.recipients.enumerated() {
            if recipient.mailbox.isEmpty || Self.endsLine(recipient.mailbox) {
                let refusal = Self.refusal(EnhancedStatus(5, 1, 3), "the address is no mailbox")
                self.transaction.exclude(index, refusal)
            } else if left == 0 {
                var refusal = Self.refusal(
                    EnhancedStatus(4, 5, 3),
                    "more recipients than the next host takes at once"
                )
                refusal.verdict = .deferred
                self.transaction.exclude(index, refusal)
            } else {
                left -= 1
            }
        }
    }

    /// Whether an address could end its command and begin another.
    private static func endsLine(_ mailbox: [UInt8]) -> Bool {
        mailbox.contains { $0 < 0x20 || $0 == 0x7f }
    }

    private static func refusal(
        _ status: EnhancedStatus,
        _ text: String
    ) -> SMTPClientOutcome {
        SMTPClientOutcome(
            verdict: .failed,
            code: 0,
            status: status,
            stage: .envelope,
            text: Array(text.utf8)
        )
    }
}
