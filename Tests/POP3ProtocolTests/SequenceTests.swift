// SPDX-License-Identifier: Apache-2.0
//
// The state chart on one page: what every command and event comes to in every phase. It is compared
// with sequence.txt; when they differ, the test prints the page as it is now.

import Foundation
import MailBytes
import SASL
import Testing

@testable import POP3Protocol

@Suite struct SequenceTests {
    @Test func chartIsAsCheckedIn() throws {
        let url = Bundle.module.bundleURL.appendingPathComponent("sequence.txt")
        let expected = try String(contentsOf: url, encoding: .utf8)
        let chart = Chart.drawn()
        #expect(chart == expected, "the chart is now:\n\(chart)")
    }

    @Test func everyVerbIsInTheChart() {
        let words = Set(Chart.commands.compactMap { $0.split(separator: " ").first?.lowercased() })
        for verb in POP3Verb.allCases {
            #expect(words.contains("\(verb)"), "\(verb)")
        }
    }
}

/// Where a session can stand when something happens.
private enum Standing: String, CaseIterable {
    case awaitingGreeting
    case authorization
    case awaitingPassword
    case loggingIn
    case authenticating
    case verifying
    case openingMaildrop
    case securing
    case adoptingClient
    case transaction
    case askingForListing
    case listed
    case marked
    case listing
    case reading
    case sending
    case sendingTheEnd
    case committing

    var awaitsCommand: Bool {
        switch self {
        case .authorization, .awaitingPassword, .transaction, .listed, .marked: true
        case .awaitingGreeting, .loggingIn, .authenticating, .verifying, .openingMaildrop,
            .securing, .adoptingClient, .askingForListing, .listing, .reading, .sending,
            .sendingTheEnd, .committing:
            false
        }
    }

    /// How a session gets there after the greeting.
    var commands: [String] {
        switch self {
        case .awaitingGreeting, .authorization: []
        case .awaitingPassword: ["USER u"]
        case .loggingIn: ["USER u", "PASS p"]
        case .authenticating: ["AUTH PLAIN"]
        case .verifying: ["AUTH PLAIN AHUAcA=="]
        case .openingMaildrop: ["AUTH PLAIN AHUAcA==", "?accepted"]
        case .securing: ["STLS"]
        case .adoptingClient: ["XCLIENT ADDR=192.0.2.7"]
        case .transaction: ["USER u", "PASS p", "?login"]
        case .askingForListing: ["USER u", "PASS p", "?login", "LIST"]
        case .listed: ["USER u", "PASS p", "?login", "LIST 1", "?listing"]
        case .listing: ["USER u", "PASS p", "?login", "LIST", "?listing"]
        case .marked: ["USER u", "PASS p", "?login", "DELE 1", "?listing"]
        case .reading: ["USER u", "PASS p", "?login", "RETR 1", "?listing"]
        case .sending: ["USER u", "PASS p", "?login", "RETR 1", "?listing", "?part"]
        case .sendingTheEnd: ["USER u", "PASS p", "?login", "RETR 1", "?listing", "?end"]
        case .committing: ["USER u", "PASS p", "?login", "DELE 1", "?listing", "QUIT"]
        }
    }
}

private enum Chart {
    static let commands = [
        "USER mrose", "PASS tanstaaf", "APOP mrose c4c9334bac560ecc979e58001b3e22fb", "AUTH",
        "AUTH PLAIN", "AUTH PLAIN AHUAcA==", "AUTH PLAIN =", "AUTH PLAIN AAA", "AUTH EXTERNAL =",
        "AUTH SCRAM-SHA-256-PLUS", "AUTH DIGEST-MD5", "AUTH PLAIN AHUAcA== x",
        "STLS", "XCLIENT ADDR=192.0.2.7 PORT=25", "XCLIENT", "STLS 1",
        "QUIT", "STAT", "LIST", "LIST 1", "LIST 2", "LIST 0", "RETR 1", "RETR 2", "DELE 1",
        "DELE 2",
        "NOOP", "RSET", "LAST", "TOP 1 0", "TOP 2 5", "UIDL", "UIDL 1", "UIDL 2", "CAPA", "UTF8",
        "LANG", "LANG de", "LANG xx", "LANG *",
        "USER", "PASS", "APOP mrose", "QUIT now", "STAT 1", "LIST one", "RETR", "DELE", "NOOP 1",
        "RSET 1",
        "LAST 1", "TOP 1", "UIDL 1 2", "CAPA 1", "UTF8 1", "",
        "GET / HTTP/1.1", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH",
        "PRI * HTTP/2.0",
    ]

