// SPDX-License-Identifier: Apache-2.0
//
// No command allocates: after the first transaction of a session, which makes room for its texts,
// the heap is left alone.

import CAllocationCount
import MailBytes
import MailSyntax
import SASL
import SMTPProtocol
import Testing

@Suite struct AllocationTests {
    /// The commands of a round; replies are thrown away after each.
    private struct Round {
        private let commands: [[UInt8]]

        init(_ commands: String...) {
            self.commands = commands.map { Array("\($0)\r\n".utf8) }
        }

        func run(_ session: inout SMTPServerSession, _ replies: inout ReplyBuffer) {
            for index in self.commands.indices {
                self.run(self.commands[index], &session, &replies)
            }
        }

        private func run(
            _ octets: [UInt8],
            _ session: inout SMTPServerSession,
            _ replies: inout ReplyBuffer
        ) {
            var offset = 0
            while true {
                let step = session.reduce(
                    .received(octets.span.extracting(offset...)),
                    into: &replies
                )
                offset += step.consumed
                var effect = step.effect
                while let answer = Self.answer(to: effect) {
                    effect = session.reduce(.answered(answer), into: &replies).effect
                }
                replies.removeAll()
                if effect == .awaitInput { return }
            }
        }

        private static func answer(
            to effect: SMTPServerSession.Effect
        ) -> SMTPServerSession.Answer? {
            switch effect {
            case .verifyRecipient: .recipientAccepted
            case .verifyMailbox: .mailboxVerified
            case .openMessage: .messageOpened(MessageID(rawValue: 7))
            case .commitMessage: .committed
            case .expandList: .mailboxUnknown
            case .verifySender: .senderPermitted
            case .completeHeader: .headerCompleted
            case .adoptClient: .xclientAdopted
            case .startQueue, .findMail: .queueStarted(recipients: 0)
            case .proceed, .awaitInput, .appendContent, .appendLineEnd, .discardMessage, .startTLS,
                .authenticate, .turnAround, .close:
                nil
            }
        }
    }

    private func allocations(in round: Round, _ settings: SMTPServerSettings) -> Int {
        var session = SMTPServerSession(settings: settings, peer: .unix)
        var replies = ReplyBuffer()
        _ = session.reduce(.accepted(earlyTalk: false), into: &replies)
        Round("EHLO client.example").run(&session, &replies)
        return self.allocations(in: round, &session, &replies)
    }

    private func allocations(
        in round: Round,
        _ session: inout SMTPServerSession,
        _ replies: inout ReplyBuffer
    ) -> Int {
        round.run(&session, &replies)
        // The Swift runtime may still make room for metadata while other tests run; a command that
        // allocates does so every time.
        return (0..<5).reduce(Int.max) { least, _ in
            let before = callocationcount_of_this_thread()
            for _ in 0..<100 { round.run(&session, &replies) }
            return min(least, callocationcount_of_this_thread() - before)
        }
    }

    private static let submission = SMTPServerSettings(
        hostname: Array("mail.example".utf8),
        transactionsMax: 100_000,
        errorsMax: 100_000,
        offersSTARTTLS: true,
        mechanisms: .all,
        purpose: .submission,
        checksAuthors: true,
        addsMissingFields: true,
        hidesClientAddress: true
    )

    private static let settings = SMTPServerSettings(
        hostname: Array("mail.example".utf8),
        errorsMax: 100_000,
        answersVRFY: true,
        answersEXPN: true,
        offersETRN: true
    )

    @Test func theCounterCounts() {
        let before = callocationcount_of_this_thread()
        let array = [UInt8](repeating: 1, count: Int.random(in: 5000...6000))
        let count = callocationcount_of_this_thread() - before
        #expect(array.count >= 5000)
        #expect(count > 0 || before < 0)
    }

