// SPDX-License-Identifier: Apache-2.0
//
// What a hostile or broken client sends without end, and maildrops of 100 000 messages: every step
// does a bounded piece of work, every session comes to an end.

import MailBytes
import POP3Protocol
import SASL
import Testing

@Suite struct StressTests {
    private static let settings = POP3ServerSettings(
        hostname: Array("mail.example".utf8),
        mechanisms: [.plain, .login],
        permitsPlaintext: true,
        skippedOctetsMax: 100_000,
        commandsMax: 5000
    )

    /// A session that has said its greeting.
    private func greeted(_ settings: POP3ServerSettings = settings) -> POP3ServerSession {
        var session = POP3ServerSession(settings: settings)
        var replies = ReplyBuffer()
        _ = session.reduce(.accepted(earlyTalk: false, nonce: 1, clock: 2), into: &replies)
        return session
    }

    /// A session over a maildrop of so many messages of 1 000 octets.
    private func loggedIn(
        messages: Int,
        _ settings: POP3ServerSettings = settings
    ) -> POP3ServerSession {
        var session = self.greeted(settings)
        var replies = ReplyBuffer()
        for line in ["USER u\r\n", "PASS p\r\n"] {
            _ = session.reduce(.received(Array(line.utf8).span), into: &replies)
        }
        let answer = POP3ServerSession.Answer.loggedIn(messages: messages, octets: messages * 1000)
        _ = session.reduce(.answered(answer), into: &replies)
        return session
    }

    private func listing(_ messages: Int) -> MaildropListing {
        MaildropListing(
            incarnation: 0x1234_5678,
            sequences: (0..<messages).map { UInt32($0 + 1) },
            octets: Array(repeating: 1000, count: messages)
        )
    }