    /// What a client may answer a challenge with; anything else is like the last.
    static let responses = ["AHUAcA==", "*", "=", "AAA", "QUIT", ""]

    private static let settings = POP3ServerSettings(
        hostname: Array("mail.example".utf8),
        offersAPOP: true,
        mechanisms: .all,
        offersSTLS: true,
        permitsPlaintext: true
    )

    private typealias Happening = (inout POP3ServerSession, inout ReplyBuffer) ->
        POP3ServerSession.Step

    static func drawn() -> String {
        let awaiting = Standing.allCases.filter(\.awaitsCommand)
        var chart = """
            # What a command, an event or an answer comes to: the first line of the reply, the
            # effect when it is not "proceed", and the phase after it.

            """
        for command in self.commands {
            let title = command.isEmpty ? "(an empty line)" : command
            chart += self.section(title, awaiting) { self.receive(command + "\r\n", &$0, &$1) }
        }
        for response in self.responses {
            let title = response.isEmpty ? "(an empty response)" : "(a response) \(response)"
            chart += self.section(title, [.authenticating]) {
                self.receive(response + "\r\n", &$0, &$1)
            }
        }
        chart += self.section("(a bare LF)", awaiting) { self.receive("NOOP\n", &$0, &$1) }
        chart += self.section("(half a line)", awaiting) { self.receive("NO", &$0, &$1) }
        chart += self.section("(a NUL)", awaiting) { self.receive("NOOP\0\r\n", &$0, &$1) }
        let long = String(repeating: "A", count: 16384)
        let talking = awaiting + [.authenticating]
        chart += self.section("(a line too long)", talking) { self.receive(long + "\n", &$0, &$1) }
        chart += self.section("(the next step)", [.listing, .sending, .sendingTheEnd]) {
            self.receive("", &$0, &$1)
        }
        let all = Standing.allCases
        chart += self.section("(the server stops)", all) { $0.reduce(.stopping, into: &$1) }
        chart += self.section("(the deadline passes)", all) {
            $0.reduce(.deadlinePassed, into: &$1)
        }
        chart += self.section("(the peer closes)", all) { $0.reduce(.peerClosed, into: &$1) }
        return chart + self.answers()
    }

    private static func answers() -> String {
        let answers: [(Standing, [POP3ServerSession.Answer])] = [
            (
                .loggingIn,
                [
                    .loggedIn(messages: 2, octets: 30), .loggedIn(messages: 0, octets: 0),
                    .loginRefused,
                    .maildropLocked, .loginDelayed, .loginThrottled, .temporaryFailure,
                ]
            ),
            (
                .openingMaildrop,
                [
                    .loggedIn(messages: 2, octets: 30), .loginRefused, .maildropLocked,
                    .loginDelayed, .loginThrottled, .temporaryFailure,
                ]
            ),
            (.adoptingClient, [.xclientAdopted, .xclientRefused, .temporaryFailure]),
            (.askingForListing, [.temporaryFailure]),
            (.reading, [.contentMissing, .temporaryFailure]),
            (.committing, [.deletionsCommitted, .deletionsFailed, .temporaryFailure]),
        ]
        var chart = ""
        for (standing, choices) in answers {
            for answer in choices {
                chart += self.section("?: \(answer)", [standing]) {
                    $0.reduce(.answered(answer), into: &$1)
                }
            }
        }
        chart += self.verdicts()
        let part = Array("part".utf8)
        for isLast in [false, true] {
            chart += self.section("?: content, isLast: \(isLast)", [.reading]) {
                $0.reduce(.contentRead(part.span, isLast: isLast), into: &$1)
            }
            chart += self.section("?: plain content, isLast: \(isLast)", [.reading]) {
                self.readPlain(&$0, isLast: isLast, &$1)
            }
        }
        return chart
    }

