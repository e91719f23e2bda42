// SPDX-License-Identifier: Apache-2.0
//
// Whole conversations with the server, where the drivers have a part in what is said.

import EventLoop
import MailBytes
import MailSyntax
import SMTPProtocol
import Simulation
import Testing

@testable import Server

@Suite("Mail in")
struct MailInTests {
    @Test("Recipients: ours, unknown, foreign, full, postmaster, in any case")
    func recipients() throws {
        let test = try ServerUnderTest()
        try test.addAccount("small@example.test", quota: 100)
        let client = test.connect(.smtp)
        client.say("EHLO a\r\nMAIL FROM:<> SIZE=90\r\n")
        client.forget()
        for recipient in [
            "anna@example.test", "Anna+x@EXAMPLE.Test", "nobody@example.test",
            "anna@elsewhere.test", "small@example.test", "Postmaster",
        ] { client.say("RCPT TO:<\(recipient)>\r\n") }
        #expect(
            client.lines.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
                "250 2.1.5", "250 2.1.5", "550 5.1.1", "550 5.7.1", "250 2.1.5", "250 2.1.5",
            ]
        )
        // The room is promised; and what can never fit is refused for good.
        let second = test.connect(.smtp)
        second.say("EHLO a\r\nMAIL FROM:<> SIZE=90\r\nRCPT TO:<small@example.test>\r\n")
        #expect(second.lastLine.hasPrefix("452 4.2.2 "))
        second.say("RSET\r\nMAIL FROM:<> SIZE=101\r\nRCPT TO:<small@example.test>\r\n")
        #expect(second.lastLine.hasPrefix("552 5.2.2 "))
        client.say("RSET\r\n")
        second.say("RSET\r\nMAIL FROM:<> SIZE=90\r\nRCPT TO:<small@example.test>\r\n")
        #expect(second.lastLine.hasPrefix("250 2.1.5 "))
    }

    @Test("A maildrop that is full in the end refuses the message for all")
    func overQuota() throws {
        let test = try ServerUnderTest()
        try test.addAccount("small@example.test", quota: 100)
        let client = test.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\n")
        client.say("RCPT TO:<small@example.test>\r\nDATA\r\n")
        client.say(String(repeating: "x", count: 200) + "\r\n.\r\n")
        #expect(client.lastLine.hasPrefix("452 4.2.2 "))
        #expect(try test.messages() == 0)
    }

    @Test("LMTP answers for each recipient, in order")
    func lmtp() throws {
        let test = try ServerUnderTest()
        try test.addAccount("small@example.test", quota: 100)
        let client = test.connect(.lmtp)
        client.say("LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<small@example.test>\r\n")
        client.say("RCPT TO:<anna@example.test>\r\nRCPT TO:<nobody@example.test>\r\nDATA\r\n")
        client.forget()
        client.say(String(repeating: "x", count: 200) + "\r\n.\r\nQUIT\r\n")
        #expect(client.lines.map { $0.prefix(9) } == ["452 4.2.2", "250 2.1.5", "221 2.0.0"])
        #expect(try test.messages() == 1)
    }

    @Test("A message for several addresses of one maildrop is there once")
    func once() throws {
        let test = try ServerUnderTest()
        let client = test.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\n")
        client.say("RCPT TO:<anna+b@example.test>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        client.say("x\r\n.\r\n")
        #expect(client.lastLine.hasPrefix("250 2.0.0 "))
        #expect(try test.messages() == 1)
    }

    @Test("VRFY and EXPN tell the truth where they may")
    func queries() throws {
        let test = try ServerUnderTest()
        let control = test.connectControl()
        control.say("alias-add\tteam@example.test\tanna@example.test\tpostmaster@example.test\n")
        let settings = SMTPServerSettings(
            hostname: Array("mail.example.test".utf8),
            answersVRFY: true,
            answersEXPN: true
        )
        let client = test.connect(.smtp, smtp: settings)
        client.say("EHLO a\r\n")
        client.forget()
        for command in [
            "VRFY anna", "VRFY nobody", "VRFY a@elsewhere.test", "EXPN team", "EXPN nobody",
            "VRFY anna",
        ] { client.say(command + "\r\n") }
        #expect(
            client.lines.map { $0.prefix(4) }
                == ["250 ", "550 ", "550 ", "250-", "250 ", "550 ", "250 "]
        )
    }

    @Test("The catch-all gets what nobody else does")
    func catchAll() throws {
        let test = try ServerUnderTest(catchAll: "anna@example.test")
        #expect(test.deliver("x", to: "whoever@example.test").hasPrefix("250 "))
        #expect(try test.messages() == 1)
    }

    @Test("Pipelined to the end and half-closed, every command has its reply")
    func pipelinedAndClosed() throws {
        let test = try ServerUnderTest()
        let client = test.connect(.smtp)
        client.stream.arrive(
            Array(
                """
                EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nBDAT 4 LAST\r\nab\r\n\
                MAIL FROM:<>\r\nRCPT TO:<nobody@example.test>\r\nRSET\r\nQUIT\r\n
                """.utf8
            )
        )
        client.stream.peerShutDown()
        test.world.run(for: 5)
        #expect(
            client.lines.filter { !$0.hasPrefix("250-") }.map { $0.prefix(3) }
                == ["220", "250", "250", "250", "250", "250", "550", "250", "221"]
        )
        #expect(try test.messages() == 1)
    }

    @Test("A connection that breaks before the end of a message leaves nothing")
    func brokenOff() throws {
        let test = try ServerUnderTest()
        for isReset in [true, false] {
            let client = test.connect(.smtp)
            client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
            client.say(String(repeating: "0123456789\r\n", count: 20_000))
            if isReset { client.stream.reset() } else { client.stream.peerShutDown() }
            test.world.run(for: 5)
            #expect(client.isClosed)
        }
        #expect(try test.messages() == 0)
        #expect(test.server.leaks == [])
    }

    @Test(
        "What the store cannot take is refused for now",
        arguments: [(true, "452 4.3.1 "), (false, "451 4.3.0 ")]
    )
    func storeFails(isFull: Bool, expected: String) throws {
        var faults = SimulatedStorage.Faults()
        if isFull { faults.fullDiskOneIn = 1 } else { faults.failedWriteOneIn = 1 }
        let test = try ServerUnderTest(faults: faults)
        for content in ["small", String(repeating: "large 67890\r\n", count: 20_000)] {
            #expect(test.deliver(content).hasPrefix(expected))
        }
        #expect(try test.messages() == 0)
        #expect(test.server.leaks == [])
    }
}

