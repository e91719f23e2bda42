// SPDX-License-Identifier: Apache-2.0
//
// Each limit of the drivers, reached.

import MailBytes
import SMTPProtocol
import Simulation
import Testing

@testable import Server

@Suite("Limits of connections")
struct ConnectionLimitTests {
    @Test("Connections in total: the next is refused, and taken when one has ended")
    func total() throws {
        let test = try ServerUnderTest { $0.connections = 2 }
        let first = test.connect(.smtp)
        _ = test.connect(.pop3)
        let third = test.connect(.smtp)
        #expect(third.text == "421 4.3.2 Too many connections, try again later\r\n")
        #expect(third.isClosed)
        #expect(test.connect(.pop3).text.hasPrefix("-ERR [SYS/TEMP] Too many connections"))
        first.say("QUIT\r\n")
        #expect(first.isClosed)
        #expect(test.connect(.smtp).text.hasPrefix("220 "))
    }

    @Test("The control socket is reached when all connections are taken")
    func control() throws {
        let test = try ServerUnderTest { $0.connections = 1 }
        _ = test.connect(.smtp)
        let control = test.connectControl()
        control.say("user-list\t\t10\n")
        #expect(control.text.hasSuffix(".\tdone\n"))
    }

    @Test("Connections of one client, which is a /64 in IPv6")
    func perClient() throws {
        let test = try ServerUnderTest { $0.connectionsPerClient = 2 }
        func peer(_ low: UInt64, net: UInt64 = 0x2001_0db8_0000_0001) -> NetworkAddress {
            NetworkAddress(ipv6: net, low, port: 7)
        }
        let first = test.connect(.smtp, from: peer(1))
        _ = test.connect(.smtp, from: peer(2))
        #expect(test.connect(.smtp, from: peer(3)).text.hasPrefix("421 4.3.2 "))
        #expect(
            test.connect(.smtp, from: peer(3, net: 0x2001_0db8_0000_0002)).text.hasPrefix("220 ")
        )
        first.stream.reset()
        test.world.run(for: 1)
        #expect(test.connect(.smtp, from: peer(3)).text.hasPrefix("220 "))
    }

    @Test("Exempt peers are free of the limit per client, and are not counted out either")
    func exempt() throws {
        let test = try ServerUnderTest(exemptsLoopback: true) { $0.connectionsPerClient = 1 }
        let loopback = NetworkAddress(ipv4: 0x7f00_0001, port: 1)
        for _ in 0..<5 {
            let client = test.connect(.smtp, from: loopback)
            #expect(client.text.hasPrefix("220 "))
            client.say("QUIT\r\n")
        }
        _ = test.connect(.smtp)
        #expect(test.connect(.smtp).text.hasPrefix("421 4.3.2 "))
    }
}

@Suite("Limits of time")
struct TimeLimitTests {
    @Test("An SMTP client that is silent too long hears 421")
    func idle() throws {
        let test = try ServerUnderTest()
        let client = test.connect(.smtp)
        client.say("EHLO a\r\n")
        test.world.run(for: 297)
        #expect(!client.isClosed)
        test.world.run(for: 3)
        #expect(client.lastLine.hasPrefix("421 4.4.2 "))
        #expect(client.isClosed)
    }

    @Test("A POP3 client that is silent too long hears nothing, and nothing is deleted")
    func autologout() throws {
        let test = try ServerUnderTest()
        test.deliver("Subject: kept\r\n\r\n")
        let client = test.logIn()
        client.say("DELE 1\r\n")
        client.forget()
        test.world.run(for: 598)
        #expect(!client.isClosed)
        test.world.run(for: 3)
        #expect(client.isClosed)
        #expect(client.text == "")
        #expect(try test.messages() == 1)
        #expect(test.logIn().lastLine == "+OK maildrop has 1 message (\(try test.octets()) octets)")
    }

