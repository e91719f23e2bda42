// SPDX-License-Identifier: Apache-2.0
//
// The envelope: MAIL, RCPT and RSET (RFC 5321, sections 4.1.1.2, 4.1.1.3 and 4.1.1.5).

internal import MailBytes
internal import MailSyntax

extension SMTPServerSession {
    /// Takes MAIL, or SOML and SAML, which delivery to the mailbox satisfies (RFC 821, section
    /// 3.4).
    mutating func receiveMAIL(
        _ arguments: ByteRange,
        _ verb: SMTPVerb,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let reason = self.reasonAgainstMail {
            return self.refuse(reason, .ready, into: &replies)
        }
        guard let start = Self.startOfPath("FROM:", arguments, of: line) else {
            return self.refuse(argumentsOf: verb, .ready, into: &replies)
        }
        let path: MailPath
        let parameters: MailParameters
        do throws(SMTPReply) {
            path = try Self.reversePath(at: start, of: line)
            parameters = try self.parameters(after: path, of: line)
        } catch {
            return self.refuse(error, .ready, into: &replies)
        }
        guard self.transactionCount < self.settings.transactionsMax else {
            return self.end(saying: .tooManyTransactions, into: &replies)
        }
        if let size = parameters.size, size > self.settings.messageOctetsMax {
            return self.accept(.declaredTooLarge, .ready, into: &replies)
        }
        self.transactionCount += 1
        self.declaredOctets = parameters.size
        self.isUTF8 = parameters.isUTF8
        self.requests = Requests(parameters)
        self.contentOctets = 0
        self.envelope.setReversePath(line, path.mailbox, envelopeID: parameters.envelopeID)
        guard self.isSubmitting else {
            return self.accept(.senderTaken, .transaction, into: &replies)
        }
        self.phase = .suspended(.verifySender)
        return .verifySender
    }

    /// Why the client may not use the mail system yet, or nil when it may.
    var reasonAgainstMail: SMTPReply? {
        self.settings.requiresAuthentication && !self.isAuthenticated
            ? .authenticationRequired : nil
    }

    /// Whether messages are a user's who submits them, not another server's.
    var isSubmitting: Bool { self.settings.purpose == .submission || self.isAuthenticated }

    /// Takes the answer to `.verifySender`.
    mutating func receiveSenderVerdict(
        _ answer: Answer,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard answer != .senderPermitted else {
            return self.accept(.senderTaken, .transaction, into: &replies)
        }
        self.forgetTransaction()
        switch answer {
        case .senderForbidden:
            return self.refuse(.senderForbidden, .ready, into: &replies)
        case .rateExceeded:
            return self.accept(.tooManyMessages, .ready, into: &replies)
        case .temporaryFailure:
            return self.accept(.temporaryFailure, .ready, into: &replies)
        case .senderPermitted, .recipientAccepted, .recipientUnknown, .relayingDenied, .mailboxFull,
            .mailboxVerified, .mailboxUnknown, .messageOpened,
            .storeFull, .headerCompleted, .authorForbidden, .committed, .recipientCommitted,
            .commitFailed, .xclientAdopted, .xclientRefused, .mailboxUnverified, .queueStarted,
            .queueForbidden:
            preconditionFailure("this is no answer about a reverse-path")
        }
    }

    mutating func receiveRCPT(
        _ arguments: ByteRange,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard let start = Self.startOfPath("TO:", arguments, of: line) else {
            return self.refuse(argumentsOf: .rcpt, .transaction, into: &replies)
        }
        let path: MailPath
        let parameters: RcptParameters
        do throws(SMTPReply) {
            path = try self.forwardPath(at: start, of: line)
            parameters = try self.recipientParameters(after: path, of: line)
        } catch {
            self.hasRefusedRecipients = true
            return self.refuse(error, .transaction, into: &replies)
        }
        guard self.recipientCount < self.settings.recipientsMax else {
            return self.accept(.tooManyRecipients, .transaction, into: &replies)
        }
        self.envelope.setQuestion(
            line,
            path.mailbox,
            originalRecipient: parameters.originalRecipient
        )
        self.notifyUnderQuestion = parameters.notify
        self.phase = .suspended(.verifyRecipient)
        return .verifyRecipient
    }

    /// Takes the answer to `.verifyRecipient`.
    mutating func receiveVerdict(_ answer: Answer, into replies: inout ReplyBuffer) -> Effect {
        guard answer == .recipientAccepted else {
            self.envelope.dropQuestion()
            self.hasRefusedRecipients = true
            return self.refuseRecipient(answer, into: &replies)
        }
        self.envelope.keepQuestion(all: self.settings.dialect == .lmtp)
        self.recipientCount += 1
        // A list with some dead mailboxes is no attempt to guess mailboxes: each recipient that is
        // there makes up for one that is not.
        self.errorCount = max(0, self.errorCount - 1)
        return self.accept(.recipientTaken, .transaction, into: &replies)
    }