@Suite("Content that goes ahead")
struct StagingTests {
    @Test("Late answers about a message that was given up do not touch the next one")
    func givenUp() throws {
        let test = try ServerUnderTest()
        let client = test.connect(.smtp)
        client.say("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\n")
        test.storage.isStuck = true
        let content = String(repeating: "0123456789abcd\r\n", count: 8000)
        client.say("BDAT \(content.utf8.count)\r\n" + content + "RSET\r\n")
        client.say("MAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        #expect(client.lastLine.hasPrefix("354 "))
        client.say("begun\r\n")
        test.storage.isStuck = false
        test.world.run(for: 1)
        client.say("and ended\r\n.\r\n", for: 5)
        #expect(client.lastLine.hasPrefix("250 2.0.0 "))
        #expect(try test.messages() == 1)
        #expect(test.server.leaks == [])
    }

    @Test("A message whose chunks could not be stored is refused, and nothing of it stays")
    func failed() throws {
        var faults = SimulatedStorage.Faults()
        faults.failsStaging = true
        let test = try ServerUnderTest(faults: faults)
        #expect(test.deliver(String(repeating: "large 67890\r\n", count: 20_000)).hasPrefix("451 "))
        #expect(test.deliver("small").hasPrefix("250 "))
        #expect(try test.messages() == 1)
        #expect(test.server.leaks == [])
    }
}

@Suite("Mail out")
struct MailOutTests {
    @Test("Messages are read ahead, and marked ones are gone after QUIT alone")
    func fetched() throws {
        let test = try ServerUnderTest()
        for number in 1...20 { test.deliver("Subject: \(number)\r\n\r\n.\r\n..\r\n") }
        let client = test.logIn()
        client.forget()
        for number in 1...20 { client.say("RETR \(number)\r\n") }
        #expect(client.lines.count { $0.hasPrefix("Subject: ") } == 20)
        client.say("DELE 1\r\nDELE 20\r\n")
        client.stream.reset()
        test.world.run(for: 1)
        #expect(try test.messages() == 20)
        let second = test.logIn()
        second.say("DELE 1\r\nDELE 20\r\nQUIT\r\n")
        #expect(second.lastLine.hasPrefix("+OK"))
        #expect(try test.messages() == 18)
        #expect(test.server.leaks == [])
    }

    @Test("The lock is held until the deletions are done, though the session is gone")
    func lockOutlivesSession() throws {
        let test = try ServerUnderTest()
        test.deliver("x")
        let client = test.logIn()
        client.say("DELE 1\r\n")
        test.storage.isStuck = true
        client.say("QUIT\r\n")
        client.stream.reset()
        test.world.run(for: 1)
        #expect(test.logIn().lastLine.hasPrefix("-ERR [IN-USE]"))
        test.storage.isStuck = false
        test.world.run(for: 1)
        #expect(test.logIn().lastLine == "+OK maildrop has 0 messages (0 octets)")
    }

    @Test("Mail that comes during a session waits for the next")
    func snapshot() throws {
        let test = try ServerUnderTest()
        test.deliver("one")
        let client = test.logIn()
        test.deliver("two")
        client.forget()
        client.say("STAT\r\nLIST\r\nUIDL\r\n")
        #expect(client.lines.count == 7)
        client.say("QUIT\r\n")
        #expect(test.logIn().lastLine.hasPrefix("+OK maildrop has 2 messages"))
    }

