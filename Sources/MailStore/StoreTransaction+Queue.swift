// SPDX-License-Identifier: Apache-2.0
//
// Recipients on their way into the queue, and out of it after attempts; destinations that rest.

internal import MailSyntax

extension StoreTransaction {
    // MARK: - In

    func enqueue(
        _ message: StoreRequest.Append,
        _ queue: QueueSubmission
    ) throws(StoreError) {
        let id = MessageRow(message.id.rawValue)
        let waits = queue.recipients.contains { $0.state == .waiting }
        let row = try self.database.statement(
            "INSERT INTO queued VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
        )
        row.bind(1, id)
        row.bind(2, queue.account.map { Int($0.rawValue) })
        row.bind(3, message.reversePath)
        row.bind(4, message.octets)
        row.bind(5, QueueFlags(queue.options, endsWithCRLF: message.endsWithCRLF).rawValue)
        row.bind(6, queue.options.envelopeID)
        row.bind(7, message.receivedAt)
        row.bind(8, queue.expiresAt)
        row.bind(9, queue.warnAt.map { Int($0) })
        row.bind(10, waits ? Int(min(queue.expiresAt, queue.warnAt ?? .max)) : nil)
        try row.run()
        for (number, recipient) in queue.recipients.enumerated() {
            try self.insert(recipient, number, of: id, at: message.receivedAt)
        }
    }

    private func insert(
        _ recipient: QueueRecipient,
        _ number: Int,
        of message: MessageRow,
        at now: Int64
    ) throws(StoreError) {
        let state: QueueState = recipient.state == .waiting ? .waiting : .delivered
        let row = try self.database.statement(
            "INSERT INTO recipient VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)"
        )
        row.bind(1, message)
        row.bind(2, number)
        row.bind(3, recipient.destination)
        row.bind(4, recipient.address)
        row.bind(5, Int(recipient.notify.rawValue))
        row.bind(6, recipient.originalRecipient)
        row.bind(7, Int(state.rawValue))
        row.bind(8, now)
        row.bind(9, state == .waiting ? 0 : EnhancedStatus(2, 0, 0).packed)
        try row.run()
        if state == .waiting { self.touch(recipient.destination) }
    }

    // MARK: - Out

    func settle(_ settlements: [QueueSettlement]) throws(StoreError) -> StoreAnswer {
        for settlement in settlements {
            let message = MessageRow(settlement.message.rawValue)
            var isChanged = false
            for recipient in settlement.recipients {
                guard let row = try self.recipient(message, recipient.number) else { continue }
                isChanged = true
                try self.settle(row, recipient, settlement.attempt)
            }
            if isChanged { try self.refreshQueued(message) }
        }
        return .changed
    }

    private func settle(
        _ row: RecipientRow,
        _ recipient: QueueSettlement.Recipient,
        _ attempt: QueueAttempt?
    ) throws(StoreError) {
        switch recipient.disposition {
        case .removed:
            // Whatever its state: a delivery may end after the row was held, or had expired.
            self.touch(row.destination, tookMail: attempt != nil)
            try self.remove(row)
        case .retry(let at, let status):
            guard row.state == .waiting || row.state == .held else { return }
            let row = try self.record(attempt, status, recipient.reply, of: row)
            try self.update(row, to: row.state, next: at, status)
        case .report(let outcome, let status):
            let isOpen = row.state == .waiting || row.state == .held
            // What was delivered after all has not failed.
            guard isOpen || row.state == .failed && outcome != .failed else { return }
            self.touch(row.destination, tookMail: outcome != .failed)
            let row = try self.record(attempt, status, recipient.reply, of: row)
            try self.update(row, to: QueueState(outcome), next: row.next, status)
        }
    }

    // MARK: - Rows

    /// A recipient as the transaction found it.
    struct RecipientRow {
        let message: MessageRow
        let number: Int
        let destination: [UInt8]
        let state: QueueState
        let next: Int64
        var attempts: Int
    }

    func recipient(_ message: MessageRow, _ number: Int) throws(StoreError) -> RecipientRow? {
        let select = try self.database.statement(
            """
            SELECT destination, state, next, attempts FROM recipient
            WHERE message = ?1 AND number = ?2
            """
        )
        select.bind(1, message)
        select.bind(2, number)
        defer { select.reset() }
        guard try select.step() else { return nil }
        return RecipientRow(
            message: message,
            number: number,
            destination: select.octets(0),
            state: select.queueState(1),
            next: select.int64(2),
            attempts: select.int(3)
        )
    }

