// SPDX-License-Identifier: Apache-2.0
//
// Commands that ask and change nothing: VRFY, EXPN and HELP (RFC 5321, sections 3.5 and 4.1.1.6 to
// 4.1.1.8).

internal import MailBytes
internal import MailSyntax

extension SMTPServerSession {
    mutating func receiveVRFY(
        _ argument: ByteRange,
        _ stage: Stage,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let reason = self.reasonAgainstMail { return self.refuse(reason, stage, into: &replies) }
        guard self.settings.answersVRFY else {
            return self.accept(.cannotVerify, stage, into: &replies)
        }
        guard let mailbox = Self.mailbox(in: argument, of: line) else {
            return self.refuse(.mailboxUnknown, stage, into: &replies)
        }
        self.envelope.setQuestion(line, mailbox)
        self.phase = .suspended(.verifyMailbox(then: stage))
        return .verifyMailbox
    }

    /// Takes the answer to `.verifyMailbox`.
    mutating func receiveVerification(
        _ answer: Answer,
        _ stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        defer { self.envelope.dropQuestion() }
        switch answer {
        case .mailboxVerified:
            replies.append("250 2.1.5 <")
            replies.append(self.envelope.question)
            replies.append(">")
            replies.appendCRLF()
            self.lastReplyWasError = false
            return self.goOn(stage, into: &replies)
        case .mailboxUnverified:
            return self.accept(.cannotVerify, stage, into: &replies)
        case .mailboxUnknown:
            return self.refuse(.mailboxUnknown, stage, into: &replies)
        case .temporaryFailure:
            return self.accept(.temporaryFailure, stage, into: &replies)
        case .senderPermitted, .senderForbidden, .recipientAccepted, .recipientUnknown,
            .relayingDenied, .rateExceeded, .mailboxFull, .messageOpened,
            .storeFull, .headerCompleted, .authorForbidden, .committed, .recipientCommitted,
            .commitFailed, .xclientAdopted, .xclientRefused, .queueStarted,
            .queueForbidden:
            preconditionFailure("this is no answer about a mailbox")
        }
    }

    mutating func receiveEXPN(
        _ argument: ByteRange,
        _ stage: Stage,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let reason = self.reasonAgainstMail { return self.refuse(reason, stage, into: &replies) }
        guard self.settings.answersEXPN else {
            return self.refuse(.noEXPN, stage, into: &replies)
        }
        guard let list = Self.mailbox(in: argument, of: line) else {
            return self.refuse(.mailboxUnknown, stage, into: &replies)
        }
        self.envelope.setQuestion(line, list)
        self.phase = .suspended(.expandList(then: stage))
        return .expandList
    }

    /// Takes an answer to `.expandList` that brings no list.
    mutating func receiveNoList(
        _ answer: Answer,
        _ stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.envelope.dropQuestion()
        switch answer {
        case .mailboxUnknown:
            return self.refuse(.mailboxUnknown, stage, into: &replies)
        case .temporaryFailure:
            return self.accept(.temporaryFailure, stage, into: &replies)
        case .senderPermitted, .senderForbidden, .recipientAccepted, .recipientUnknown,
            .relayingDenied, .rateExceeded, .mailboxFull, .mailboxVerified,
            .messageOpened, .storeFull, .headerCompleted, .authorForbidden, .committed,
            .recipientCommitted, .commitFailed, .xclientAdopted, .xclientRefused,
            .mailboxUnverified, .queueStarted, .queueForbidden:
            preconditionFailure("this is no answer about a list")
        }
    }

    /// The most members that one reply shows.
    private static let membersMax = 100

    /// Takes the answer to `.expandList`: members, LF between them.
    mutating func receiveList(
        _ members: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard case .suspended(.expandList(let stage)) = self.phase else {
            preconditionFailure("a list answers a question for it")
        }
        precondition(members.count > 0, "a list without members is unknown")
        self.envelope.dropQuestion()
        var start = 0
        var count = 0
        while start < members.count, count < Self.membersMax {
            let end = members.firstIndex(of: .lf, from: start) ?? members.count
            let isLast = end + 1 >= members.count
            replies.append(isLast ? "250 2.1.5 <" : "250-2.1.5 <")
            replies.append(members, ByteRange(start, end))
            replies.append(">")
            replies.appendCRLF()
            start = end + 1
            count += 1
        }
        if start < members.count {
            replies.append("250 2.1.5 There are more, which are not shown")
            replies.appendCRLF()
        }
        self.lastReplyWasError = false
        return self.goOn(stage, into: &replies)
    }