    /// What the questions of an exchange are answered, and the end of a handshake.
    private static func verdicts() -> String {
        self.section("?: accepted", [.verifying]) {
            $0.reduce(.authenticationAnswered(.accepted), into: &$1)
        }
            + self.section("?: rejected", [.verifying]) {
                $0.reduce(.authenticationAnswered(.rejected), into: &$1)
            }
            + self.section("?: unusable", [.verifying]) {
                $0.reduce(.authenticationAnswered(.unusable), into: &$1)
            }
            + self.section("?: throttled", [.verifying]) {
                $0.reduce(.authenticationAnswered(.throttled), into: &$1)
            }
            + self.section("?: temporaryFailure", [.verifying]) {
                $0.reduce(.authenticationAnswered(.temporaryFailure), into: &$1)
            }
            + self.section("(TLS is up)", [.awaitingGreeting, .securing]) {
                $0.reduce(.secured(hasClientCertificate: false, bindsChannel: true), into: &$1)
            }
    }

    private static func readPlain(
        _ session: inout POP3ServerSession,
        isLast: Bool,
        _ replies: inout ReplyBuffer
    ) -> POP3ServerSession.Step {
        session.reduce(
            .contentRead(Array("part".utf8).span, isLast: isLast, needsStuffing: false),
            into: &replies
        )
    }

    private static func receive(
        _ text: String,
        _ session: inout POP3ServerSession,
        _ replies: inout ReplyBuffer
    ) -> POP3ServerSession.Step {
        session.reduce(.received(Array(text.utf8).span), into: &replies)
    }

    /// What happens in each standing; those with the same outcome share a line.
    private static func section(
        _ title: String,
        _ standings: [Standing],
        _ happen: Happening
    ) -> String {
        var lines: [(standings: [String], outcome: String)] = []
        for standing in standings {
            let outcome = self.outcome(standing, happen)
            if lines.last?.outcome == outcome {
                lines[lines.count - 1].standings.append(standing.rawValue)
            } else {
                lines.append(([standing.rawValue], outcome))
            }
        }
        return lines.reduce(into: "\n\(title)\n") { text, line in
            text += "  \(line.standings.joined(separator: ", ")): \(line.outcome)\n"
        }
    }

    private static func outcome(_ standing: Standing, _ happen: Happening) -> String {
        var session = POP3ServerSession(settings: self.settings, offersXCLIENT: true)
        var replies = ReplyBuffer()
        self.lead(&session, to: standing, &replies)
        replies.removeAll()
        let step = happen(&session, &replies)
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        let lines = text.split(separator: "\r\n")
        var outcome = lines.first.map(String.init) ?? "nothing"
        if lines.count > 1 { outcome += " (and \(lines.count - 1) lines)" }
        if step.effect != .proceed { outcome += "; \(step.effect)" }
        outcome += " -> \(session.phase)"
        return outcome.replacing(#/(POP3Protocol|SASL|MailBytes)\.(\w+\.)*/#, with: "")
    }

    private static func lead(
        _ session: inout POP3ServerSession,
        to standing: Standing,
        _ replies: inout ReplyBuffer
    ) {
        guard standing != .awaitingGreeting else { return }
        _ = session.reduce(.accepted(earlyTalk: false, nonce: 1, clock: 2), into: &replies)
        // Enough for a listing of two steps, where one is wanted.
        let count = standing == .listing ? 300 : 2
        for command in standing.commands {
            switch command {
            case "?accepted":
                _ = session.reduce(.authenticationAnswered(.accepted), into: &replies)
            case "?login":
                let answer = POP3ServerSession.Answer.loggedIn(messages: count, octets: count * 15)
                _ = session.reduce(.answered(answer), into: &replies)
            case "?listing":
                let listing = MaildropListing(
                    incarnation: 7,
                    sequences: (0..<count).map { UInt32($0 + 1) },
                    octets: Array(repeating: 15, count: count)
                )
                _ = session.reduce(.listed(listing), into: &replies)
            case "?part", "?end":
                _ = self.readPlain(&session, isLast: command == "?end", &replies)
            default:
                _ = self.receive(command + "\r\n", &session, &replies)
            }
        }
    }
}
