// SPDX-License-Identifier: Apache-2.0
//
// A workload on a disk that records, and what may be found after a loss of power at any step.

@testable import MailStore
import MailSyntax

/// The life of a store up to some step, with all that was answered.
struct RecordedLife {
    /// What was true from a step on.
    struct Moment {
        let steps: Int64
        /// What has been answered as done.
        let answered: StoreModel
        /// That, and what was on its way and might be found as well.
        var attempted: [StoreModel]
    }

    let disk: PowerCutDisk
    let options: MailStore.Options
    private(set) var moments: [Moment] = []
    /// Answers that were not expected.
    private(set) var surprises: [StoreAnswer] = []
    /// What is wrong at the end, with the power on; nil when nothing is.
    private(set) var finalViolation: String?

    init(
        seed: UInt64,
        groups: Int,
        options: MailStore.Options,
        disturb: (PowerCutDisk) -> Void = { _ in }
    ) throws {
        let disk = PowerCutDisk()
        self.disk = disk
        var options = options
        options.vfs = disk.name
        self.options = options
        let directory = TemporaryDirectory()
        self.moments = [Moment(steps: 0, answered: StoreModel(), attempted: [])]
        let store = try MailStore(directory: directory.path, options: options)
        let reader = try MailStoreReader(directory: directory.path, vfs: disk.name)
        var workload = Workload(seed: seed)
        disturb(disk)
        for index in 0..<groups {
            let group = workload.nextGroup()
            self.moments[self.moments.count - 1].attempted.append(workload.pending)
            let answers = store.commit(group.map(\.request))
            self.surprises += workload.answered(group, answers)
            try workload.learnIncarnations(from: reader)
            // A group that failed as a whole stays in doubt until another is answered.
            if answers.contains(where: \.isDone) {
                self.moments.append(
                    Moment(steps: disk.steps, answered: workload.model, attempted: [])
                )
            }
            if index % 3 == 0 { _ = store.tidy() }
        }
        disk.clearFault()
        let findings = try StoreAudit(directory).findings()
        self.finalViolation =
            try workload.model.difference(from: reader) ?? findings.first
    }

    /// What the store may hold when the power goes after so many steps.
    func moment(at steps: Int64) -> Moment {
        var low = 0
        var high = self.moments.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if self.moments[middle].steps <= steps { low = middle } else { high = middle }
        }
        return self.moments[low]
    }

    /// What is wrong with a store that was found after a loss of power; nil when nothing is.
    func violation(
        in directory: TemporaryDirectory,
        after steps: Int64,
        goesOn: Bool
    ) -> String? {
        let moment = self.moment(at: steps)
        do throws(StoreError) {
            var options = self.options
            options.vfs = nil
            let store = try MailStore(directory: directory.path, options: options)
            let reader = try MailStoreReader(directory: directory.path)
            var difference = try moment.answered.difference(from: reader)
            for attempted in moment.attempted where difference != nil {
                if try attempted.difference(from: reader) == nil { difference = nil }
            }
            if let difference { return difference }
            let findings = try StoreAudit(directory).findings()
            if !findings.isEmpty { return findings.joined(separator: ", ") }
            return goesOn ? try self.lifeAfter(store, reader, moment.answered, directory) : nil
        } catch {
            return "\(error)"
        }
    }

    /// The first violation of any promise, and where it was found.
    func firstViolation(lossSeeds: [UInt64], every stride: Int64 = 1) -> String? {
        let directory = TemporaryDirectory()
        for lossSeed in lossSeeds {
            let replay = self.disk.replay()
            var steps: Int64 = 0
            var last: Int64 = -1
            while steps != last {
                last = steps
                let seed = lossSeed == 0 ? 0 : lossSeed &* 1_000_003 &+ UInt64(steps)
                replay.cut(after: steps, seed: seed, into: directory)
                let goesOn = steps % 16 == 0
                if let violation = self.violation(in: directory, after: steps, goesOn: goesOn) {
                    return "after step \(steps), loss \(lossSeed): \(violation)"
                }
                steps = min(steps + stride, self.disk.steps)
            }
        }
        return nil
    }

    /// The store works on, and gives nothing again.
    private func lifeAfter(
        _ store: MailStore,
        _ reader: MailStoreReader,
        _ answered: StoreModel,
        _ directory: TemporaryDirectory
    ) throws(StoreError) -> String? {
        guard case .reserved(let first) = store.commit([.reserveMessageIDs(count: 100)])[0] else {
            return "no message ids"
        }
        if first < answered.reservedEnd { return "message id \(first) was given before" }
        store.tidyUp()
        let accounts = answered.maildrops.values.compactMap(\.account)
        for (index, account) in accounts.enumerated() {
            guard let head = try? reader.maildropHead(account) else { continue }
            let message = TestMessage(first + UInt64(index), "after\r\n")
            guard store.commit([message.append(to: [account])])[0].isDone else { continue }
            let entries = try reader.listing(account, below: .max)
            guard entries.last?.sequence == head.nextSequence else {
                return "a sequence was skipped"
            }
        }
        let audit = try StoreAudit(directory)
        if try audit.hasGarbage() { return "garbage is left" }
        let findings = try audit.findings()
        return findings.isEmpty ? nil : findings.joined(separator: ", ")
    }
}