    @Test(arguments: [1, 7, 255, 2047, 2048, 2049, 65536])
    func endlessLineIsSkippedThenEnded(segment: Int) {
        var session = self.greeted()
        var replies = ReplyBuffer()
        var pending = [UInt8]()
        let octets = [UInt8](repeating: 0x41, count: segment)
        var sent = 0
        var steps = 0
        while true {
            pending += octets
            sent += octets.count
            let step = session.reduce(.received(pending.span), into: &replies)
            pending.removeFirst(step.consumed)
            #expect(pending.count <= Self.settings.commandOctetsMax)
            steps += 1
            guard step.effect == .awaitInput, steps < 200_000 else {
                #expect(step.effect == .close)
                break
            }
        }
        #expect(
            sent <= Self.settings.skippedOctetsMax + max(segment, Self.settings.commandOctetsMax)
        )
        #expect(replies.span.copy() == Array("-ERR command line too long\r\n".utf8))
    }

    /// Neither a response nor the command that may hold one is kept beyond its limit.
    @Test(arguments: ["AUTH PLAIN\r\n", "AUTH PLAIN "], [1, 255, 12288, 65536])
    func endlessResponseIsSkippedThenEnded(beginning: String, segment: Int) {
        var session = self.greeted()
        var replies = ReplyBuffer()
        var pending = Array(beginning.utf8)
        let octets = [UInt8](repeating: 0x41, count: segment)
        let lineMax = SASLLimits.lineOctetsMax + 32
        var sent = 0
        var step = session.reduce(.received(pending.span), into: &replies)
        while step.effect != .close, sent < 300_000 {
            pending.removeFirst(step.consumed)
            #expect(pending.count <= lineMax)
            if step.effect == .awaitInput {
                pending += octets
                sent += octets.count
            }
            step = session.reduce(.received(pending.span), into: &replies)
        }
        #expect(step.effect == .close)
        #expect(sent <= Self.settings.skippedOctetsMax + max(segment, lineMax))
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        #expect(text.hasSuffix("-ERR command line too long\r\n"))
    }

    /// Exchanges that come to nothing are errors, and those have a limit.
    @Test(arguments: ["AUTH PLAIN\r\n*\r\n", "AUTH LOGIN\r\nYQ==\r\nYQ\r\n", "AUTH PLAIN YQ==\r\n"])
    func endlessExchangesEnd(exchange: String) {
        var session = self.greeted()
        var replies = ReplyBuffer()
        let pipeline = Array(String(repeating: exchange, count: 1000).utf8)
        var offset = 0
        var effect = POP3ServerSession.Effect.proceed
        while effect == .proceed {
            let step = session.reduce(
                .received(pipeline.span.extracting(offset...)),
                into: &replies
            )
            offset += step.consumed
            effect = step.effect
        }
        #expect(effect == .close)
        #expect(offset == exchange.utf8.count * Self.settings.errorsMax)
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        #expect(text.hasSuffix("-ERR too many errors\r\n"))
    }

    @Test func endlessCommandsEnd() {
        var session = self.loggedIn(messages: 1)
        var replies = ReplyBuffer()
        let pipeline = Array(String(repeating: "NOOP\r\n", count: 10_000).utf8)
        var offset = 0
        var steps = 0
        var effect = POP3ServerSession.Effect.proceed
        while effect == .proceed {
            let step = session.reduce(
                .received(pipeline.span.extracting(offset...)),
                into: &replies
            )
            offset += step.consumed
            effect = step.effect
            steps += 1
        }
        #expect(effect == .close)
        #expect(steps == Self.settings.commandsMax - 1)
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        #expect(text.hasSuffix("+OK nothing done\r\n-ERR too many commands\r\n"))
    }

    /// One octet values repeated, as lines and without any line end.
    @Test(arguments: [UInt8(0), 0x0a, 0x0d, 0x20, 0x2e, 0x16, 0x80, 0xff])
    func oneOctetForEver(octet: UInt8) {
        var session = self.greeted()
        var replies = ReplyBuffer()
        let octets = [UInt8](repeating: octet, count: 4096)
        var pending = [UInt8]()
        for _ in 0..<1000 {
            let step = session.reduce(.received(pending.span), into: &replies)
            pending.removeFirst(step.consumed)
            if step.effect == .close {
                #expect(replies.count < 4096)
                return
            }
            if step.effect == .awaitInput { pending += octets }
        }
        Issue.record("the session goes on for ever")
    }

    @Test(arguments: ["LIST", "UIDL"])
    func longListingsComeInSmallSteps(command: String) {
        let count = 100_000
        var session = self.loggedIn(messages: count)
        var replies = ReplyBuffer()
        let line = Array((command + "\r\nNOOP\r\n").utf8)
        var step = session.reduce(.received(line.span), into: &replies)
        #expect(step.effect == .listMaildrop)
        var rest = Array(line[step.consumed...])
        step = session.reduce(.listed(self.listing(count)), into: &replies)
        var octets: [UInt8] = []
        var steps = 0
        while step.effect == .proceed {
            // 256 lines of at most 40 octets.
            #expect(replies.count <= 256 * 40)
            octets += replies.span.copy()
            replies.removeAll()
            step = session.reduce(.received(rest.span), into: &replies)
            rest.removeFirst(step.consumed)
            steps += 1
        }
        octets += replies.span.copy()
        #expect(step.effect == .awaitInput)
        #expect(steps >= count / 256)
        let lines = String(decoding: octets, as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count == count + 3)
        #expect(lines[0].hasPrefix("+OK "))
        #expect(lines[1].hasPrefix("1 "))
        #expect(lines[count].hasPrefix("\(count) "))
        #expect(Array(lines.suffix(2)) == [".", "+OK nothing done"])
    }

    @Test func everyMessageOfALargeMaildropIsDeleted() {
        let count = 100_000
        let settings = POP3ServerSettings(
            hostname: Array("mail.example".utf8),
            permitsPlaintext: true,
            commandsMax: count + 10
        )
        var session = self.loggedIn(messages: count, settings)
        var replies = ReplyBuffer()
        var commands: [UInt8] = []
        for message in 1...count { commands += Array("DELE \(message)\r\n".utf8) }
        commands += Array("STAT\r\nQUIT\r\n".utf8)
        var offset = 0
        var effect = POP3ServerSession.Effect.proceed
        while effect == .proceed || effect == .listMaildrop {
            if effect == .listMaildrop {
                effect = session.reduce(.listed(self.listing(count)), into: &replies).effect
                continue
            }
            replies.removeAll()
            let step = session.reduce(
                .received(commands.span.extracting(offset...)),
                into: &replies
            )
            offset += step.consumed
            effect = step.effect
            if offset == commands.count - 6, step.consumed > 0 {
                #expect(replies.span.copy() == Array("+OK 0 0\r\n".utf8))
            }
        }
        #expect(effect == .commitDeletions)
        #expect(session.deletedCount == count)
        var next = 0
        session.forEachDeleted { index in
            #expect(index == next)
            next += 1
        }
        #expect(next == count)
    }

    /// However large a message is, a step sends no more than it was given, stuffed.
    @Test(arguments: ["RETR 1", "TOP 1 100000000"])
    func largeMessagesComeInParts(command: String) {
        var session = self.loggedIn(messages: 1)
        var replies = ReplyBuffer()
        let part = Array(String(repeating: "\r\n.", count: 5000).utf8)
        var step = session.reduce(.received(Array((command + "\r\n").utf8).span), into: &replies)
        step = session.reduce(.listed(self.listing(1)), into: &replies)
        var total = 0
        for round in 0..<100 {
            #expect(step.effect == .readContent(message: 0, offset: round * part.count))
            step = session.reduce(.contentRead(part.span, isLast: round == 99), into: &replies)
            #expect(replies.count <= part.count * 4 / 3 + 64)
            total += replies.count
            replies.removeAll()
        }
        #expect(step.effect == .proceed)
        let head = command == "RETR 1" ? "+OK 1000 octets\r\n" : "+OK top of message follows\r\n"
        #expect(total == head.utf8.count + 100 * 20_000 + "\r\n.\r\n".utf8.count)
    }

    /// What needs no stuffing is sent by the driver, and the replies have nothing of it.
    @Test(arguments: ["RETR 1", "TOP 1 100000000"])
    func plainContentIsNotCopied(command: String) {
        var session = self.loggedIn(messages: 1)
        var replies = ReplyBuffer()
        let part = Array(String(repeating: "text.\r\n", count: 5000).utf8)
        var step = session.reduce(.received(Array((command + "\r\n").utf8).span), into: &replies)
        step = session.reduce(.listed(self.listing(1)), into: &replies)
        replies.removeAll()
        for round in 0..<100 {
            #expect(step.effect == .readContent(message: 0, offset: round * part.count))
            step = session.reduce(
                .contentRead(part.span, isLast: round == 99, needsStuffing: false),
                into: &replies
            )
            #expect(step.effect == .sendContent(ByteRange(0, part.count)))
            step = session.reduce(.received(Span<UInt8>()), into: &replies)
        }
        #expect(step.effect == .proceed)
        let head = command == "RETR 1" ? "+OK 1000 octets\r\n" : "+OK top of message follows\r\n"
        #expect(replies.span.copy() == Array((head + ".\r\n").utf8))
    }

    /// A server that stops lets a message under way go out to its end.
    @Test(arguments: [false, true])
    func stopWhilePlainContentIsSent(isLast: Bool) {
        var session = self.loggedIn(messages: 1)
        var replies = ReplyBuffer()
        _ = session.reduce(.received(Array("RETR 1\r\n".utf8).span), into: &replies)
        _ = session.reduce(.listed(self.listing(1)), into: &replies)
        let part = Array("text".utf8)
        var step = session.reduce(
            .contentRead(part.span, isLast: isLast, needsStuffing: false),
            into: &replies
        )
        #expect(session.reduce(.stopping, into: &replies).effect == .proceed)
        replies.removeAll()
        step = session.reduce(.received(Span<UInt8>()), into: &replies)
        if !isLast {
            #expect(step.effect == .readContent(message: 0, offset: 4))
            step = session.reduce(.contentRead(part.span, isLast: true), into: &replies)
        }
        #expect(step.effect == .close)
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        #expect(text.hasPrefix(isLast ? "\r\n.\r\n-ERR" : "text\r\n.\r\n-ERR"))
    }

    /// A TOP in the smallest parts stops where a TOP of the whole stops.
    @Test func topStopsAtTheSameOctet() {
        let content = Array("A: b\r\nC: d\r\n\r\n.1\r\n2\n2\r\n\r\n4\r\r\n5".utf8)
        for lines in 0...7 {
            var results: Set<[UInt8]> = []
            for size in 1...content.count {
                var session = self.loggedIn(messages: 1)
                var replies = ReplyBuffer()
                let line = Array("TOP 1 \(lines)\r\n".utf8)
                _ = session.reduce(.received(line.span), into: &replies)
                var step = session.reduce(.listed(self.listing(1)), into: &replies)
                replies.removeAll()
                while case .readContent(_, let offset) = step.effect {
                    let end = min(offset + size, content.count)
                    let part = Array(content[offset..<end])
                    step = session.reduce(
                        .contentRead(
                            part.span,
                            isLast: end == content.count,
                            needsStuffing: size % 2 == 0 || ContentEncoder.mayStuff(part.span)
                        ),
                        into: &replies
                    )
                    guard case .sendContent(let range) = step.effect else { continue }
                    replies.append(part.span, range)
                    step = session.reduce(.received(Span<UInt8>()), into: &replies)
                }
                results.insert(replies.span.copy())
            }
            #expect(results.count == 1, "\(lines) lines")
        }
    }
}
