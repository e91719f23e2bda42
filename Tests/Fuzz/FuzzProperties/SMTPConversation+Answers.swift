// SPDX-License-Identifier: Apache-2.0
//
// What the driver of the SMTP property answers.

import MailBytes
import MailSyntax
import SASL
import SMTPProtocol

extension SMTPConversation {
    /// Answers a question by its number: mostly with what leads on.
    mutating func answer(_ effect: SMTPServerSession.Effect) throws(BrokenProperty)
        -> SMTPServerSession.Step
    {
        self.questions += 1
        if effect != .commitMessage { self.isCommitting = false }
        switch effect {
        case .adoptClient:
            return self.answer(
                .xclientAdopted,
                [.xclientRefused, .temporaryFailure, .rateExceeded]
            )
        case .verifySender:
            return self.answer(
                .senderPermitted,
                [.senderForbidden, .temporaryFailure, .rateExceeded]
            )
        case .completeHeader:
            return self.complete()
        case .verifyRecipient:
            return self.answer(
                .recipientAccepted,
                [
                    .recipientUnknown, .relayingDenied, .mailboxFull(permanent: true),
                    .mailboxFull(permanent: false), .temporaryFailure,
                    .rateExceeded,
                ]
            )
        case .verifyMailbox:
            return self.answer(.mailboxVerified, [.mailboxUnknown, .mailboxUnverified])
        case .expandList:
            guard self.questions % 2 == 0 else { return self.answer(.mailboxUnknown, []) }
            return self.session.reduce(
                .listed(Array("a@fuzz.example.test\nb@fuzz.example.test".utf8).span),
                into: &self.replies
            )
        case .startQueue, .findMail:
            return self.answer(
                .queueStarted(recipients: self.questions % 2),
                [.queueForbidden, .temporaryFailure]
            )
        case .openMessage:
            let opened = SMTPServerSession.Answer.messageOpened(MessageID(rawValue: 7))
            if self.isGood(2) { self.message = [] }
            self.addedOctets = 0
            return self.answer(opened, [.storeFull, .temporaryFailure])
        case .commitMessage:
            return self.answer(
                self.isLMTP ? .recipientCommitted : .committed,
                [.commitFailed, .storeFull, .mailboxFull(permanent: false), .temporaryFailure]
            )
        case .proceed, .awaitInput, .appendContent, .appendLineEnd, .discardMessage, .startTLS,
            .authenticate, .turnAround, .close:
            preconditionFailure("this is no question")
        }
    }

    /// Whether the question of this number is answered well, when there are so many refusals.
    private func isGood(_ refusals: Int) -> Bool { self.questions % 11 < 11 - refusals }

    private mutating func answer(
        _ good: SMTPServerSession.Answer,
        _ refusals: [SMTPServerSession.Answer]
    ) -> SMTPServerSession.Step {
        let contentOctets = self.session.contentOctets
        let isGood = self.isGood(refusals.count)
        let answer = isGood ? good : refusals[self.questions % 11 + refusals.count - 11]
        let step = self.session.reduce(.answered(answer), into: &self.replies)
        self.noteAddedLineEnd(step.effect, contentOctets)
        return step
    }

    /// Appends what the header lacks, as a driver does, or refuses.
    private mutating func complete() -> SMTPServerSession.Step {
        let refusals: [SMTPServerSession.Answer] = [
            .authorForbidden, .storeFull, .temporaryFailure,
        ]
        if self.isGood(refusals.count) {
            var fields: [UInt8] = []
            if self.session.lacksDate { fields += Array("Date: now\r\n".utf8) }
            if self.session.lacksMessageID { fields += Array("Message-ID: <a@b>\r\n".utf8) }
            self.message? += fields
            self.addedOctets += fields.count
        }
        return self.answer(.headerCompleted, refusals)
    }

    // MARK: - Logins

    /// Answers a question about a login by its number.
    mutating func answer(_ question: SASLQuestion) throws(BrokenProperty)
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
