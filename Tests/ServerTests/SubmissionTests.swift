// SPDX-License-Identifier: Apache-2.0
//
// Submission: TLS, AUTH, who may send as whom, what is added, and how much an account may send.

import EventLoop
import MailBytes
import MailStore
import MailSyntax
import SASL
import SMTPProtocol
import Simulation
import Testing

@testable import Server

/// A listener for submission, in the way of `ServerUnderTest`.
private func submission(
    offersSTARTTLS: Bool = false,
    permitsPlaintextAuth: Bool = true,
    checksAuthors: Bool = true,
    acceptsXCLIENTLogin: Bool = false
) -> SMTPServerSettings {
    SMTPServerSettings(
        hostname: Array("mail.example.test".utf8),
        offersSTARTTLS: offersSTARTTLS,
        mechanisms: [.plain, .login],
        permitsPlaintextAuth: permitsPlaintextAuth,
        requiresAuthentication: true,
        purpose: .submission,
        checksAuthors: checksAuthors,
        addsMissingFields: true,
        acceptsXCLIENTLogin: acceptsXCLIENTLogin
    )
}

/// The initial response of PLAIN.
private func plain(_ user: String, _ password: String) -> String {
    let octets = [0] + Array(user.utf8) + [0] + Array(password.utf8)
    return String(decoding: Base64.encode(octets), as: UTF8.self)
}

@Suite("Submission")
struct SubmissionTests {
    private func connect(
        _ test: ServerUnderTest,
        _ settings: SMTPServerSettings = submission()
    ) -> Client {
        let client = test.connect(test.profile(.submission, smtp: settings))
        client.say("EHLO client.example\r\n")
        return client
    }

    private func logIn(
        _ test: ServerUnderTest,
        _ settings: SMTPServerSettings = submission()
    ) -> Client {
        let client = self.connect(test, settings)
        client.say("AUTH PLAIN \(plain("anna", ServerUnderTest.secret))\r\n")
        #expect(client.lastLine.hasPrefix("235 "))
        return client
    }

    private func answers(_ client: Client, _ commands: [String]) -> [String] {
        commands.map { command in
            client.say("\(command)\r\n")
            return String(client.lastLine.prefix(9))
        }
    }

