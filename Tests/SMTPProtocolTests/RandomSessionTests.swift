// SPDX-License-Identifier: Apache-2.0
//
// Conversations made of whatever comes to mind, cut anywhere: none traps, none loops, and how they
// are cut changes nothing.

import MailBytes
import MailSyntax
import SASL
import SMTPProtocol
import Testing

@Suite struct RandomSessionTests {
    private static let words = [
        "EHLO c\r\n", "LHLO c\r\n", "HELO c\r\n", "MAIL FROM:<a@b>\r\n", "MAIL FROM:<> SIZE=5\r\n",
        "MAIL FROM:<a@b> SIZE=9999\r\n", "RCPT TO:<c@d>\r\n", "RCPT TO:<c@d>\r\n", "DATA\r\n",
        "DATA\r\n", "BDAT 5\r\n", "BDAT 5 LAST\r\n", "BDAT 0\r\n", "BDAT 0 LAST\r\n",
        "BDAT 900\r\n", "RSET\r\n", "NOOP\r\n", "VRFY c\r\n", "EXPN c\r\n", "HELP\r\n", "x\r\n",
        "12345", "x\r\n.\r\n", ".\r\n", "..\r\n", "\r\n", "\n", "\r", "\0", "Received: x\r\n",
        "STARTTLS\r\n", "STARTTLS\r\n", "STARTTLS x\r\n", "AUTH PLAIN AGEAYQ==\r\n",
        "AUTH PLAIN\r\n", "AUTH LOGIN\r\n", "AGEAYQ==\r\n", "*\r\n", "AUTH CRAM-MD5\r\n",
        "AUTH SCRAM-SHA-256 biwsbj1hLHI9Yg==\r\n", "AUTH X\r\n", "AUTH EXTERNAL =\r\n",
        "dCAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==\r\n", "XCLIENT ADDR=192.0.2.1\r\n",
        "XCLIENT LOGIN=t PORT=7\r\n", "XCLIENT\r\n", "From: a@b\r\n", "From: a\r\n", "Fr", "om",
        "Date: x\r\n", " folded\r\n", "From: <a@b> c\r\n", "From: \r\n",
        "a longer line of text that is content if it is anything at all\r\n", "QUIT\r\n",
    ]

    /// What leads somewhere, more often than words by chance do.
    private static let phrases = [
        "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
        "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n",
        "MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nBDAT 11\r\nFrom: a@b\r\n",
        "From: a@b\r\n\r\nbody\r\n.\r\n", "no header\r\n.\r\n", "Date: x\r\nFrom: x\r\n\r\n.\r\n",
        "AUTH LOGIN\r\nAGEA\r\nAGEA\r\n", "AUTH PLAIN\r\nAGEAYQ==\r\n",
        "AUTH CRAM-MD5\r\ndCAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==\r\n",
        "RSET\r\nXCLIENT ADDR=IPV6:::1\r\nEHLO c\r\nLHLO c\r\n", "RSET\r\nSTARTTLS\r\nNOOP\r\n",
    ]

    private static func answer(
        _ effect: SMTPServerSession.Effect,
        _ number: Int,
        _ dialect: SMTPServerSettings.Dialect
    ) -> SMTPServerSession.Answer? {
        switch effect {
        case .verifyRecipient: number % 5 == 0 ? .recipientUnknown : .recipientAccepted
        case .verifyMailbox: number % 2 == 0 ? .mailboxUnknown : .mailboxVerified
        case .expandList: .mailboxUnknown
        case .openMessage:
            number % 7 == 0 ? .storeFull : .messageOpened(MessageID(rawValue: UInt64(number)))
        case .commitMessage:
            number % 3 == 0
                ? .commitFailed : dialect == .lmtp ? .recipientCommitted : .committed
        case .verifySender: number % 6 == 0 ? .senderForbidden : .senderPermitted
        case .completeHeader: number % 8 == 0 ? .authorForbidden : .headerCompleted
        case .adoptClient: number % 2 == 0 ? .xclientRefused : .xclientAdopted
        case .proceed, .awaitInput, .appendContent, .appendLineEnd, .discardMessage, .startTLS,
            .authenticate, .close:
            nil
        }
    }

    /// All that a conversation came to.
    private struct Record: Equatable {
        var replies: [UInt8] = []
        var committed: [[UInt8]] = []
        var authors: [[UInt8]] = []
        var isClosed = false
        var isUnbounded = false
    }

