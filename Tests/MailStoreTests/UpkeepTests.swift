// SPDX-License-Identifier: Apache-2.0
//
// The log, the garbage, and the room on the disk.

@testable import MailStore
import MailSyntax
import Testing

@Suite("Upkeep")
struct UpkeepTests {
    private func makeOptions(checkpointOctets: Int = 200_000) -> MailStore.Options {
        var options = MailStore.Options.small
        options.checkpointOctets = checkpointOctets
        return options
    }

    private static let log = "mail.sqlite-wal"

    // MARK: - The log

    @Test("The log is moved into the file and stays small")
    func logStaysSmall() throws {
        let store = try SQLiteStore(options: self.makeOptions())
        let account = try store.addAccount("anna@example.test")
        for id in 1...200 {
            let message = TestMessage(UInt64(id), [UInt8](seeded: 10_000))
            #expect(store.ask(message.append(to: [account])).isDone)
            _ = store.store?.tidy()
        }
        // 2 MB were appended.
        #expect(store.directory.size(of: Self.log) < 400_000)
        #expect(try store.head(account).count == 200)
    }

    @Test("A store that is closed in order leaves no log")
    func closedInOrder() throws {
        let store = try SQLiteStore(options: self.makeOptions())
        let account = try store.addAccount("anna@example.test")
        _ = store.ask(TestMessage(1, "x\r\n").append(to: [account]))
        #expect(store.directory.size(of: Self.log) > 0)
        store.closeInOrder()
        #expect(store.directory.size(of: Self.log) == 0)
        let again = try SQLiteStore(in: store.directory)
        #expect(try again.head(account).count == 1)
    }

    @Test("Mail is refused while somebody keeps the log from being moved, and then goes on")
    func logIsBounded() throws {
        var options = self.makeOptions()
        options.logOctetsMax = 1_000_000
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        let reader = try #require(store.reader)
        var refused = 0
        try reader.together { () throws(StoreError) in
            _ = try reader.maildropHead(account)
            for id in 1...150 {
                let message = TestMessage(UInt64(id), [UInt8](repeating: 65, count: 10_000))
                if store.ask(message.append(to: [account])).failure == .full { refused += 1 }
                if id % 50 == 0 { _ = store.store?.tidy() }
            }
        }
        #expect(refused > 20)
        #expect(refused < 140)
        _ = store.store?.tidy()
        #expect(store.ask(TestMessage(999, "x\r\n").append(to: [account])).isDone)
        #expect(try store.head(account).count == 151 - refused)
    }

    @Test("A checkpoint that readers hold up is synced before the next counts on it")
    func incompleteCheckpoint() throws {
        let disk = PowerCutDisk()
        var options = self.makeOptions(checkpointOctets: 50_000)
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        let reader = try #require(store.reader)
        var expected: [[UInt8]] = []
        func append(_ id: UInt64) {
            let message = TestMessage(id, [UInt8](seeded: 9000 + Int(id)))
            #expect(store.ask(message.append(to: [account])).isDone)
            expected.append(message.delivered)
        }
        for id in 1...10 { append(UInt64(id)) }
        try reader.together { () throws(StoreError) in
            _ = try reader.maildropHead(account)
            append(11)
            // What was appended before the reader came is moved, and no more.
            _ = store.store?.tidy()
        }
        append(12)
        disk.set(.fail, on: .sync, ofFilesEnding: "mail.sqlite", count: 1)
        _ = store.store?.tidy()
        #expect(disk.faultsMet == 1)
        for id in 13...30 {
            append(UInt64(id))
            _ = store.store?.tidy()
        }
        let directory = TemporaryDirectory()
        disk.replay().cut(after: disk.steps, seed: 0, into: directory)
        let after = try SQLiteStore(in: directory)
        #expect(try after.contents(of: account) == expected)
    }

