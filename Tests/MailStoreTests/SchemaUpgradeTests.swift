// SPDX-License-Identifier: Apache-2.0
//
// A file of the first layout, made by the words of that layout, becomes one of the present.

@testable import MailStore
import MailSyntax
import Testing

@Suite("A store of the first layout")
struct SchemaUpgradeTests {
    /// The first layout, word for word.
    private static let firstLayout = """
        CREATE TABLE counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE account (
            id INTEGER PRIMARY KEY AUTOINCREMENT, address BLOB NOT NULL UNIQUE,
            verifier BLOB NOT NULL, secret BLOB);
        CREATE TABLE alias (address BLOB PRIMARY KEY, targets BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE maildrop_head (
            account INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, next_seq INTEGER NOT NULL,
            count INTEGER NOT NULL, octets INTEGER NOT NULL, quota INTEGER);
        CREATE TABLE maildrop (
            account INTEGER NOT NULL, seq INTEGER NOT NULL, message INTEGER NOT NULL,
            octets INTEGER NOT NULL, PRIMARY KEY (account, seq)) WITHOUT ROWID;
        CREATE TABLE message (
            id INTEGER PRIMARY KEY, octets INTEGER NOT NULL, chunks INTEGER NOT NULL,
            received INTEGER NOT NULL, reverse_path BLOB NOT NULL, tail BLOB NOT NULL);
        CREATE TABLE chunk (number INTEGER PRIMARY KEY, octets BLOB NOT NULL);
        CREATE TABLE shared (message INTEGER PRIMARY KEY, refs INTEGER NOT NULL);
        CREATE TABLE staged (message INTEGER PRIMARY KEY);
        CREATE TABLE removed (account INTEGER PRIMARY KEY);
        INSERT INTO counter VALUES ('message', 1);
        PRAGMA application_id = 1298231924;
        PRAGMA user_version = 1;
        """

    /// Two accounts with one message in both, and one that another process was staging.
    private static let mail = """
        INSERT INTO account VALUES (1, 'anna@example.test', 'one', NULL);
        INSERT INTO account VALUES (2, 'bert@example.test', 'two', 'secret');
        INSERT INTO alias VALUES ('info@example.test', 'anna@example.test');
        INSERT INTO maildrop_head VALUES (1, 77, 2, 1, 31, NULL), (2, 78, 2, 1, 31, 5000);
        INSERT INTO message VALUES (5, 9, 0, 1600000000, CAST('a@b' AS BLOB), CAST(
            'Hello.' || char(13, 10) AS BLOB) || x'61');
        INSERT INTO shared VALUES (5, 2);
        INSERT INTO maildrop VALUES (1, 1, 5, 31), (2, 1, 5, 31);
        INSERT INTO staged VALUES (6);
        UPDATE counter SET next = 1000;
        """

    private func make(in directory: TemporaryDirectory, vfs: String? = nil) throws {
        let database = try Database(
            path: StoreDirectory.database(in: directory.path),
            readOnly: false,
            vfs: vfs
        )
        try database.execute("PRAGMA page_size = 8192; PRAGMA synchronous = FULL")
        try database.useLog()
        try database.execute("BEGIN IMMEDIATE; \(Self.firstLayout) COMMIT")
        try database.execute("BEGIN IMMEDIATE; \(Self.mail) COMMIT")
        try database.execute(
            """
            UPDATE account SET address = CAST(address AS BLOB);
            UPDATE alias SET address = CAST(address AS BLOB), targets = CAST(targets AS BLOB);
            """
        )
    }

    /// The mail is there, and the queue can be used.
    private func check(_ store: SQLiteStore) throws {
        let expected = Array("Return-Path: <a@b>\r\nHello.\r\na\r\n".utf8)
        for id: Int64 in [1, 2] {
            #expect(try store.contents(of: AccountID(rawValue: id)) == [expected])
            #expect(try store.head(AccountID(rawValue: id)).incarnation == 76 + UInt64(id))
        }
        #expect(try store.reserve(1) == 1000)
        try store.enqueue(900, for: ["a@far.example"], also: [AccountID(rawValue: 1)])
        #expect(try store.due("far.example").messages.count == 1)
        store.store?.tidyUp()
        let audit = try StoreAudit(store.directory)
        #expect(try audit.findings() == [])
        #expect(try audit.count("PRAGMA user_version") == Schema.version)
        #expect(try audit.hasGarbage() == false)
    }

    @Test("Its mail stays, and it gets a queue")
    func upgrade() throws {
        let directory = TemporaryDirectory()
        try self.make(in: directory)
        let store = try SQLiteStore(in: directory)
        try self.check(store)
        try store.restart(inOrder: true)
        #expect(try store.queued() == ["900.0"])
    }

    @Test("A power cut at any step of the change leaves the one layout or the other")
    func powerCut() throws {
        let disk = PowerCutDisk()
        let directory = TemporaryDirectory()
        try self.make(in: directory, vfs: disk.name)
        let before = disk.steps
        var options = MailStore.Options.small
        options.vfs = disk.name
        do { _ = try MailStore(directory: directory.path, options: options) }
        #expect(disk.steps > before)
        let replay = disk.replay()
        let after = TemporaryDirectory()
        for steps in before...disk.steps {
            for seed: UInt64 in 0...2 {
                replay.cut(after: steps, seed: seed, into: after)
                try self.check(try SQLiteStore(in: after))
            }
        }
    }

    @Test("A store on a full disk is opened all the same, by means of its reserve")
    func fullDisk() throws {
        let disk = PowerCutDisk()
        let directory = TemporaryDirectory()
        try self.make(in: directory, vfs: disk.name)
        var options = MailStore.Options()
        options.reserveOctets = 1 << 20
        options.vfs = disk.name
        disk.set(.full, on: .write, ofFilesEnding: "-wal", count: 1)
        do { _ = try MailStore(directory: directory.path, options: options) }
        #expect(disk.faultsMet == 1)
        #expect(directory.size(of: "reserve") == 0)
    }
}