    @Test("A login that only looks asks no other thread once the maildrop is known")
    func headsAreKept() throws {
        let test = try ServerUnderTest()
        test.deliver("x")
        test.logIn().say("STAT\r\nQUIT\r\n")
        let asked = test.storage.askedCount
        for _ in 0..<3 {
            let client = test.logIn()
            client.say("STAT\r\n")
            #expect(client.lastLine.hasPrefix("+OK 1 "))
            client.say("QUIT\r\n")
        }
        #expect(test.storage.askedCount == asked)
        test.deliver("y")
        let client = test.logIn()
        client.say("STAT\r\n")
        #expect(client.lastLine.hasPrefix("+OK 2 "))
    }

    @Test("A maildrop that cannot be read now is not said to be empty")
    func readFails() throws {
        var faults = SimulatedStorage.Faults()
        faults.failedReadOneIn = 1
        let test = try ServerUnderTest(faults: faults)
        #expect(test.logIn().lastLine.hasPrefix("-ERR [SYS/TEMP]"))
        #expect(test.server.leaks == [])
    }
}

@Suite("The end of a server")
struct StopTests {
    @Test("Sessions between commands are told; a message under way is taken")
    func graceful() throws {
        let test = try ServerUnderTest()
        let idle = test.connect(.smtp)
        let reader = test.logIn()
        let sender = test.connect(.smtp)
        sender.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\nx\r\n")
        var isDone = false
        test.server.stop { isDone = true }
        test.world.run(for: 1)
        #expect(idle.lastLine.hasPrefix("421 4.3.2 "))
        #expect(idle.isClosed && reader.isClosed)
        #expect(!isDone)
        #expect(test.connect(.smtp).text.hasPrefix("421 "))
        sender.say(".\r\n")
        #expect(sender.lines.suffix(2).map { $0.prefix(3) } == ["250", "421"])
        #expect(isDone)
        #expect(try test.messages() == 1)
    }

    @Test("Whoever takes longer than the grace period is cut off")
    func impatient() throws {
        let test = try ServerUnderTest { $0.shutdownGraceSeconds = 5 }
        let sender = test.connect(.smtp)
        sender.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\nx\r\n")
        var isDone = false
        test.server.stop { isDone = true }
        test.world.run(for: 4)
        #expect(!isDone)
        test.world.run(for: 2)
        #expect(isDone && sender.isClosed)
        #expect(try test.messages() == 0)
    }

    @Test("A server without sessions ends at once")
    func idle() throws {
        let test = try ServerUnderTest()
        var isDone = false
        test.server.stop { isDone = true }
        #expect(isDone)
    }
}

@Suite("Calls within calls")
struct ReentrancyTests {
    /// A stream that breaks when something is sent.
    private final class BreakingStream: ByteStream {
        let id = ConnectionID(slot: 900, generation: 1)
        let peer = NetworkAddress.unix
        var client = NetworkAddress.unix
        let local = NetworkAddress.unix
        var handler: (any StreamHandler)?
        var receiveOctetsLimit: Int?
        var tls: TLSFacts? { nil }
        var hasReadableInput: Bool { false }
        var pendingOutputCount: Int { 0 }
        private(set) var isBroken = false
        private(set) var sentCount = 0
        let allowed: Int

        init(allowed: Int) { self.allowed = allowed }

        func send(_ octets: borrowing Span<UInt8>) {
            self.sentCount += 1
            if self.sentCount > self.allowed { self.abort() }
        }
        func resume() {}
        func startTLS(_ service: TLSService) { self.abort() }
        func channelBinding(_ kind: ChannelBinding) -> [UInt8]? { nil }
        func setDeadline(seconds: Double?) {}
        func close(lingering: Bool) { self.isBroken = true }
        func abort() { self.isBroken = true }

        func arrive(_ text: String) -> Consumption? {
            let octets = Array(text.utf8)
            return self.handler?.received(octets.span, from: self)
        }
    }

    @Test("A connection that breaks in the middle of a send", arguments: 0...4)
    func breaks(allowed: Int) throws {
        for service in [ServiceProfile.Service.smtp, .pop3] {
            let test = try ServerUnderTest()
            let stream = BreakingStream(allowed: allowed)
            let profile = test.profile(service)
            test.server.accept(stream, for: profile)
            for text in ["HELO a\r\n", "USER anna\r\n", "NOOP\r\n", "QUIT\r\n"] {
                _ = stream.arrive(text)
            }
            test.server.stop {}
            stream.handler?.deadlinePassed(stream)
            stream.handler?.ended(stream)
            #expect(test.server.connectionCount == 0)
            #expect(test.server.leaks == [])
        }
    }

    @Test("The buffer for replies is there for whoever comes while it is taken")
    func nested() throws {
        let test = try ServerUnderTest()
        var outer = test.server.takeReplies()
        outer.append("outer")
        let client = test.connect(.smtp)
        client.say("EHLO a\r\nNOOP\r\n")
        #expect(client.lastLine.hasPrefix("250 2.0.0"))
        #expect(outer.count == 5)
        outer.removeAll()
        test.server.putBack(outer)
        client.say("NOOP\r\n")
        #expect(client.lastLine.hasPrefix("250 2.0.0"))
    }
}
