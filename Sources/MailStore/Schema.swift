// SPDX-License-Identifier: Apache-2.0
//
// The tables. Content stands apart from everything that is listed; a maildrop's rows lie together,
// in order; its counters are a row of their own, so that STAT reads one row.

/// The layout of the database file.
enum Schema {
    /// Counts the layouts there have been; kept in the file's user_version.
    static let version = 1

    /// Legal states: a message has references > 0 and all its chunks; or its id stands in `staged`
    /// and nothing refers to its chunks, which the next start removes. Nothing else is committed.
    static let tables = """
        CREATE TABLE counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE account (
            id INTEGER PRIMARY KEY AUTOINCREMENT, address BLOB NOT NULL UNIQUE,
            verifier BLOB NOT NULL, secret BLOB, quota INTEGER);
        CREATE TABLE alias (address BLOB PRIMARY KEY, targets BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE message (
            id INTEGER PRIMARY KEY, octets INTEGER NOT NULL, chunks INTEGER NOT NULL,
            complete INTEGER NOT NULL, refs INTEGER NOT NULL, received INTEGER NOT NULL,
            reverse_path BLOB NOT NULL);
        CREATE TABLE content (chunk INTEGER PRIMARY KEY, octets BLOB NOT NULL);
        CREATE TABLE staged (message INTEGER PRIMARY KEY);
        CREATE TABLE maildrop (
            account INTEGER NOT NULL, seq INTEGER NOT NULL, message INTEGER NOT NULL,
            octets INTEGER NOT NULL, PRIMARY KEY (account, seq)) WITHOUT ROWID;
        CREATE TABLE maildrop_head (
            account INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL, next_seq INTEGER NOT NULL,
            count INTEGER NOT NULL, octets INTEGER NOT NULL);
        INSERT INTO counter VALUES ('message', 1);
        PRAGMA user_version = 1;
        """

    /// Chunk numbers: the message's id above, the index below.
    static let chunkIndexBits: Int64 = 16

    /// The row of a message's chunk.
    static func chunk(_ message: UInt64, _ index: Int) -> Int64 {
        Int64(message) << Self.chunkIndexBits | Int64(index)
    }

    /// What a reader gets before the content: the Return-Path of RFC 5321, section 4.4.
    static func returnPath(_ reversePath: [UInt8]) -> [UInt8] {
        Array("Return-Path: <".utf8) + reversePath + Array(">\r\n".utf8)
    }

    /// The octets that are around the content when it is read.
    static func octetsAround(reversePath count: Int, endsWithCRLF: Bool) -> Int {
        17 + count + (endsWithCRLF ? 0 : 2)
    }
}

/// What those who hand content to the store need to know of its layout.
package enum StoreLayout {
    /// Content is kept in chunks of so many octets; only a message's last one is shorter.
    package static let chunkOctets = 1 << 16
}
