// SPDX-License-Identifier: Apache-2.0
//
// The writer and a reader at the same time, each on its thread.

import Foundation
@testable import MailStore
import MailSyntax
import Synchronization
import Testing

@Suite("Writer and reader together")
struct ConcurrencyTests {
    /// What the writer's thread tells.
    private final class Progress: Sendable {
        private let done = Atomic(false)
        private let failed = Atomic(0)

        var isDone: Bool { self.done.load(ordering: .acquiring) }
        var failures: Int { self.failed.load(ordering: .relaxed) }

        func end() { self.done.store(true, ordering: .releasing) }
        func fail() { self.failed.add(1, ordering: .relaxed) }
    }

    private static let accounts = 3

    /// A store with accounts, closed again, for a writer that opens it on its own thread.
    private func prepare(_ directory: TemporaryDirectory) throws -> [AccountID] {
        let store = try SQLiteStore(in: directory)
        let accounts = try (0..<Self.accounts).map {
            try store.addAccount("user\($0)@example.test")
        }
        store.closeInOrder()
        return accounts
    }

    @Test("A reader sees committed states and nothing else")
    func committedStates() throws {
        let directory = TemporaryDirectory()
        let accounts = try self.prepare(directory)
        let progress = Progress()
        var options = MailStore.Options.small
        options.checkpointOctets = 100_000
        let store = try MailStore(directory: directory.path, options: options)
        // The store goes to its thread; only the reader stays here.
        let writer = Writer(store, accounts, progress)
        Thread.detachNewThread { writer.run() }
        let reader = try MailStoreReader(directory: directory.path)
        var rounds = 0
        var most = 0
        while !progress.isDone || rounds < 5, rounds < 100_000 {
            rounds += 1
            let counts = try reader.together { () throws(StoreError) in
                try Self.checkedCounts(reader, accounts)
            }
            // Every message goes to all, and is deleted from all, in one transaction.
            #expect(Set(counts).count == 1)
            most = max(most, counts[0])
            try Self.readLoosely(reader, accounts[0])
        }
        #expect(progress.failures == 0)
        #expect(most > 0)
        #expect(rounds > 5)
    }

    /// The counts of all maildrops, each compared with what is in it.
    private static func checkedCounts(
        _ reader: MailStoreReader,
        _ accounts: [AccountID]
    ) throws(StoreError) -> [Int] {
        var counts: [Int] = []
        for account in accounts {
            let head = try reader.maildropHead(account)
            let entries = try reader.listing(account, below: head.nextSequence)
            #expect(entries.count == head.count)
            #expect(entries.reduce(0) { $0 + $1.octets } == head.octets)
            for entry in entries {
                var octets: [UInt8] = []
                _ = try reader.read(
                    account,
                    sequence: entry.sequence,
                    offset: 0,
                    max: .max,
                    into: &octets
                )
                #expect(octets.count == entry.octets)
            }
            counts.append(head.count)
        }
        return counts
    }

    /// Without one state for all reads, a message is whole or gone.
    private static func readLoosely(
        _ reader: MailStoreReader,
        _ account: AccountID
    ) throws(StoreError) {
        for entry in try reader.listing(account, below: .max) {
            var octets: [UInt8] = []
            do throws(StoreError) {
                _ = try reader.read(
                    account,
                    sequence: entry.sequence,
                    offset: 0,
                    max: .max,
                    into: &octets
                )
                #expect(octets.count == entry.octets)
            } catch {
                #expect(error == .gone)
            }
        }
    }

    /// Appends to all maildrops and deletes from all, until it has done enough.
    private final class Writer: @unchecked Sendable {
        private let store: MailStore
        private let accounts: [AccountID]
        private let progress: Progress

        init(_ store: MailStore, _ accounts: [AccountID], _ progress: Progress) {
            self.store = store
            self.accounts = accounts
            self.progress = progress
        }

        func run() {
            var random = Octets(seed: 5)
            for round in 0..<150 {
                let messages = (0..<4).map {
                    TestMessage(UInt64(round * 4 + $0 + 1), random.octets(random.below(30_000)))
                }
                self.commit(messages.map { $0.append(to: self.accounts) })
                if round % 3 == 2 { self.deleteSome(before: UInt32(round * 4)) }
                _ = self.store.tidy()
            }
            self.progress.end()
        }

        private func deleteSome(before end: UInt32) {
            let sequences = (end - 8 + 1)..<(end - 8 + 9)
            self.commit(
                self.accounts.map { account in
                    let state = try? self.store.database?.maildropState(account)
                    return .delete(
                        account,
                        incarnation: state?.incarnation ?? 0,
                        sequences: Array(sequences)
                    )
                }
            )
        }

        private func commit(_ requests: [StoreRequest]) {
            if !self.store.commit(requests).allDone {
                self.progress.fail()
            }
        }
    }

    @Test("A read does not wait for a slow sync")
    func slowSync() throws {
        let directory = TemporaryDirectory()
        let accounts = try self.prepare(directory)
        let disk = PowerCutDisk(adopting: directory)
        var options = MailStore.Options.small
        options.vfs = disk.name
        let store = try MailStore(directory: directory.path, options: options)
        let reader = try MailStoreReader(directory: directory.path, vfs: disk.name)
        let before = try reader.maildropHead(accounts[0])
        let progress = Progress()
        disk.set(.delay(milliseconds: 1000), on: .sync, count: 1)
        let commit = SlowCommit(store, accounts, progress)
        Thread.detachNewThread { commit.run() }
        try self.wait { disk.faultsMet > 0 }
        #expect(try reader.maildropHead(accounts[0]) == before)
        #expect(!progress.isDone)
        try self.wait { progress.isDone }
        #expect(try reader.maildropHead(accounts[0]).count == before.count + 1)
    }

    /// Waits ten seconds at the most.
    private func wait(until isTrue: () -> Bool) throws {
        for _ in 0..<10_000 where !isTrue() { usleep(1000) }
        try #require(isTrue())
    }

    private final class SlowCommit: @unchecked Sendable {
        private let store: MailStore
        private let accounts: [AccountID]
        private let progress: Progress

        init(_ store: MailStore, _ accounts: [AccountID], _ progress: Progress) {
            self.store = store
            self.accounts = accounts
            self.progress = progress
        }

        func run() {
            _ = self.store.commit([TestMessage(1, "slow\r\n").append(to: self.accounts)])
            self.progress.end()
        }
    }
}
