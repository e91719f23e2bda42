// SPDX-License-Identifier: Apache-2.0
//
// What the replies to the commands of a transaction mean for its recipients.

internal import MailBytes
internal import MailSyntax

extension SMTPClientSession {
    /// Takes a reply in a transaction; not 421.
    mutating func receiveTransaction(
        _ reply: SMTPClientReply,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch self.transaction.awaited {
        case .reset: return self.receiveReset(reply, into: &commands)
        case .mail: return self.receiveMail(reply, into: &commands)
        case .recipient(let index): return self.receiveRecipient(index, reply, into: &commands)
        case .content where self.transaction.content == .unsent:
            return self.transaction.next == .none && self.transaction.unansweredCount > 0
                ? self.receiveData(reply, into: &commands) : self.endAtUnexpected(reply)
        case .content: return self.receiveContent(reply)
        case .none: return self.endAtUnexpected(reply)
        }
    }

    private mutating func receiveReset(
        _ reply: SMTPClientReply,
        into commands: inout ReplyBuffer
    ) -> Effect {
        guard reply.severity == .completed else { return self.endAtUnexpected(reply) }
        self.needsReset = false
        self.transaction.takeReply()
        return self.sendCommands(into: &commands)
    }

    private mutating func receiveMail(
        _ reply: SMTPClientReply,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch reply.severity {
        case .completed:
            self.transaction.isMailAccepted = true
        case .transient, .permanent:
            self.transaction.isMailRefused = true
            self.transaction.decideRest(Self.outcome(of: reply, at: .mail))
            self.transaction.sayNoMore()
        case .intermediate:
            return self.endAtUnexpected(reply)
        }
        self.transaction.takeReply()
        return self.sendCommands(into: &commands)
    }

    private mutating func receiveRecipient(
        _ index: Int,
        _ reply: SMTPClientReply,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch reply.severity {
        // Whatever is said of recipients without a sender counts for nothing.
        case .completed where self.transaction.isMailRefused,
            .transient where self.transaction.isMailRefused,
            .permanent where self.transaction.isMailRefused:
            break
        case .completed: self.transaction.accept(index)
        case .transient, .permanent:
            self.transaction.decide(index, self.refusal(ofRecipientBy: reply))
        case .intermediate: return self.endAtUnexpected(reply)
        }
        self.transaction.takeReply()
        return self.sendCommands(into: &commands)
    }

    private func refusal(ofRecipientBy reply: SMTPClientReply) -> SMTPClientOutcome {
        var outcome = Self.outcome(of: reply, at: .recipient)
        // RFC 5321, section 4.5.3.1.10: behind other recipients, 552 says that there are too many
        // of them for one transaction, unless it says that it is something else.
        let says = EnhancedStatus(prefixOf: reply.text.span)
        if reply.code == 552, self.transaction.hasAccepted,
            says == nil || says == EnhancedStatus(5, 5, 3)
        {
            outcome.verdict = .deferred
            outcome.status = EnhancedStatus(4, 5, 3)
        }
        return outcome
    }

    /// Takes the reply to DATA.
    private mutating func receiveData(
        _ reply: SMTPClientReply,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch reply.severity {
        case .intermediate where reply.code == 354:
            guard self.transaction.hasAccepted else {
                // RFC 2920, section 3.1: the peer waits for content that is for nobody.
                commands.append(".\r\n")
                self.transaction.voidContent()
                return .awaitInput
            }
            self.transaction.beginContent()
            return .sendContent(.dotStuffed)
        case .transient, .permanent:
            self.transaction.decideRest(Self.outcome(of: reply, at: .data))
            return self.finishTransaction()
        case .completed, .intermediate:
            return self.endAtUnexpected(reply)
        }
    }

    /// Takes a reply to the content.
    private mutating func receiveContent(_ reply: SMTPClientReply) -> Effect {
        guard reply.severity != .intermediate else { return self.endAtUnexpected(reply) }
        switch self.transaction.content {
        case .sending: return self.receiveEarly(reply)
        case .void:
            // In LMTP nobody knows how many replies there are for no recipient.
            let effect = self.finishContent(resets: false)
            if self.settings.dialect == .lmtp { self.phase = .closed }
            return effect
        case .unsent, .sent: break
        }
        switch self.settings.dialect {
        case .smtp:
            self.decideAccepted(reply)
        case .lmtp:
            guard let index = self.transaction.nextAccepted() else {
                return self.endAtUnexpected(reply)
            }
            self.transaction.decide(index, self.outcome(ofContent: reply, for: index))
            if self.transaction.hasAccepted { return .awaitInput }
        }
        // RFC 3030, section 3: what a refused chunk leaves is undefined.
        let isRefused = reply.severity != .completed
        return self.finishContent(resets: self.transaction.isChunked && isRefused)
    }

    /// Takes a reply to content that has not left yet.
    ///
    /// A refusal is believed; but the transaction cannot be ended properly any more, and what would
    /// follow of the content must not leave.
    private mutating func receiveEarly(_ reply: SMTPClientReply) -> Effect {
        guard reply.severity != .completed else { return self.endAtUnexpected(reply) }
        self.transaction.decideRest(Self.outcome(of: reply, at: .content))
        let effect = self.finishContent(resets: false)
        self.phase = .closed
        return effect
    }

    private mutating func finishContent(resets: Bool) -> Effect {
        // The end of the content has ended the transaction at the peer, too.
        self.transaction.isMailAccepted = resets
        return self.finishTransaction()
    }

    // MARK: - Outcomes

    private mutating func decideAccepted(_ reply: SMTPClientReply) {
        while let index = self.transaction.nextAccepted() {
            self.transaction.decide(index, self.outcome(ofContent: reply, for: index))
        }
    }

    private func outcome(ofContent reply: SMTPClientReply, for index: Int) -> SMTPClientOutcome {
        var outcome = Self.outcome(of: reply, at: .content)
        guard outcome.verdict == .delivered else { return outcome }
        outcome.passedOnDSN = self.extensions.keywords.contains(.dsn)
        let recipient = self.transaction.envelope?.recipients[index]
        // What LMTP says of a recipient is the delivery itself, not a relaying.
        if recipient?.notify.contains(.success) == true, !outcome.passedOnDSN,
            self.settings.dialect == .smtp
        {
            outcome.verdict = .relayed
        }
        return outcome
    }

    private static func outcome(
        of reply: SMTPClientReply,
        at stage: SMTPClientStage
    ) -> SMTPClientOutcome {
        let verdict: SMTPClientOutcome.Verdict =
            switch reply.severity {
            case .completed: .delivered
            case .intermediate, .transient: .deferred
            case .permanent: .failed
            }
        return SMTPClientOutcome(
            verdict: verdict,
            code: reply.code,
            status: EnhancedStatus(of: reply, at: stage),
            stage: stage,
            text: reply.text
        )
    }
}