    @Test("When even that sync fails, the log is kept for the next process")
    func unsyncedCheckpoint() throws {
        let disk = PowerCutDisk()
        var options = self.makeOptions(checkpointOctets: 50_000)
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        let reader = try #require(store.reader)
        var expected: [[UInt8]] = []
        func append(_ id: UInt64) {
            let message = TestMessage(id, [UInt8](seeded: 9000 + Int(id)))
            #expect(store.ask(message.append(to: [account])).isDone)
            expected.append(message.delivered)
        }
        for id in 1...10 { append(UInt64(id)) }
        disk.set(.fail, on: .sync, ofFilesEnding: "mail.sqlite", count: 1)
        try reader.together { () throws(StoreError) in
            _ = try reader.maildropHead(account)
            append(11)
            _ = store.store?.tidy()
        }
        #expect(disk.faultsMet == 1)
        for id in 12...30 {
            append(UInt64(id))
            _ = store.store?.tidy()
        }
        store.closeInOrder()
        let directory = TemporaryDirectory()
        disk.replay().cut(after: disk.steps, seed: 0, into: directory)
        let after = try SQLiteStore(in: directory)
        #expect(try after.contents(of: account) == expected)
        let again = try SQLiteStore(in: store.directory)
        #expect(try again.contents(of: account) == expected)
    }

    // MARK: - Garbage

    @Test("What was staged and never appended is removed after the next start")
    func abandonedChunks() throws {
        let store = try SQLiteStore()
        let account = try store.addAccount("anna@example.test")
        let kept = TestMessage(1, [UInt8](seeded: 2 * TestMessage.chunkOctets))
        let lost = TestMessage(2, [UInt8](seeded: 300 * TestMessage.chunkOctets))
        _ = store.commit(kept.stages + lost.stages)
        #expect(store.ask(kept.append(to: [account], staged: 2)).isDone)
        #expect(store.store?.tidy() == false)
        try store.restart(inOrder: false)
        // In portions: other requests come in between.
        var portions = 1
        while store.store?.tidy() == true {
            portions += 1
            let message = TestMessage(UInt64(10 + portions), "between\r\n")
            #expect(store.ask(message.append(to: [account])).isDone)
        }
        #expect(portions > 2)
        let audit = try StoreAudit(store.directory)
        #expect(try audit.count("SELECT count(*) FROM chunk") == 2)
        #expect(try audit.hasGarbage() == false)
        #expect(try audit.findings() == [])
        #expect(try store.contents(of: account).first == kept.delivered)
    }

    @Test("What was given up is removed while the store works")
    func unstaged() throws {
        let store = try SQLiteStore()
        let message = TestMessage(1, [UInt8](seeded: 3 * TestMessage.chunkOctets))
        _ = store.commit(message.stages)
        #expect(store.ask(.unstage(MessageID(rawValue: 1))).isDone)
        store.store?.tidyUp()
        let audit = try StoreAudit(store.directory)
        #expect(try audit.count("SELECT count(*) FROM chunk") == 0)
        #expect(try audit.hasGarbage() == false)
    }

    @Test("The maildrop of a removed account goes in portions, copies of others stay")
    func removedAccount() throws {
        let store = try SQLiteStore()
        let anna = try store.addAccount("anna@example.test")
        let bert = try store.addAccount("bert@example.test")
        var requests: [StoreRequest] = []
        for id in 1...400 {
            let message = TestMessage(UInt64(id), "message \(id)\r\n")
            requests.append(message.append(to: id % 2 == 0 ? [anna] : [anna, bert]))
        }
        #expect(store.commit(requests).allDone)
        #expect(store.ask(.removeAccount(try address("anna@example.test"))).isDone)
        #expect(store.store?.tidy() == true)
        #expect(try StoreAudit(store.directory).findings() == [])
        // The next process finds it and goes on.
        try store.restart(inOrder: false)
        store.store?.tidyUp()
        let audit = try StoreAudit(store.directory)
        #expect(try audit.count("SELECT count(*) FROM message") == 200)
        #expect(try audit.hasGarbage() == false)
        #expect(try audit.findings() == [])
        #expect(try store.contents(of: bert).count == 200)
    }

    // MARK: - Requests that cannot be carried out

