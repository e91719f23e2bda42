// SPDX-License-Identifier: Apache-2.0
//
// kill -9 in the midst of a delivery. What was accepted is delivered after the start; twice only
// where the next hop had taken it and its answer was never read (RFC 1047).

import Foundation
import Testing

extension EndToEnd {
    @Suite(.enabled(if: DeliveryWorld.isPossible, DeliveryWorld.whyNot))
    struct CrashTests {
        @Test(
            "A crash in any phase of a delivery loses nothing and doubles nothing",
            arguments: ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"]
        )
        func inEachPhase(stage: String) throws {
            let world = try DeliveryWorld("plain MX 10 mx2.hosts")
            try world.hops.script("127.0.0.2", [stage: "!silence"])
            for number in 0..<5 { try world.send(to: "reader\(number)@plain.example") }
            try self.wait(world) { $0.contains(Self.sign(of: stage)) }
            world.server.killAtOnce()
            try world.hops.script("127.0.0.2", [:])
            try world.server.start()
            _ = world.hops.taken(5)
            #expect(try world.queueIsEmpty())
            #expect(
                world.hops.taken.flatMap(\.to).sorted()
                    == (0..<5).map { "reader\($0)@plain.example" }
            )
            #expect(try world.server.pop3().stat().count == 0)
        }

        /// What a sink tells when it has come to a stage.
        private static func sign(of stage: String) -> String {
            switch stage {
            case "greeting": "connected"
            // The content is not told.
            case "dot": "DATA"
            default: stage
            }
        }

        private func wait(_ world: DeliveryWorld, until: ([String]) -> Bool) throws {
            let deadline = Date(timeIntervalSinceNow: 20)
            while true {
                let told = world.hops.events.flatMap { event in
                    [event.event] + (event.line.map { [String($0.prefix(4))] } ?? [])
                }
                if until(told) { break }
                try #require(Date() < deadline, "\(world.server.log)")
                Thread.sleep(forTimeInterval: 0.01)
            }
            // What follows the line is on its way.
            Thread.sleep(forTimeInterval: 0.1)
        }

        @Test("Only what was taken and not yet answered comes twice")
        func window() throws {
            let world = try DeliveryWorld("plain MX 10 mx2.hosts")
            try world.hops.script("127.0.0.2", ["dot": "!keep and wait"])
            try world.send(to: "reader@plain.example")
            #expect(world.hops.taken(1).count == 1)
            world.server.killAtOnce()
            try world.hops.script("127.0.0.2", [:])
            try world.server.start()
            #expect(world.hops.taken(2).count == 2)
            #expect(try world.queueIsEmpty())
            Thread.sleep(forTimeInterval: 1)
            #expect(world.hops.taken.count == 2)
        }

        @Test("Crash after crash under load: each recipient is served, few of them twice")
        func underLoad() throws {
            let world = try DeliveryWorld("plain MX 10 mx2.hosts")
            var accepted = 0
            var crashes = 0
            let end = Date(timeIntervalSinceNow: 12)
            while Date() < end {
                let burst = Int.random(in: 20...60)
                let connection = try world.server.smtp()
                for number in accepted..<(accepted + burst) {
                    try connection.submit(Message(seed: number), to: "r\(number)@plain.example")
                }
                accepted += burst
                Thread.sleep(forTimeInterval: .random(in: 0...0.05))
                world.server.killAtOnce()
                crashes += 1
                try world.server.start()
            }
            #expect(try world.queueIsEmpty(within: 30))
            let served = world.hops.taken.flatMap(\.to)
            #expect(Set(served).count == accepted, "lost: \(accepted - Set(served).count)")
            // At most what was under way on each connection at each crash.
            #expect(served.count - accepted <= crashes * 20, "\(served.count - accepted) doubled")
        }
    }
}
