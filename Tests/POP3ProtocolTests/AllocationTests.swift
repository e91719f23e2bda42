// SPDX-License-Identifier: Apache-2.0
//
// No command allocates: once a session has its listing, the heap is left alone.

import CAllocationCount
import MailBytes
import POP3Protocol
import SASL
import Testing

@Suite struct AllocationTests {
    private static let settings = POP3ServerSettings(
        hostname: Array("mail.example".utf8),
        mechanisms: .all,
        permitsPlaintext: true,
        errorsMax: 100_000
    )

    /// A session over three messages, which it has listed unless it is not to log in.
    private func run(_ rounds: Int, of commands: [String], logsIn: Bool = true) -> Int {
        var session = POP3ServerSession(settings: Self.settings, offersXCLIENT: true)
        var replies = ReplyBuffer()
        let content = Array("Subject: x\r\n\r\n.One line.\r\n".utf8)
        let listing = MaildropListing(
            incarnation: 7,
            sequences: [1, 2, 3],
            octets: [content.count, content.count, content.count]
        )
        let login = ["USER mrose", "PASS tanstaaf", "LIST 1"].map { Array("\($0)\r\n".utf8) }
        let lines = commands.map { Array("\($0)\r\n".utf8) }
        _ = session.reduce(.accepted(earlyTalk: false, nonce: 1, clock: 2), into: &replies)
        for line in (logsIn ? login : []) + lines {
            self.run(line, &session, &replies, listing, content)
        }
        // The Swift runtime may still make room for metadata while other tests run; a command that
        // allocates does so every time.
        return (0..<5).reduce(Int.max) { least, _ in
            let before = callocationcount_of_this_thread()
            for _ in 0..<rounds {
                for index in lines.indices {
                    self.run(lines[index], &session, &replies, listing, content)
                }
            }
            return min(least, callocationcount_of_this_thread() - before)
        }
    }

    private func run(
        _ line: [UInt8],
        _ session: inout POP3ServerSession,
        _ replies: inout ReplyBuffer,
        _ listing: MaildropListing,
        _ content: [UInt8]
    ) {
        var step = session.reduce(.received(line.span), into: &replies)
        while step.effect != .awaitInput {
            switch step.effect {
            case .logIn:
                let answer = POP3ServerSession.Answer.loggedIn(messages: 3, octets: 3)
                step = session.reduce(.answered(answer), into: &replies)
            case .adoptClient:
                step = session.reduce(.answered(.xclientRefused), into: &replies)
            case .listMaildrop:
                step = session.reduce(.listed(listing), into: &replies)
            case .readContent:
                step = session.reduce(.contentRead(content.span, isLast: true), into: &replies)
            case .proceed:
                step = session.reduce(.received(Span<UInt8>()), into: &replies)
            case .awaitInput, .authenticate, .openMaildrop, .startTLS,
                .sendContent, .commitDeletions, .close:
                Issue.record("a round only reads")
                return
            }
        }
        replies.removeAll()
    }

    @Test(arguments: [
        ["STAT", "NOOP", "LAST"], ["LIST 1", "UIDL 2", "LIST", "UIDL"], ["RETR 1", "TOP 2 1"],
        ["NONSENSE 1", "USER mrose", "LIST 4"],
    ])
    func commandsAllocateNothing(commands: [String]) {
        #expect(self.run(100, of: commands) == 0)
    }

    @Test(arguments: [
        ["CAPA", "AUTH"], ["STLS", "STAT"], ["XCLIENT ADDR=2001:db8::7 PORT=25", "XCLIENT"],
        ["AUTH PLAIN A B", "USER mrose", "PASS"],
    ])
    func commandsBeforeTheLoginAllocateNothing(commands: [String]) {
        #expect(self.run(100, of: commands, logsIn: false) == 0)
    }
}
