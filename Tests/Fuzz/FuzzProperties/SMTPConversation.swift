// SPDX-License-Identifier: Apache-2.0
//
// The driver of the SMTP property: it keeps the open message, answers by number, and looks at every
// step.

import MailBytes
import MailSyntax
import SASL
import SMTPProtocol

/// A driver that keeps the open message.
struct SMTPConversation: ~Copyable {
    private var session: SMTPServerSession
    private var replies = ReplyBuffer()
    private var transcript: [UInt8] = []
    private var message: [UInt8]?
    /// The answers that LMTP still waits for after `.commitMessage`.
    private var isCommitting = false
    private var questions: Int
    /// Octets of the open message that the client did not send.
    private var addedOctets = 0
    private let isLMTP: Bool
    private let isSubmission: Bool
    private let messageOctetsMax: Int

    init(choices: (UInt8, UInt8), answers: Int) {
        let (choice, more) = choices
        self.isLMTP = choice & 1 != 0
        self.messageOctetsMax = choice & 4 == 0 ? 100_000 : 100
        let settings = SMTPServerSettings(
            hostname: Array("fuzz.example.test".utf8),
            dialect: self.isLMTP ? .lmtp : .smtp,
            lineEndings: choice & 2 == 0 ? .refuse : .normalise,
            messageOctetsMax: self.messageOctetsMax,
            recipientsMax: 100,
            transactionsMax: choice & 8 == 0 ? 1000 : 2,
            commandOctetsMax: 512,
            skippedOctetsMax: choice & 8 == 0 ? 65536 : 700,
            errorsMax: choice & 16 == 0 ? 20 : 1000,
            commandsMax: choice & 8 == 0 ? 100_000 : 30,
            loginFailuresMax: choice & 16 == 0 ? 3 : 1000,
            receivedFieldsMax: choice & 32 == 0 ? 100 : 2,
            answersVRFY: choice & 64 != 0,
            answersEXPN: choice & 64 != 0,
            acceptsSOML: choice & 128 != 0,
            offersSTARTTLS: more & 1 != 0,
            mechanisms: more & 2 != 0 ? .all : [],
            permitsPlaintextAuth: more & 4 != 0,
            requiresAuthentication: more & 24 == 24,
            isSubmission: more & 8 != 0,
            checksAuthors: more & 32 != 0,
            addsMissingFields: more & 64 != 0,
            acceptsXCLIENTLogin: more & 16 != 0
        )
        self.isSubmission = more & 8 != 0
        self.session = SMTPServerSession(
            settings: settings,
            peer: NetworkAddress(ipv4: 0xc000_0201, port: 1),
            offersXCLIENT: more & 128 != 0
        )
        self.questions = answers
    }

    mutating func hold(
        _ flights: [[UInt8]],
        segment: Int
    ) throws(BrokenProperty) -> [UInt8] {
        var buffered: [UInt8] = []
        var flights = flights[...]
        var rest = flights.removeFirst()[...]
        var idleSteps = 0
        var step = self.session.reduce(.accepted(earlyTalk: false), into: &self.replies)
        while true {
            let said = self.replies.count
            try self.takeReplies()
            try require(0...buffered.count ~= step.consumed, "no more is consumed than given")
            try self.perform(step.effect, buffered)
            buffered.removeFirst(step.consumed)
            switch step.effect {
            case .close:
                try require(self.session.awaiting == .nothing, "a closed session awaits nothing")
                return self.transcript
            case .startTLS:
                try require(buffered.isEmpty, "what came with STARTTLS is done with")
                guard let flight = flights.popFirst() else { return self.transcript }
                rest = flight[...]
                step = self.secure()
                continue
            case .awaitInput where self.session.awaiting == .answer:
                try require(self.isCommitting, "only a commit has several answers")
                step = try self.answer(.commitMessage)
                continue
            case .awaitInput:
                if rest.isEmpty {
                    guard let flight = flights.popFirst() else { return self.transcript }
                    rest = flight[...]
                }
                buffered += rest.prefix(segment)
                rest = rest.dropFirst(segment)
            case .authenticate(let question):
                step = try self.answer(question)
                continue
            case .verifyRecipient, .verifyMailbox, .expandList, .openMessage, .commitMessage,
                .adoptClient, .verifySender, .completeHeader:
                step = try self.ask(step.effect)
                continue
            case .proceed, .appendContent, .appendLineEnd, .discardMessage:
                let isIdle = step.consumed == 0 && said == 0 && step.effect == .proceed
                idleSteps = isIdle ? idleSteps + 1 : 0
                try require(idleSteps < 4, "a session makes progress or waits")
            }
            step = self.reduce(buffered)
        }
    }

