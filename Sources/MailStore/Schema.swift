// SPDX-License-Identifier: Apache-2.0
//
// The tables. Content stands apart from everything that is listed; a maildrop's rows lie together,
// in order; its counters are a row of their own, so that STAT reads one row.
//
// Every committed state is one of these, and nothing else:
//
// - A message has a row in `message`, with the end of its content, and `chunks` full chunks in
//   `chunk`. As many rows of `maildrop` and `queued` together name it as `shared` says, or one when
//   it is not there.
// - An id in `staged` has no row in `message`; any chunks of it belong to nobody. It is a message
//   on its way in, one that was given up, or one whose last copy was deleted. The first two cannot
//   be told apart while the process lives that receives them; the next start removes all.
// - An account has a row in `maildrop_head`, whose counters are the count and the sum of its rows
//   in `maildrop`. Rows of an account that is gone have their account in `removed`, and are
//   removed little by little.
// - A message in the queue has one row in `queued`, which repeats the reverse-path and the size so
//   that listings need not touch the content, and at least one row in `recipient`. The account in
//   it may be gone.
// - A recipient has a state, as `QueueState` numbers them. `attempts` counts its attempts; the last
//   of them, ten at the most, are in `attempt` under their numbers. Rows of `attempt` belong to a
//   recipient.
// - `wakes` is the smaller of `expires` and `warns` while a recipient of the message waits, and
//   NULL otherwise.
// - A destination has a row in `destination` if, and only if, a recipient waits for it. `due` is
//   the smallest `next` of those, or `rests_until` when that is later. `recorded` counts the
//   failures that were recorded of it; the last of them, ten at the most, are in `failure` under
//   their numbers. Rows of `failure` belong to a destination.
//
// Which messages are being delivered stands nowhere: a process that dies leaves them due.

/// The layout of the database file.
enum Schema {
    /// Counts the layouts there have been; kept in the file's user_version.
    static let version = 2

    /// Marks the file as ours.
    static let application = 0x4d61_7274

    static let tables = """
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
        PRAGMA application_id = \(application);
        """

    /// The queue, which the first layout had not; ends with the mark of the second.
    ///
    /// What is due of one destination lies together in `recipient_due`, in order. Rows that wait
    /// are in no other index, so that a message costs few pages on its way through.
    static let queueTables = """
        CREATE TABLE queued (
            message INTEGER PRIMARY KEY, account INTEGER, sender BLOB NOT NULL,
            octets INTEGER NOT NULL, flags INTEGER NOT NULL, envelope_id BLOB NOT NULL,
            queued INTEGER NOT NULL, expires INTEGER NOT NULL, warns INTEGER, wakes INTEGER);
        CREATE TABLE recipient (
            message INTEGER NOT NULL, number INTEGER NOT NULL, destination BLOB NOT NULL,
            address BLOB NOT NULL, notify INTEGER NOT NULL, original BLOB NOT NULL,
            state INTEGER NOT NULL, next INTEGER NOT NULL, attempts INTEGER NOT NULL,
            status INTEGER NOT NULL, PRIMARY KEY (message, number)) WITHOUT ROWID;
        CREATE TABLE attempt (
            message INTEGER NOT NULL, number INTEGER NOT NULL, ordinal INTEGER NOT NULL,
            at INTEGER NOT NULL, status INTEGER NOT NULL, host BLOB NOT NULL, tls BLOB NOT NULL,
            reply BLOB NOT NULL, PRIMARY KEY (message, number, ordinal)) WITHOUT ROWID;
        CREATE TABLE destination (
            name BLOB PRIMARY KEY, due INTEGER NOT NULL, rests_until INTEGER NOT NULL,
            failures INTEGER NOT NULL, reason BLOB NOT NULL, recorded INTEGER NOT NULL)
            WITHOUT ROWID;
        CREATE TABLE failure (
            destination BLOB NOT NULL, ordinal INTEGER NOT NULL, at INTEGER NOT NULL,
            reason BLOB NOT NULL, PRIMARY KEY (destination, ordinal)) WITHOUT ROWID;
        CREATE INDEX recipient_due ON recipient (destination, next) WHERE state = 0;
        CREATE INDEX recipient_reported ON recipient (message) WHERE state >= 2;
        CREATE INDEX queued_wakes ON queued (wakes) WHERE wakes IS NOT NULL;
        CREATE INDEX destination_due ON destination (due);
        PRAGMA user_version = 2;
        """

    /// Find an account of a kind, or that there is none, without looking at all of them.
    ///
    /// The conditions are those that the reader asks with. Files that were made before these get
    /// them when they are opened.
    static let indexes = """
        CREATE INDEX IF NOT EXISTS account_imported ON account (id)
            WHERE substr(verifier, 1, 9) = x'31207b43525950547d';
        CREATE INDEX IF NOT EXISTS account_recoverable ON account (id) WHERE secret IS NOT NULL;
        """

    /// Chunk numbers: the message's id above, the index below.
    static let chunkIndexBits: Int64 = 16

    /// The row of a message's chunk.
    static func chunk(_ message: MessageRow, _ index: Int) -> Int64 {
        message << Self.chunkIndexBits | Int64(index)
    }

    /// The rows of all chunks that a message can have.
    static func chunks(_ message: MessageRow) -> ClosedRange<Int64> {
        Self.chunk(message, 0)...(Self.chunk(message + 1, 0) - 1)
    }

    /// Every chunk has this many octets; what is left over stands in the message's own row.
    static let chunkOctets = StoreLayout.chunkOctets

    /// Appends what a reader gets before the content: the Return-Path of RFC 5321, section 4.4.
    static func appendReturnPath(_ row: Statement, _ column: Int32, to octets: inout [UInt8]) {
        octets.append(contentsOf: "Return-Path: <".utf8)
        row.appendOctets(column, skipping: 0, max: .max, to: &octets)
        octets.append(contentsOf: ">\r\n".utf8)
    }

    /// How many octets that are, for a reverse-path of `count`.
    static func returnPathOctets(_ count: Int) -> Int { 17 + count }

    /// The octets that are around the content when it is read.
    static func octetsAround(reversePath count: Int, endsWithCRLF: Bool) -> Int {
        self.returnPathOctets(count) + (endsWithCRLF ? 0 : 2)
    }
}

/// A message's id as it stands in the tables.
typealias MessageRow = Int64

/// What those who hand content to the store need to know of its layout.
package enum StoreLayout {
    /// Chunks that go ahead of a message have so many octets.
    package static let chunkOctets = 1 << 16
}
