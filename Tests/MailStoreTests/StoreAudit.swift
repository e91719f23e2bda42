// SPDX-License-Identifier: Apache-2.0
//
// The legal states of the store's file, checked row by row.

@testable import MailStore

/// A look into the file of a store, past its interface.
struct StoreAudit {
    let database: Database

    init(_ directory: TemporaryDirectory) throws(StoreError) {
        self.database = try Database(
            path: StoreDirectory.database(in: directory.path),
            readOnly: true,
            vfs: nil
        )
    }

    /// What is wrong; empty when every row is as `Schema` says.
    func findings() throws(StoreError) -> [String] {
        var findings: [String] = []
        let check = try self.database.statement("PRAGMA integrity_check")
        while try check.step() {
            let text = check.text(0)
            if text != "ok" { findings.append(text) }
        }
        check.reset()
        for (name, query) in Self.illegalRows + Self.illegalQueueRows {
            let count = try self.database.number(query) ?? 0
            if count > 0 { findings.append("\(name): \(count)") }
        }
        return findings
    }

    func count(_ query: StaticString) throws(StoreError) -> Int {
        try self.database.number(query) ?? 0
    }

    /// Nothing waits to be removed.
    func hasGarbage() throws(StoreError) -> Bool {
        try self.count("SELECT (SELECT count(*) FROM staged) + (SELECT count(*) FROM removed)") > 0
    }

    private static let illegalRows: [(String, StaticString)] = [
        (
            "counters that are not the sum of their rows",
            """
            SELECT count(*) FROM maildrop_head h WHERE
            h.count <> (SELECT count(*) FROM maildrop d WHERE d.account = h.account) OR
            h.octets <> (
                SELECT coalesce(sum(octets), 0) FROM maildrop d WHERE d.account = h.account)
            OR h.next_seq <= (
                SELECT coalesce(max(seq), 0) FROM maildrop d WHERE d.account = h.account)
            """
        ),
        (
            "accounts without a maildrop, or the other way round",
            """
            SELECT count(*) FROM account a FULL JOIN maildrop_head h ON h.account = a.id
            WHERE a.id IS NULL OR h.account IS NULL
            """
        ),
        (
            "copies in a maildrop that is not there",
            """
            SELECT count(*) FROM maildrop d WHERE
            d.account NOT IN (SELECT account FROM maildrop_head) AND
            d.account NOT IN (SELECT account FROM removed)
            """
        ),
        (
            "copies of no message",
            "SELECT count(*) FROM maildrop WHERE message NOT IN (SELECT id FROM message)"
        ),
        (
            "messages with another number of copies",
            """
            SELECT count(*) FROM message m LEFT JOIN shared s ON s.message = m.id WHERE
            coalesce(s.refs, 1) <> (SELECT count(*) FROM maildrop d WHERE d.message = m.id)
                + (SELECT count(*) FROM queued q WHERE q.message = m.id)
            OR s.refs < 2
            """
        ),
        (
            "shares of no message",
            "SELECT count(*) FROM shared WHERE message NOT IN (SELECT id FROM message)"
        ),
        (
            "messages that are not whole",
            """
            SELECT count(*) FROM message m WHERE m.octets <> 65536 * m.chunks + length(m.tail) OR
            m.chunks <> (SELECT count(*) FROM chunk c
                WHERE c.number BETWEEN m.id << 16 AND (m.id << 16) + 65535)
            """
        ),
        (
            "chunks of nobody",
            """
            SELECT count(*) FROM chunk WHERE number >> 16 NOT IN (SELECT id FROM message)
            AND number >> 16 NOT IN (SELECT message FROM staged)
            """
        ),
        (
            "messages that are still staged",
            "SELECT count(*) FROM staged WHERE message IN (SELECT id FROM message)"
        ),
    ]

    /// The same for the queue.
    private static let illegalQueueRows: [(String, StaticString)] = [
        (
            "queued messages that are not there, or are of another size",
            """
            SELECT count(*) FROM queued q LEFT JOIN message m ON m.id = q.message
            WHERE m.id IS NULL OR m.octets <> q.octets OR m.reverse_path <> q.sender
            """
        ),
        (
            "queued messages without recipients, or the other way round",
            """
            SELECT count(*) FROM queued q FULL JOIN recipient r ON r.message = q.message
            WHERE q.message IS NULL OR r.message IS NULL
            """
        ),
        (
            "messages that wake at another time",
            """
            SELECT count(*) FROM queued q WHERE wakes IS NOT iif(
                EXISTS (SELECT 1 FROM recipient r WHERE r.message = q.message AND state = 0),
                min(expires, coalesce(warns, expires)), NULL)
            """
        ),
        (
            "destinations that are due at another time, or not there",
            """
            SELECT count(*) FROM destination d FULL JOIN (
                SELECT destination, min(next) AS first FROM recipient WHERE state = 0
                GROUP BY destination) r ON r.destination = d.name
            WHERE d.due IS NOT max(d.rests_until, r.first)
            """
        ),
        (
            "attempts of nobody, or more of them than are counted",
            """
            SELECT count(*) FROM attempt a LEFT JOIN recipient r
            ON r.message = a.message AND r.number = a.number
            WHERE r.attempts IS NULL OR a.ordinal > r.attempts OR a.ordinal <= r.attempts - 10
            """
        ),
        (
            "failures of no destination, or more of them than are counted",
            """
            SELECT count(*) FROM failure f LEFT JOIN destination d ON d.name = f.destination
            WHERE d.recorded IS NULL OR f.ordinal > d.recorded OR f.ordinal <= d.recorded - 10
            """
        ),
        ("unknown states", "SELECT count(*) FROM recipient WHERE state NOT BETWEEN 0 AND 5"),
    ]
}
