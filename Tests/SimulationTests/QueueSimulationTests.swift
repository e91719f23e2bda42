// SPDX-License-Identifier: Apache-2.0
//
// Thousands of seeds: each a world of hosts that refuse, hang, break off and talk nonsense, over
// hours of virtual time. MARTLET_QUEUE_SEEDS asks for more, MARTLET_QUEUE_SEED for one.

import Foundation
import MailStore
import Simulation
import StoreSupport
import Testing

@Suite("Delivery in memory")
struct QueueSimulationTests {
    /// Several worlds share a store, each with senders and domains of its own.
    private static let seedsPerStore = 25

    private static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["MARTLET_QUEUE_SEED"].flatMap(UInt64.init) { return [one] }
        let count = environment["MARTLET_QUEUE_SEEDS"].flatMap(UInt64.init) ?? 1000
        return Array(1...max(count, 1))
    }()

    private static let groups: [ArraySlice<UInt64>] = stride(
        from: 0,
        to: seeds.count,
        by: seedsPerStore
    ).map { seeds[$0..<min($0 + seedsPerStore, seeds.count)] }

    /// What goes wrong in the store, by seed: in every other world nothing.
    private static func faults(_ seed: UInt64) -> SimulatedStorage.Faults {
        var faults = SimulatedStorage.Faults()
        guard seed % 2 != 0 else { return faults }
        faults.failedWriteOneIn = 12
        faults.fullDiskOneIn = 15
        faults.failedReadOneIn = 25
        return faults
    }

    @Test("Each recipient's mail arrives or comes back", arguments: groups)
    func nothingIsLost(seeds: ArraySlice<UInt64>) throws {
        let directory = try TemporaryStore()
        for seed in seeds {
            let simulation = QueueSimulation(
                seed: seed,
                store: directory.store,
                reader: directory.reader,
                faults: Self.faults(seed)
            )
            let violations = simulation.run(messages: 8)
            #expect(violations.isEmpty, "MARTLET_QUEUE_SEED=\(seed)")
        }
    }

    /// The worlds are such that mail is delivered, and comes back, in good part.
    @Test("The same seed gives the same world")
    func repeatable() throws {
        let runs = try (0..<2).map { _ in
            let directory = try TemporaryStore()
            return (UInt64(1)...60).map { seed in
                let simulation = QueueSimulation(
                    seed: seed,
                    store: directory.store,
                    reader: directory.reader,
                    faults: Self.faults(seed)
                )
                _ = simulation.run(messages: 8)
                let ledger = simulation.ledger
                return [simulation.world.count, ledger.deliveryCount, ledger.reportCount]
            }
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0].map { $0[1] }.reduce(0, +) > 50)
        #expect(runs[0].map { $0[2] }.reduce(0, +) > 50)
    }

    /// A store that says it knows what was delivered, and does not, is found out by duplicates.
    @Test("A store that lies is caught")
    func lies() throws {
        var faults = SimulatedStorage.Faults()
        faults.forgottenOutcomeOneIn = 4
        let violations = try (UInt64(1)...10).flatMap { seed in
            let directory = try TemporaryStore()
            let simulation = QueueSimulation(
                seed: seed,
                store: directory.store,
                reader: directory.reader,
                faults: faults
            )
            return simulation.run(messages: 8)
        }
        #expect(violations.contains { $0.contains("copies") })
    }
}
