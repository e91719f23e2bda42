// SPDX-License-Identifier: Apache-2.0
//
// The state chart on one page: what every command and event comes to wherever a session stands. It
// is compared with sequence.txt; when they differ, the test prints the page as it is now.

import Foundation
import MailBytes
import MailSyntax
import SASL
import Testing

@testable import SMTPProtocol

@Suite struct SequenceTests {
    @Test func chartIsAsCheckedIn() throws {
        let url = Bundle.module.bundleURL.appendingPathComponent("sequence.txt")
        let expected = try String(contentsOf: url, encoding: .utf8)
        let chart = Chart.drawn()
        #expect(chart == expected, "the chart is now:\n\(chart)")
    }

    @Test func everyVerbIsInTheChart() {
        let words = Set(Chart.commands.compactMap { $0.split(separator: " ").first?.lowercased() })
        for verb in SMTPVerb.allCases {
            #expect(words.contains("\(verb)".lowercased()), "\(verb)")
        }
    }
}

private enum Chart {
    static let commands = [
        "HELO client.example", "EHLO client.example", "LHLO client.example",
        "MAIL FROM:<a@example.org>", "MAIL FROM:<> SIZE=10 BODY=8BITMIME SMTPUTF8",
        "MAIL FROM:<a@example.org> SIZE=1001", "MAIL FROM:<a@example.org> RET=FULL ENVID=1",
        "MAIL FROM:<a@example.org> REQUIRETLS", "RCPT TO:<b@mail.example>",
        "RCPT TO:<b@mail.example> NOTIFY=NEVER ORCPT=rfc822;b@c", "DATA", "BDAT 5",
        "BDAT 5 LAST", "BDAT 0 LAST", "BDAT 1001", "RSET", "NOOP", "NOOP x", "QUIT", "HELP",
        "HELP MAIL", "HELP X", "VRFY b", "EXPN b", "SEND FROM:<a@example.org>",
        "SOML FROM:<a@example.org>", "SAML FROM:<a@example.org>", "TURN", "ETRN example.org",
        "ETRN @example.org", "ETRN #q", "ATRN example.org", "STARTTLS",
        "STARTTLS 1", "AUTH PLAIN", "AUTH PLAIN AGEAYQ==", "AUTH PLAIN ?", "AUTH CRAM-MD5",
        "AUTH EXTERNAL", "AUTH X", "AUTH", "XCLIENT ADDR=192.0.2.9", "XCLIENT X=y", "HELO", "EHLO",
        "LHLO", "MAIL", "MAIL FROM:a", "MAIL FROM:<a@example.org> X",
        "RCPT", "RCPT TO:<b>", "RCPT TO:<b@mail.example> X=Y", "DATA 1", "BDAT", "BDAT x",
        "BDAT 99999999999999999999", "RSET 1", "QUIT 1", "VRFY", "EXPN", "ETRN", "XCLIENT", "",
        "GET / HTTP/1.1", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PATCH",
        "PRI * HTTP/2.0",
    ]

    /// What LMTP does otherwise.
    static let commandsOfLMTP = [
        "HELO client.example", "EHLO client.example", "LHLO client.example",
        "MAIL FROM:<a@example.org>", "RCPT TO:<b@mail.example>", "DATA", "BDAT 5 LAST", "HELP",
    ]

    /// What is done where mail is only fetched.
    static let commandsOfFetching = [
        "EHLO client.example", "MAIL FROM:<a@example.org>", "RCPT TO:<b@mail.example>", "DATA",
        "BDAT 5 LAST", "VRFY b", "EXPN b", "ETRN example.org", "TURN", "ATRN",
        "ATRN example.org,example.net", "ATRN example.org,", "HELP", "QUIT",
    ]

    private typealias Happening = (inout SMTPServerSession, inout ReplyBuffer) ->
        SMTPServerSession.Step

    private static func settings(
        _ dialect: SMTPServerSettings.Dialect,
        _ purpose: SMTPServerSettings.Purpose
    ) -> SMTPServerSettings {
        SMTPServerSettings(
            hostname: Array("mail.example".utf8),
            dialect: dialect,
            messageOctetsMax: 1000,
            answersVRFY: true,
            answersEXPN: true,
            offersSTARTTLS: true,
            mechanisms: [.plain, .cramMD5, .external],
            permitsPlaintextAuth: true,
            requiresAuthentication: purpose == .fetching,
            purpose: purpose,
            offersETRN: true,
            checksAuthors: true,
            addsMissingFields: true
        )
    }