    /// The mailbox that VRFY or EXPN names, with or without brackets, with or without a domain.
    private static func mailbox(
        in argument: ByteRange,
        of line: borrowing Span<UInt8>
    ) -> ByteRange? {
        var range = argument
        // RFC 6531, section 3.7.4.2: what may stand in the reply is said here, too.
        let keyword = ByteRange(max(range.lowerBound, range.upperBound - 9), range.upperBound)
        let isUTF8 = line.matches(" SMTPUTF8", in: keyword)
        if isUTF8 { range = line.trimmed(ByteRange(range.lowerBound, keyword.lowerBound)) }
        guard !range.isEmpty else { return nil }
        guard line[range.lowerBound] == UInt8(ascii: "<") else {
            let path = try? MailPath.parseMailbox(line, in: range, allowsBare: true, utf8: isUTF8)
            return path?.mailbox
        }
        let path = try? MailPath.parse(
            line,
            at: range.lowerBound,
            allowsNull: false,
            allowsBare: true,
            utf8: isUTF8
        )
        guard let path, path.end == range.upperBound else { return nil }
        return path.mailbox
    }
}

// MARK: - HELP

extension SMTPServerSession {
    mutating func receiveHELP(
        _ topic: ByteRange,
        _ stage: Stage,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if topic.isEmpty {
            self.appendCommands(to: &replies)
        } else if let verb = SMTPVerb.parse(line, in: topic), self.offers(verb),
            let purpose = verb.purpose
        {
            replies.append("214-2.0.0 ")
            replies.append(verb.syntax)
            replies.appendCRLF()
            replies.append("214 2.0.0 ")
            replies.append(purpose)
            replies.appendCRLF()
        } else {
            return self.refuse(.noSuchTopic, stage, into: &replies)
        }
        self.lastReplyWasError = false
        return self.goOn(stage, into: &replies)
    }

    private func appendCommands(to replies: inout ReplyBuffer) {
        switch (self.settings.dialect, self.settings.purpose) {
        case (.smtp, .fetching): replies.append("214-2.0.0 HELO EHLO ATRN RSET NOOP QUIT HELP")
        case (.smtp, _):
            replies.append("214-2.0.0 HELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT HELP VRFY")
        case (.lmtp, _):
            replies.append("214-2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP QUIT HELP VRFY")
        }
        if self.offers(.expn) { replies.append(" EXPN") }
        if self.offers(.soml) { replies.append(" SOML SAML") }
        if self.offers(.startTLS) { replies.append(" STARTTLS") }
        if self.offers(.auth) { replies.append(" AUTH") }
        if self.offers(.xclient) { replies.append(" XCLIENT") }
        if self.offers(.etrn) { replies.append(" ETRN") }
        replies.appendCRLF()
        replies.append("214 2.0.0 HELP and one of them tells more")
        replies.appendCRLF()
    }

    private func offers(_ verb: SMTPVerb) -> Bool {
        switch verb {
        case .helo, .ehlo: self.settings.dialect == .smtp
        case .lhlo: self.settings.dialect == .lmtp
        case .expn: self.settings.answersEXPN && self.settings.purpose != .fetching
        case .soml, .saml: self.settings.acceptsSOML && self.settings.purpose != .fetching
        case .startTLS: self.settings.offersSTARTTLS && !self.isSecured && self.canBeginTLS
        case .auth: !self.mechanisms.isEmpty
        case .xclient: self.offersXCLIENT
        case .etrn: self.settings.offersETRN
        case .atrn: self.settings.purpose == .fetching
        case .mail, .rcpt, .data, .bdat, .vrfy: self.settings.purpose != .fetching
        case .rset, .noop, .quit, .help, .send, .turn, .get,
            .post, .head, .put, .delete, .options, .connect, .trace,
            .patch, .pri:
            true
        }
    }
}
