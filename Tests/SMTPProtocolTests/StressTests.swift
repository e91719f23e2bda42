// SPDX-License-Identifier: Apache-2.0
//
// What a hostile or broken client sends without end: every step does a bounded piece of work and
// appends a bounded reply, every session comes to an end or waits with little in its buffer.

import MailBytes
import MailSyntax
import SMTPProtocol
import Testing

@Suite struct StressTests {
    private static let settings = SMTPServerSettings(
        hostname: Array("mail.example".utf8),
        skippedOctetsMax: 100_000,
        commandsMax: 5000,
        answersEXPN: true
    )

    /// A session that has come as far as these lines lead it.
    private func session(
        _ lines: String...,
        settings: SMTPServerSettings = settings
    ) -> SMTPServerSession {
        var session = SMTPServerSession(settings: settings, peer: .unix)
        var replies = ReplyBuffer()
        _ = session.reduce(.accepted(earlyTalk: false), into: &replies)
        for line in lines {
            let octets = Array("\(line)\r\n".utf8)
            let effect = session.reduce(.received(octets.span), into: &replies).effect
            if let answer = Self.answer(to: effect) {
                _ = session.reduce(.answered(answer), into: &replies)
            }
        }
        return session
    }

    private static func answer(to effect: SMTPServerSession.Effect) -> SMTPServerSession.Answer? {
        switch effect {
        case .verifyRecipient: .recipientAccepted
        case .openMessage: .messageOpened(MessageID(rawValue: 7))
        case .verifySender: .senderPermitted
        case .completeHeader: .headerCompleted
        case .proceed, .awaitInput, .verifyMailbox, .expandList, .appendContent, .appendLineEnd,
            .commitMessage, .discardMessage, .startTLS, .authenticate, .adoptClient, .startQueue,
            .findMail, .turnAround, .close:
            nil
        }
    }

    @Test(arguments: [1, 7, 255, 2047, 2048, 2049, 65536], [UInt8(0x41), 0x0a, 0x0d, 0x00])
    func endlessLineIsSkippedThenEnded(segment: Int, octet: UInt8) {
        var session = self.session()
        var replies = ReplyBuffer()
        var pending: [UInt8] = []
        let octets = [UInt8](repeating: octet, count: segment)
        var sent = 0
        for _ in 0..<200_000 {
            pending += octets
            sent += octets.count
            let step = session.reduce(.received(pending.span), into: &replies)
            pending.removeFirst(step.consumed)
            guard step.effect == .awaitInput else { break }
            if pending.count > Self.settings.commandOctetsMax {
                Issue.record("\(pending.count) octets wait")
                break
            }
        }
        #expect(session.awaiting == .nothing)
        #expect(sent <= Self.settings.skippedOctetsMax + max(segment, 2048) + 1)
        #expect(replies.span.copy() == Array("421 4.7.0 Line too long\r\n".utf8))
    }

    @Test func endlessCommandsEnd() {
        var session = self.session()
        var replies = ReplyBuffer()
        let pipeline = Array(String(repeating: "NOOP\r\n", count: 10_000).utf8)
        var offset = 0
        var steps = 0
        var effect = SMTPServerSession.Effect.proceed
        while effect == .proceed, steps < 100_000 {
            let rest = pipeline.span.extracting(offset...)
            let step = session.reduce(.received(rest), into: &replies)
            offset += step.consumed
            effect = step.effect
            steps += 1
        }
        #expect(effect == .close)
        #expect(steps == Self.settings.commandsMax + 1)
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        #expect(text.hasSuffix("250 2.0.0 OK\r\n421 4.7.0 Too many commands\r\n"))
    }

    @Test(arguments: [SMTPServerSettings.Dialect.smtp, .lmtp])
    func endlessRecipients(dialect: SMTPServerSettings.Dialect) {
        let settings = SMTPServerSettings(hostname: Array("m".utf8), dialect: dialect)
        let hello = dialect == .smtp ? "EHLO c" : "LHLO c"
        var session = self.session(hello, "MAIL FROM:<>", settings: settings)
        var replies = ReplyBuffer()
        let name = String(repeating: "a", count: 64)
        let label = String(repeating: "b", count: 63)
        let domain = [label, label, label, String(label.dropLast())].joined(separator: ".")
        let line = Array("RCPT TO:<\(name)@\(domain)>\r\n".utf8)
        var accepted = 0
        for _ in 0..<3000 {
            let effect = session.reduce(.received(line.span), into: &replies).effect
            guard let answer = Self.answer(to: effect) else { continue }
            _ = session.reduce(.answered(answer), into: &replies)
            accepted += 1
        }
        #expect(accepted == settings.recipientsMax)
        #expect(session.recipientCount == settings.recipientsMax)
        let refused = "452 4.5.3 Too many recipients\r\n"
        #expect(String(decoding: replies.span.copy(), as: UTF8.self).hasSuffix(refused))
    }

