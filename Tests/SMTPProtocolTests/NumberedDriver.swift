// SPDX-License-Identifier: Apache-2.0
//
// The driver of random conversations: what it answers depends on how many questions there were, so
// that a conversation that is cut otherwise hears the same.

import MailBytes
import MailSyntax
import SASL
import SMTPProtocol

/// A driver that knows no other answers than those of `answer`.
struct NumberedDriver: ~Copyable {
    /// All that a conversation came to.
    struct Record: Equatable {
        var replies: [UInt8] = []
        var committed: [[UInt8]] = []
        var authors: [[UInt8]] = []
        var isClosed = false
        var isUnbounded = false
    }

    private(set) var record = Record()
    private var session: SMTPServerSession
    private let dialect: SMTPServerSettings.Dialect
    private var replies = ReplyBuffer()
    private var message: [UInt8] = []
    private var answers = 0
    private var idleSteps = 0

    init(_ settings: SMTPServerSettings) {
        self.session = SMTPServerSession(settings: settings, peer: .unix, offersXCLIENT: true)
        self.dialect = settings.dialect
    }

    mutating func greet() -> SMTPServerSession.Step {
        self.answer(self.session.reduce(.accepted(earlyTalk: false), into: &self.replies))
    }

    mutating func secure() -> SMTPServerSession.Step {
        self.answers += 1
        return self.session.reduce(
            .secured(hasClientCertificate: self.answers % 2 == 0, bindsChannel: true),
            into: &self.replies
        )
    }

    /// Gives the session what is buffered, once, and answers what it asks.
    mutating func receive(_ octets: [UInt8]) -> SMTPServerSession.Step {
        let before = self.replies.count
        let step = self.session.reduce(.received(octets.span), into: &self.replies)
        switch step.effect {
        case .appendContent(let range): self.message += octets[range.indices]
        case .appendLineEnd: self.message += [0x0d, 0x0a]
        default: break
        }
        let said = self.replies.count - before
        let isIdle = step.consumed == 0 && step.effect == .proceed && said == 0
        self.idleSteps = isIdle ? self.idleSteps + 1 : 0
        self.record.isUnbounded =
            step.consumed > octets.count || self.idleSteps > 3 || said > 4096
        return self.answer(step)
    }

    mutating func end(isClosed: Bool) -> Record {
        self.record.isClosed = isClosed
        self.record.replies = self.replies.span.copy()
        return self.record
    }

    /// Answers questions until there are none.
    private mutating func answer(_ first: SMTPServerSession.Step) -> SMTPServerSession.Step {
        var step = first
        while true {
            if case .authenticate(let question) = step.effect {
                self.answers += 1
                step = self.answer(question)
            } else if let answer = Self.answer(
                step.effect,
                self.answers,
                self.dialect
            ) {
                self.note(step.effect)
                self.answers += 1
                step = self.session.reduce(.answered(answer), into: &self.replies)
                while self.session.awaiting == .answer, step.effect == .awaitInput {
                    self.answers += 1
                    step = self.session.reduce(
                        .answered(.recipientCommitted),
                        into: &self.replies
                    )
                }
            } else {
                return SMTPServerSession.Step(consumed: first.consumed, effect: step.effect)
            }
        }
    }

    private mutating func note(_ effect: SMTPServerSession.Effect) {
        switch effect {
        case .openMessage: self.message = []
        case .commitMessage: self.record.committed.append(self.message)
        case .completeHeader:
            self.record.authors.append(self.session.authors.copy())
            if self.session.lacksDate { self.message += Array("Date: now\r\n".utf8) }
        default: break
        }
    }

    private mutating func answer(_ question: SASLQuestion) -> SMTPServerSession.Step {
        let text = Array("<1@h>".utf8)
        if self.answers % 5 == 0 {
            return self.session.reduce(.authenticationAnswered(.rejected), into: &self.replies)
        }
        switch question {
        case .makeChallenge:
            return self.session.reduce(
                .authenticationAnswered(.challenge(text.span)),
                into: &self.replies
            )
        case .findSCRAMKeys:
            let none: [UInt8] = []
            let keys = SASLAnswer.scramKeys(
                salt: text.span,
                iterations: 4096,
                nonce: text.span,
                channelBinding: none.span
            )
            return self.session.reduce(.authenticationAnswered(keys), into: &self.replies)
        case .verifySCRAMProof:
            return self.session.reduce(
                .authenticationAnswered(.scramVerified(serverSignature: text.span)),
                into: &self.replies
            )
        case .verifyPassword, .verifyDigest, .verifyCertificate, .verifyToken:
            return self.session.reduce(.authenticationAnswered(.accepted), into: &self.replies)
        }
    }

    private static func answer(
        _ effect: SMTPServerSession.Effect,
        _ number: Int,
        _ dialect: SMTPServerSettings.Dialect
    ) -> SMTPServerSession.Answer? {
        switch effect {
        case .verifyRecipient: number % 5 == 0 ? .recipientUnknown : .recipientAccepted
        case .verifyMailbox:
            number % 2 == 0
                ? .mailboxUnknown : number % 3 == 0 ? .mailboxUnverified : .mailboxVerified
        case .expandList: .mailboxUnknown
        case .openMessage:
            number % 7 == 0 ? .storeFull : .messageOpened(MessageID(rawValue: UInt64(number)))
        case .commitMessage:
            number % 3 == 0
                ? .commitFailed : dialect == .lmtp ? .recipientCommitted : .committed
        case .verifySender: number % 6 == 0 ? .senderForbidden : .senderPermitted
        case .completeHeader: number % 8 == 0 ? .authorForbidden : .headerCompleted
        case .adoptClient: number % 2 == 0 ? .xclientRefused : .xclientAdopted
        case .startQueue, .findMail:
            number % 3 == 0 ? .queueForbidden : .queueStarted(recipients: number % 4)
        case .proceed, .awaitInput, .appendContent, .appendLineEnd, .discardMessage, .startTLS,
            .authenticate, .turnAround, .close:
            nil
        }
    }
}
