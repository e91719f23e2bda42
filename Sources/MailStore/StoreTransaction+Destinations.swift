// SPDX-License-Identifier: Apache-2.0
//
// When something is due of a destination. Its row follows from the rows of its recipients; a group
// of requests brings it up to date once, however many of them belong to it.

internal import MailSyntax

extension StoreTransaction {
    /// The destination's row may have to change.
    func touch(_ destination: [UInt8], tookMail: Bool = false) {
        if tookMail {
            self.touched[destination] = true
        } else if self.touched[destination] == nil {
            self.touched[destination] = false
        }
    }

    /// Brings the rows of all destinations up to date that were touched.
    func refreshDestinations() throws(StoreError) {
        for (destination, tookMail) in self.touched { try self.refresh(destination, tookMail) }
        self.touched = [:]
    }

    private func refresh(_ destination: [UInt8], _ tookMail: Bool) throws(StoreError) {
        let first = try self.database.statement(
            """
            SELECT next FROM recipient INDEXED BY recipient_due
            WHERE state = 0 AND destination = ?1 ORDER BY next LIMIT 1
            """
        )
        first.bind(1, destination)
        let next = try first.step() ? first.int64(0) : nil
        first.reset()
        guard let next else { return try self.forget(destination) }
        let write = try self.database.statement(
            """
            INSERT INTO destination VALUES (?1, ?2, 0, 0, x'', 0)
            ON CONFLICT (name) DO UPDATE SET
                due = max(?2, rests_until), failures = iif(?3, 0, failures),
                reason = iif(?3, x'', reason)
            WHERE due <> max(?2, rests_until) OR ?3 AND failures > 0
            """
        )
        write.bind(1, destination)
        write.bind(2, next)
        write.bind(3, tookMail ? 1 : 0)
        try write.run()
    }

    /// Nothing waits for the destination any more.
    private func forget(_ destination: [UInt8]) throws(StoreError) {
        let remove = try self.database.statement(
            "DELETE FROM destination WHERE name = ?1 AND recorded = 0"
        )
        remove.bind(1, destination)
        try remove.run()
        guard self.database.changes == 0 else { return }
        for text: StaticString in [
            "DELETE FROM destination WHERE name = ?1",
            "DELETE FROM failure WHERE destination = ?1",
        ] {
            let remove = try self.database.statement(text)
            remove.bind(1, destination)
            try remove.run()
            // Most have neither.
            guard self.database.changes > 0 else { return }
        }
    }

    // MARK: - Rest

    func rest(
        _ destination: [UInt8],
        _ until: Int64,
        _ failures: Int,
        _ reason: [UInt8],
        _ at: Int64?
    ) throws(StoreError) -> StoreAnswer {
        // Its row must be there, if it is to be.
        try self.refresh(destination, self.touched[destination] ?? false)
        let update = try self.database.statement(
            "UPDATE destination SET rests_until = ?2, failures = ?3, reason = ?4 WHERE name = ?1"
        )
        update.bind(1, destination)
        update.bind(2, until)
        update.bind(3, failures)
        update.bind(4, reason.printable(max: Schema.replyOctetsMax))
        try update.run()
        if let at, failures > 0, self.database.changes == 1 {
            try self.recordFailure(of: destination, at)
        }
        // What took mail before in this group has failed since.
        self.touched[destination] = false
        return .changed
    }

    /// Adds a failure, whose reason stands in the destination's row, to the last ten.
    private func recordFailure(of destination: [UInt8], _ at: Int64) throws(StoreError) {
        let count = try self.database.statement(
            "UPDATE destination SET recorded = recorded + 1 WHERE name = ?1"
        )
        count.bind(1, destination)
        try count.run()
        let insert = try self.database.statement(
            """
            INSERT INTO failure SELECT name, recorded, ?2, reason FROM destination WHERE name = ?1
            """
        )
        insert.bind(1, destination)
        insert.bind(2, at)
        try insert.run()
        let forget = try self.database.statement(
            """
            DELETE FROM failure WHERE destination = ?1
            AND ordinal <= (SELECT recorded FROM destination WHERE name = ?1) - ?2
            """
        )
        forget.bind(1, destination)
        forget.bind(2, Schema.attemptsMax)
        try forget.run()
    }

    func wake(_ destination: [UInt8]?, _ now: Int64) throws(StoreError) -> StoreAnswer {
        try self.refreshDestinations()
        guard let destination else { return try self.wakeAll(now) }
        try self.endRest(of: destination)
        let select = try self.database.statement(
            """
            SELECT message, number, next, attempts FROM recipient INDEXED BY recipient_due
            WHERE state = 0 AND destination = ?1 AND next > ?2 ORDER BY next LIMIT ?3
            """
        )
        select.bind(1, destination)
        select.bind(2, now)
        select.bind(3, Schema.changesMax)
        var rows: [RecipientRow] = []
        while try select.step() {
            rows.append(
                RecipientRow(
                    message: select.int64(0),
                    number: select.int(1),
                    destination: destination,
                    state: .waiting,
                    next: select.int64(2),
                    attempts: select.int(3)
                )
            )
        }
        select.reset()
        for row in rows { try self.update(row, to: .waiting, next: now, nil) }
        let isDone = rows.count < Schema.changesMax
        return .queueChanged(count: rows.count, next: isDone ? nil : rows.last?.position)
    }

    private func wakeAll(_ now: Int64) throws(StoreError) -> StoreAnswer {
        let select = try self.database.statement(
            "SELECT name FROM destination WHERE rests_until > ?1 LIMIT ?2"
        )
        select.bind(1, now)
        select.bind(2, Schema.changesMax)
        var destinations: [[UInt8]] = []
        while try select.step() { destinations.append(select.octets(0)) }
        select.reset()
        for destination in destinations { try self.endRest(of: destination) }
        let isDone = destinations.count < Schema.changesMax
        let next = QueuePosition(message: MessageID(rawValue: 0), number: 0)
        return .queueChanged(count: destinations.count, next: isDone ? nil : next)
    }

    /// The failures are not forgotten: if it fails again, it rests longer.
    func endRest(of destination: [UInt8]) throws(StoreError) {
        let update = try self.database.statement(
            "UPDATE destination SET rests_until = 0 WHERE name = ?1 AND rests_until <> 0"
        )
        update.bind(1, destination)
        try update.run()
        self.touch(destination)
    }
}

extension StoreTransaction.RecipientRow {
    var position: QueuePosition {
        QueuePosition(message: MessageID(rawValue: UInt64(self.message)), number: self.number)
    }
}