    static func drawn() -> String {
        let awaiting = Standing.allCases.filter(\.awaitsCommand)
        var chart = """
            # What a command, an event or an answer comes to: the first line of the reply, the \
            effect
            # when it is not "proceed", and the phase after it when it is another.

            """
        for command in self.commands {
            let title = command.isEmpty ? "(an empty line)" : command
            chart += self.section(title, awaiting) { self.receive(command + "\r\n", &$0, &$1) }
        }
        chart += self.section("(a bare LF)", awaiting) { self.receive("NOOP\n", &$0, &$1) }
        chart += self.section("(a line with a bare LF)", awaiting) {
            self.receive("NOOP\nNOOP\r\n", &$0, &$1)
        }
        chart += self.section("(a NUL)", awaiting) { self.receive("NOOP\0\r\n", &$0, &$1) }
        let long = String(repeating: "A", count: 4096)
        chart += self.section("(a line too long)", awaiting) {
            self.receive(long + "\r\n", &$0, &$1)
        }
        for response in ["AGEAYQ==", "*", "?", "", String(repeating: "A", count: 12289)] {
            let title = response.count > 20 ? "(a response too long)" : "(response: \(response))"
            chart += self.section(title, [.authenticating]) {
                self.receive(response + "\r\n", &$0, &$1)
            }
        }
        chart += self.section("(TLS is up)", [.awaitingGreeting, .securing]) {
            $0.reduce(.secured(hasClientCertificate: false, bindsChannel: true), into: &$1)
        }
        let receiving = [Standing.content, .refusedContent, .chunk, .refusedChunk]
        for text in ["", "x\r\n.", ".\r\n", "\nQUIT"] {
            chart += self.section("(content: \(text.debugDescription))", receiving) {
                self.receive(text, &$0, &$1)
            }
        }
        let all = Standing.allCases
        chart += self.section("(the server stops)", all) { $0.reduce(.stopping, into: &$1) }
        chart += self.section("(the deadline passes)", all) {
            $0.reduce(.deadlinePassed, into: &$1)
        }
        chart += self.section("(content comes too slowly)", receiving) {
            $0.reduce(.tooSlow, into: &$1)
        }
        chart += self.section("(the peer closes)", all) { $0.reduce(.peerClosed, into: &$1) }
        return chart + self.logins() + self.answers(.smtp) + self.chartOfLMTP(awaiting)
            + self.chartOfFetching()
    }

    private static func logins() -> String {
        let answers = ["accepted", "rejected", "temporaryFailure", "throttled", "unusable"]
        return answers.reduce(into: "") { chart, answer in
            chart += self.section("?: login \(answer)", [.verifyingPassword]) {
                self.answerLogin(answer, &$0, &$1)
            }
        }
    }

    private static func answerLogin(
        _ answer: String,
        _ session: inout SMTPServerSession,
        _ replies: inout ReplyBuffer
    ) -> SMTPServerSession.Step {
        switch answer {
        case "accepted": session.reduce(.authenticationAnswered(.accepted), into: &replies)
        case "rejected": session.reduce(.authenticationAnswered(.rejected), into: &replies)
        case "throttled": session.reduce(.authenticationAnswered(.throttled), into: &replies)
        case "unusable": session.reduce(.authenticationAnswered(.unusable), into: &replies)
        default: session.reduce(.authenticationAnswered(.temporaryFailure), into: &replies)
        }
    }

    private static func chartOfFetching() -> String {
        let standings = [Standing.greeted, .saidHELO, .ready, .loggedIn]
        return self.commandsOfFetching.reduce(into: "") { chart, command in
            chart += self.section("Fetching: \(command)", standings, purpose: .fetching) {
                self.receive(command + "\r\n", &$0, &$1)
            }
        }
    }

    private static func chartOfLMTP(_ awaiting: [Standing]) -> String {
        let awaiting = awaiting.filter { $0 != .saidHELO }
        var chart = ""
        for command in self.commandsOfLMTP {
            chart += self.section("LMTP: \(command)", awaiting, .lmtp) {
                self.receive(command + "\r\n", &$0, &$1)
            }
        }
        return chart + self.answers(.lmtp)
    }