    @Test func messagesByDATA() {
        let round = Round(
            "MAIL FROM:<sender@example.org> SIZE=100 BODY=8BITMIME",
            "RCPT TO:<one@mail.example>",
            "RCPT TO:<two@mail.example>",
            "DATA",
            "Subject: x\r\n\r\nOne line.\r\n..\r\n\(String(repeating: "long ", count: 500))\r\n."
        )
        #expect(self.allocations(in: round, Self.settings) == 0)
    }

    @Test func messagesByBDAT() {
        let round = Round(
            "MAIL FROM:<>",
            "RCPT TO:<one@mail.example>",
            "BDAT 4\r\nx\r\n\r\nBDAT 0 LAST"
        )
        #expect(self.allocations(in: round, Self.settings) == 0)
    }

    @Test func messagesThatAreSubmitted() {
        let name = String(repeating: "long name ", count: 100)
        let round = Round(
            "MAIL FROM:<sender@example.org> AUTH=a+2Bb@example.org",
            "RCPT TO:<one@mail.example>",
            "DATA",
            "Subject: x\r\nFrom: \(name) <a@b>,\r\n (comment) c@d\r\n\r\nOne line.\r\n.",
            "MAIL FROM:<sender@example.org>",
            "RCPT TO:<one@mail.example>",
            "DATA",
            "no header\r\n.",
            "MAIL FROM:<>",
            "RCPT TO:<one@mail.example>",
            "BDAT 7\r\nFrom: aBDAT 14 LAST\r\n@b\r\n\r\n  text",
            "EHLO client.example",
            "AUTH",
            "STARTTLS now",
            "XCLIENT ADDR=192.0.2.1"
        )
        #expect(self.allocations(in: round, Self.submission) == 0)
    }

    /// AUTH may allocate, because an exchange has memory of its own; what follows it may not.
    @Test func afterAUTH() {
        var session = SMTPServerSession(settings: Self.submission, peer: .unix)
        var replies = ReplyBuffer()
        _ = session.reduce(.accepted(earlyTalk: false), into: &replies)
        _ = session.reduce(.received(Array("EHLO c\r\n".utf8).span), into: &replies)
        _ = session.reduce(.received(Array("AUTH CRAM-MD5\r\n".utf8).span), into: &replies)
        let challenge = Array("<1@h>".utf8)
        _ = session.reduce(.authenticationAnswered(.challenge(challenge.span)), into: &replies)
        let response = Base64.encode(Array("t 0123456789abcdef0123456789abcdef".utf8)) + [13, 10]
        _ = session.reduce(.received(response.span), into: &replies)
        _ = session.reduce(.authenticationAnswered(.accepted), into: &replies)
        let isAuthenticated = session.isAuthenticated
        #expect(isAuthenticated)
        let round = Round("NOOP", "AUTH PLAIN", "MAIL FROM:<a@b>", "RSET", "EHLO c")
        #expect(self.allocations(in: round, &session, &replies) == 0)
    }

    @Test func whatIsAskedForBesideThePaths() {
        let round = Round(
            "ETRN example.net",
            "MAIL FROM:<sender@example.org> RET=HDRS ENVID=QQ314159+40",
            "RCPT TO:<one@mail.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;one+2Btwo@example.org",
            "RCPT TO:<two@mail.example> NOTIFY=NEVER",
            "RSET"
        )
        #expect(self.allocations(in: round, Self.settings) == 0)
    }

    /// Paths that are none are left out: Swift Testing notes down where errors are thrown, and
    /// allocates for it.
    @Test func allElse() {
        let round = Round(
            "NOOP",
            "RSET",
            "VRFY someone",
            "EXPN list",
            "HELP",
            "HELP MAIL",
            "NONSENSE",
            "MAIL FROM",
            "RCPT TO:<one@mail.example>",
            "DATA",
            "BDAT 2\r\nx",
            "EHLO client.example",
            "MAIL FROM:<sender@example.org>",
            "RSET",
            "NOOP \0"
        )
        #expect(self.allocations(in: round, Self.settings) == 0)
    }
}
