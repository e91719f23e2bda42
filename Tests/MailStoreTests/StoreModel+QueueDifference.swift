// SPDX-License-Identifier: Apache-2.0
//
// The queue as each of the reads tells of it, compared with what it should hold.

@testable import MailStore
import MailSyntax

extension StoreModel {
    /// The first thing in which the queue differs; nil when it is as it should be.
    func queueDifference(from reader: MailStoreReader) throws(StoreError) -> String? {
        if let found = try self.rowDifference(from: reader) { return "queue: \(found)" }
        if let found = try self.dueDifference(from: reader) { return "due: \(found)" }
        if let found = try self.timeDifference(from: reader) { return "time: \(found)" }
        if let found = try self.reportDifference(from: reader) { return "reports: \(found)" }
        return nil
    }

    private func rowDifference(from reader: MailStoreReader) throws(StoreError) -> String? {
        var found: [String] = []
        var after: QueuePosition?
        repeat {
            let page = try reader.queueRows(QueueSelector(), after: after, count: 7)
            found += page.rows.map { row in
                "\(row.position.message.rawValue).\(row.position.number) "
                    + "\(row.state) \(row.nextAt) \(row.attempts) "
                    + "\(row.status?.description ?? "-") \(row.octets) \(row.expiresAt) "
                    + String(decoding: row.address + row.destination + row.reply, as: UTF8.self)
            }
            after = page.next
        } while after != nil
        var expected: [String] = []
        for (id, queued) in self.queue.sorted(by: { $0.key < $1.key }) {
            for (number, row) in queued.recipients.sorted(by: { $0.key < $1.key }) {
                expected.append(
                    "\(id).\(number) \(row.state) \(row.next) \(row.attempts.count) "
                        + "\(row.status?.description ?? "-") \(queued.message.content.count) "
                        + "\(queued.submission.expiresAt) "
                        + String(
                            decoding: row.recipient.address + row.recipient.destination
                                + (row.attempts.last?.reply ?? []),
                            as: UTF8.self
                        )
                )
            }
        }
        for (one, other) in zip(found, expected) where one != other {
            return "\(one), not \(other)"
        }
        return found.count == expected.count
            ? nil : "\(found.count) rows, not \(expected.count)"
    }

    /// What is due of each destination, at the end of time, and when.
    private func dueDifference(from reader: MailStoreReader) throws(StoreError) -> String? {
        let due = try reader.dueDestinations(now: .max, max: 1000, excluding: []).due
        let destinations = self.destinations
        guard Set(due.map(\.destination)) == destinations, due.count == destinations.count else {
            return "destinations \(due.map { String(decoding: $0.destination, as: UTF8.self) })"
        }
        for found in due {
            let waiting = self.queue.flatMap { id, queued in
                queued.recipients.filter {
                    $0.value.state == .waiting
                        && $0.value.recipient.destination == found.destination
                }.map { (id: id, number: $0.key, next: $0.value.next) }
            }
            let rest = self.rests[found.destination] ?? Rest()
            let dueAt = max(rest.until, waiting.map(\.next).min() ?? 0)
            guard found.dueAt == dueAt, found.failures == rest.failures else {
                let name = String(decoding: found.destination, as: UTF8.self)
                return "\(name) at \(found.dueAt) after \(found.failures) failures, not \(dueAt) "
                    + "after \(rest.failures)"
            }
            let query = DueMessagesQuery(
                destination: found.destination,
                now: .max,
                messagesMax: 1000,
                octetsMax: 100_000
            )
            let messages = try reader.dueMessages(query).messages
            let numbers = messages.flatMap { message in
                message.recipients.map { "\(message.id.rawValue).\($0.number)" }
            }
            guard numbers.sorted() == waiting.map({ "\($0.id).\($0.number)" }).sorted() else {
                return "messages \(numbers)"
            }
            for message in messages {
                if let difference = try self.difference(message, from: reader) { return difference }
            }
        }
        return nil
    }

    private func difference(
        _ message: QueuedMessage,
        from reader: MailStoreReader
    ) throws(StoreError) -> String? {
        guard let queued = self.queue[message.id.rawValue] else { return "another message" }
        var content: [UInt8] = []
        while try !reader.queuedContent(
            message.id,
            offset: content.count,
            max: 50_001,
            into: &content
        ) {}
        guard content == queued.message.content, message.content ?? content == content,
            message.octets == content.count, message.endsWithCRLF == queued.message.endsWithCRLF,
            message.options == queued.submission.options, message.warnAt == queued.warnAt,
            message.account == queued.submission.account,
            message.reversePath == Array(queued.message.reversePath.utf8),
            message.queuedAt == queued.message.receivedAt
        else { return "message \(message.id.rawValue) is not what it was" }
        return nil
    }

    private func timeDifference(from reader: MailStoreReader) throws(StoreError) -> String? {
        let wakes = self.queue.values.compactMap(\.wakes).min()
        guard try reader.expiring(now: 0, max: 1, excluding: []).nextAt == wakes else {
            return "the next message expires at another time than \(wakes ?? 0)"
        }
        let expired = try reader.expiring(now: .max, max: 1000, excluding: []).messages
        let waiting = self.queue.filter(\.value.waits).keys.sorted()
        guard expired.map(\.id.rawValue).sorted() == waiting else { return "others expire" }
        for message in expired {
            let numbers = self.queue[message.id.rawValue]?.recipients
                .filter { $0.value.state == .waiting }.keys.sorted()
            if message.recipients.map(\.number) != numbers { return "other recipients expire" }
        }
        return nil
    }

    private func reportDifference(from reader: MailStoreReader) throws(StoreError) -> String? {
        let due = try reader.reportsDue(after: nil, max: 1000)
        let expected = self.queue.filter { !$0.value.awaitingReport.isEmpty }
        guard due.map(\.message.id.rawValue) == expected.keys.sorted() else {
            return "messages \(due.map(\.message.id.rawValue))"
        }
        for report in due {
            guard let queued = expected[report.message.id.rawValue],
                report.recipients.map(\.recipient.number) == queued.awaitingReport
            else { return "other recipients of \(report.message.id.rawValue)" }
            for found in report.recipients {
                let row = queued.recipients[found.recipient.number]
                guard found.outcome.rawValue == row?.state.rawValue, found.status == row?.status,
                    found.attempt?.at == row?.attempts.last?.at,
                    found.reply == row?.attempts.last?.reply ?? []
                else { return "recipient \(found) is not \(String(describing: row))" }
            }
        }
        return nil
    }
}
