// SPDX-License-Identifier: Apache-2.0
//
// Reads of the queue for those who watch over it: what expires, what is late, what awaits a report.

package import MailSyntax
internal import MailBytes

extension MailStoreReader {
    /// So many recipients of one message are told of at once.
    private static let recipientsMax = 1000
    /// So much of the content may be header.
    private static let headerOctetsMax = 1 << 16

    // MARK: - Time

    /// Messages that expired by `now` and still have recipients that wait.
    package func expiring(
        now: Int64,
        max: Int,
        excluding: Set<MessageID>
    ) throws(StoreError) -> QueueWatchFindings {
        let select = try self.database.statement(
            """
            SELECT message, sender, octets, flags, envelope_id, account, queued, expires, warns
            FROM queued INDEXED BY queued_wakes
            WHERE wakes <= ?1 AND expires <= ?1 ORDER BY wakes
            """
        )
        return try self.findings(select, now: now, max: max, excluding: excluding)
    }

    /// Messages, not expired, of whose waiting recipients a delay may be reported by `now`.
    package func warnable(
        now: Int64,
        max: Int,
        excluding: Set<MessageID>
    ) throws(StoreError) -> QueueWatchFindings {
        let select = try self.database.statement(
            """
            SELECT message, sender, octets, flags, envelope_id, account, queued, expires, warns
            FROM queued INDEXED BY queued_wakes
            WHERE wakes <= ?1 AND warns <= ?1 AND expires > ?1 ORDER BY wakes
            """
        )
        return try self.findings(select, now: now, max: max, excluding: excluding)
    }

    private func findings(
        _ select: Statement,
        now: Int64,
        max: Int,
        excluding: Set<MessageID>
    ) throws(StoreError) -> QueueWatchFindings {
        select.bind(1, now)
        defer { select.reset() }
        var messages: [QueuedMessage] = []
        while messages.count < max, try select.step() {
            if excluding.contains(select.messageID(0)) { continue }
            var message = select.queuedMessage()
            message.recipients = try self.waiting(of: select.int64(0))
            messages.append(message)
        }
        let next = try self.database.statement(
            """
            SELECT wakes FROM queued INDEXED BY queued_wakes WHERE wakes > ?1 ORDER BY wakes LIMIT 1
            """
        )
        next.bind(1, now)
        defer { next.reset() }
        return QueueWatchFindings(
            messages: messages,
            nextAt: try next.step() ? next.int64(0) : nil
        )
    }

    private func waiting(of message: MessageRow) throws(StoreError) -> [QueuedRecipient] {
        let select = try self.database.statement(
            """
            SELECT number, address, destination, notify, original, attempts FROM recipient
            WHERE message = ?1 AND state = 0 ORDER BY number LIMIT ?2
            """
        )
        select.bind(1, message)
        select.bind(2, Self.recipientsMax)
        defer { select.reset() }
        var recipients: [QueuedRecipient] = []
        while try select.step() { recipients.append(select.queuedRecipient()) }
        return recipients
    }

    // MARK: - Reports

    /// Messages with recipients that await a report, from the one after `after` on.
    package func reportsDue(
        after: MessageID?,
        max: Int
    ) throws(StoreError) -> [QueueReportDue] {
        let select = try self.database.statement(
            """
            SELECT DISTINCT message FROM recipient INDEXED BY recipient_reported
            WHERE state >= 2 AND message > ?1 ORDER BY message LIMIT ?2
            """
        )
        select.bind(1, after.map { Int64(bitPattern: $0.rawValue) } ?? -1)
        select.bind(2, max)
        var messages: [MessageRow] = []
        while try select.step() { messages.append(select.int64(0)) }
        select.reset()
        var due: [QueueReportDue] = []
        for message in messages { due.append(try self.reportDue(message)) }
        return due
    }

    private func reportDue(_ message: MessageRow) throws(StoreError) -> QueueReportDue {
        let select = try self.database.statement(
            """
            SELECT message, sender, octets, flags, envelope_id, account, queued, expires, warns
            FROM queued WHERE message = ?1
            """
        )
        select.bind(1, message)
        defer { select.reset() }
        guard try select.step() else { throw .retryable("a message in the queue is not there") }
        return QueueReportDue(
            message: select.queuedMessage(),
            recipients: try self.reported(of: message),
            header: try self.header(of: select.messageID(0))
        )
    }

    private func reported(
        of message: MessageRow
    ) throws(StoreError) -> [QueueReportDue.Recipient] {
        let select = try self.database.statement(
            """
            SELECT number, address, destination, notify, original, attempts, state, status
            FROM recipient INDEXED BY recipient_reported
            WHERE state >= 2 AND message = ?1 ORDER BY number LIMIT ?2
            """
        )
        select.bind(1, message)
        select.bind(2, Self.recipientsMax)
        defer { select.reset() }
        var recipients: [QueueReportDue.Recipient] = []
        while try select.step() {
            guard let outcome = QueueOutcome(rawValue: UInt8(truncatingIfNeeded: select.int(6)))
            else { continue }
            let last = try self.history(of: message, select.int(0), count: 1).last
            recipients.append(
                QueueReportDue.Recipient(
                    recipient: select.queuedRecipient(),
                    outcome: outcome,
                    status: EnhancedStatus(packed: select.int(7)) ?? EnhancedStatus(5, 0, 0),
                    attempt: last?.attempt,
                    reply: last?.reply ?? []
                )
            )
        }
        return recipients
    }

    /// The header and the empty line after it, or as much as there is room for.
    private func header(of message: MessageID) throws(StoreError) -> [UInt8] {
        var octets: [UInt8] = []
        _ = try self.queuedContent(
            message,
            offset: 0,
            max: Self.headerOctetsMax,
            into: &octets
        )
        if octets.starts(with: [.cr, .lf]) { return [.cr, .lf] }
        var start = 0
        while let end = octets.span.firstIndex(of: .lf, from: start) {
            let rest = octets[(end + 1)...]
            if rest.starts(with: [.cr, .lf]) { return Array(octets[...(end + 2)]) }
            start = end + 1
        }
        return octets
    }

    /// The last attempts for a recipient, the oldest first.
    func history(
        of message: MessageRow,
        _ number: Int,
        count: Int
    ) throws(StoreError) -> [QueueDetail.Attempt] {
        let select = try self.database.statement(
            """
            SELECT at, host, tls, status, reply FROM attempt WHERE message = ?1 AND number = ?2
            ORDER BY ordinal DESC LIMIT ?3
            """
        )
        select.bind(1, message)
        select.bind(2, number)
        select.bind(3, count)
        defer { select.reset() }
        var attempts: [QueueDetail.Attempt] = []
        while try select.step() {
            attempts.append(
                QueueDetail.Attempt(
                    attempt: QueueAttempt(
                        at: select.int64(0),
                        host: select.octets(1),
                        tls: select.octets(2)
                    ),
                    status: EnhancedStatus(packed: select.int(3)),
                    reply: select.octets(4)
                )
            )
        }
        return attempts.reversed()
    }
}

extension Statement {
    /// The recipient in the first six columns: number, address, destination, notify, original,
    /// attempts.
    func queuedRecipient() -> QueuedRecipient {
        QueuedRecipient(
            number: self.int(0),
            address: self.octets(1),
            destination: self.octets(2),
            notify: NotifyConditions(rawValue: UInt8(truncatingIfNeeded: self.int(3))),
            originalRecipient: self.octets(4),
            attempts: self.int(5)
        )
    }
}
