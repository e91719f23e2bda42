// SPDX-License-Identifier: Apache-2.0
//
// What holds for a POP3 session, whatever the client sends: no trap, no more consumed than given,
// progress or patience, bounded output, and the same conversation however the octets are cut.

import MailBytes
import POP3Protocol

/// Holds a conversation three times, with the octets cut in three ways.
///
/// The first octet of the input chooses settings, the second how the octets are cut, the third
/// what the store answers; the rest is what the client sends.
public enum POP3Property {
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

    /// All that the session said and asked, in order.
    private static func conversation(
        _ choice: UInt8,
        _ answers: UInt8,
        _ octets: [UInt8],
        segment: Int
    ) throws(BrokenProperty) -> [UInt8] {
        var conversation = POP3Conversation(choice: choice, answers: Int(answers))
        return try conversation.hold(octets, segment: segment)
    }
}

/// A driver over a maildrop of a few messages.
private struct POP3Conversation: ~Copyable {
    private var session: POP3ServerSession
    private var replies = ReplyBuffer()
    private var transcript: [UInt8] = []
    private var questions: Int
    private let content: [UInt8]
    private var part: [UInt8] = []

    init(choice: UInt8, answers: Int) {
        let settings = POP3ServerSettings(
            hostname: Array("fuzz.example.test".utf8),
            offersAPOP: choice & 1 != 0,
            permitsPlaintext: choice & 2 == 0,
            acceptsUTF8Users: choice & 4 != 0,
            commandOctetsMax: choice & 8 == 0 ? 255 : 2048,
            skippedOctetsMax: choice & 16 == 0 ? 400 : 65536,
            errorsMax: choice & 32 == 0 ? 20 : 1000,
            commandsMax: choice & 64 == 0 ? 50 : 100_000
        )
        self.session = POP3ServerSession(settings: settings)
        self.questions = answers
        self.content = Array(
            "Subject: x\r\n.\r\n\r\n.\r\n..\r\nbare\nline\rends\r\r\n.\r\nlast line without end"
                .utf8
        )
    }

    mutating func hold(_ octets: [UInt8], segment: Int) throws(BrokenProperty) -> [UInt8] {
        var buffered: [UInt8] = []
        var next = 0
        var idleSteps = 0
        var step = self.session.reduce(
            .accepted(earlyTalk: false, nonce: 1, clock: 2),
            into: &self.replies
        )
        while true {
            let said = self.replies.count
            try self.takeReplies()
            switch step.effect {
            case .close:
                try require(self.session.awaiting == .nothing, "a closed session awaits nothing")
                return self.transcript
            case .proceed:
                idleSteps = step.consumed == 0 && said == 0 ? idleSteps + 1 : 0
                try require(idleSteps < 2, "a session makes progress or waits")
            case .awaitInput:
                guard next < octets.count else { return self.transcript }
                let end = min(next + segment, octets.count)
                buffered += octets[next..<end]
                next = end
            case .sendContent(let range):
                try require(!range.isEmpty, "something is sent")
                self.transcript += self.part[range.indices]
                idleSteps = 0
            case .logIn, .listMaildrop, .readContent, .commitDeletions:
                try require(self.session.awaiting == .answer, "a question awaits an answer")
                step = try self.answer(step.effect)
                continue
            }
            step = self.session.reduce(.received(buffered.span), into: &self.replies)
            try require(0...buffered.count ~= step.consumed, "no more is consumed than given")
            buffered.removeFirst(step.consumed)
        }
    }

    private mutating func takeReplies() throws(BrokenProperty) {
        try require(self.replies.count <= 4096, "the output of one step is bounded")
        self.transcript += self.replies.span.copy()
        self.replies.removeAll()
    }

    private mutating func answer(_ effect: POP3ServerSession.Effect) throws(BrokenProperty)
        -> POP3ServerSession.Step
    {
        self.transcript += Array("\(effect)\n".utf8)
        self.questions += 1
        let choice = self.questions % 8
        switch effect {
        case .logIn:
            let isNamed = self.session.userName.count > 0 && self.session.secret.count > 0
            try require(isNamed, "a login has a name and a secret")
            let refusals: [POP3ServerSession.Answer] = [
                .loginRefused, .maildropLocked, .loginDelayed, .temporaryFailure,
            ]
            let answer =
                choice < 4
                ? .loggedIn(messages: choice, octets: 100 * choice) : refusals[choice - 4]
            return self.session.reduce(.answered(answer), into: &self.replies)
        case .listMaildrop:
            guard choice != 7 else { return self.fail(.temporaryFailure) }
            let listing = MaildropListing(
                incarnation: 9,
                sequences: [1, 2, 5],
                octets: [100, 100, 100],
                accessedBefore: choice % 4
            )
            return self.session.reduce(.listed(listing), into: &self.replies)
        case .readContent(_, let offset):
            guard choice != 7 else { return self.fail(.contentMissing) }
            let end = min(offset + self.questions % 23 + 1, self.content.count)
            let part = Array(self.content[min(offset, end)..<end])
            self.part = part
            let needsStuffing = self.questions % 3 == 0 || ContentEncoder.mayStuff(part.span)
            return self.session.reduce(
                .contentRead(
                    part.span,
                    isLast: end == self.content.count,
                    needsStuffing: needsStuffing
                ),
                into: &self.replies
            )
        case .commitDeletions:
            var count = 0
            self.session.forEachDeleted { _ in count += 1 }
            let deleted = self.session.deletedCount
            try require(count > 0 && count == deleted, "as many are deleted as were counted")
            return self.fail(choice < 6 ? .deletionsCommitted : .deletionsFailed)
        case .proceed, .awaitInput, .sendContent, .close:
            preconditionFailure("this is no question")
        }
    }

    private mutating func fail(_ answer: POP3ServerSession.Answer) -> POP3ServerSession.Step {
        self.session.reduce(.answered(answer), into: &self.replies)
    }
}
