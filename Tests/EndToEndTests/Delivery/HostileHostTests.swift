// SPDX-License-Identifier: Apache-2.0
//
// Next hops that refuse, put off, break off or talk nonsense. Mail is neither lost nor doubled by
// any of them, and the server goes on.

import Foundation
import Testing

extension EndToEnd {
    @Suite(.enabled(if: DeliveryWorld.isPossible, DeliveryWorld.whyNot))
    struct HostileHostTests {
        private static let stages = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"]

        private func world() throws -> DeliveryWorld {
            try DeliveryWorld("plain MX 10 mx2.hosts", delivery: "reply-seconds = 2")
        }

        @Test("A host that fails at any stage gets the message once when it has come to itself")
        func recovery() throws {
            let world = try self.world()
            let ways = ["!close", "!reset", "!garbage", "421 4.3.2 Closing", "451 4.3.0 Later"]
            var count = 0
            for stage in Self.stages {
                for way in ways {
                    try world.hops.script("127.0.0.2", [stage: [way, Self.good(stage)]])
                    try world.send(to: "\(stage)\(count)@plain.example")
                    count += 1
                    let taken = world.hops.taken(count)
                    try #require(taken.count == count, "\(stage) \(way): \(world.server.log)")
                    try #require(world.server.isRunning)
                }
            }
            #expect(try world.queueIsEmpty())
            #expect(world.hops.taken.count == count)
            #expect(Set(world.hops.taken.flatMap(\.to)).count == count)
            #expect(try world.server.pop3().stat().count == 0, "no report")
        }

        private static func good(_ stage: String) -> String {
            switch stage {
            case "greeting": "220 sink.example.test"
            case "EHLO": "250-sink.example.test\n250 PIPELINING"
            case "DATA": "354 Go ahead"
            default: "250 2.0.0 OK"
            }
        }

        @Test("A host that breaks off within the content gets it again, whole")
        func half() throws {
            let world = try self.world()
            try world.hops.script("127.0.0.2", ["DATA": ["!half", "354 Go ahead"]])
            let message = Message(seed: 7, octets: 500_000)
            try world.send(message, to: "reader@plain.example")
            let taken = try #require(world.hops.taken(1).first)
            #expect(taken.content.unicodeScalars.count > 500_000)
            #expect(try world.queueIsEmpty())
            #expect(world.hops.taken.count == 1)
        }

        @Test("Lines and replies without end cost no memory, and silence costs no connection")
        func endless() throws {
            let world = try self.world()
            let watch = MemoryWatch(of: world.server)
            let before = try world.server.anonymousMemory()
            var count = 0
            for stage in Self.stages {
                for way in ["!line", "!lines", "!silence"] {
                    try world.hops.script("127.0.0.2", [stage: [way, Self.good(stage)]])
                    try world.send(to: "\(stage)-\(way.dropFirst())@plain.example")
                    count += 1
                    let taken = world.hops.taken(count)
                    let log = world.server.log.suffix(3000)
                    try #require(taken.count == count, "\(stage) \(way): \(log)")
                }
            }
            #expect(watch.highest() - before < 32 << 20)
        }

        @Test(
            "What is refused for good comes back with the words of the host",
            arguments: ["MAIL", "RCPT", "DATA", "dot"]
        )
        func refused(stage: String) throws {
            let world = try self.world()
            try world.hops.script("127.0.0.2", [stage: "550 5.7.1 We do not like you (\(stage))"])
            let message = Message("Subject: precious\n\nThe text.\n")
            try world.send(message, to: "reader@plain.example")
            let report = try #require(try world.reports().first)
            let recipient = try #require(report.recipient("reader@plain.example"))
            #expect(recipient["action"] == "failed")
            #expect(recipient["status"]?.hasPrefix("5.7.1") == true, "\(recipient)")
            #expect(recipient["diagnostic-code"]?.contains("We do not like you") == true)
            #expect(recipient["remote-mta"]?.contains("mx2.hosts.example") == true)
            #expect(report.returned["subject"] == "precious")
            #expect(report.text.contains("We do not like you"))
            #expect(try world.queueIsEmpty())
        }

        @Test("One recipient of several is put off, one refused, one served")
        func eachItsOwn() throws {
            let world = try self.world()
            try world.hops.script(
                "127.0.0.2",
                [
                    "RCPT late@plain.example": ["450 4.2.0 Greylisted", "250 2.1.5 OK"],
                    "RCPT none@plain.example": "550 5.1.1 Nobody of that name",
                ]
            )
            try world.send(
                to: "good@plain.example",
                "late@plain.example",
                "none@plain.example"
            )
            let report = try #require(try world.reports().first)
            #expect(report.status.count == 2)
            #expect(report.recipient("none@plain.example")?["status"]?.hasPrefix("5.1.1") == true)
            let taken = world.hops.taken(2)
            #expect(taken.map(\.to) == [["good@plain.example"], ["late@plain.example"]])
            #expect(try world.queueIsEmpty())
        }

        @Test("A host that knows no EHLO is spoken to in the old way, and slow words are read")
        func oldAndSlow() throws {
            let world = try self.world()
            try world.hops.script(
                "127.0.0.2",
                [
                    "greeting": "!slow 220-Welcome\r\n220 to a slow host",
                    "EHLO": "502 What?", "dot": "!slow 250 2.0.0 It is done",
                ]
            )
            try world.send(to: "reader@plain.example")
            #expect(world.hops.taken(1).count == 1)
            let heard = world.hops.events.compactMap(\.line)
            #expect(heard.contains { $0.hasPrefix("HELO ") })
            #expect(heard.contains("MAIL FROM:<anna@example.test>"))
        }

        @Test("Many messages for one domain share connections")
        func reuse() throws {
            let world = try self.world()
            for number in 0..<40 { try world.send(to: "reader\(number)@plain.example") }
            #expect(world.hops.taken(40).count == 40)
            #expect(world.hops.tries.count < 40)
            #expect(try world.queueIsEmpty())
        }
    }
}
