// SPDX-License-Identifier: Apache-2.0
//
// What came of questions, and the replies after the end of a message: one in SMTP, one for each
// recipient in LMTP (RFC 2033, section 4.2).

internal import MailBytes
internal import MailSyntax

extension SMTPServerSession {
    /// Takes the answer to any question, but for the members of a list.
    mutating func receiveAnswer(_ answer: Answer, into replies: inout ReplyBuffer) -> Effect {
        guard case .suspended(let question) = self.phase else {
            preconditionFailure("an answer follows a question")
        }
        switch question {
        case .authenticate:
            preconditionFailure("a login is answered by .authenticationAnswered")
        case .adoptClient(let stage):
            return self.receiveAdoption(answer, stage, into: &replies)
        case .verifySender:
            return self.receiveSenderVerdict(answer, into: &replies)
        case .completeHeader(let chunk):
            return self.receiveCompletion(answer, chunk)
        case .verifyRecipient:
            return self.receiveVerdict(answer, into: &replies)
        case .verifyMailbox(let stage):
            return self.receiveVerification(answer, stage, into: &replies)
        case .expandList(let stage):
            return self.receiveNoList(answer, stage, into: &replies)
        case .startQueue:
            return self.receiveStart(answer, into: &replies)
        case .findMail:
            return self.receiveFinding(answer, into: &replies)
        case .openMessage(let chunk):
            return self.receiveOpening(answer, chunk, into: &replies)
        case .commitMessage(let recipient, let remaining):
            switch self.settings.dialect {
            case .smtp:
                return self.receiveCommit(answer, into: &replies)
            case .lmtp:
                return self.receiveCommit(answer, recipient, remaining, into: &replies)
            }
        }
    }

    private mutating func receiveOpening(
        _ answer: Answer,
        _ chunk: SMTPCommand.Chunk?,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch answer {
        case .messageOpened(let id):
            self.messageID = id
            return self.beginMessage(chunk, into: &replies)
        case .storeFull:
            return self.refuseMessage(chunk, saying: .storeFull, into: &replies)
        case .temporaryFailure:
            return self.refuseMessage(chunk, saying: .temporaryFailure, into: &replies)
        case .senderPermitted, .senderForbidden, .recipientAccepted, .recipientUnknown,
            .relayingDenied, .rateExceeded, .mailboxFull, .mailboxVerified,
            .mailboxUnknown, .headerCompleted, .authorForbidden, .committed, .recipientCommitted,
            .commitFailed, .xclientAdopted, .xclientRefused, .mailboxUnverified, .queueStarted,
            .queueForbidden:
            preconditionFailure("this is no answer about room for a message")
        }
    }

    private mutating func beginMessage(
        _ chunk: SMTPCommand.Chunk?,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.beginContent(transparency: chunk == nil)
        if let chunk {
            self.phase = .receivingChunk(chunk)
        } else {
            self.reply(.startMailInput, into: &replies)
            self.phase = .receivingContent
        }
        return .proceed
    }

    private mutating func refuseMessage(
        _ chunk: SMTPCommand.Chunk?,
        saying reason: SMTPReply,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let chunk { return self.refuse(chunk, saying: reason, .ready, into: &replies) }
        return self.accept(reason, .transaction, into: &replies)
    }
}

// MARK: - The end of a message

extension SMTPServerSession {
    /// Asks for the message to be made durable.
    mutating func commit() -> Effect {
        self.phase = .suspended(.commitMessage(recipient: 0, remaining: self.recipientCount))
        return .commitMessage
    }

    private mutating func receiveCommit(
        _ answer: Answer,
        into replies: inout ReplyBuffer
    ) -> Effect {
        precondition(answer != .recipientCommitted, "SMTP commits for all recipients at once")
        let start = replies.count
        if let reason = Self.reasonAgainstCommit(answer) {
            replies.append(reason.line)
        } else {
            replies.append("250 2.0.0 ")
            self.messageID.append(to: &replies)
            replies.append(" stored")
        }
        replies.appendCRLF()
        self.noteReply(at: start, of: replies)
        self.forgetTransaction()
        return self.goOn(.ready, into: &replies)
    }

    private mutating func receiveCommit(
        _ answer: Answer,
        _ recipient: Int,
        _ remaining: Int,
        into replies: inout ReplyBuffer
    ) -> Effect {
        precondition(answer != .committed, "LMTP commits for each recipient apart")
        let reason = Self.reasonAgainstCommit(answer)
        let next = self.replyForRecipient(at: recipient, reason, into: &replies)
        guard remaining > 1 else {
            self.forgetTransaction()
            return self.goOn(.ready, into: &replies)
        }
        self.phase = .suspended(.commitMessage(recipient: next, remaining: remaining - 1))
        return .awaitInput
    }

    private static func reasonAgainstCommit(_ answer: Answer) -> SMTPReply? {
        switch answer {
        case .committed, .recipientCommitted: return nil
        case .mailboxFull(let permanent): return permanent ? .mailboxNeverFits : .mailboxFull
        case .storeFull: return .storeFull
        case .commitFailed, .temporaryFailure: return .commitFailed
        case .senderPermitted, .senderForbidden, .recipientAccepted, .recipientUnknown,
            .relayingDenied, .rateExceeded, .mailboxVerified,
            .mailboxUnknown, .messageOpened, .headerCompleted, .authorForbidden, .xclientAdopted,
            .xclientRefused, .mailboxUnverified, .queueStarted, .queueForbidden:
            preconditionFailure("this is no answer about a message")
        }
    }

    /// Refuses a message after its end, for all recipients, and ends the transaction.
    mutating func refuseMessage(_ reason: SMTPReply, into replies: inout ReplyBuffer) -> Effect {
        switch self.settings.dialect {
        case .smtp:
            self.reply(reason, into: &replies)
        case .lmtp:
            var recipient = 0
            for _ in 0..<self.recipientCount {
                recipient = self.replyForRecipient(at: recipient, reason, into: &replies)
            }
        }
        self.forgetTransaction()
        return self.goOn(.ready, into: &replies)
    }

    /// Appends the reply for one recipient of LMTP, which names it; returns where the next begins.
    private mutating func replyForRecipient(
        at offset: Int,
        _ reason: SMTPReply?,
        into replies: inout ReplyBuffer
    ) -> Int {
        let start = replies.count
        replies.append(reason?.line ?? "250 2.1.5 ")
        if reason == nil {
            self.messageID.append(to: &replies)
            replies.append(" stored")
        }
        replies.append(" <")
        let next = self.envelope.appendRecipient(at: offset, to: &replies)
        replies.append(">")
        replies.appendCRLF()
        self.noteReply(at: start, of: replies)
        return next
    }
}
