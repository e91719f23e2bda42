// SPDX-License-Identifier: Apache-2.0
//
// Connections that come through a proxy: whose they are, and what happens to those who pretend.

import MailBytes
import Simulation
import Testing

@testable import Server

@Suite("Connections through a proxy")
struct PROXYDriverTests {
    private static let header = Array("PROXY TCP4 198.51.100.9 192.0.2.7 4711 110\r\n".utf8)

    private func connect(
        _ test: ServerUnderTest,
        from peer: NetworkAddress = ServerUnderTest.proxy,
        _ service: ServiceProfile.Service = .pop3
    ) -> Client {
        test.connect(test.profile(service, expectsPROXYHeader: true), from: peer)
    }

    @Test("The client of the header is greeted and counted, wherever the header is cut")
    func split() throws {
        for cut in 0..<Self.header.count {
            let test = try ServerUnderTest { $0.connectionsPerClient = 1 }
            let client = self.connect(test)
            client.stream.arrive(Array(Self.header[..<cut]))
            test.world.run(for: 0.5)
            #expect(client.received.isEmpty)
            client.stream.arrive(Array(Self.header[cut...]))
            test.world.run(for: 1)
            #expect(client.lastLine.hasPrefix("+OK mail.example.test"))
            #expect(client.stream.client.host == "198.51.100.9")
            #expect(client.stream.peer == ServerUnderTest.proxy)
            let second = self.connect(test)
            second.stream.arrive(Self.header)
            test.world.run(for: 1)
            #expect(second.isClosed)
            #expect(second.lastLine.hasPrefix("-ERR [SYS/TEMP] Too many connections"))
            // Another client of the same proxy has a count of its own.
            let other = self.connect(test)
            other.say("PROXY TCP4 198.51.100.10 192.0.2.7 4711 110\r\n")
            #expect(other.lastLine.hasPrefix("+OK mail.example.test"))
            client.say("QUIT\r\n")
            other.say("QUIT\r\n")
            #expect(test.server.leaks == [])
            #expect(test.server.connectionCount == 0)
        }
    }

    @Test("Who talks behind the header does not wait for the greeting")
    func earlyTalk() throws {
        let test = try ServerUnderTest()
        let client = self.connect(test)
        client.stream.arrive(Self.header + Array("QUIT\r\n".utf8))
        test.world.run(for: 1)
        #expect(client.isClosed)
        #expect(client.lastLine == "-ERR the server speaks first")
    }

    @Test("A health check of the proxy keeps the proxy's address")
    func local() throws {
        let test = try ServerUnderTest()
        let client = self.connect(test)
        client.say("PROXY UNKNOWN\r\n")
        #expect(client.lastLine.hasPrefix("+OK mail.example.test"))
        #expect(client.stream.client == ServerUnderTest.proxy)
    }

    @Test("Strangers are closed before any greeting, header or not")
    func untrusted() throws {
        let test = try ServerUnderTest()
        let client = self.connect(test, from: NetworkAddress(ipv4: 0xc633_6401, port: 1))
        client.stream.arrive(Self.header)
        test.world.run(for: 1)
        #expect(client.isClosed && client.received.isEmpty)
        #expect(test.server.connectionCount == 0)
    }

    @Test(
        "No header, a wrong one, or half of one ends without a word",
        arguments: ["", "EHLO a\r\n", "PROXY TCP4 198.51.100.9 "]
    )
    func refused(text: String) throws {
        let test = try ServerUnderTest()
        let client = self.connect(test)
        client.stream.arrive(Array(text.utf8))
        test.world.run(for: 1.5)
        #expect(client.isClosed == text.hasPrefix("EHLO"))
        test.world.run(for: 1)
        #expect(client.isClosed && client.received.isEmpty)
        #expect(test.server.connectionCount == 0)
        let half = self.connect(test)
        half.stream.arrive(Array(Self.header[..<20]))
        half.stream.peerShutDown()
        test.world.run(for: 1)
        #expect(half.isClosed && half.received.isEmpty)
    }

    @Test("The end of the server ends those who have no client yet")
    func stop() throws {
        let test = try ServerUnderTest()
        let client = self.connect(test)
        var isDone = false
        test.server.stop { isDone = true }
        test.world.run(for: 1)
        #expect(client.isClosed && isDone)
    }
}
