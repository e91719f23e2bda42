// SPDX-License-Identifier: Apache-2.0
//
// What a hostile client sends within AUTH: lines without end, exchanges without end.

import MailBytes
import SASL
import SMTPProtocol
import Testing

@Suite struct LoginStressTests {
    private static let settings = SMTPServerSettings(
        hostname: Array("mail.example".utf8),
        commandOctetsMax: 512,
        skippedOctetsMax: 50_000,
        errorsMax: 1000,
        commandsMax: 5000,
        loginFailuresMax: 4,
        mechanisms: .all,
        permitsPlaintextAuth: true
    )

    /// Feeds octets, so many at a time, until something is said; returns how many were taken.
    private func feed(
        _ octets: [UInt8],
        segment: Int,
        to session: inout SMTPServerSession,
        _ replies: inout ReplyBuffer
    ) -> Int {
        var fed = 0
        var consumed = 0
        while replies.isEmpty, fed < octets.count {
            fed = min(fed + segment, octets.count)
            let step = session.reduce(
                .received(octets.span.extracting(consumed..<fed)),
                into: &replies
            )
            consumed += step.consumed
        }
        return consumed
    }

    /// RFC 4954, section 4: 12288 octets of base64 are a response, more are none.
    @Test(arguments: [1, 100, 12287, 12290, 100_000], ["", "AUTH PLAIN "])
    func responsesUpToTheLimit(segment: Int, start: String) {
        let longest = start.isEmpty ? 12288 : 12288 + "SCRAM-SHA-256-PLUS".count - "PLAIN".count
        for (count, expected) in [
            (12288, "501 5.5.2 Cannot read that response\r\n"),
            (
                longest + 1,
                start.isEmpty ? "500 5.5.6 Response too long\r\n" : "500 5.5.2 Line too long\r\n"
            ),
        ] {
            var session = self.session("EHLO c")
            var replies = ReplyBuffer()
            if start.isEmpty {
                session = self.session("EHLO c", "AUTH PLAIN")
            }
            let response = String(repeating: "A", count: count)
            let line = Array("\(start)\(response)\r\n".utf8)
            let consumed = self.feed(line, segment: segment, to: &session, &replies)
            #expect(consumed == line.count)
            #expect(String(decoding: replies.span.copy(), as: UTF8.self) == expected)
        }
    }

    /// A response without end is skipped up to a limit, and little of it waits.
    @Test(arguments: [1, 7, 4096, 65536], [UInt8(0x41), 0x0a, 0x0d, 0x00])
    func endlessResponse(segment: Int, octet: UInt8) {
        var session = self.session("EHLO c", "AUTH LOGIN")
        var replies = ReplyBuffer()
        let octets = [UInt8](repeating: octet, count: 200_000)
        let consumed = self.feed(octets, segment: segment, to: &session, &replies)
        #expect(replies.span.copy() == Array("421 4.7.0 Line too long\r\n".utf8))
        #expect(consumed <= Self.settings.skippedOctetsMax + max(segment, 12290) + 1)
        #expect(session.awaiting == .nothing)
    }

    /// Whatever the mechanism, an exchange ends after few lines, and a session after few failures.
    @Test(arguments: SASLMechanism.allCases)
    func endlessExchanges(mechanism: SASLMechanism) {
        var session = self.session("EHLO c")
        var replies = ReplyBuffer()
        let begin = Array("AUTH \(mechanism.name)\r\n".utf8)
        let line = Array("\(String(repeating: "AGEA", count: 100))\r\n".utf8)
        var lines = 0
        for _ in 0..<2000 where session.awaiting != .nothing {
            _ = session.reduce(.received(begin.span), into: &replies)
            for _ in 0..<20 where session.awaiting == .command {
                let effect = session.reduce(.received(line.span), into: &replies).effect
                lines += 1
                if case .authenticate = effect { break }
            }
            if session.awaiting == .answer {
                _ = session.reduce(.authenticationAnswered(.rejected), into: &replies)
            }
        }
        #expect(session.awaiting == .nothing)
        #expect(replies.count < 64 * 1024)
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        #expect(
            text.hasSuffix("421 4.7.0 Too many failed logins\r\n")
                || text.hasSuffix("421 4.7.0 Too many errors\r\n")
        )
        #expect(lines < 2100)
    }

    /// A session that has come as far as these lines lead it.
    private func session(_ lines: String...) -> SMTPServerSession {
        var session = SMTPServerSession(settings: Self.settings, peer: .unix)
        var replies = ReplyBuffer()
        _ = session.reduce(.accepted(earlyTalk: false), into: &replies)
        for line in lines {
            _ = session.reduce(.received(Array("\(line)\r\n".utf8).span), into: &replies)
        }
        return session
    }
}