    /// Writes a recipient's new state; its destination is looked at afterwards.
    func update(
        _ row: RecipientRow,
        to state: QueueState,
        next: Int64,
        _ status: EnhancedStatus?
    ) throws(StoreError) {
        self.touch(row.destination)
        let update = try self.database.statement(
            """
            UPDATE recipient SET state = ?3, next = ?4, attempts = ?5, status = coalesce(?6, status)
            WHERE message = ?1 AND number = ?2
            """
        )
        update.bind(1, row.message)
        update.bind(2, row.number)
        update.bind(3, Int(state.rawValue))
        update.bind(4, next)
        update.bind(5, row.attempts)
        update.bind(6, status?.packed)
        try update.run()
    }

    /// Removes a recipient with its history; `refreshQueued` has to follow.
    func remove(_ row: RecipientRow) throws(StoreError) {
        self.touch(row.destination)
        let remove = try self.database.statement(
            "DELETE FROM recipient WHERE message = ?1 AND number = ?2"
        )
        remove.bind(1, row.message)
        remove.bind(2, row.number)
        try remove.run()
        guard row.attempts > 0 else { return }
        let history = try self.database.statement(
            "DELETE FROM attempt WHERE message = ?1 AND number = ?2"
        )
        history.bind(1, row.message)
        history.bind(2, row.number)
        try history.run()
    }

    /// Adds an attempt to the history, which keeps the last ten; returns the row as it counts it.
    func record(
        _ attempt: QueueAttempt?,
        _ status: EnhancedStatus,
        _ reply: [UInt8],
        of row: RecipientRow
    ) throws(StoreError) -> RecipientRow {
        guard let attempt else { return row }
        var row = row
        row.attempts += 1
        let insert = try self.database.statement(
            "INSERT OR REPLACE INTO attempt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        )
        insert.bind(1, row.message)
        insert.bind(2, row.number)
        insert.bind(3, row.attempts)
        insert.bind(4, attempt.at)
        insert.bind(5, status.packed)
        insert.bind(6, attempt.host.printable(max: Schema.hostOctetsMax))
        insert.bind(7, attempt.tls.printable(max: Schema.hostOctetsMax))
        insert.bind(8, reply.printable(max: Schema.replyOctetsMax))
        try insert.run()
        guard row.attempts > Schema.attemptsMax else { return row }
        let forget = try self.database.statement(
            "DELETE FROM attempt WHERE message = ?1 AND number = ?2 AND ordinal <= ?3"
        )
        forget.bind(1, row.message)
        forget.bind(2, row.number)
        forget.bind(3, row.attempts - Schema.attemptsMax)
        try forget.run()
        return row
    }

    /// After recipients of a message have changed: nobody may be left, or nobody who waits.
    func refreshQueued(_ message: MessageRow) throws(StoreError) {
        let select = try self.database.statement("SELECT state FROM recipient WHERE message = ?1")
        select.bind(1, message)
        var isEmpty = true
        var waits = false
        while !waits, try select.step() {
            isEmpty = false
            waits = select.queueState(0) == .waiting
        }
        select.reset()
        guard !isEmpty else { return try self.dequeue(message) }
        let update = try self.database.statement(
            """
            UPDATE queued SET wakes = iif(?2, min(expires, coalesce(warns, expires)), NULL)
            WHERE message = ?1
            AND wakes IS NOT iif(?2, min(expires, coalesce(warns, expires)), NULL)
            """
        )
        update.bind(1, message)
        update.bind(2, waits ? 1 : 0)
        try update.run()
    }

    /// No recipient is left.
    private func dequeue(_ message: MessageRow) throws(StoreError) {
        let select = try self.database.statement("SELECT octets FROM queued WHERE message = ?1")
        select.bind(1, message)
        let octets = try select.step() ? select.int(0) : 0
        select.reset()
        let remove = try self.database.statement("DELETE FROM queued WHERE message = ?1")
        remove.bind(1, message)
        try remove.run()
        guard self.database.changes == 1 else { return }
        try self.forgetCopy(of: message, octets: octets)
    }
}