    private mutating func reduce(_ octets: [UInt8]) -> SMTPServerSession.Step {
        let contentOctets = self.session.contentOctets
        let step = self.session.reduce(.received(octets.span), into: &self.replies)
        self.noteAddedLineEnd(step.effect, contentOctets)
        return step
    }

    /// A line end that the client did not send is not counted by the session.
    private mutating func noteAddedLineEnd(
        _ effect: SMTPServerSession.Effect,
        _ contentOctets: Int
    ) {
        guard effect == .appendLineEnd, self.session.contentOctets == contentOctets else { return }
        self.addedOctets += 2
    }

    private mutating func secure() -> SMTPServerSession.Step {
        self.questions += 1
        self.transcript += Array("secured\n".utf8)
        return self.session.reduce(
            .secured(
                hasClientCertificate: self.questions % 2 == 0,
                bindsChannel: self.questions % 3 == 0
            ),
            into: &self.replies
        )
    }

    private mutating func takeReplies() throws(BrokenProperty) {
        try require(self.replies.count <= 4096, "the output of one step is bounded")
        self.transcript += self.replies.span.copy()
        self.replies.removeAll()
    }

    private mutating func perform(_ effect: SMTPServerSession.Effect, _ buffered: [UInt8])
        throws(BrokenProperty)
    {
        switch effect {
        case .appendContent(let range):
            let isWithin = !range.isEmpty && range.upperBound <= buffered.count
            try require(isWithin, "content is a part of the input")
            try require(self.message != nil, "content belongs to an open message")
            self.message? += buffered[range.indices]
        case .appendLineEnd:
            try require(self.message != nil, "a line end belongs to an open message")
            self.message? += [0x0d, 0x0a]
        case .discardMessage:
            try require(self.message != nil, "only an open message is discarded")
            self.message = nil
            self.transcript += Array("discarded\n".utf8)
        case .proceed, .awaitInput, .verifyRecipient, .verifyMailbox, .expandList, .openMessage,
            .commitMessage, .startTLS, .authenticate, .adoptClient, .verifySender, .completeHeader,
            .close:
            break
        }
        try require(
            self.message?.count ?? 0 <= self.messageOctetsMax + self.addedOctets,
            "no message is larger than it may be"
        )
    }

    /// Asks about an effect that is a question, once its octets are consumed.
    private mutating func ask(_ effect: SMTPServerSession.Effect) throws(BrokenProperty)
        -> SMTPServerSession.Step
    {
        self.transcript += Array("\(effect) ".utf8) + self.session.recipientUnderQuestion.copy()
        self.transcript += [0x0a]
        try require(self.session.awaiting == .answer, "a question awaits an answer")
        if effect == .verifySender {
            let isAsked = self.isSubmission || self.session.isAuthenticated
            try require(isAsked, "only who submits is asked about the reverse-path")
        }
        if effect == .completeHeader {
            try require(self.message != nil, "a header belongs to an open message")
            try self.checkAuthors()
        }
        if effect == .openMessage {
            try require(self.message == nil, "one message at a time")
            try require(self.session.recipientCount > 0, "a message has recipients")
            self.transcript += self.session.reversePath.copy() + [0x0a]
        }
        if effect == .commitMessage {
            let message = self.message ?? []
            try require(self.message != nil, "a message is committed once")
            try require(
                self.session.contentOctets == message.count - self.addedOctets,
                "octets are counted"
            )
            try self.checkLineEnds(message)
            self.transcript += message
            self.message = nil
            self.isCommitting = true
        }
        return try self.answer(effect)
    }

    private mutating func checkAuthors() throws(BrokenProperty) {
        let authors = self.session.authors.copy()
        try require(authors.count <= 5000, "the authors are bounded")
        for author in authors.split(separator: 0x0a, omittingEmptySubsequences: authors.isEmpty) {
            try require(author.contains(UInt8(ascii: "@")), "an author has a domain")
            try require(!author.contains { $0 < 0x20 && $0 != 0x09 }, "an author is text")
        }
        self.transcript += authors
        self.transcript += Array(" \(self.session.lacksDate) \(self.session.lacksMessageID)\n".utf8)
    }

    private func checkLineEnds(_ message: [UInt8]) throws(BrokenProperty) {
        for (index, octet) in message.enumerated() {
            if octet == 0x0d {
                try require(index + 1 < message.count && message[index + 1] == 0x0a, "a bare CR")
            } else if octet == 0x0a {
                try require(index > 0 && message[index - 1] == 0x0d, "a bare LF")
            }
        }
    }

