// SPDX-License-Identifier: Apache-2.0
//
// Where mail goes, by RFC 5321, section 5.1: what the hosts of a small world see of it.

import Foundation
import Testing

extension EndToEnd {
    @Suite(.enabled(if: DeliveryWorld.isPossible, DeliveryWorld.whyNot))
    struct RoutingTests {
        @Test("The most preferred host is tried first, then the next, each once")
        func preferences() throws {
            let world = try DeliveryWorld(
                """
                order MX 30 mx4.hosts
                order MX 10 mx2.hosts
                order MX 20 mx3.hosts
                """
            )
            try world.hops.script("127.0.0.2", ["greeting": "!close"])
            try world.hops.script("127.0.0.3", ["greeting": "554 5.3.2 Not today"])
            let message = Message(seed: 3)
            try world.send(message, to: "reader@order.example")
            let taken = try #require(world.hops.taken(1).first)
            #expect(world.hops.tries == ["127.0.0.2", "127.0.0.3", "127.0.0.4"])
            #expect(taken.from == "<anna@example.test>" && taken.to == ["reader@order.example"])
            #expect(try world.queueIsEmpty())
            #expect(world.hops.taken.count == 1)
        }

        @Test("What was sent arrives octet for octet, after a Received of ours")
        func content() throws {
            let world = try DeliveryWorld("plain MX 10 mx2.hosts")
            for seed in 1...4 {
                let message = Message(seed: seed, octets: seed * 30_000, eightBit: seed > 2)
                try world.send(message, to: "reader@plain.example")
                let taken = try #require(world.hops.taken(seed).last)
                let octets = taken.content.unicodeScalars.map { UInt8($0.value) }
                #expect(octets.starts(with: Array("Received: ".utf8)))
                #expect(octets.suffix(message.octets.count) == message.octets[...])
            }
        }

        @Test("Equal preferences share the mail between them")
        func ties() throws {
            let world = try DeliveryWorld(
                """
                ties MX 10 mx2.hosts
                ties MX 10 mx3.hosts
                ties MX 10 mx4.hosts
                """,
                delivery: "messages-per-connection = 1"
            )
            for number in 0..<30 { try world.send(to: "reader\(number)@ties.example") }
            let taken = world.hops.taken(30)
            #expect(taken.count == 30)
            #expect(Set(taken.map(\.address)).count == 3, "\(taken.map(\.address))")
        }

        @Test(
            "A domain without MX is its own host, an alias leads on, IPv6 alone is enough",
            arguments: ["implicit", "alias", "six", "longer"]
        )
        func otherWays(domain: String) throws {
            let world = try DeliveryWorld(
                """
                implicit A 127.0.0.2
                alias CNAME plain
                plain MX 10 mx2.hosts
                six MX 10 six.hosts
                longer MX 10 away.hosts
                away.hosts CNAME mx2.hosts
                """
            )
            try world.send(to: "reader@\(domain).example")
            let taken = try #require(world.hops.taken(1).first)
            #expect(taken.address == (domain == "six" ? "::1" : "127.0.0.2"))
            #expect(taken.to == ["reader@\(domain).example"])
        }

        @Test("A host without an address is passed over")
        func nowhere() throws {
            let world = try DeliveryWorld(
                """
                gap MX 10 nothing.hosts
                gap MX 20 mx3.hosts
                """
            )
            try world.send(to: "reader@gap.example")
            #expect(world.hops.taken(1).map(\.address) == ["127.0.0.3"])
        }

        @Test(
            "Where there can be no host, the sender hears at once and why",
            arguments: [
                ("null", "5.1.10"), ("missing", "5.1.2"), ("text-only", "5.4.4"),
                ("loop", "5.4.6"),
            ]
        )
        func nobody(domain: String, status: String) throws {
            let world = try DeliveryWorld(
                """
                null MX 0 .
                text-only TXT "nobody lives here"
                loop MX 10 ours
                loop MX 20 mx2.hosts
                ours CNAME mail.example.test.
                """,
                zones: [NameServer.Zone("example.test", "mail A 127.0.0.1")]
            )
            try world.send(to: "reader@\(domain).example")
            let report = try #require(try world.reports().first)
            let recipient = try #require(report.recipient("reader@\(domain).example"))
            #expect(recipient["action"] == "failed")
            #expect(recipient["status"]?.hasPrefix(status) == true, "\(recipient)")
            #expect(world.hops.tries == [], "nobody was asked")
            #expect(try world.queueIsEmpty())
        }

        @Test("Hosts of the domain that are no better than ourselves are no way to it")
        func backup() throws {
            let world = try DeliveryWorld(
                """
                backed MX 10 mx2.hosts
                backed MX 20 mail.example.test.
                backed MX 30 mx4.hosts
                """,
                zones: [NameServer.Zone("example.test", "mail A 127.0.0.1")]
            )
            try world.hops.script("127.0.0.2", ["greeting": ["421 4.3.2 Later", "220 Now"]])
            try world.send(to: "reader@backed.example")
            #expect(world.hops.taken(1).map(\.address) == ["127.0.0.2"])
            #expect(!world.hops.tries.contains("127.0.0.4"))
        }

        @Test("A domain whose name servers say nothing waits, and is asked again")
        func noAnswer() throws {
            // The server is not asked for this zone: it answers REFUSED.
            let world = try DeliveryWorld()
            try world.send(to: "reader@elsewhere.invalid-zone")
            Thread.sleep(forTimeInterval: 2)
            #expect(try world.queue().count == 1)
            #expect(try world.server.pop3().stat().count == 0)
        }

        @Test("A route for a domain goes before its MX, and the most exact one counts")
        func routes() throws {
            let world = try DeliveryWorld(
                "routed MX 10 mx2.hosts",
                routes: """
                    [[route]]
                    domain = "*.example"
                    to = "refuse"
                    text = "Not this way"

                    [[route]]
                    domain = "routed.example"
                    to = "mx"

                    [[route]]
                    domain = "gone.example"
                    to = "discard"
                    """
            )
            try world.send(to: "reader@routed.example", "reader@gone.example")
            #expect(world.hops.taken(1).map(\.to) == [["reader@routed.example"]])
            #expect(try world.queueIsEmpty())
            try world.send(to: "reader@other.example")
            let report = try #require(try world.reports().first)
            #expect(report.text.contains("Not this way"))
        }
    }
}
