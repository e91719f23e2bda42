// SPDX-License-Identifier: Apache-2.0
//
// A driver for the fuzzer, over a maildrop of a few messages: it answers every question, well or
// badly, by a number that goes on with each.

import MailBytes
import POP3Protocol
import SASL

/// A driver over a maildrop of a few messages.
struct POP3Conversation: ~Copyable {
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
            mechanisms: .all,
            offersSTLS: true,
            permitsPlaintext: choice & 2 == 0,
            acceptsUTF8Users: choice & 4 != 0,
            commandOctetsMax: choice & 8 == 0 ? 255 : 2048,
            skippedOctetsMax: choice & 16 == 0 ? 400 : 65536,
            errorsMax: choice & 32 == 0 ? 20 : 1000,
            commandsMax: choice & 64 == 0 ? 50 : 100_000
        )
        self.session = POP3ServerSession(settings: settings, offersXCLIENT: choice & 1 != 0)
        if choice & 128 != 0 {
            _ = self.session.reduce(
                .secured(hasClientCertificate: true, bindsChannel: true),
                into: &self.replies
            )
        }
        self.questions = answers
        self.content = Array(
            "Subject: x\r\n.\r\n\r\n.\r\n..\r\nbare\nline\rends\r\r\n.\r\nlast line without end"
                .utf8
        )
    }

    mutating func hold(_ octets: [UInt8], segment: Int) throws(BrokenProperty) -> [UInt8] {
        var buffered: [UInt8] = []
        var next = 0
        var afterSTLS = 0
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
            case .startTLS:
                try require(buffered.isEmpty, "nothing said in clear is kept")
                // In the input an octet of TLS's own stands for the handshake.
                next = afterSTLS
                while next < octets.count, octets[next] != 0x16 { next += 1 }
                guard next < octets.count else { return self.transcript }
                next += 1
                step = self.session.reduce(
                    .secured(hasClientCertificate: next % 2 == 0, bindsChannel: next % 3 == 0),
                    into: &self.replies
                )
                continue
            case .sendContent(let range):
                try require(!range.isEmpty, "something is sent")
                self.transcript += self.part[range.indices]
                idleSteps = 0
            case .logIn, .authenticate, .openMaildrop, .adoptClient, .listMaildrop, .readContent,
                .commitDeletions:
                try require(self.session.awaiting == .answer, "a question awaits an answer")
                step = try self.answer(step.effect)
                continue
            }
            step = self.session.reduce(.received(buffered.span), into: &self.replies)
            try require(0...buffered.count ~= step.consumed, "no more is consumed than given")
            afterSTLS = next - buffered.count + ((buffered.firstIndex(of: 0x0a) ?? 0) + 1)
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
        case .adoptClient:
            return self.fail(choice < 6 ? .xclientAdopted : .xclientRefused)
        case .authenticate(let question):
            return try self.answer(question, choice)
        case .openMaildrop:
            return self.endLogin(choice)
        case .logIn:
            let isNamed = self.session.userName.count > 0 && self.session.secret.count > 0
            try require(isNamed, "a login has a name and a secret")
            return self.endLogin(choice)
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
        case .proceed, .awaitInput, .startTLS, .sendContent, .close:
            preconditionFailure("this is no question")
        }
    }

    private mutating func endLogin(_ choice: Int) -> POP3ServerSession.Step {
        let refusals: [POP3ServerSession.Answer] = [
            .loginRefused, .maildropLocked, .loginDelayed, .loginThrottled,
        ]
        return self.fail(
            choice < 4 ? .loggedIn(messages: choice, octets: 100 * choice) : refusals[choice - 4]
        )
    }

    private mutating func answer(
        _ question: SASLQuestion,
        _ choice: Int
    ) throws(BrokenProperty) -> POP3ServerSession.Step {
        let material = Array(repeating: UInt8(ascii: "n"), count: 24)
        switch choice {
        case 4: return self.conclude(.rejected)
        case 5: return self.conclude(.temporaryFailure)
        case 6: return self.conclude(.throttled)
        case 7: return self.conclude(.unusable)
        default: break
        }
        switch question {
        case .verifyPassword, .verifyDigest, .verifyCertificate, .verifyToken:
            return self.conclude(.accepted)
        case .findSCRAMKeys(_, let binding):
            return self.conclude(
                .scramKeys(
                    salt: material.span,
                    iterations: 4096,
                    nonce: material.span,
                    channelBinding: binding == nil ? Span<UInt8>() : material.span
                )
            )
        case .verifySCRAMProof(let hash):
            let proof = self.session.exchange.clientProof.count
            try require(proof == hash.octetCount, "a proof is as long as its hash")
            return self.conclude(.scramVerified(serverSignature: material.span))
        case .makeChallenge:
            return self.conclude(.challenge(Array("<1.2@fuzz.example.test>".utf8).span))
        }
    }

    private mutating func conclude(_ answer: borrowing SASLAnswer) -> POP3ServerSession.Step {
        self.session.reduce(.authenticationAnswered(copy answer), into: &self.replies)
    }

    private mutating func fail(_ answer: POP3ServerSession.Answer) -> POP3ServerSession.Step {
        self.session.reduce(.answered(answer), into: &self.replies)
    }
}