    private mutating func answer(_ effect: SMTPServerSession.Effect) throws(BrokenProperty)
        -> SMTPServerSession.Step
    {
        self.questions += 1
        let choice = self.questions % 11
        if effect != .commitMessage { self.isCommitting = false }
        switch effect {
        case .adoptClient:
            let refusals: [SMTPServerSession.Answer] = [
                .xclientRefused, .temporaryFailure, .rateExceeded,
            ]
            return self.answered(choice < 8 ? .xclientAdopted : refusals[choice - 8])
        case .verifySender:
            let refusals: [SMTPServerSession.Answer] = [
                .senderForbidden, .temporaryFailure, .rateExceeded,
            ]
            return self.answered(choice < 8 ? .senderPermitted : refusals[choice - 8])
        case .completeHeader:
            return self.completed(choice)
        case .verifyRecipient:
            let refusals: [SMTPServerSession.Answer] = [
                .recipientUnknown, .relayingDenied, .mailboxFull(permanent: true),
                .mailboxFull(permanent: false), .temporaryFailure, .relayingUnavailable,
                .rateExceeded,
            ]
            return self.answered(choice < 4 ? .recipientAccepted : refusals[choice - 4])
        case .verifyMailbox:
            return self.answered(choice < 6 ? .mailboxVerified : .mailboxUnknown)
        case .expandList:
            guard choice < 6 else { return self.answered(.mailboxUnknown) }
            return self.session.reduce(
                .listed(Array("a@fuzz.example.test\nb@fuzz.example.test".utf8).span),
                into: &self.replies
            )
        case .openMessage:
            guard choice < 9 else {
                return self.answered(choice == 9 ? .storeFull : .temporaryFailure)
            }
            self.message = []
            self.addedOctets = 0
            return self.answered(.messageOpened(MessageID(rawValue: 7)))
        case .commitMessage:
            let refusals: [SMTPServerSession.Answer] = [
                .commitFailed, .storeFull, .mailboxFull(permanent: false), .temporaryFailure,
            ]
            let success: SMTPServerSession.Answer = self.isLMTP ? .recipientCommitted : .committed
            return self.answered(choice < 7 ? success : refusals[choice - 7])
        case .proceed, .awaitInput, .appendContent, .appendLineEnd, .discardMessage, .startTLS,
            .authenticate, .close:
            preconditionFailure("this is no question")
        }
    }

    /// Appends what the header lacks, as a driver does, or refuses.
    private mutating func completed(_ choice: Int) -> SMTPServerSession.Step {
        let refusals: [SMTPServerSession.Answer] = [
            .authorForbidden, .storeFull, .temporaryFailure,
        ]
        guard choice < 8 else { return self.answered(refusals[choice - 8]) }
        var fields: [UInt8] = []
        if self.session.lacksDate { fields += Array("Date: now\r\n".utf8) }
        if self.session.lacksMessageID { fields += Array("Message-ID: <a@b>\r\n".utf8) }
        self.message? += fields
        self.addedOctets += fields.count
        return self.answered(.headerCompleted)
    }

    private mutating func answered(
        _ answer: SMTPServerSession.Answer
    ) -> SMTPServerSession.Step {
        let contentOctets = self.session.contentOctets
        let step = self.session.reduce(.answered(answer), into: &self.replies)
        self.noteAddedLineEnd(step.effect, contentOctets)
        return step
    }
}

// MARK: - Logins

extension SMTPConversation {
    private mutating func answer(_ question: SASLQuestion) throws(BrokenProperty)
        -> SMTPServerSession.Step
    {
        try require(self.session.awaiting == .answer, "a question awaits an answer")
        try require(!self.session.isAuthenticated, "nobody logs in twice")
        self.transcript += Array("\(question) ".utf8) + self.session.exchange.identity.copy()
        self.transcript += [0x0a]
        self.questions += 1
        switch self.questions % 11 {
        case 0, 1: return self.reduce(.rejected)
        case 2: return self.reduce(.temporaryFailure)
        case 3: return self.reduce(.throttled)
        case 4: return self.reduce(.unusable)
        default: return self.accept(question)
        }
    }

    private mutating func accept(_ question: SASLQuestion) -> SMTPServerSession.Step {
        let text = Array("<1.2@fuzz.example.test>".utf8)
        let none: [UInt8] = []
        switch question {
        case .makeChallenge:
            return self.reduce(.challenge(text.span))
        case .findSCRAMKeys(_, let binding):
            return self.reduce(
                .scramKeys(
                    salt: text.span,
                    iterations: 4096,
                    nonce: text.span,
                    channelBinding: binding == nil ? none.span : text.span
                )
            )
        case .verifySCRAMProof:
            return self.reduce(.scramVerified(serverSignature: text.span))
        case .verifyPassword, .verifyDigest, .verifyCertificate, .verifyToken:
            return self.reduce(.accepted)
        }
    }

    private mutating func reduce(_ answer: SASLAnswer) -> SMTPServerSession.Step {
        self.session.reduce(.authenticationAnswered(answer), into: &self.replies)
    }
}