    private static func answers(_ dialect: SMTPServerSettings.Dialect) -> String {
        let failures: [SMTPServerSession.Answer] = [
            .mailboxFull(permanent: false), .mailboxFull(permanent: true), .temporaryFailure,
        ]
        let committed: SMTPServerSession.Answer =
            dialect == .smtp ? .committed : .recipientCommitted
        let opened = SMTPServerSession.Answer.messageOpened(MessageID(rawValue: 7))
        let answers: [([Standing], [SMTPServerSession.Answer])] = [
            (
                [.adoptingClient],
                [.xclientAdopted, .xclientRefused, .rateExceeded, .temporaryFailure]
            ),
            (
                [.verifyingSender],
                [.senderPermitted, .senderForbidden, .rateExceeded, .temporaryFailure]
            ),
            (
                [.verifyingRecipient],
                [
                    .recipientAccepted, .recipientUnknown, .relayingDenied, .rateExceeded,
                ] + failures
            ),
            (
                [.completingHeader, .completingHeaderInChunk],
                [.headerCompleted, .authorForbidden, .storeFull, .temporaryFailure]
            ),
            (
                [.verifyingMailbox],
                [.mailboxVerified, .mailboxUnverified, .mailboxUnknown, .temporaryFailure]
            ),
            (
                [.startingQueue, .findingMail],
                [
                    .queueStarted(recipients: 0), .queueStarted(recipients: 3), .queueForbidden,
                    .temporaryFailure,
                ]
            ),
            ([.expandingList], [.mailboxUnknown, .temporaryFailure]),
            ([.opening, .openingForChunk], [opened, .storeFull, .temporaryFailure]),
            ([.committing], [committed, .storeFull, .commitFailed] + failures),
        ]
        let prefix = dialect == .lmtp ? "LMTP: " : ""
        var chart = ""
        for (standings, choices) in answers where dialect == .smtp || standings == [.committing] {
            for answer in choices {
                chart += self.section("\(prefix)?: \(answer)", standings, dialect) {
                    $0.reduce(.answered(answer), into: &$1)
                }
            }
        }
        return chart
    }

    private static func receive(
        _ text: String,
        _ session: inout SMTPServerSession,
        _ replies: inout ReplyBuffer
    ) -> SMTPServerSession.Step {
        session.reduce(.received(Array(text.utf8).span), into: &replies)
    }

    /// What happens in each standing; those with the same outcome share a line.
    private static func section(
        _ title: String,
        _ standings: [Standing],
        _ dialect: SMTPServerSettings.Dialect = .smtp,
        purpose: SMTPServerSettings.Purpose = .relaying,
        _ happen: Happening
    ) -> String {
        var lines: [(standings: [String], outcome: String)] = []
        for standing in standings {
            let purpose = standing == .findingMail ? .fetching : purpose
            let outcome = self.outcome(standing, dialect, purpose, happen)
            if let index = lines.firstIndex(where: { $0.outcome == outcome }) {
                lines[index].standings.append(standing.rawValue)
            } else {
                lines.append(([standing.rawValue], outcome))
            }
        }
        return lines.reduce(into: "\n\(title)\n") { text, line in
            text += "  \(line.standings.joined(separator: ", ")): \(line.outcome)\n"
        }
    }

    private static func outcome(
        _ standing: Standing,
        _ dialect: SMTPServerSettings.Dialect,
        _ purpose: SMTPServerSettings.Purpose,
        _ happen: Happening
    ) -> String {
        var session = SMTPServerSession(
            settings: self.settings(dialect, purpose),
            peer: NetworkAddress(ipv4: 0xc000_0201, port: 1),
            offersXCLIENT: true
        )
        var replies = ReplyBuffer()
        self.lead(&session, to: standing, dialect, &replies)
        replies.removeAll()
        let before = session.phase
        let step = happen(&session, &replies)
        let text = String(decoding: replies.span.copy(), as: UTF8.self)
        let lines = text.split(separator: "\r\n")
        var outcome = lines.first.map(String.init) ?? "nothing"
        if lines.count > 1 { outcome += " (and \(lines.count - 1) lines)" }
        if step.effect != .proceed { outcome += "; \(step.effect)" }
        if session.phase != before { outcome += " -> \(session.phase)" }
        outcome = outcome.replacing(
            #/(SMTPProtocol|MailBytes|MailSyntax|SASL)\.(\w+\.)*/#,
            with: ""
        )
        return outcome.replacing(#/ByteRange\(start: (\d+), length: (\d+)\)/#) {
            "\($0.1)+\($0.2)"
        }
    }

    private static func lead(
        _ session: inout SMTPServerSession,
        to standing: Standing,
        _ dialect: SMTPServerSettings.Dialect,
        _ replies: inout ReplyBuffer
    ) {
        guard standing != .awaitingGreeting else { return }
        _ = session.reduce(.accepted(earlyTalk: false), into: &replies)
        let hello = dialect == .smtp ? "EHLO" : "LHLO"
        for line in standing.lines {
            switch line {
            case "?good": _ = self.answerLogin("accepted", &session, &replies)
            case "?permitted": _ = session.reduce(.answered(.senderPermitted), into: &replies)
            case "?accepted": _ = session.reduce(.answered(.recipientAccepted), into: &replies)
            case "?unknown": _ = session.reduce(.answered(.recipientUnknown), into: &replies)
            case "?opened":
                let answer = SMTPServerSession.Answer.messageOpened(MessageID(rawValue: 7))
                _ = session.reduce(.answered(answer), into: &replies)
            case "": _ = self.receive("", &session, &replies)
            case _ where line.last?.isNewline == true: _ = self.receive(line, &session, &replies)
            default:
                let text = line.replacing("@ ", with: "\(hello) ") + "\r\n"
                _ = self.receive(text, &session, &replies)
            }
        }
    }
}
