// SPDX-License-Identifier: Apache-2.0
//
// The power is cut after every single write, sync, cut and removal of a file, and the store must
// come back with everything that was answered. MARTLET_POWER_CUT_SEEDS asks for more lives.

import Foundation
@testable import MailStore
import Testing

@Suite("Power cuts")
struct PowerCutTests {
    /// How many lives are tried.
    static var seeds: ClosedRange<UInt64> {
        let asked = ProcessInfo.processInfo.environment["MARTLET_POWER_CUT_SEEDS"]
        return 1...max(1, asked.flatMap(UInt64.init) ?? 2)
    }

    private static func options(synchronous: String = "FULL") -> MailStore.Options {
        var options = MailStore.Options.small
        options.synchronous = synchronous
        // A small log, so that it is moved often.
        options.checkpointOctets = 150_000
        return options
    }

    @Test("What was answered is there after a power cut at any step", arguments: Self.seeds)
    func anyStep(seed: UInt64) throws {
        let life = try RecordedLife(seed: seed, groups: 25, options: Self.options())
        #expect(life.surprises.isEmpty)
        #expect(life.finalViolation == nil)
        #expect(life.firstViolation(lossSeeds: [0]) == nil, "seed \(seed)")
    }

    @Test("Neither does a part of the unsynced writes hurt", arguments: Self.seeds)
    func tornWrites(seed: UInt64) throws {
        let life = try RecordedLife(seed: seed &+ 100, groups: 25, options: Self.options())
        #expect(life.firstViolation(lossSeeds: [1]) == nil, "seed \(seed)")
    }

    @Test("Without syncs these tests find the loss")
    func withoutSyncs() throws {
        let life = try RecordedLife(
            seed: 1,
            groups: 25,
            options: Self.options(synchronous: "OFF")
        )
        #expect(life.finalViolation == nil)
        #expect(life.firstViolation(lossSeeds: [0]) != nil)
        #expect(life.firstViolation(lossSeeds: [1]) != nil)
    }

    @Test("Syncs at checkpoints alone are not enough")
    func syncsAtCheckpoints() throws {
        let life = try RecordedLife(
            seed: 1,
            groups: 25,
            options: Self.options(synchronous: "NORMAL")
        )
        #expect(life.firstViolation(lossSeeds: [0]) != nil)
    }

    @Test("A power cut while the store recovers from another changes nothing")
    func recoveryIsCut() throws {
        let life = try RecordedLife(seed: 4, groups: 20, options: Self.options())
        let replay = life.disk.replay()
        let directory = TemporaryDirectory()
        let second = TemporaryDirectory()
        var steps: Int64 = 0
        while steps <= life.disk.steps {
            replay.cut(after: steps, seed: UInt64(steps) + 1, into: directory)
            let disk = PowerCutDisk(adopting: directory)
            let adopted = disk.steps
            var options = life.options
            options.vfs = disk.name
            do {
                let store = try MailStore(directory: directory.path, options: options)
                store.tidyUp()
                store.close()
            }
            let recovery = disk.replay()
            for again in adopted...disk.steps {
                recovery.cut(after: again, seed: UInt64(again % 3), into: second)
                let violation = life.violation(in: second, after: steps, goesOn: false)
                #expect(violation == nil, "after step \(steps), in recovery after \(again)")
            }
            steps += 1 + life.disk.steps / 12
        }
    }
}