    /// LMTP refuses a message for all of its recipients in one step: that is the longest reply.
    @Test func longestReplyIsBounded() {
        let settings = SMTPServerSettings(
            hostname: Array("m".utf8),
            dialect: .lmtp,
            messageOctetsMax: 1
        )
        var session = self.session("LHLO c", "MAIL FROM:<>", settings: settings)
        var replies = ReplyBuffer()
        for index in 0..<1000 {
            let line = Array("RCPT TO:<\(index)@\(String(repeating: "b.", count: 120))c>\r\n".utf8)
            _ = session.reduce(.received(line.span), into: &replies)
            _ = session.reduce(.answered(.recipientAccepted), into: &replies)
        }
        let data = Array("DATA\r\n".utf8)
        _ = session.reduce(.received(data.span), into: &replies)
        let id = MessageID(rawValue: 7)
        _ = session.reduce(.answered(.messageOpened(id)), into: &replies)
        replies.removeAll()
        let content = Array("too large\r\n.\r\n".utf8)
        let step = session.reduce(.received(content.span), into: &replies)
        #expect(step.effect == .discardMessage)
        let rest = content.span.extracting(step.consumed...)
        #expect(session.reduce(.received(rest), into: &replies).effect == .proceed)
        #expect(replies.count < 1000 * 512)
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        #expect(text.split(separator: "\r\n").count == 1000)
        #expect(text.hasPrefix("552 5.3.4 Message too large <0@b."))
    }

    /// One octet value repeated, as commands, as content and as payload.
    @Test(
        arguments: [UInt8(0), 0x0a, 0x0d, 0x20, 0x2e, 0x16, 0x80, 0xff],
        [SMTPServerSettings.LineEndings.refuse, .normalise]
    )
    func oneOctetForEver(octet: UInt8, policy: SMTPServerSettings.LineEndings) {
        let settings = SMTPServerSettings(
            hostname: Array("m".utf8),
            lineEndings: policy,
            messageOctetsMax: 50_000,
            commandsMax: 5000
        )
        for last in ["", "DATA", "BDAT 40000"] {
            var session = self.session(
                "EHLO c",
                "MAIL FROM:<>",
                "RCPT TO:<a@b>",
                last,
                settings: settings
            )
            var replies = ReplyBuffer()
            let octets = [UInt8](repeating: octet, count: 4096)
            var pending: [UInt8] = []
            var fed = 0
            var steps = 0
            while session.awaiting != .nothing, fed < 40, steps < 1_000_000 {
                steps += 1
                let step = session.reduce(.received(pending.span), into: &replies)
                pending.removeFirst(step.consumed)
                if step.effect == .awaitInput {
                    #expect(pending.count < 4096)
                    pending += octets
                    fed += 1
                }
            }
            #expect(steps < 1_000_000)
            #expect(replies.count < 64 * 1024)
            #expect(session.contentOctets < 1_000_000)
        }
    }

    @Test func longListsAreCut() {
        var session = self.session("EXPN all")
        var replies = ReplyBuffer()
        let members = (0..<5000).map { "m\($0)@mail.example" }.joined(separator: "\n")
        let octets = Array(members.utf8)
        _ = session.reduce(.listed(octets.span), into: &replies)
        let lines = String(decoding: replies.span.copy(), as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count == 101)
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("250-2.1.5 <m") })
        #expect(lines.last == "250 2.1.5 There are more, which are not shown")
    }

    /// Chunks of nothing do not go on for ever either.
    @Test func endlessChunksEnd() {
        var session = self.session("EHLO c", "MAIL FROM:<>", "RCPT TO:<a@b>", "BDAT 0")
        var replies = ReplyBuffer()
        let line = Array(String(repeating: "BDAT 0\r\n", count: 10_000).utf8)
        var offset = 0
        var steps = 0
        while session.awaiting != .nothing, steps < 100_000 {
            let rest = line.span.extracting(offset...)
            offset += session.reduce(.received(rest), into: &replies).consumed
            steps += 1
        }
        #expect(session.awaiting == .nothing)
        #expect(steps < 2 * Self.settings.commandsMax + 2)
    }

    /// The payload of a refused chunk may be larger than any message, and costs nothing.
    @Test func largePayloadIsSwallowed() {
        var session = self.session("EHLO c")
        var replies = ReplyBuffer()
        let line = Array("BDAT 1000000000\r\n".utf8)
        _ = session.reduce(.received(line.span), into: &replies)
        let part = [UInt8](repeating: 0x0a, count: 1_000_000)
        for round in 1...1000 {
            let step = session.reduce(.received(part.span), into: &replies)
            #expect(step.consumed == part.count)
            #expect(step.effect == (round < 1000 ? .awaitInput : .proceed))
        }
        let refused = Array("503 5.5.1 Send MAIL first\r\n".utf8)
        #expect(replies.span.copy() == refused)
    }
}
