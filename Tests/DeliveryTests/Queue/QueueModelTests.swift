// SPDX-License-Identifier: Apache-2.0
//
// The scheduler against a world in which everything fails now and then: whatever happens, no
// message is lost, none is in two connections at once, no limit is exceeded, and nothing spins.
// MARTLET_SIMULATION_SEEDS asks for more worlds, MARTLET_SIMULATION_SEED for one.

import Foundation
import Testing

@testable import Delivery

@Suite struct QueueModelTests {
    private static func settings(_ seed: Int) -> QueueSchedulerSettings {
        var random = SeededRandom(seed: UInt64(seed) &* 31)
        func any(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        var settings = QueueSchedulerSettings()
        settings.connectionsMax = any(1...12)
        settings.connectionsPerDestinationMax = any(1...6)
        settings.connectionsPerDestinationFirst = any(1...3)
        settings.messagesPerConnectionMax = any(1...20)
        settings.messagesPerTurn = any(1...6)
        settings.destinationsMax = any(1...12)
        settings.messagesMax = any(1...60)
        settings.messagesPerDestinationMax = any(1...30)
        settings.octetsMax = any(1...4) << 17
        settings.octetsPerClaimMax = 1 << 17
        settings.messagesPerDestinationSecond = any(0...3) == 0 ? 2 : 0
        settings.retries.secondsMin = 5
        settings.retries.secondsMax = 60
        return settings
    }

    private static let seeds: [Int] = {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["MARTLET_SIMULATION_SEED"].flatMap(Int.init) { return [one] }
        return Array(1...max(environment["MARTLET_SIMULATION_SEEDS"].flatMap(Int.init) ?? 400, 1))
    }()

    private static let blocks = stride(from: 0, to: seeds.count, by: 25).map { start in
        seeds[start..<min(start + 25, seeds.count)]
    }

    @Test(arguments: blocks)
    func allMailLeavesInTheEnd(seeds: ArraySlice<Int>) throws {
        for seed in seeds {
            let world = QueueWorld(
                seed: seed,
                destinations: 1 + seed % 15,
                messages: 60,
                settings: Self.settings(seed)
            )
            world.run()
            try #require(world.failures.isEmpty, "\(world.failures.prefix(3))")
            #expect(world.leftCount == 0, "seed \(seed): \(world.leftCount) messages are left")
            #expect(world.deliveredCount + world.failedCount + world.withdrawnCount > 20)
            // A few events a message and a look now and then, no more.
            #expect(world.eventCount < 20_000, "seed \(seed): \(world.eventCount) events")
            #expect(
                world.emptyTimerCount < 2_000,
                "seed \(seed): \(world.emptyTimerCount) timers without a use"
            )
            world.stop()
            #expect(world.failures.isEmpty, "\(world.failures.prefix(3))")
        }
    }

    /// The end comes in the midst of everything.
    @Test func stopComesAtAnyTime() {
        for seed in 0..<200 {
            let world = QueueWorld(
                seed: seed,
                destinations: 8,
                messages: 60,
                secondsMax: Double(seed % 40) / 4,
                settings: Self.settings(seed)
            )
            world.run()
            world.stop()
            #expect(world.failures.isEmpty, "\(world.failures.prefix(3))")
        }
    }
}
