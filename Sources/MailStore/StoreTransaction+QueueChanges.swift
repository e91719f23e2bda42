// SPDX-License-Identifier: Apache-2.0
//
// What operators do to the queue, in portions: a transaction looks at so many rows, and changes so
// many, that mail does not wait for it.

internal import MailSyntax

extension StoreTransaction {
    /// A recipient that a selector means.
    private struct Selected {
        var row: RecipientRow
        let notify: NotifyConditions
        let hasSender: Bool
    }

    func changeQueue(
        _ change: QueueChange,
        _ selector: QueueSelector,
        _ after: QueuePosition?,
        _ now: Int64
    ) throws(StoreError) -> StoreAnswer {
        let (selected, next) = try self.select(selector, after)
        var count = 0
        var messages: [MessageRow] = []
        for recipient in selected {
            guard try self.apply(change, to: recipient, now) else { continue }
            count += 1
            if messages.last != recipient.row.message { messages.append(recipient.row.message) }
        }
        for message in messages { try self.refreshQueued(message) }
        return .queueChanged(count: count, next: next)
    }

    /// A portion of what is meant, and where the next begins.
    private func select(
        _ selector: QueueSelector,
        _ after: QueuePosition?
    ) throws(StoreError) -> ([Selected], QueuePosition?) {
        let select = try self.database.statement(
            """
            SELECT r.message, r.number, (?4 IS NULL OR r.destination = ?4)
                AND (?5 IS NULL OR lower(q.sender) = lower(?5))
                AND (?6 IS NULL OR lower(r.address) = lower(?6))
                AND (?7 IS NULL OR q.queued <= ?7) AND (?8 IS NULL OR r.state = ?8),
                r.destination, r.state, r.next, r.attempts, r.notify, length(q.sender) > 0
            FROM recipient r CROSS JOIN queued q
            WHERE (r.message, r.number) > (?1, ?2) AND r.message <= ?3 AND q.message = r.message
            ORDER BY r.message, r.number
            """
        )
        select.bind(selector, after: after)
        defer { select.reset() }
        var selected: [Selected] = []
        var examined = 0
        var last: QueuePosition?
        while try select.step() {
            if examined == Schema.examinedMax || selected.count == Schema.changesMax {
                return (selected, last)
            }
            examined += 1
            last = QueuePosition(message: select.messageID(0), number: select.int(1))
            guard select.int(2) == 1 else { continue }
            let row = RecipientRow(
                message: select.int64(0),
                number: select.int(1),
                destination: select.octets(3),
                state: select.queueState(4),
                next: select.int64(5),
                attempts: select.int(6)
            )
            let notify = NotifyConditions(rawValue: UInt8(truncatingIfNeeded: select.int(7)))
            selected.append(Selected(row: row, notify: notify, hasSender: select.int(8) == 1))
        }
        return (selected, nil)
    }

    /// Changes one recipient; whether there was anything to change.
    private func apply(
        _ change: QueueChange,
        to selected: Selected,
        _ now: Int64
    ) throws(StoreError) -> Bool {
        let row = selected.row
        switch (change, row.state) {
        case (.hold, .waiting):
            try self.update(row, to: .held, next: row.next, nil)
        case (.release, .held):
            try self.update(row, to: .waiting, next: now, nil)
        case (.retry, .waiting):
            try self.update(row, to: .waiting, next: min(row.next, now), nil)
            try self.endRest(of: row.destination)
        case (.remove(reporting: true), .waiting), (.remove(reporting: true), .held):
            try self.give(up: selected, now)
        case (.remove(reporting: false), _):
            try self.remove(row)
        case (.hold, _), (.release, _), (.retry, _), (.remove(reporting: true), _):
            return false
        }
        return true
    }

    /// The recipient fails, and its sender is told where that may be.
    private func give(up selected: Selected, _ now: Int64) throws(StoreError) {
        guard selected.hasSender, selected.notify.wantsFailure else {
            return try self.remove(selected.row)
        }
        let attempt = QueueAttempt(at: now, host: [], tls: [])
        let words = Array("removed from the queue by the operator".utf8)
        let row = try self.record(attempt, Self.removedByOperator, words, of: selected.row)
        try self.update(row, to: .failed, next: row.next, Self.removedByOperator)
    }

    /// RFC 3463, section 3.4: other or undefined mail system status.
    private static let removedByOperator = EnhancedStatus(5, 3, 0)
}

extension Statement {
    /// Binds a selector: the place and the last message as 1 to 3, its conditions as 4 to 8.
    func bind(_ selector: QueueSelector, after: QueuePosition?) {
        let first = selector.message.map { Int64(bitPattern: $0.rawValue) }
        let start = after.map { Int64(bitPattern: $0.message.rawValue) } ?? first ?? 0
        self.bind(1, start)
        self.bind(2, after?.number ?? -1)
        self.bind(3, first ?? .max)
        self.bind(4, selector.destination)
        self.bind(5, selector.sender)
        self.bind(6, selector.recipient)
        self.bind(7, selector.queuedUntil.map { Int($0) })
        self.bind(8, selector.state.map { Int($0.rawValue) })
    }
}