    @Test("A mail transaction must be over in time, however busy it is")
    func wholeTransaction() throws {
        let test = try ServerUnderTest { $0.transactionSeconds = 600 }
        let client = test.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        for _ in 0..<58 { client.say(String(repeating: "x", count: 5000) + "\r\n", for: 10) }
        #expect(!client.isClosed)
        for _ in 0..<4 { client.say("x\r\n", for: 10) }
        #expect(client.lastLine.hasPrefix("421 4.4.2 "))
        #expect(client.isClosed)
        #expect(try test.messages() == 0)
    }

    @Test("Recipients alone do not keep a mail transaction alive")
    func endlessRecipients() throws {
        let test = try ServerUnderTest { $0.transactionSeconds = 600 }
        let client = test.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\n")
        for _ in 0..<5 { client.say("RCPT TO:<anna@example.test>\r\n", for: 119) }
        #expect(!client.isClosed)
        test.world.run(for: 30)
        #expect(client.isClosed)
    }

    @Test("A message below the minimum rate is given up, one above is not")
    func minimumRate() throws {
        let test = try ServerUnderTest { $0.contentOctetsPerSecondMin = 100 }
        let slow = test.connect(.smtp)
        let fast = test.connect(.smtp)
        for client in [slow, fast] {
            client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        }
        for _ in 0..<8 {
            slow.say(String(repeating: "x", count: 200) + "\r\n", for: 0)
            fast.say(String(repeating: "x", count: 1200) + "\r\n", for: 10)
        }
        #expect(slow.lastLine.hasPrefix("421 4.4.2 Too slow"))
        #expect(slow.isClosed)
        #expect(!fast.isClosed)
        fast.say(".\r\n")
        #expect(fast.lastLine.hasPrefix("250 2.0.0 "))
        #expect(try test.messages() == 1)
    }

    @Test("A sender that falls silent after a good start is given up")
    func silentAfterMuch() throws {
        let test = try ServerUnderTest()
        let client = test.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        client.say(String(repeating: String(repeating: "x", count: 70) + "\r\n", count: 5000))
        test.world.run(for: 250)
        #expect(!client.isClosed)
        test.world.run(for: 100)
        #expect(client.isClosed)
    }

    @Test("Chunks that trickle are content that trickles")
    func slowChunks() throws {
        let test = try ServerUnderTest()
        let client = test.connect(.smtp)
        client.say("EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\n")
        for _ in 0..<10 { client.say("BDAT 1\r\nx", for: 10) }
        #expect(client.isClosed)
    }

    @Test("A store that takes its time is not held against the sender")
    func slowStore() throws {
        let test = try ServerUnderTest()
        let client = test.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
        test.storage.isStuck = true
        client.say(String(repeating: String(repeating: "x", count: 70) + "\r\n", count: 5000))
        test.world.run(for: 900)
        #expect(!client.isClosed)
        test.storage.isStuck = false
        client.say(".\r\n", for: 10)
        #expect(client.lastLine.hasPrefix("250 2.0.0 "))
    }
}

@Suite("Limits of memory")
struct MemoryLimitTests {
    @Test("Who does not read its replies is read from no more")
    func outputBacklog() throws {
        let test = try ServerUnderTest { $0.outputBacklogOctets = 4096 }
        let client = test.connect(.smtp, reading: .byHand)
        client.stream.take(1000)
        for _ in 0..<200 { client.say(String(repeating: "NOOP\r\n", count: 100), for: 0.1) }
        // One turn's replies may stand above the mark.
        #expect(client.stream.pendingOutputMax <= 4096 + 64 * 20)
        client.forget()
        for _ in 0..<2000 {
            client.stream.take(1000)
            test.world.run(for: 0.01)
        }
        #expect(client.lines.count { $0.hasPrefix("250 ") } == 20_000)
    }

    @Test("A large message is served in portions, as the reader takes them")
    func servedInPortions() throws {
        let test = try ServerUnderTest()
        let line = String(repeating: "y", count: 76) + "\r\n"
        test.deliver(String(repeating: line, count: 40_000))
        let client = test.logIn(reading: .byHand)
        client.stream.take(1 << 20)
        test.world.run(for: 1)
        client.say("RETR 1\r\n")
        for _ in 0..<200 {
            client.stream.take(60_000)
            test.world.run(for: 0.2)
        }
        #expect(client.stream.pendingOutputMax <= 3 << 16)
        #expect(client.received.count > 40_000 * line.utf8.count)
        #expect(client.text.hasSuffix("\r\n.\r\n"))
    }

