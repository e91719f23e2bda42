// SPDX-License-Identifier: Apache-2.0
//
// A real file system that is full: a small one in memory, where the process may mount one.

import Foundation
@testable import MailStore
import MailSyntax
import Testing

/// A small file system, mounted for one test.
private final class SmallDisk {
    let directory = TemporaryDirectory()

    init?(octets: Int) {
        guard
            Self.run(
                "/bin/mount",
                "-t",
                "tmpfs",
                "-o",
                "size=\(octets)",
                "none",
                self.directory.path
            )
        else { return nil }
    }

    deinit { _ = Self.run("/bin/umount", "--lazy", self.directory.path) }

    private static func run(_ path: String, _ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    static let canBeMounted = SmallDisk(octets: 1 << 20) != nil

    /// Takes all the room that is left.
    func fill() {
        let path = "\(self.directory.path)/filler"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        guard let file = FileHandle(forWritingAtPath: path) else { return }
        for size in [1 << 20, 1 << 12] {
            let block = Data(repeating: 0, count: size)
            while (try? file.write(contentsOf: block)) != nil {}
        }
    }

    func removeFiller() {
        try? FileManager.default.removeItem(atPath: "\(self.directory.path)/filler")
    }
}

@Suite("A full file system", .serialized, .enabled(if: SmallDisk.canBeMounted))
struct FullDiskTests {
    private func makeStore(_ disk: SmallDisk) throws -> SQLiteStore {
        var options = MailStore.Options()
        options.reserveOctets = 4 << 20
        options.checkpointOctets = 1 << 20
        return try SQLiteStore(in: disk.directory, options: options)
    }

    private func message(_ id: UInt64) -> TestMessage { TestMessage(id, [UInt8](seeded: 50_000)) }

    @Test("Filled with mail it refuses mail; emptied it takes mail again")
    func filledWithMail() throws {
        let disk = try #require(SmallDisk(octets: 24 << 20))
        let store = try self.makeStore(disk)
        let account = try store.addAccount("anna@example.test")
        var id: UInt64 = 0
        for _ in 0..<2 {
            var answer = StoreAnswer.staged
            var count = try store.head(account).count
            while answer.isDone, id < 2000 {
                id += 1
                answer = store.ask(self.message(id).append(to: [account]))
                if answer.isDone { count += 1 }
                _ = store.store?.tidy()
            }
            #expect(answer.failure == .full)
            #expect(count > 100)
            #expect(try store.contents(of: account).count == count)
            let head = try store.head(account)
            let sequences = try store.listing(account, below: .max).map(\.sequence)
            let deletion = StoreRequest.delete(
                account,
                incarnation: head.incarnation,
                sequences: sequences
            )
            #expect(store.ask(deletion).isDone)
            _ = store.store?.tidy()
        }
        #expect(try StoreAudit(store.directory).findings() == [])
    }

    @Test(
        "Filled by others it still deletes, and takes mail when there is room",
        arguments: [false, true]
    )
    func filledByOthers(restarts: Bool) throws {
        let disk = try #require(SmallDisk(octets: 24 << 20))
        let store = try self.makeStore(disk)
        let account = try store.addAccount("anna@example.test")
        for id in 1...40 {
            #expect(store.ask(self.message(UInt64(id)).append(to: [account])).isDone)
        }
        disk.fill()
        if restarts { try store.restart(inOrder: false) }
        #expect(store.ask(self.message(100).append(to: [account])).failure == .full)
        let incarnation = try store.head(account).incarnation
        for sequence in 1...30 {
            let deletion = StoreRequest.delete(
                account,
                incarnation: incarnation,
                sequences: [UInt32(sequence)]
            )
            #expect(store.ask(deletion).isDone)
            _ = store.store?.tidy()
        }
        #expect(try store.head(account).count == 10)
        disk.removeFiller()
        _ = store.store?.tidy()
        #expect(store.ask(self.message(101).append(to: [account])).isDone)
        #expect(try store.contents(of: account).count == 11)
        #expect(try StoreAudit(store.directory).findings() == [])
    }

    @Test(
        "Filled by others the queue still empties, and learns what failed",
        arguments: [false, true]
    )
    func queueOnFullDisk(restarts: Bool) throws {
        let disk = try #require(SmallDisk(octets: 24 << 20))
        let store = try self.makeStore(disk)
        for id in 1...40 {
            try store.enqueue(UInt64(id), for: ["a@far.example"], content: [UInt8](seeded: 50_000))
        }
        disk.fill()
        if restarts { try store.restart(inOrder: false) }
        let queue = store.submission(for: ["b@far.example"])
        let refused = store.ask(self.message(100).append(to: [], after: 0, queue: queue))
        #expect(refused.failure == .full)
        let rest = StoreRequest.rest(
            destination: Array("far.example".utf8),
            until: store.now + 60,
            failures: 1,
            reason: []
        )
        #expect(store.ask(rest).isDone)
        #expect(store.ask(.wake(destination: nil, now: store.now)).isDone)
        for id: UInt64 in 1...20 {
            store.settle(id, [(0, .removed)])
            store.settle(id + 20, [(0, .report(.failed, EnhancedStatus(5, 1, 1)))])
            _ = store.store?.tidy()
        }
        #expect(try store.queued().count == 20)
        for id: UInt64 in 21...30 {
            let closing = QueueReportClosing(message: MessageID(rawValue: id), numbers: [0])
            #expect(store.ask(.closeReports(closing)).isDone)
        }
        #expect(store.change(.remove(reporting: false)) == 10)
        disk.removeFiller()
        _ = store.store?.tidy()
        try store.enqueue(101, for: ["a@far.example"])
        #expect(try StoreAudit(store.directory).findings() == [])
    }
}
