// SPDX-License-Identifier: Apache-2.0
//
// Reads of the queue for deliveries: what is due of which destination, and content. Each finds its
// rows by an index, and gives no more than it was asked for.

package import MailSyntax
internal import MailBytes

extension MailStoreReader {
    /// Destinations of which something is due, the longest first, but for those in `excluding`;
    /// and when the next one will be after these.
    package func dueDestinations(
        now: Int64,
        max: Int,
        excluding: Set<[UInt8]>
    ) throws(StoreError) -> (due: [DueDestination], nextAt: Int64?) {
        let select = try self.database.statement(
            """
            SELECT name, due, failures FROM destination INDEXED BY destination_due
            WHERE due <= ?1 ORDER BY due
            """
        )
        select.bind(1, now)
        var due: [DueDestination] = []
        while due.count < max, try select.step() {
            let name = select.octets(0)
            if excluding.contains(name) { continue }
            due.append(
                DueDestination(
                    destination: name,
                    dueAt: select.int64(1),
                    failures: select.int(2)
                )
            )
        }
        select.reset()
        let next = try self.database.statement("SELECT min(due) FROM destination WHERE due > ?1")
        next.bind(1, now)
        defer { next.reset() }
        return (due, try next.step() ? next.optionalInt(0).map { Int64($0) } : nil)
    }

    // MARK: - Messages of one destination

    /// The messages that are due of one destination.
    package func dueMessages(_ query: DueMessagesQuery) throws(StoreError) -> DueMessages {
        let (found, isComplete) = try self.dueRecipients(query)
        var messages: [QueuedMessage] = []
        messages.reserveCapacity(found.count)
        var room = query.octetsMax
        for due in found {
            let message = try self.message(of: due, query.destination, octetsMax: room)
            room -= message.content?.count ?? 0
            messages.append(message)
        }
        return DueMessages(messages: messages, isComplete: isComplete)
    }

    /// The recipients of one message that are due.
    private struct DueRecipients {
        let message: MessageRow
        var numbers: [Int]
    }

    /// One pass over the index, which touches no other row.
    private func dueRecipients(
        _ query: DueMessagesQuery
    ) throws(StoreError) -> (found: [DueRecipients], isComplete: Bool) {
        let select = try self.database.statement(
            """
            SELECT message, number FROM recipient INDEXED BY recipient_due
            WHERE state = 0 AND destination = ?1 AND next <= ?2 ORDER BY next, message, number
            """
        )
        select.bind(1, query.destination)
        select.bind(2, query.now)
        defer { select.reset() }
        var found: [DueRecipients] = []
        var places: [MessageRow: Int] = [:]
        while try select.step() {
            let message = select.int64(0)
            if query.excluding.contains(select.messageID(0)) { continue }
            if let place = places[message] {
                guard found[place].numbers.count < query.recipientsMax else { continue }
                found[place].numbers.append(select.int(1))
            } else if found.count < query.messagesMax {
                places[message] = found.count
                found.append(DueRecipients(message: message, numbers: [select.int(1)]))
            } else {
                return (found, false)
            }
        }
        return (found, true)
    }

    private func message(
        of due: DueRecipients,
        _ destination: [UInt8],
        octetsMax: Int
    ) throws(StoreError) -> QueuedMessage {
        let select = try self.database.statement(
            """
            SELECT q.message, q.sender, q.octets, q.flags, q.envelope_id, q.account, q.queued,
                q.expires, q.warns, m.chunks, m.tail
            FROM queued q CROSS JOIN message m WHERE q.message = ?1 AND m.id = ?1
            """
        )
        select.bind(1, due.message)
        defer { select.reset() }
        guard try select.step() else { throw .retryable("a message in the queue is not there") }
        var message = select.queuedMessage()
        message.recipients.reserveCapacity(due.numbers.count)
        for number in due.numbers {
            message.recipients.append(try self.recipient(number, of: due.message, destination))
        }
        guard message.octets <= octetsMax else { return message }
        var content: [UInt8] = []
        content.reserveCapacity(message.octets)
        let place = ContentPlace(message: due.message, chunks: select.int(9), tail: (select, 10))
        try self.appendContent(of: place, from: 0, to: message.octets, into: &content)
        message.needsStuffing = ContentEncoder.mayStuff(content.span)
        message.content = content
        return message
    }

    private func recipient(
        _ number: Int,
        of message: MessageRow,
        _ destination: [UInt8]
    ) throws(StoreError) -> QueuedRecipient {
        let select = try self.database.statement(
            """
            SELECT address, notify, original, attempts FROM recipient
            WHERE message = ?1 AND number = ?2
            """
        )
        select.bind(1, message)
        select.bind(2, number)
        defer { select.reset() }
        guard try select.step() else { throw .retryable("a recipient in the queue is not there") }
        return QueuedRecipient(
            number: number,
            address: select.octets(0),
            destination: destination,
            notify: NotifyConditions(rawValue: UInt8(truncatingIfNeeded: select.int(1))),
            originalRecipient: select.octets(2),
            attempts: select.int(3)
        )
    }

    // MARK: - Content

    /// Appends a part of the content of a queued message, as it was received.
    ///
    /// - Returns: whether the part reaches the end of the content.
    package func queuedContent(
        _ message: MessageID,
        offset: Int,
        max: Int,
        into octets: inout [UInt8]
    ) throws(StoreError) -> Bool {
        let select = try self.database.statement(
            """
            SELECT m.octets, m.chunks, m.tail FROM queued q CROSS JOIN message m
            WHERE q.message = ?1 AND m.id = ?1
            """
        )
        select.bind(1, Int64(bitPattern: message.rawValue))
        defer { select.reset() }
        guard try select.step() else { throw .gone }
        let total = select.int(0)
        let end = min(offset + Swift.max(min(max, total - offset), 0), total)
        let place = ContentPlace(
            message: Int64(bitPattern: message.rawValue),
            chunks: select.int(1),
            tail: (select, 2)
        )
        octets.reserveCapacity(octets.count + Swift.max(end - offset, 0))
        try self.appendContent(of: place, from: offset, to: end, into: &octets)
        return end >= total
    }
}

extension Statement {
    /// The message in the first nine columns: message, sender, octets, flags, envelope_id, account,
    /// queued, expires, warns.
    func queuedMessage() -> QueuedMessage {
        let flags = QueueFlags(rawValue: self.int(3))
        return QueuedMessage(
            id: self.messageID(0),
            reversePath: self.octets(1),
            octets: self.int(2),
            endsWithCRLF: !flags.contains(.lacksLineEnd),
            options: flags.options(envelopeID: self.octets(4)),
            account: self.optionalInt(5).map { AccountID(rawValue: Int64($0)) },
            queuedAt: self.int64(6),
            expiresAt: self.int64(7),
            warnAt: self.optionalInt(8).map { Int64($0) }
        )
    }
}
