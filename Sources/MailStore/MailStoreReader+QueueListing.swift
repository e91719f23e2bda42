// SPDX-License-Identifier: Apache-2.0
//
// Reads of the queue for operators. A listing goes on from a place, never from a cursor, and looks
// at so many rows at a time that deliveries do not wait for it.

package import MailSyntax

extension MailStoreReader {
    /// Recipients in the queue, in the order of their positions; a part may be short or empty and
    /// yet have a next.
    package func queueRows(
        _ selector: QueueSelector,
        after: QueuePosition?,
        count: Int
    ) throws(StoreError) -> QueuePage {
        let select = try self.database.statement(
            """
            SELECT r.message, r.number, (?4 IS NULL OR r.destination = ?4)
                AND (?5 IS NULL OR lower(q.sender) = lower(?5))
                AND (?6 IS NULL OR lower(r.address) = lower(?6))
                AND (?7 IS NULL OR q.queued <= ?7) AND (?8 IS NULL OR r.state = ?8),
                q.sender, q.octets, q.queued, q.expires, r.address, r.destination, r.state, r.next,
                r.attempts, r.status
            FROM recipient r CROSS JOIN queued q
            WHERE (r.message, r.number) > (?1, ?2) AND r.message <= ?3 AND q.message = r.message
            ORDER BY r.message, r.number
            """
        )
        select.bind(selector, after: after)
        defer { select.reset() }
        var rows: [QueueRow] = []
        var examined = 0
        var last: QueuePosition?
        while try select.step() {
            if examined == Schema.examinedMax || rows.count >= count {
                return QueuePage(rows: rows, next: last)
            }
            examined += 1
            last = QueuePosition(message: select.messageID(0), number: select.int(1))
            if select.int(2) == 1 { rows.append(try self.row(select)) }
        }
        return QueuePage(rows: rows, next: nil)
    }

    /// The recipient in the current row of a listing.
    private func row(_ select: Statement) throws(StoreError) -> QueueRow {
        let position = QueuePosition(message: select.messageID(0), number: select.int(1))
        let destination = select.octets(8)
        let attempts = select.int(11)
        let last =
            attempts > 0
            ? try self.history(of: select.int64(0), position.number, count: 1).last : nil
        return QueueRow(
            position: position,
            reversePath: select.octets(3),
            octets: select.int(4),
            queuedAt: select.int64(5),
            expiresAt: select.int64(6),
            address: select.octets(7),
            destination: destination,
            state: select.queueState(9),
            nextAt: select.int64(10),
            attempts: attempts,
            status: EnhancedStatus(packed: select.int(12)),
            reply: last?.reply ?? [],
            rest: try self.rest(of: destination)
        )
    }

    private func rest(of destination: [UInt8]) throws(StoreError) -> QueueRest? {
        let select = try self.database.statement(
            "SELECT rests_until, failures, reason FROM destination WHERE name = ?1"
        )
        select.bind(1, destination)
        defer { select.reset() }
        guard try select.step(), select.int64(0) > 0 || select.int(1) > 0 else { return nil }
        return QueueRest(
            until: select.int64(0),
            failures: select.int(1),
            reason: select.octets(2)
        )
    }

    /// A message with up to `count` recipients after the number `after`; nil: it is not queued.
    package func queueMessage(
        _ message: MessageID,
        after: Int?,
        count: Int
    ) throws(StoreError) -> QueueDetail? {
        let select = try self.database.statement(
            """
            SELECT message, sender, octets, flags, envelope_id, account, queued, expires, warns
            FROM queued WHERE message = ?1
            """
        )
        select.bind(1, Int64(bitPattern: message.rawValue))
        defer { select.reset() }
        guard try select.step() else { return nil }
        var selector = QueueSelector()
        selector.message = message
        let place = after.map { QueuePosition(message: message, number: $0) }
        let page = try self.queueRows(selector, after: place, count: count)
        var recipients: [QueueDetail.Recipient] = []
        for row in page.rows { recipients.append(try self.detail(of: row)) }
        return QueueDetail(
            message: select.queuedMessage(),
            submitter: try self.address(of: select.optionalInt(5)),
            recipients: recipients,
            next: page.next?.number
        )
    }

    private func address(of account: Int?) throws(StoreError) -> Address? {
        let select = try self.database.statement("SELECT address FROM account WHERE id = ?1")
        select.bind(1, account)
        defer { select.reset() }
        return try select.step() ? select.address(0) : nil
    }

    private func detail(of row: QueueRow) throws(StoreError) -> QueueDetail.Recipient {
        let message = Int64(bitPattern: row.position.message.rawValue)
        let select = try self.database.statement(
            "SELECT notify, original FROM recipient WHERE message = ?1 AND number = ?2"
        )
        select.bind(1, message)
        select.bind(2, row.position.number)
        defer { select.reset() }
        guard try select.step() else { throw .retryable("a recipient in the queue is not there") }
        return QueueDetail.Recipient(
            row: row,
            notify: NotifyConditions(rawValue: UInt8(truncatingIfNeeded: select.int(0))),
            originalRecipient: select.octets(1),
            history: try self.wholeHistory(of: row)
        )
    }

    /// The attempts for a recipient and those for its destination since it was queued, by time.
    private func wholeHistory(of row: QueueRow) throws(StoreError) -> [QueueDetail.Attempt] {
        var history = try self.history(
            of: Int64(bitPattern: row.position.message.rawValue),
            row.position.number,
            count: Schema.attemptsMax
        )
        let select = try self.database.statement(
            """
            SELECT at, reason FROM failure WHERE destination = ?1 AND at >= ?2 ORDER BY ordinal
            """
        )
        select.bind(1, row.destination)
        select.bind(2, row.queuedAt)
        defer { select.reset() }
        while try select.step() {
            history.append(
                QueueDetail.Attempt(
                    attempt: QueueAttempt(at: select.int64(0), host: [], tls: []),
                    status: nil,
                    reply: select.octets(1)
                )
            )
        }
        return history.sorted { $0.attempt.at < $1.attempt.at }
    }
}