    @Test("Without a login nothing is taken; with one, mail arrives with what it lacked")
    func logIn() throws {
        let test = try ServerUnderTest()
        let client = self.connect(test)
        client.say("MAIL FROM:<anna@example.test>\r\n")
        #expect(client.lastLine.hasPrefix("530 5.7.0 "))
        client.say("AUTH PLAIN \(plain("anna", "wrong"))\r\n", for: 3)
        #expect(client.lastLine.hasPrefix("535 5.7.8 "))
        client.say("AUTH LOGIN\r\n")
        client.say("YW5uYUBleGFtcGxlLnRlc3Q=\r\n")
        client.say("c2VjcmV0\r\n")
        #expect(client.lastLine.hasPrefix("235 2.7.0 "))
        client.say("MAIL FROM:<anna@example.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        client.say("From: Anna <anna@example.test>\r\nSubject: x\r\n\r\nbody\r\n.\r\n", for: 5)
        #expect(client.lastLine.hasPrefix("250 2.0.0 "))
        let reader = test.logIn()
        reader.say("RETR 1\r\n")
        #expect(reader.text.contains(" with ESMTPA id "))
        #expect(reader.text.contains("\r\nDate: "))
        #expect(reader.text.contains("@mail.example.test>\r\n\r\nbody\r\n"))
        #expect(reader.text.contains("\r\nMessage-ID: <"))
    }

    @Test(
        "The reverse-path must be the login's own, in one of its forms",
        arguments: [
            ("<anna@example.test>", "250 2.1.0"), ("<Anna+list@EXAMPLE.test>", "250 2.1.0"),
            ("<>", "250 2.1.0"), ("<office@example.test>", "250 2.1.0"),
            ("<office+x@example.test>", "250 2.1.0"), ("<bert@example.test>", "550 5.7.1"),
            ("<other@example.test>", "550 5.7.1"), ("<nobody@example.test>", "550 5.7.1"),
            ("<anna@elsewhere.example>", "550 5.7.1"), ("<bert+anna@example.test>", "550 5.7.1"),
        ]
    )
    func sender(path: String, expected: String) throws {
        let test = try ServerUnderTest(catchAll: "anna@example.test")
        try test.addAccount("bert@example.test")
        try test.addAlias("office@example.test", to: ["bert@example.test", "anna@example.test"])
        try test.addAlias("other@example.test", to: ["bert@example.test"])
        let client = self.logIn(test)
        #expect(self.answers(client, ["MAIL FROM:\(path)"]) == [expected])
    }

    @Test(
        "Every author in From must be, too",
        arguments: [
            ("From: anna@example.test", "250 2.0.0"),
            ("From: office@example.test, anna@example.test", "250 2.0.0"),
            ("From: bert@example.test", "550 5.7.1"),
            ("From: office@example.test, bert@example.test", "550 5.7.1"),
            ("From: anna@elsewhere.example", "550 5.7.1"),
        ]
    )
    func author(field: String, expected: String) throws {
        let test = try ServerUnderTest()
        try test.addAccount("bert@example.test")
        try test.addAlias("office@example.test", to: ["anna@example.test"])
        let client = self.logIn(test)
        client.say("MAIL FROM:<anna@example.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        client.say("\(field)\r\nSubject: x\r\n\r\nbody\r\n.\r\n", for: 5)
        #expect(client.lastLine.hasPrefix(expected))
        #expect(try test.messages() == (expected.hasPrefix("250") ? 1 : 0))
        #expect(test.server.leaks == [])
    }

    @Test("Where it is allowed, an account may write as anybody")
    func anyAuthor() throws {
        let test = try ServerUnderTest()
        let client = self.logIn(test, submission(checksAuthors: false))
        client.say("MAIL FROM:<anna@example.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        client.say("From: bert@elsewhere.example\r\n\r\nbody\r\n.\r\n", for: 5)
        #expect(client.lastLine.hasPrefix("250 2.0.0 "))
    }

    @Test("Mail for others is taken from those who have logged in")
    func relaying() throws {
        let test = try ServerUnderTest()
        let commands = ["MAIL FROM:<anna@example.test>", "RCPT TO:<x@elsewhere.example>"]
        #expect(self.answers(self.logIn(test), commands) == ["250 2.1.0", "250 2.1.5"])
        let stranger = test.connect(.smtp)
        stranger.say("EHLO x\r\n")
        #expect(self.answers(stranger, commands) == ["250 2.1.0", "550 5.7.1"])
    }

    @Test("An account may send so much in an hour; what is not sent does not count")
    func rates() throws {
        let test = try ServerUnderTest {
            $0.messagesPerAccountHour = 2
            $0.recipientsPerAccountHour = 3
        }
        let mail = "MAIL FROM:<anna@example.test>"
        let rcpt = "RCPT TO:<anna@example.test>"
        let client = self.logIn(test)
        // Nothing comes of these.
        for _ in 0..<5 { #expect(self.answers(client, [mail, "RSET"]).last == "250 2.0.0") }
        for _ in 0..<5 { #expect(self.answers(client, [mail, rcpt, "RSET"])[1] == "250 2.1.5") }
        client.say("\(mail)\r\n\(rcpt)\r\n\(rcpt)\r\nDATA\r\n")
        client.say("From: anna@example.test\r\n\r\n.\r\n", for: 3)
        #expect(client.lastLine.hasPrefix("250 2.0.0 "))
        #expect(self.answers(client, [mail, rcpt, rcpt]).suffix(2) == ["250 2.1.5", "452 4.7.1"])
        client.say("DATA\r\n")
        client.say("From: anna@example.test\r\n\r\n.\r\n", for: 3)
        #expect(client.lastLine.hasPrefix("250 2.0.0 "))
        #expect(self.answers(client, [mail]) == ["450 4.7.1"])
        // It is the account that counts, not the session.
        #expect(self.answers(self.logIn(test), [mail]) == ["450 4.7.1"])
        test.world.run(for: 4300)
        #expect(self.answers(self.logIn(test), [mail]) == ["250 2.1.0"])
    }

    @Test("A banned client is not heard, nor greeted where it would have to log in")
    func ban() throws {
        let test = try ServerUnderTest { $0.loginFailuresPerClient = 2 }
        let client = self.connect(test)
        for _ in 0..<2 { client.say("AUTH PLAIN \(plain("anna", "wrong"))\r\n", for: 9) }
        client.say("AUTH PLAIN \(plain("anna", ServerUnderTest.secret))\r\n", for: 3)
        #expect(client.lastLine.hasPrefix("454 4.7.0 "))
        let next = test.connect(test.profile(.submission, smtp: submission()))
        #expect(next.lastLine == "421 4.7.0 Too many failed logins, try again later")
        #expect(next.isClosed)
        // The count is the same for all protocols.
        #expect(test.connect(.pop3).lastLine.hasPrefix("-ERR [SYS/TEMP]"))
    }
}

@Suite("TLS of sessions")
struct SessionTLSTests {
    private func profile(
        _ test: ServerUnderTest,
        _ service: ServiceProfile.Service,
        isImplicit: Bool
    ) throws -> ServiceProfile {
        test.profile(
            service,
            smtp: submission(offersSTARTTLS: !isImplicit, permitsPlaintextAuth: false),
            tls: try TLSService(TLSOptions(certificates: [])),
            isTLSImplicit: isImplicit
        )
    }

    /// A client whose handshake did not fail: a few do.
    private func secured(
        _ test: ServerUnderTest,
        _ profile: ServiceProfile,
        asking lines: [String]
    ) -> Client? {
        for _ in 0..<5 {
            let client = test.connect(profile)
            for line in lines { client.say("\(line)\r\n") }
            if client.stream.tls != nil { return client }
        }
        return nil
    }

    @Test("STARTTLS forgets all that was said and what came behind it")
    func startTLS() throws {
        let test = try ServerUnderTest()
        let profile = try self.profile(test, .submission, isImplicit: false)
        let lines = ["EHLO a", "STARTTLS\r\nMAIL FROM:<x@y.example>\r\nNOOP"]
        let client = try #require(self.secured(test, profile, asking: lines))
        #expect(client.text.contains("250-STARTTLS\r\n"))
        #expect(!client.text.contains("AUTH"))
        #expect(client.lastLine.hasPrefix("220 2.0.0 "))
        client.forget()
        client.say("AUTH PLAIN \(plain("anna", ServerUnderTest.secret))\r\n")
        #expect(client.lastLine.hasPrefix("503 5.5.1 "))
        client.say("EHLO a\r\n")
        #expect(client.text.contains("250-AUTH PLAIN LOGIN\r\n"))
        #expect(!client.text.contains("STARTTLS"))
        client.say("AUTH PLAIN \(plain("anna", ServerUnderTest.secret))\r\n")
        #expect(client.lastLine.hasPrefix("235 "))
    }

    @Test("Where TLS is implicit, the greeting comes after it, and a refusal says nothing")
    func implicit() throws {
        let test = try ServerUnderTest { $0.connectionsPerClient = 1 }
        let profile = try self.profile(test, .submission, isImplicit: true)
        let client = try #require(self.secured(test, profile, asking: ["EHLO a"]))
        #expect(client.stream.tls != nil)
        #expect(client.lines.first?.hasPrefix("220 ") ?? false)
        #expect(client.text.contains("250-AUTH PLAIN LOGIN\r\n"))
        let second = test.connect(profile)
        #expect(second.isClosed && second.received.isEmpty)
    }

    @Test("What comes with the end of the handshake is answered after the greeting")
    func wordsBehindHandshake() throws {
        let test = try ServerUnderTest()
        for service in [ServiceProfile.Service.submission, .pop3] {
            let profile = try self.profile(test, service, isImplicit: true)
            // A handshake of the simulation may fail.
            let clients = (0..<5).map { _ in test.connect(profile, sayingAtOnce: "QUIT\r\n") }
            let client = try #require(clients.first { $0.stream.tls != nil })
            #expect(client.lines.count == 2, "\(client.lines)")
            #expect(client.lines.allSatisfy { $0.hasPrefix("2") || $0.hasPrefix("+OK") })
        }
    }

    @Test("STLS, then a login; implicit TLS of POP3")
    func pop3() throws {
        let test = try ServerUnderTest()
        for isImplicit in [false, true] {
            let profile = try self.profile(test, .pop3, isImplicit: isImplicit)
            let lines = isImplicit ? [] : ["STLS\r\nUSER mallory"]
            let client = try #require(self.secured(test, profile, asking: lines))
            client.say("PASS secret\r\n")
            #expect(client.lastLine.hasPrefix("-ERR "))
            client.say("AUTH PLAIN \(plain("anna", ServerUnderTest.secret))\r\n")
            #expect(client.lastLine.hasPrefix("+OK maildrop has"))
            client.say("QUIT\r\n")
        }
        #expect(test.server.leaks == [])
    }
}

@Suite("Clients of proxies that speak XCLIENT")
struct XCLIENTTests {
    private static let proxy = NetworkAddress(ipv4: 0x0a00_0002, port: 9)

    private func connect(
        _ test: ServerUnderTest,
        _ service: ServiceProfile.Service,
        from peer: NetworkAddress = Self.proxy,
        acceptsLogin: Bool = false
    ) -> Client {
        let profile = test.profile(
            service,
            smtp: submission(acceptsXCLIENTLogin: acceptsLogin),
            mayXCLIENT: { $0.clientKey == Self.proxy.clientKey }
        )
        return test.connect(profile, from: peer)
    }

    @Test("The client that is named is the one that is counted")
    func counted() throws {
        let test = try ServerUnderTest { $0.connectionsPerClient = 2 }
        let clients = (0..<2).map { _ in self.connect(test, .submission) }
        for client in clients {
            client.say("XCLIENT ADDR=198.51.100.7 PORT=4711\r\n")
            #expect(client.lastLine.hasPrefix("220 "))
            #expect(client.stream.client.description == "198.51.100.7:4711")
        }
        // The proxy has room again, the client has not.
        let third = self.connect(test, .submission)
        third.say("XCLIENT ADDR=198.51.100.7\r\n")
        #expect(third.lastLine.hasPrefix("421 "))
        clients[0].say("QUIT\r\n")
        let pop3 = self.connect(test, .pop3)
        pop3.say("XCLIENT ADDR=198.51.100.7\r\n")
        #expect(pop3.lastLine.hasPrefix("+OK"))
        clients[1].say("QUIT\r\n")
        pop3.say("QUIT\r\n")
        #expect(test.server.leaks == [])
    }

    @Test("Others are not heard, and a login only where that has a switch of its own")
    func refused() throws {
        let test = try ServerUnderTest()
        let stranger = self.connect(
            test,
            .submission,
            from: NetworkAddress(ipv4: 0xc000_0201, port: 1)
        )
        stranger.say("XCLIENT ADDR=198.51.100.7\r\n")
        #expect(stranger.lastLine.hasPrefix("500 "))
        let client = self.connect(test, .submission)
        client.say("XCLIENT LOGIN=anna\r\n")
        #expect(client.lastLine.hasPrefix("501 "))
    }

    @Test("A login that the proxy has seen is one of ours, or none")
    func login() throws {
        let test = try ServerUnderTest()
        let client = self.connect(test, .submission, acceptsLogin: true)
        client.say("XCLIENT LOGIN=nobody ADDR=198.51.100.7\r\n")
        #expect(client.lastLine.hasPrefix("550 "))
        #expect(client.stream.client == Self.proxy)
        client.say("XCLIENT LOGIN=anna ADDR=198.51.100.7\r\n")
        #expect(client.lastLine.hasPrefix("220 "))
        client.say("EHLO a\r\nMAIL FROM:<anna@example.test>\r\n")
        #expect(client.lastLine.hasPrefix("250 2.1.0"))
        client.say("RSET\r\nMAIL FROM:<postmaster@example.test>\r\n")
        #expect(client.lastLine.hasPrefix("550 5.7.1"))
    }
}

@Suite("Slow greetings and slow answers")
struct SlowAnswerTests {
    @Test("An SMTP client that speaks in the delay of the greeting does not wait for it")
    func pregreet() throws {
        let test = try ServerUnderTest(exemptsLoopback: true) { $0.greetingDelaySeconds = 5 }
        let patient = test.connect(.smtp)
        let hasty = test.connect(.smtp)
        #expect(patient.received.isEmpty)
        hasty.say("EHLO a\r\n", for: 2)
        #expect(hasty.isClosed)
        #expect(hasty.lastLine.hasPrefix("554 "))
        test.world.run(for: 4)
        #expect(patient.lastLine.hasPrefix("220 "))
        patient.say("EHLO a\r\n")
        #expect(patient.lastLine.hasPrefix("250 "))
        // Users and exempt peers are greeted at once.
        #expect(test.connect(.pop3).lastLine.hasPrefix("+OK"))
        let exempt = test.connect(.smtp, from: NetworkAddress(ipv4: 0x7f00_0001, port: 1))
        #expect(exempt.lastLine.hasPrefix("220 "))
    }

    @Test("A client that leaves before it is greeted leaves nothing")
    func leaves() throws {
        let test = try ServerUnderTest { $0.greetingDelaySeconds = 5 }
        let client = test.connect(.smtp)
        client.stream.peerShutDown()
        test.world.run(for: 10)
        #expect(client.isClosed && client.received.isEmpty)
        let other = test.connect(.smtp)
        test.server.stop {}
        test.world.run(for: 1)
        #expect(other.isClosed)
        #expect(test.server.connectionCount == 0)
    }

    @Test("Errors beyond the free ones make a client wait, and nobody else")
    func tarpit() throws {
        let test = try ServerUnderTest(exemptsLoopback: true) {
            $0.tarpitAfterErrors = 2
            $0.tarpitSeconds = 4
        }
        let client = test.connect(.smtp)
        client.say("EHLO a\r\nWHAT\r\nWHAT\r\nNOOP\r\n")
        #expect(client.lastLine.hasPrefix("250 2.0.0"))
        client.say("WHAT\r\n")
        #expect(client.lastLine.hasPrefix("500 "))
        client.forget()
        client.say("NOOP\r\n", for: 2)
        #expect(client.received.isEmpty)
        test.world.run(for: 2)
        #expect(client.lastLine.hasPrefix("250 2.0.0"))
        let exempt = test.connect(.smtp, from: NetworkAddress(ipv4: 0x7f00_0001, port: 1))
        exempt.say("EHLO a\r\nWHAT\r\nWHAT\r\nWHAT\r\nNOOP\r\n")
        #expect(exempt.lastLine.hasPrefix("250 2.0.0"))
    }
}
