// SPDX-License-Identifier: Apache-2.0
//
// A disk that fails. Every single call fails once; what was answered as done must be there then
// and after a loss of power, what was answered as failed must not, and the store works on.

import Foundation
@testable import MailStore
import Testing

@Suite("Faults")
struct FaultTests {
    private static func options() -> MailStore.Options {
        var options = MailStore.Options.small
        options.checkpointOctets = 100_000
        return options
    }

    private static let groups = 10

    /// Of the many calls, one in so many fails in a test run.
    private static var stride: Int {
        ProcessInfo.processInfo.environment["MARTLET_POWER_CUT_SEEDS"] == nil ? 9 : 1
    }

    /// Lives in which one call after the other meets a fault.
    private func eachCall(
        _ calls: PowerCutDisk.Calls,
        meets fault: PowerCutDisk.Fault,
        count: Int = 1,
        every stride: Int,
        cutsEvery cutStride: Int64
    ) throws {
        var index = 0
        var livesWithFailures = 0
        while true {
            let life = try RecordedLife(seed: 11, groups: Self.groups, options: Self.options()) {
                $0.set(fault, on: calls, after: index, count: count)
            }
            let failures = life.surprises.compactMap(\.failure)
            for failure in failures {
                switch failure {
                case .retryable: continue
                // A part of the group is refused, and what was to follow from it as well.
                case .full, .gone, .notFound: #expect(fault == .full, "call \(index)")
                default: Issue.record("call \(index): \(failure)")
                }
            }
            #expect(life.finalViolation == nil, "call \(index)")
            let violation = life.firstViolation(lossSeeds: [0], every: cutStride)
            #expect(violation == nil, "call \(index)")
            if !failures.isEmpty { livesWithFailures += 1 }
            guard life.disk.faultsMet > 0 else { break }
            index += stride
        }
        #expect(livesWithFailures > 0)
    }

    @Test("A sync that fails loses nothing that was answered")
    func failedSyncs() throws {
        try self.eachCall(.sync, meets: .fail, every: 1, cutsEvery: 23)
    }

    @Test("Nor do several in a row")
    func failedSyncsInARow() throws {
        try self.eachCall(.sync, meets: .fail, count: 3, every: 2, cutsEvery: 29)
    }

    @Test("A write that fails half the way harms nothing")
    func failedWrites() throws {
        try self.eachCall(.write, meets: .fail, every: Self.stride, cutsEvery: 41)
    }

    @Test("A disk that is full from some write on refuses and keeps what it has")
    func fullFromSomeWriteOn() throws {
        try self.eachCall(.write, meets: .full, count: 30, every: Self.stride, cutsEvery: 41)
    }

    @Test("Failing reads are temporary")
    func failedReads() throws {
        let disk = PowerCutDisk()
        var options = Self.options()
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        let message = TestMessage(1, [UInt8](seeded: 30_000))
        #expect(store.ask(message.append(to: [account])).isDone)
        disk.set(.fail, on: .read)
        #expect(throws: StoreError.self) { _ = try store.content(of: account, 1, part: 50_000) }
        disk.clearFault()
        #expect(try store.contents(of: account) == [message.delivered])
    }

    @Test("While every sync fails, nothing is answered as done; afterwards all goes on")
    func allSyncsFail() throws {
        let disk = PowerCutDisk()
        var options = Self.options()
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        disk.set(.fail, on: .sync)
        for id in 1...5 {
            let answer = store.ask(TestMessage(UInt64(id), "lost\r\n").append(to: [account]))
            guard case .failed(.retryable) = answer else {
                Issue.record("\(answer)")
                continue
            }
            #expect(try store.head(account).count == 0)
            _ = store.store?.tidy()
        }
        disk.clearFault()
        let message = TestMessage(9, "kept\r\n")
        #expect(store.ask(message.append(to: [account])).isDone)
        #expect(try store.contents(of: account) == [message.delivered])
    }

    @Test("What a killed process could not sync is not built on")
    func killedAfterFailedSync() throws {
        let disk = PowerCutDisk()
        var options = Self.options()
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        let first = TestMessage(1, "first\r\n")
        #expect(store.ask(first.append(to: [account])).isDone)
        disk.set(.fail, on: .sync, count: 1)
        let doubtful = TestMessage(2, "doubtful\r\n")
        #expect(!store.ask(doubtful.append(to: [account])).isDone)
        try store.restart(inOrder: false)
        let found = try store.contents(of: account)
        #expect(found.first == first.delivered)
        let third = TestMessage(3, "third\r\n")
        #expect(store.ask(third.append(to: [account])).isDone)
        let answered = disk.steps
        _ = store.ask(TestMessage(4, "fourth\r\n").append(to: [account]))
        let replay = disk.replay()
        for steps in answered...disk.steps {
            let directory = TemporaryDirectory()
            replay.cut(after: steps, seed: 0, into: directory)
            let after = try SQLiteStore(in: directory)
            let contents = try after.contents(of: account)
            #expect(contents.starts(with: found + [third.delivered]), "after step \(steps)")
        }
    }

    @Test("A store that cannot be opened again is opened later")
    func reopeningFails() throws {
        let disk = PowerCutDisk()
        var options = Self.options()
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        disk.set(.fail, on: .sync, count: 1)
        #expect(!store.ask(TestMessage(1, "lost\r\n").append(to: [account])).isDone)
        disk.set(.fail, on: .open)
        for id in 2...3 {
            let answer = store.ask(TestMessage(UInt64(id), "lost\r\n").append(to: [account]))
            #expect(!answer.isDone)
        }
        disk.clearFault()
        let message = TestMessage(4, "kept\r\n")
        #expect(store.ask(message.append(to: [account])).isDone)
        #expect(try store.contents(of: account) == [message.delivered])
    }

    @Test("Chunks of messages on their way survive a reopened store")
    func stagedChunksSurvive() throws {
        let disk = PowerCutDisk()
        var options = Self.options()
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        let message = TestMessage(1, [UInt8](seeded: 3 * TestMessage.chunkOctets + 5))
        #expect(store.commit(Array(message.stages.prefix(2))).allDone)
        disk.set(.fail, on: .sync, count: 1)
        #expect(!store.ask(message.stages[2]).isDone)
        #expect(store.ask(message.stages[2]).isDone)
        store.store?.tidyUp()
        #expect(store.ask(message.append(to: [account], staged: 3)).isDone)
        #expect(try store.contents(of: account) == [message.delivered])
    }
}