    /// A driver that knows no other answers than those of `answer`.
    private struct Driver: ~Copyable {
        var session: SMTPServerSession
        let dialect: SMTPServerSettings.Dialect
        var replies = ReplyBuffer()
        var record = Record()
        var message: [UInt8] = []
        var answers = 0

        init(_ settings: SMTPServerSettings) {
            self.session = SMTPServerSession(settings: settings, peer: .unix, offersXCLIENT: true)
            self.dialect = settings.dialect
        }

        /// Answers questions until there are none.
        mutating func answer(_ first: SMTPServerSession.Step) -> SMTPServerSession.Step {
            var step = first
            while true {
                if case .authenticate(let question) = step.effect {
                    self.answers += 1
                    step = self.answer(question)
                } else if let answer = RandomSessionTests.answer(
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
    }

    /// Holds a conversation of flights: after STARTTLS the rest of a flight is dropped, and the
    /// next one comes inside TLS.
    private func converse(
        _ flights: [[UInt8]],
        _ settings: SMTPServerSettings,
        segments: [Int]
    ) -> Record {
        var driver = Driver(settings)
        var flight = 0
        var buffered: [UInt8] = []
        var rest = flights[0][...]
        var segment = 0
        var idle = 0
        var step = driver.answer(
            driver.session.reduce(.accepted(earlyTalk: false), into: &driver.replies)
        )
        while true {
            buffered.removeFirst(step.consumed)
            if step.effect == .close {
                driver.record.isClosed = true
                break
            }
            if step.effect == .startTLS {
                buffered = []
                rest = []
                guard flight + 1 < flights.count else { break }
                step = driver.session.reduce(
                    .secured(hasClientCertificate: flight % 2 == 0, bindsChannel: true),
                    into: &driver.replies
                )
                continue
            }
            if step.effect == .awaitInput {
                if rest.isEmpty {
                    flight += 1
                    guard flight < flights.count else { break }
                    rest = flights[flight][...]
                }
                let count = segments[segment % segments.count]
                buffered += rest.prefix(count)
                rest = rest.dropFirst(count)
                segment += 1
            }
            let before = driver.replies.count
            let taken = driver.session.reduce(.received(buffered.span), into: &driver.replies)
            switch taken.effect {
            case .appendContent(let range): driver.message += buffered[range.indices]
            case .appendLineEnd: driver.message += [0x0d, 0x0a]
            default: break
            }
            let said = driver.replies.count - before
            let isIdle = taken.consumed == 0 && taken.effect == .proceed && said == 0
            idle = isIdle ? idle + 1 : 0
            if taken.consumed > buffered.count || idle > 3 || said > 4096 {
                driver.record.isUnbounded = true
                break
            }
            step = driver.answer(taken)
        }
        driver.record.replies = driver.replies.span.copy()
        return driver.record
    }

    @Test(arguments: 0..<1500 as Range<UInt64>)
    func anyConversation(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let isSubmission = seed % 4 == 1
        let settings = SMTPServerSettings(
            hostname: Array("mail.example".utf8),
            dialect: seed % 3 == 0 ? .lmtp : .smtp,
            lineEndings: seed % 2 == 0 ? .refuse : .normalise,
            messageOctetsMax: 200,
            commandOctetsMax: 512,
            errorsMax: 50,
            loginFailuresMax: 20,
            receivedFieldsMax: 3,
            answersVRFY: seed % 5 == 0,
            answersEXPN: true,
            offersSTARTTLS: true,
            mechanisms: .all,
            permitsPlaintextAuth: seed % 8 < 4,
            requiresAuthentication: seed % 16 == 1,
            isSubmission: isSubmission,
            checksAuthors: seed % 8 < 2,
            addsMissingFields: true,
            acceptsXCLIENTLogin: seed % 2 == 0
        )
        let flights = (0..<3).map { _ in
            var text = seed % 3 == 0 ? "LHLO c\r\n" : "EHLO c\r\n"
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                let choices = Bool.random(using: &random) ? Self.words : Self.phrases
                text += choices[Int.random(in: 0..<choices.count, using: &random)]
            }
            return Array(text.utf8)
        }
        let whole = self.converse(flights, settings, segments: [100_000])
        #expect(!whole.isUnbounded, "seed \(seed)")
        let segments = (0..<5).map { _ in Int.random(in: 1...40, using: &random) }
        #expect(self.converse(flights, settings, segments: segments) == whole, "seed \(seed)")
        #expect(self.converse(flights, settings, segments: [1]) == whole, "seed \(seed)")
    }
}
