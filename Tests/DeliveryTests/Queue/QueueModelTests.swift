// SPDX-License-Identifier: Apache-2.0
//
// The scheduler against a world in which everything fails now and then: whatever happens, no
// message is lost, none is in two connections at once, no limit is exceeded, and nothing spins.

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

    /// Two thousand worlds of their own.
    @Test(arguments: 0..<40)
    func allMailLeavesInTheEnd(block: Int) throws {
        for seed in (block * 50)..<(block * 50 + 50) {
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
        for seed in 0..<300 {
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