    @Test("A request that cannot be carried out does not harm its neighbours")
    func badNeighbour() throws {
        let store = try SQLiteStore()
        let account = try store.addAccount("anna@example.test")
        let path = StoreDirectory.database(in: store.directory.path)
        try Database(path: path, readOnly: false, vfs: nil).execute(
            "CREATE TRIGGER no BEFORE INSERT ON alias BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        let messages = (1...3).map { TestMessage($0, "message \($0)\r\n") }
        let alias = StoreRequest.addAlias(
            try address("list@example.test"),
            targets: [try address("anna@example.test")]
        )
        let answers = store.commit(
            [messages[0].append(to: [account]), alias]
                + messages[1...].map { $0.append(to: [account]) }
        )
        #expect(answers.map(\.isDone) == [true, false, true, true])
        #expect(try store.contents(of: account) == messages.map(\.delivered))
        #expect(try store.resolve(address("list@example.test")).isNothing)
    }

    @Test("A maildrop whose sequences are used up takes no more mail, and stays readable")
    func usedUpSequences() throws {
        let store = try SQLiteStore()
        let account = try store.addAccount("anna@example.test")
        let path = StoreDirectory.database(in: store.directory.path)
        try Database(path: path, readOnly: false, vfs: nil).execute(
            "UPDATE maildrop_head SET next_seq = \(UInt32.max - 1)"
        )
        let last = TestMessage(1, "last\r\n")
        #expect(store.ask(last.append(to: [account])).isDone)
        #expect(store.ask(TestMessage(2, "x\r\n").append(to: [account])).failure == .overQuota)
        #expect(try store.contents(of: account) == [last.delivered])
    }

    @Test("Ten thousand messages are deleted in one transaction")
    func manyDeletions() throws {
        let store = try SQLiteStore()
        let account = try store.addAccount("anna@example.test")
        for group in 0..<20 {
            let requests = (0..<500).map {
                TestMessage(UInt64(group * 500 + $0 + 1), "x\r\n").append(to: [account])
            }
            #expect(store.commit(requests).allDone)
        }
        let head = try store.head(account)
        let sequences = try store.listing(account, below: .max).map(\.sequence)
        #expect(sequences.count == 10_000)
        let deletion = StoreRequest.delete(
            account,
            incarnation: head.incarnation,
            sequences: sequences
        )
        #expect(store.ask(deletion).isDone)
        #expect(try store.head(account).count == 0)
        #expect(try StoreAudit(store.directory).count("SELECT count(*) FROM message") == 0)
    }

    // MARK: - A full disk

    @Test("A full disk refuses mail, still deletes, and takes mail again")
    func fullDisk() throws {
        let disk = PowerCutDisk()
        var options = self.makeOptions()
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        var id: UInt64 = 0
        func append() -> StoreAnswer {
            id += 1
            let message = TestMessage(id, [UInt8](repeating: 65, count: 20_000))
            let answer = store.ask(message.append(to: [account]))
            _ = store.store?.tidy()
            return answer
        }
        for _ in 0..<20 { #expect(append().isDone) }
        // Nothing may grow any more.
        disk.setCapacity(0)
        var refused = 0
        while refused < 5, id < 100 { if append().failure == .full { refused += 1 } }
        #expect(refused == 5)
        let count = try store.head(account).count
        disk.setCapacity(nil)
        #expect(append().isDone)
        #expect(try store.head(account).count == count + 1)
        #expect(try StoreAudit(store.directory).findings() == [])
    }

    @Test("In one group the full disk refuses what needs room and does the rest")
    func fullDiskInAGroup() throws {
        let disk = PowerCutDisk()
        var options = self.makeOptions()
        options.vfs = disk.name
        let store = try SQLiteStore(options: options)
        let account = try store.addAccount("anna@example.test")
        for id in 1...5 {
            let message = TestMessage(UInt64(id), [UInt8](repeating: 65, count: 20_000))
            #expect(store.ask(message.append(to: [account])).isDone)
        }
        let incarnation = try store.head(account).incarnation
        // Room for the deletion, not for the message.
        disk.setCapacity(disk.octets + 90_000)
        let answers = store.commit([
            TestMessage(6, [UInt8](repeating: 65, count: 200_000)).append(to: [account]),
            .delete(account, incarnation: incarnation, sequences: [1, 2]),
        ])
        #expect(answers.map(\.failure) == [.full, nil])
        #expect(try store.head(account).count == 3)
    }
}
