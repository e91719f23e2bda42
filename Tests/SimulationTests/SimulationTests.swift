// SPDX-License-Identifier: Apache-2.0
//
// Thousands of seeds: each a world of clients that split, stall, drop and change their minds, and a
// store that fails. MARTLET_SIMULATION_SEEDS asks for more, MARTLET_SIMULATION_SEED for one.

import Foundation
import MailStore
import Simulation
import StoreSupport
import Testing

@Suite("The whole server in memory")
struct SimulationTests {
    /// Several worlds share a store, each with maildrops of its own.
    private static let seedsPerStore = 50

    private static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["MARTLET_SIMULATION_SEED"].flatMap(UInt64.init) { return [one] }
        let count = environment["MARTLET_SIMULATION_SEEDS"].flatMap(UInt64.init) ?? 2000
        return Array(1...max(count, 1))
    }()

    private static let groups: [ArraySlice<UInt64>] = stride(
        from: 0,
        to: seeds.count,
        by: seedsPerStore
    ).map { seeds[$0..<min($0 + seedsPerStore, seeds.count)] }

    /// What goes wrong, by seed: every fourth world has a store that never fails.
    private static func faults(_ seed: UInt64) -> SimulatedStorage.Faults {
        var faults = SimulatedStorage.Faults()
        guard seed % 4 != 0 else { return faults }
        faults.failedWriteOneIn = 12
        faults.fullDiskOneIn = 15
        faults.failedReadOneIn = 25
        return faults
    }

    @Test("Acknowledged mail is there once and whole, refused mail is not", arguments: groups)
    func accepted(seeds: ArraySlice<UInt64>) throws {
        let directory = try TemporaryStore()
        for seed in seeds {
            let simulation = Simulation(
                seed: seed,
                store: directory.store,
                reader: directory.reader,
                faults: Self.faults(seed)
            )
            let violations = simulation.run(clients: 12)
            #expect(violations.isEmpty, "MARTLET_SIMULATION_SEED=\(seed)")
        }
    }

    @Test("The same seed gives the same world")
    func repeatable() throws {
        let counts = try (0..<2).map { _ in
            let directory = try TemporaryStore()
            let simulation = Simulation(
                seed: 7,
                store: directory.store,
                reader: directory.reader,
                faults: Self.faults(7)
            )
            _ = simulation.run(clients: 12)
            return simulation.world.count
        }
        #expect(counts[0] == counts[1])
        #expect(counts[0] > 500)
    }
}
