// SPDX-License-Identifier: Apache-2.0
//
// Sites that are seldom on line: their mail is kept until they ask for it, by ETRN (RFC 1985) or by
// ATRN (RFC 2645), which turns the connection around.

import Foundation
import Testing

extension EndToEnd {
    @Suite(.enabled(if: DeliveryWorld.isPossible, DeliveryWorld.whyNot))
    struct OnDemandTests {
        /// One domain that anna@example.test may fetch, and one of another account.
        private static let routes = """
            [[route]]
            domain = "site.example"
            to = "on-demand"
            accounts = ["anna@example.test"]

            [[route]]
            domain = "other.example"
            to = "on-demand"
            accounts = ["bert@example.test"]

            """

        private func world(_ port: Int) throws -> DeliveryWorld {
            try DeliveryWorld(
                """
                site MX 10 mx2.hosts
                other MX 10 mx3.hosts
                """,
                routes: """
                    \(Self.routes)
                    [[listener]]
                    service = "odmr"
                    address = "127.0.0.1:\(port)"
                    plaintext-auth = true
                    """,
                accounts: ["anna@example.test", "bert@example.test"]
            )
        }

        private func login(_ port: Int) throws -> Connection {
            let connection = try Connection.greeted(smtp: port)
            let words = "\0anna@example.test\0\(ServerProcess.password)"
            try connection.exchange("AUTH PLAIN \(Data(words.utf8).base64EncodedString())", 235)
            return connection
        }

        @Test("ATRN hands out what waits for the account's domains, and nothing else")
        func atrn() throws {
            let port = Port.next()
            let world = try self.world(port)
            let messages = (0..<3).map { Message(seed: $0, octets: 4000) }
            for message in messages { try world.send(message, to: "reader@site.example") }
            try world.send(to: "reader@other.example")
            Thread.sleep(forTimeInterval: 1.5)
            #expect(world.hops.tries.isEmpty, "nobody is called")

            let connection = try self.login(port)
            try connection.exchange("ATRN other.example", 450)
            try connection.exchange("ATRN site.example", 250)
            let got = try self.serve(connection)
            #expect(got.count == 3)
            for message in messages {
                #expect(got.contains { $0.suffix(message.octets.count) == message.octets[...] })
            }
            #expect(try world.queueHolds(1))
            let again = try self.login(port)
            try again.exchange("ATRN site.example", 453)
        }

        @Test("What is broken off in the midst of ATRN is there the next time")
        func brokenOff() throws {
            let port = Port.next()
            let world = try self.world(port)
            for seed in 0..<2 { try world.send(Message(seed: seed), to: "reader@site.example") }
            do {
                let connection = try self.login(port)
                try connection.exchange("ATRN", 250)
                #expect(try self.serve(connection, messages: 1).count == 1)
                connection.reset()
            }
            // What was under way is put back.
            Thread.sleep(forTimeInterval: 0.5)
            let again = try self.login(port)
            try again.exchange("ATRN", 250)
            #expect(try self.serve(again).count == 1)
            #expect(try world.queueIsEmpty())
        }

        /// Plays the server on a connection that was turned around; breaks off after so many.
        private func serve(_ connection: Connection, messages: Int = .max) throws -> [[UInt8]] {
            var got: [[UInt8]] = []
            try connection.send("220 site.example ESMTP\r\n")
            while let line = try connection.line() {
                switch line.prefix(4).uppercased() {
                case "EHLO": try connection.send("250-site.example\r\n250 8BITMIME\r\n")
                case "DATA":
                    try connection.send("354 Go ahead\r\n")
                    got.append(try connection.multiLine())
                    if got.count == messages {
                        try connection.send("250 2.0.0 OK\r\n")
                        // The next command is read, so that the reply has been.
                        _ = try connection.line()
                        return got
                    }
                    try connection.send("250 2.0.0 OK\r\n")
                case "QUIT":
                    try connection.send("221 2.0.0 Bye\r\n")
                    return got
                default: try connection.send("250 2.0.0 OK\r\n")
                }
            }
            return got
        }

        @Test("ETRN starts what waits for a domain that we are the backup of")
        func etrn() throws {
            let world = try DeliveryWorld(
                "backed MX 10 mx2.hosts",
                delivery: "retry-seconds-min = 3600",
                routes: """
                    [smtp]
                    offer-etrn = true
                    """,
                top: "relay-domains = [\"backed.example\"]"
            )
            try world.hops.script("127.0.0.2", ["greeting": ["421 4.3.2 Away", "220 Here"]])
            try world.send(to: "reader@backed.example")
            Thread.sleep(forTimeInterval: 1)
            #expect(world.hops.taken.isEmpty)
            let connection = try world.server.smtp()
            try connection.exchange("ETRN elsewhere.example", 459)
            try connection.exchange("ETRN backed.example", 252)
            #expect(world.hops.taken(1).count == 1)
            #expect(try world.queueIsEmpty())
            try connection.exchange("ETRN backed.example", 251)
        }
    }
}
