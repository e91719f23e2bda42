// SPDX-License-Identifier: Apache-2.0
//
// What holds for an SMTP or LMTP session, whatever the client sends: no trap, no more consumed than
// given, progress or patience, bounded output, no bare CR or LF in what is stored, and the same
// conversation and messages however the octets are cut.

import MailBytes
import MailSyntax
import SMTPProtocol

/// Holds a conversation three times, with the octets cut in three ways.
///
/// The first octet of the input chooses settings, the second how the octets are cut, the third
/// what the store answers; the rest is what the client sends.
public enum SMTPProperty {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        guard input.count > 3 else { return }
        let octets = Array(input[3...])
        let whole = try self.conversation(input[0], input[2], octets, segment: octets.count)
        for segment in [Int(input[1] % 40) + 1, 1] {
            let cut = try self.conversation(input[0], input[2], octets, segment: segment)
            try requireSame(whole, cut, segment: segment)
        }
    }

    /// All that the session said, asked and stored, in order.
    private static func conversation(
        _ choice: UInt8,
        _ answers: UInt8,
        _ octets: [UInt8],
        segment: Int
    ) throws(BrokenProperty) -> [UInt8] {
        var conversation = SMTPConversation(choice: choice, answers: Int(answers))
        return try conversation.hold(octets, segment: segment)
    }
}

/// A driver that keeps the open message.
private struct SMTPConversation: ~Copyable {
    private var session: SMTPServerSession
    private var replies = ReplyBuffer()
    private var transcript: [UInt8] = []
    private var message: [UInt8]?
    /// The answers that LMTP still waits for after `.commitMessage`.
    private var isCommitting = false
    private var questions: Int
    private let isLMTP: Bool
    private let messageOctetsMax: Int

    init(choice: UInt8, answers: Int) {
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
            receivedFieldsMax: choice & 32 == 0 ? 100 : 2,
            answersVRFY: choice & 64 != 0,
            answersEXPN: choice & 64 != 0,
            acceptsSOML: choice & 128 != 0
        )
        self.session = SMTPServerSession(
            settings: settings,
            peer: NetworkAddress(ipv4: 0xc000_0201, port: 1)
        )
        self.questions = answers
    }

    mutating func hold(_ octets: [UInt8], segment: Int) throws(BrokenProperty) -> [UInt8] {
        var buffered: [UInt8] = []
        var next = 0
        var idleSteps = 0
        var step = self.session.reduce(.accepted(earlyTalk: false), into: &self.replies)
        while true {
            let said = self.replies.count
            try self.takeReplies()
            switch step.effect {
            case .close:
                try require(self.session.awaiting == .nothing, "a closed session awaits nothing")
                return self.transcript
            case .awaitInput where self.session.awaiting == .answer:
                try require(self.isCommitting, "only a commit has several answers")
                step = try self.answer(.commitMessage)
                continue
            case .awaitInput:
                try require(step.consumed <= buffered.count, "no more is consumed than given")
                buffered.removeFirst(step.consumed)
                guard next < octets.count else { return self.transcript }
                let end = min(next + segment, octets.count)
                buffered += octets[next..<end]
                next = end
            case .startTLS, .authenticate:
                throw BrokenProperty(description: "what is not offered is not begun")
            case .verifyRecipient, .verifyMailbox, .expandList, .openMessage, .commitMessage,
                .adoptClient, .verifySender, .completeHeader:
                try require(self.session.awaiting == .answer, "a question awaits an answer")
                try require(step.consumed <= buffered.count, "no more is consumed than given")
                buffered.removeFirst(step.consumed)
                step = try self.ask(step.effect)
                continue
            case .proceed, .appendContent, .appendLineEnd, .discardMessage:
                try self.perform(step.effect, buffered)
                try require(0...buffered.count ~= step.consumed, "no more is consumed than given")
                buffered.removeFirst(step.consumed)
                let isIdle = step.consumed == 0 && said == 0 && step.effect == .proceed
                idleSteps = isIdle ? idleSteps + 1 : 0
                try require(idleSteps < 3, "a session makes progress or waits")
            }
            step = self.session.reduce(.received(buffered.span), into: &self.replies)
        }
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
            self.message?.count ?? 0 <= self.messageOctetsMax,
            "no message is larger than it may be"
        )
    }

    private mutating func ask(_ effect: SMTPServerSession.Effect) throws(BrokenProperty)
        -> SMTPServerSession.Step
    {
        self.transcript += Array("\(effect) ".utf8) + self.session.recipientUnderQuestion.copy()
        self.transcript += [0x0a]
        if effect == .openMessage {
            try require(self.message == nil, "one message at a time")
            try require(self.session.recipientCount > 0, "a message has recipients")
            self.transcript += self.session.reversePath.copy() + [0x0a]
        }
        if effect == .commitMessage {
            let message = self.message ?? []
            try require(self.message != nil, "a message is committed once")
            try require(self.session.contentOctets == message.count, "octets are counted")
            try self.checkLineEnds(message)
            self.transcript += message
            self.message = nil
            self.isCommitting = true
        }
        return try self.answer(effect)
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
        case .verifyRecipient:
            let refusals: [SMTPServerSession.Answer] = [
                .recipientUnknown, .relayingDenied, .mailboxFull(permanent: true),
                .mailboxFull(permanent: false), .temporaryFailure,
            ]
            return self.answered(choice < 6 ? .recipientAccepted : refusals[choice - 6])
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
            return self.answered(.messageOpened(MessageID(rawValue: 7)))
        case .commitMessage:
            let refusals: [SMTPServerSession.Answer] = [
                .commitFailed, .storeFull, .mailboxFull(permanent: false), .temporaryFailure,
            ]
            let success: SMTPServerSession.Answer = self.isLMTP ? .recipientCommitted : .committed
            return self.answered(choice < 7 ? success : refusals[choice - 7])
        case .proceed, .awaitInput, .appendContent, .appendLineEnd, .discardMessage, .startTLS,
            .authenticate, .adoptClient, .verifySender, .completeHeader, .close:
            preconditionFailure("this is no question")
        }
    }

    private mutating func answered(
        _ answer: SMTPServerSession.Answer
    ) -> SMTPServerSession.Step {
        self.session.reduce(.answered(answer), into: &self.replies)
    }
}
