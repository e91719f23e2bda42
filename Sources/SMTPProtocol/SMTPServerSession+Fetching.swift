// SPDX-License-Identifier: Apache-2.0
//
// Sites that are seldom on line fetch their mail: ETRN (RFC 1985) lets the server deliver it now,
// ATRN (RFC 2645) on this very connection. TURN, which gave mail to anybody, stays refused.

internal import MailBytes

extension SMTPServerSession {
    /// Takes ETRN: a domain, or one with all below it after `@`.
    mutating func receiveETRN(
        _ argument: ByteRange,
        _ stage: Stage,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let reason = self.reasonAgainstFetching(stage) {
            return self.refuse(reason, stage, into: &replies)
        }
        // No queue has a name of its own here.
        if line[argument.lowerBound] == UInt8(ascii: "#") {
            return self.refuse(.noSuchQueue, stage, into: &replies)
        }
        let isTree = line[argument.lowerBound] == UInt8(ascii: "@")
        let domain = ByteRange(argument.lowerBound + (isTree ? 1 : 0), argument.upperBound)
        guard Self.isNode(line, domain) else {
            return self.refuse(argumentsOf: .etrn, stage, into: &replies)
        }
        self.envelope.setQuestion(line, domain)
        self.phase = .suspended(.startQueue)
        return .startQueue(isTree ? .domainAndBelow : .domain)
    }

    /// Takes the answer to `.startQueue`.
    mutating func receiveStart(_ answer: Answer, into replies: inout ReplyBuffer) -> Effect {
        let start = replies.count
        switch answer {
        case .queueStarted(recipients: 0): replies.append("251 2.0.0 OK, no messages waiting for ")
        case .queueStarted: replies.append("252 2.0.0 OK, pending messages started for ")
        case .queueForbidden: replies.append("459 4.7.1 Not allowed for ")
        case .temporaryFailure: replies.append("458 4.3.0 Unable to start messages for ")
        case .senderPermitted, .senderForbidden, .recipientAccepted, .recipientUnknown,
            .relayingDenied, .rateExceeded, .mailboxFull, .mailboxVerified, .mailboxUnverified,
            .mailboxUnknown, .messageOpened, .storeFull, .headerCompleted, .authorForbidden,
            .committed, .recipientCommitted, .commitFailed, .xclientAdopted, .xclientRefused:
            preconditionFailure("this is no answer about a queue")
        }
        replies.append(self.envelope.question)
        replies.appendCRLF()
        self.envelope.dropQuestion()
        self.noteReply(at: start, of: replies)
        // Who may not have it may try many names.
        if answer == .queueForbidden, !self.countsError() {
            return self.end(saying: .tooManyErrors, into: &replies)
        }
        return self.goOn(.ready, into: &replies)
    }

    /// Takes ATRN: domains with commas between them, or nothing for all that the client may have.
    mutating func receiveATRN(
        _ argument: ByteRange,
        _ stage: Stage,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let reason = self.reasonAgainstFetching(stage) {
            return self.refuse(reason, stage, into: &replies)
        }
        var start = argument.lowerBound
        while start < argument.upperBound {
            var end = start
            while end < argument.upperBound, line[end] != UInt8(ascii: ",") { end += 1 }
            // A comma at the end has a domain to come.
            guard Self.isNode(line, ByteRange(start, end)), end + 1 != argument.upperBound else {
                return self.refuse(argumentsOf: .atrn, stage, into: &replies)
            }
            start = end + 1
        }
        self.envelope.setQuestion(line, argument)
        self.phase = .suspended(.findMail)
        return .findMail
    }

    /// Takes the answer to `.findMail`.
    mutating func receiveFinding(_ answer: Answer, into replies: inout ReplyBuffer) -> Effect {
        switch answer {
        case .queueStarted(recipients: 0):
            return self.accept(.noMail, .ready, into: &replies)
        case .queueStarted:
            guard !self.isStopping else { return self.end(saying: .goingDown, into: &replies) }
            self.reply(.turningAround, into: &replies)
            self.phase = .closed
            return .turnAround
        case .queueForbidden:
            return self.refuse(.fetchingForbidden, .ready, into: &replies)
        case .temporaryFailure:
            return self.accept(.fetchingUnavailable, .ready, into: &replies)
        case .senderPermitted, .senderForbidden, .recipientAccepted, .recipientUnknown,
            .relayingDenied, .rateExceeded, .mailboxFull, .mailboxVerified, .mailboxUnverified,
            .mailboxUnknown, .messageOpened, .storeFull, .headerCompleted, .authorForbidden,
            .committed, .recipientCommitted, .commitFailed, .xclientAdopted, .xclientRefused:
            preconditionFailure("this is no answer about mail to fetch")
        }
    }

    /// Why the client cannot fetch mail at `stage`; nil: it may ask.
    private func reasonAgainstFetching(_ stage: Stage) -> SMTPReply? {
        switch stage {
        case .greeted: return .helloFirst
        case .transaction, .chunking: return .withinTransaction
        case .ready: break
        }
        // Who said HELO knows of no extension.
        return self.isExtended ? self.reasonAgainstMail : .ehloFirst
    }

    /// Whether a text can be a domain; which ones there are, the driver knows.
    private static func isNode(_ line: borrowing Span<UInt8>, _ range: ByteRange) -> Bool {
        for index in range.indices {
            let octet = line[index]
            let isLetter = octet.isASCIILetter || octet.isASCIIDigit || octet >= 0x80
            guard isLetter || octet == .dot || octet == UInt8(ascii: "-") else { return false }
        }
        return 1...255 ~= range.count
    }
}