    private mutating func refuseRecipient(
        _ answer: Answer,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch answer {
        case .recipientUnknown:
            return self.refuse(.recipientUnknown, .transaction, into: &replies)
        case .relayingDenied:
            return self.refuse(.relayingDenied, .transaction, into: &replies)
        case .mailboxFull(let permanent):
            let reason: SMTPReply = permanent ? .mailboxNeverFits : .mailboxFull
            return self.accept(reason, .transaction, into: &replies)
        case .temporaryFailure:
            return self.accept(.temporaryFailure, .transaction, into: &replies)
        case .rateExceeded:
            return self.accept(.tooManyRecipientsForNow, .transaction, into: &replies)
        case .senderPermitted, .senderForbidden, .recipientAccepted, .mailboxVerified,
            .mailboxUnknown, .messageOpened, .storeFull, .headerCompleted, .authorForbidden,
            .committed, .recipientCommitted, .commitFailed, .xclientAdopted, .xclientRefused,
            .mailboxUnverified, .queueStarted, .queueForbidden:
            preconditionFailure("this is no answer about a recipient")
        }
    }

    mutating func receiveRSET(_ stage: Stage, into replies: inout ReplyBuffer) -> Effect {
        self.forgetTransaction()
        self.reply(.reset, into: &replies)
        return self.goOnAfterTransaction(stage, into: &replies)
    }

    /// Goes on after a transaction was given up at `stage`, with its message when there is one.
    mutating func goOnAfterTransaction(
        _ stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        let next: Stage = self.envelope.clientName.count > 0 ? .ready : .greeted
        let effect = self.goOn(next, into: &replies)
        return stage == .chunking && effect == .proceed ? .discardMessage : effect
    }

    /// Empties the transaction buffers (RFC 5321, section 4.1.1).
    mutating func forgetTransaction() {
        self.envelope.forgetTransaction()
        self.recipientCount = 0
        self.hasRefusedRecipients = false
        self.declaredOctets = nil
        self.isUTF8 = false
        self.requests = Requests()
    }
}

// MARK: - Grammar

extension SMTPServerSession {
    /// Where the path begins.
    ///
    /// Deviation (RFC 5321, section 3.3): spaces after the colon are let through, because clients
    /// send them and nothing else can be meant.
    private static func startOfPath(
        _ keyword: StaticString,
        _ arguments: ByteRange,
        of line: borrowing Span<UInt8>
    ) -> Int? {
        let end = arguments.lowerBound + keyword.utf8CodeUnitCount
        guard end <= arguments.upperBound,
            line.matches(keyword, in: ByteRange(arguments.lowerBound, end))
        else { return nil }
        var start = end
        while start < arguments.upperBound, line[start] == .space { start += 1 }
        return start
    }

    private static func reversePath(
        at start: Int,
        of line: borrowing Span<UInt8>
    ) throws(SMTPReply) -> MailPath {
        do throws(MailPath.Failure) {
            // Whether SMTPUTF8 is asked for stands behind the path.
            let path = try MailPath.parse(
                line,
                at: start,
                allowsNull: true,
                allowsBare: false,
                utf8: true
            )
            guard path.end == line.count || line[path.end] == .space else { throw .syntax }
            return path
        } catch {
            throw error == .tooLong ? .pathTooLong : .badReversePath
        }
    }

    private func parameters(
        after path: MailPath,
        of line: borrowing Span<UInt8>
    ) throws(SMTPReply) -> MailParameters {
        let range = line.trimmed(ByteRange(path.end, line.count))
        // Who said HELO knows of no extension.
        guard self.isExtended || range.isEmpty else { throw .parameterUnknown }
        var offer: MailParameters.Offer = []
        if !self.settings.mechanisms.isEmpty { offer.insert(.auth) }
        // RFC 8689, section 2: offered, and taken, once TLS is up.
        if self.isSecured { offer.insert(.requireTLS) }
        let parameters = try MailParameters(parsing: line, in: range, offer: offer)
        if !parameters.isUTF8, line.hasNonASCII(in: path.mailbox) { throw .reversePathNeedsUTF8 }
        return parameters
    }

    private func forwardPath(
        at start: Int,
        of line: borrowing Span<UInt8>
    ) throws(SMTPReply) -> MailPath {
        let path: MailPath
        do throws(MailPath.Failure) {
            path = try MailPath.parse(
                line,
                at: start,
                allowsNull: false,
                allowsBare: true,
                utf8: self.isUTF8
            )
            guard path.end == line.count || line[path.end] == .space else { throw .syntax }
            // RFC 5321, section 4.5.1: postmaster alone needs no domain.
            guard !path.domain.isEmpty || line.matches("postmaster", in: path.localPart) else {
                throw .syntax
            }
        } catch {
            switch error {
            case .syntax: throw .badForwardPath
            case .tooLong: throw .pathTooLong
            case .needsUTF8: throw self.isUTF8 ? .badForwardPath : .forwardPathNeedsUTF8
            }
        }
        return path
    }

    private func recipientParameters(
        after path: MailPath,
        of line: borrowing Span<UInt8>
    ) throws(SMTPReply) -> RcptParameters {
        let range = line.trimmed(ByteRange(path.end, line.count))
        guard self.isExtended || range.isEmpty else { throw .parameterUnknown }
        return try RcptParameters(parsing: line, in: range, isUTF8: self.isUTF8)
    }
}
