// SPDX-License-Identifier: Apache-2.0
//
// Conversations made of whatever comes to mind, cut anywhere: none traps, none loops, and how they
// are cut changes nothing.

import MailBytes
import MailSyntax
import SMTPProtocol
import Testing

@Suite struct RandomSessionTests {
    private static let words = [
        "EHLO c\r\n", "LHLO c\r\n", "HELO c\r\n", "MAIL FROM:<a@b>\r\n", "MAIL FROM:<> SIZE=5\r\n",
        "MAIL FROM:<a@b> SIZE=9999\r\n", "RCPT TO:<c@d>\r\n", "RCPT TO:<c@d>\r\n", "DATA\r\n",
        "DATA\r\n", "BDAT 5\r\n", "BDAT 5 LAST\r\n", "BDAT 0\r\n", "BDAT 0 LAST\r\n",
        "BDAT 900\r\n", "RSET\r\n", "NOOP\r\n", "VRFY c\r\n", "EXPN c\r\n", "HELP\r\n", "x\r\n",
        "12345", "x\r\n.\r\n", ".\r\n", "..\r\n", "\r\n", "\n", "\r", "\0", "Received: x\r\n",
        "a longer line of text that is content if it is anything at all\r\n", "QUIT\r\n",
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
        var isClosed = false
        var isUnbounded = false
    }

    private func converse(
        _ wire: [UInt8],
        _ settings: SMTPServerSettings,
        segments: [Int]
    ) -> Record {
        var session = SMTPServerSession(settings: settings, peer: .unix)
        var record = Record()
        var message: [UInt8] = []
        var replies = ReplyBuffer()
        var answers = 0
        var consumed = 0
        var received = 0
        var segment = 0
        var idle = 0
        var step = session.reduce(.accepted(earlyTalk: false), into: &replies)
        while true {
            while let answer = Self.answer(step.effect, answers, settings.dialect) {
                if step.effect == .openMessage { message = [] }
                if step.effect == .commitMessage { record.committed.append(message) }
                answers += 1
                step = session.reduce(.answered(answer), into: &replies)
                while session.awaiting == .answer, step.effect == .awaitInput {
                    answers += 1
                    step = session.reduce(.answered(.recipientCommitted), into: &replies)
                }
            }
            if step.effect == .close {
                record.isClosed = true
                break
            }
            if step.effect == .awaitInput {
                guard received < wire.count else { break }
                received = min(wire.count, received + segments[segment % segments.count])
                segment += 1
            }
            let rest = Array(wire[consumed..<received])
            let before = replies.count
            step = session.reduce(.received(rest.span), into: &replies)
            switch step.effect {
            case .appendContent(let range): message += rest[range.indices]
            case .appendLineEnd: message += [0x0d, 0x0a]
            default: break
            }
            consumed += step.consumed
            let isIdle =
                step.consumed == 0 && step.effect == .proceed && replies.count == before
            idle = isIdle ? idle + 1 : 0
            if step.consumed > rest.count || idle > 3 || replies.count - before > 4096 {
                record.isUnbounded = true
                break
            }
        }
        record.replies = replies.span.copy()
        return record
    }

    @Test(arguments: 0..<800 as Range<UInt64>)
    func anyConversation(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let settings = SMTPServerSettings(
            hostname: Array("mail.example".utf8),
            dialect: seed % 3 == 0 ? .lmtp : .smtp,
            lineEndings: seed % 2 == 0 ? .refuse : .normalise,
            messageOctetsMax: 200,
            commandOctetsMax: 512,
            errorsMax: 50,
            receivedFieldsMax: 3,
            answersVRFY: seed % 5 == 0,
            answersEXPN: true
        )
        var text = seed % 3 == 0 ? "LHLO c\r\n" : "EHLO c\r\n"
        for _ in 0..<Int.random(in: 1...60, using: &random) {
            text += Self.words[Int.random(in: 0..<Self.words.count, using: &random)]
        }
        let wire = Array(text.utf8)
        let whole = self.converse(wire, settings, segments: [wire.count])
        #expect(!whole.isUnbounded, "seed \(seed)")
        let segments = (0..<5).map { _ in Int.random(in: 1...40, using: &random) }
        #expect(self.converse(wire, settings, segments: segments) == whole, "seed \(seed)")
        #expect(self.converse(wire, settings, segments: [1]) == whole, "seed \(seed)")
    }
}
