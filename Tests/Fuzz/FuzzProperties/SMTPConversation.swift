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
    var session: SMTPServerSession
    var replies = ReplyBuffer()
    var transcript: [UInt8] = []
    var message: [UInt8]?
    /// The answers that LMTP still waits for after `.commitMessage`.
    var isCommitting = false
    var questions: Int
    /// Octets of the open message that the client did not send.
    var addedOctets = 0
    let isLMTP: Bool
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
            purpose: more & 8 != 0 ? .submission : choice & 192 == 192 ? .fetching : .relaying,
            offersETRN: choice & 64 == 0,
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
        var wire = Flights(flights, segment: segment)
        var idleSteps = 0
        var step = self.session.reduce(.accepted(earlyTalk: false), into: &self.replies)
        while true {
            let said = self.replies.count
            try self.takeReplies()
            try require(0...buffered.count ~= step.consumed, "no more is consumed than given")
            try self.perform(step.effect, buffered)
            buffered.removeFirst(step.consumed)
            switch step.effect {
            case .close, .turnAround:
                try require(self.session.awaiting == .nothing, "a closed session awaits nothing")
                return self.transcript
            case .startTLS:
                try require(buffered.isEmpty, "what came with STARTTLS is done with")
                guard wire.dropFlight() else { return self.transcript }
                step = self.secure()
                continue
            case .awaitInput where self.session.awaiting == .answer:
                try require(self.isCommitting, "only a commit has several answers")
                step = try self.answer(.commitMessage)
                continue
            case .awaitInput:
                guard let octets = wire.next() else { return self.transcript }
                buffered += octets
            case .authenticate(let question):
                step = try self.answer(question)
                continue
            case .verifyRecipient, .verifyMailbox, .expandList, .openMessage, .commitMessage,
                .adoptClient, .verifySender, .completeHeader, .startQueue, .findMail:
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
    mutating func noteAddedLineEnd(
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
            .startQueue, .findMail, .turnAround, .close:
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
        if effect == .verifyRecipient {
            let original = self.session.originalRecipientUnderQuestion.copy()
            try require(original.count <= 500, "an original recipient is bounded")
            try require(!original.contains { $0 <= 0x20 || $0 == 0x7f }, "and has no spaces")
            let notify = self.session.notifyUnderQuestion
            try require(!notify.contains(.never) || notify == .never, "NEVER stands alone")
            self.transcript += Array("\(notify.rawValue) ".utf8) + original
        }
        if effect == .completeHeader {
            try require(self.message != nil, "a header belongs to an open message")
            try self.checkAuthors()
        }
        if effect == .openMessage {
            try require(self.message == nil, "one message at a time")
            try require(self.session.recipientCount > 0, "a message has recipients")
            let options = self.session.options
            try require(options.envelopeID.count <= 100, "an envelope id is bounded")
            try require(
                options.envelopeID.allSatisfy { 0x21...0x7e ~= $0 },
                "an envelope id is printable"
            )
            try require(
                !options.requiresTLS || self.session.isSecured,
                "REQUIRETLS is for those who have TLS"
            )
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
}