    @Test("A long listing is served in portions, too")
    func listingInPortions() throws {
        let test = try ServerUnderTest { $0.outputBacklogOctets = 4096 }
        for _ in 0..<300 { test.deliver("x") }
        let client = test.logIn(reading: .byHand)
        client.stream.take(1 << 20)
        test.world.run(for: 1)
        client.forget()
        client.say(String(repeating: "UIDL\r\n", count: 20))
        for _ in 0..<1000 {
            client.stream.take(2000)
            test.world.run(for: 0.1)
        }
        #expect(client.stream.pendingOutputMax < 1 << 15)
        #expect(client.lines.count { $0 == "." } == 20)
    }

    @Test("Content beyond the budget goes ahead to the store in pieces, and arrives whole")
    func contentBudget() throws {
        let budget = 1 << 16
        let test = try ServerUnderTest { $0.contentMemoryOctets = budget }
        let clients = (0..<40).map { _ in test.connect(.smtp, from: .unix) }
        for client in clients {
            client.say(
                "HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n",
                for: 0.1
            )
        }
        let line = String(repeating: "z", count: 98) + "\r\n"
        var most = 0
        for _ in 0..<20 {
            for client in clients {
                client.say(String(repeating: line, count: 25), for: 0.002)
                most = max(most, test.server.contentOctets)
            }
        }
        test.world.run(for: 10)
        #expect(most > budget)
        // Beside the budget: less than a piece of each session, and what came with it.
        #expect(most < budget + clients.count * 8192)
        for client in clients { client.say(".\r\n", for: 0.1) }
        test.world.run(for: 10)
        #expect(clients.allSatisfy { $0.lastLine.hasPrefix("250 2.0.0 ") })
        #expect(try test.messages() == 40)
        #expect(test.server.leaks == [])
        let reader = test.logIn()
        reader.say("RETR 40\r\n", for: 10)
        #expect(reader.lines.count { $0 == String(line.dropLast()) || $0 + "\r\n" == line } == 500)
    }

    @Test("When memory is used up, no message is begun")
    func exhausted() throws {
        let test = try ServerUnderTest { $0.contentMemoryOctets = 4096 }
        test.storage.isStuck = true
        let senders = (0..<3).map { _ in test.connect(.smtp) }
        for client in senders {
            client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\nDATA\r\n")
            client.say(String(repeating: String(repeating: "x", count: 70) + "\r\n", count: 60))
        }
        #expect(senders[2].text.contains("\r\n452 4.3.1 "))
        test.storage.isStuck = false
        test.world.run(for: 1)
        for client in senders.dropLast() {
            client.say(".\r\n", for: 5)
            #expect(client.lastLine.hasPrefix("250 2.0.0 "))
        }
        #expect(test.server.leaks == [])
    }

    @Test("One transaction reaches so many maildrops and no more")
    func deliveries() throws {
        let test = try ServerUnderTest { $0.deliveriesPerTransaction = 2 }
        for name in ["b", "c"] { try test.addAccount("\(name)@example.test") }
        let client = test.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<anna@example.test>\r\n")
        client.say("RCPT TO:<b@example.test>\r\nRCPT TO:<c@example.test>\r\n")
        #expect(client.lines.suffix(2).map { $0.prefix(3) } == ["250", "451"])
    }

    @Test("A client that sends without end does not keep others from their turn")
    func fairness() throws {
        let test = try ServerUnderTest { $0.stepsPerTurn = 8 }
        let greedy = test.connect(.smtp)
        greedy.stream.arrive(Array(String(repeating: "NOOP\r\n", count: 1000).utf8))
        let modest = test.connect(.smtp)
        modest.say("QUIT\r\n", for: 0.001)
        #expect(modest.isClosed || modest.lastLine.hasPrefix("221 ") || !greedy.isClosed)
        test.world.run(for: 5)
        #expect(greedy.lines.count { $0.hasPrefix("250 ") } == 1000)
    }
}
