// SPDX-License-Identifier: Apache-2.0
//
// The client's state chart on one page: what every reply and event comes to wherever a session
// stands. It is compared with client-sequence.txt; when they differ, the test prints the page as
// it is now.

import Foundation
import SMTPProtocol
import Testing
import TranscriptSupport

@Suite struct ClientSequenceTests {
    @Test func chartIsAsCheckedIn() throws {
        let url = Bundle.module.bundleURL.appendingPathComponent("client-sequence.txt")
        let expected = try String(contentsOf: url, encoding: .utf8)
        let chart = ClientChart.drawn()
        #expect(chart == expected, "the chart is now:\n\(chart)")
    }
}

private enum ClientChart {
    static let replies = [
        "220 x", "250 x", "251 x", "334 eA==", "354 x", "421 x", "450 x", "452 x", "500 x",
        "502 x", "503 x", "504 x", "521 x", "535 x", "550 x", "552 x", "554 x", "556 x", "150 x",
        "650 x", "x", "250-x\r\n550 x",
    ]

    /// Where a session stands, and what brings it there.
    static let standings: [(name: String, script: String)] = {
        let hello = "S: 220 x\nS: 250"
        let piped = "S: 220 x\nS: 250-x\nS: 250-CHUNKING\nS: 250 PIPELINING"
        let one = "?: message a@x b@x"
        let two = "?: message a@x b@x,c@x"
        return [
            ("greeting", ""),
            ("EHLO", "S: 220 x"),
            ("HELO", "S: 220 x\nS: 500 x"),
            ("LHLO", "O: lmtp\nS: 220 x"),
            ("STARTTLS", "S: 220 x\nS: 250-x\nS: 250 STARTTLS"),
            ("STARTTLS required", "O: tls-required\nS: 220 x\nS: 250-x\nS: 250 STARTTLS"),
            ("AUTH", "O: login plaintext\nS: 220 x\nS: 250-x\nS: 250 AUTH LOGIN"),
            ("ready", hello),
            ("MAIL", "\(hello)\n\(one)"),
            ("RCPT", "\(hello)\n\(one)\nS: 250"),
            ("second RCPT", "\(hello)\n\(two)\nS: 250\nS: 250"),
            ("DATA", "\(hello)\n\(one)\nS: 250\nS: 250"),
            ("content leaves", "\(hello)\n\(one)\nS: 250\nS: 250\nS: 354"),
            ("content", "\(hello)\n\(one)\nS: 250\nS: 250\nS: 354\n?: sent"),
            ("RSET", "\(hello)\n\(one)\nS: 250\nS: 550\n\(one)"),
            ("grouped MAIL", "\(piped)\n\(two)"),
            ("grouped RCPT", "\(piped)\n\(two)\nS: 250"),
            ("RCPT after a refused MAIL", "\(piped)\n\(two)\nS: 550"),
            ("grouped DATA", "\(piped)\n\(two)\nS: 250\nS: 550\nS: 250"),
            ("DATA for nobody", "\(piped)\n\(two)\nS: 250\nS: 550\nS: 450"),
            ("lone dot", "\(piped)\n\(two)\nS: 250\nS: 550\nS: 450\nS: 354"),
            ("chunk leaves", "O: chunk=99\n\(piped)\n\(one)\nS: 250\nS: 250"),
            ("chunk", "O: chunk=99\n\(piped)\n\(one)\n?: sent\nS: 250\nS: 250"),
            (
                "LMTP content",
                "O: lmtp\nS: 220\nS: 250\n\(two)\nS: 250\nS: 250\nS: 250\nS: 354\n?: sent"
            ),
            (
                "LMTP second content",
                "O: lmtp\nS: 220\nS: 250\n\(two)\nS: 250\nS: 250\nS: 250\nS: 354\n?: sent\nS: 250"
            ),
            ("QUIT", "\(hello)\n?: quit"),
        ]
    }()

    static func drawn() -> String {
        var chart = """
            # What a reply or an event comes to: what is said next, what is done, and what became \
            of
            # the recipients.

            """
        for reply in self.replies {
            chart += self.section(reply.replacing("\r\n", with: "\\r\\n")) {
                $0.feed(Array("\(reply)\r\n".utf8))
            }
        }
        chart += self.section("(the peer closes)") { $0.happen("closed") }
        chart += self.section("(the deadline passes)") { $0.happen("deadline") }
        return chart
    }

    /// What happens in each standing; those with the same outcome share a line.
    private static func section(_ title: String, _ happen: (ClientReplay) -> Void) -> String {
        var lines: [(standings: [String], outcome: String)] = []
        for (name, script) in self.standings {
            let replay = self.replay(script)
            #expect(!replay.isClosed, "\(name) stands")
            let before = replay.trace.count
            happen(replay)
            let outcome = replay.trace[before...].joined(separator: " | ")
            if let index = lines.firstIndex(where: { $0.outcome == outcome }) {
                lines[index].standings.append(name)
            } else {
                lines.append(([name], outcome))
            }
        }
        return lines.reduce(into: "\n\(title)\n") { text, line in
            let outcome = line.outcome.isEmpty ? "(waits)" : line.outcome
            text += "  \(line.standings.joined(separator: ", ")):\n    \(outcome)\n"
        }
    }

    private static func replay(_ script: String) -> ClientReplay {
        let transcript = Transcript(name: "standing", text: script, ofClient: true)
        let replay = ClientReplay(transcript.clientSettings, options: transcript.options)
        for item in transcript.items {
            switch item {
            case .input(let octets): replay.feed(octets)
            case .answer(let text): replay.answer(text)
            case .event, .expected: break
            }
        }
        return replay
    }
}
