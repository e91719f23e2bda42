// SPDX-License-Identifier: Apache-2.0
//
// Words for the tests of the queue.

@testable import MailStore
import MailSyntax
import Testing

extension SQLiteStore {
    /// The second in which everything is queued.
    var now: Int64 { 1_700_000_000 }

    /// Recipients of the queue, with the domains of their mailboxes as destinations.
    func submission(for mailboxes: [String], notify: NotifyConditions = []) -> QueueSubmission {
        QueueSubmission(
            options: EnvelopeOptions(),
            account: nil,
            expiresAt: self.now + 5000,
            warnAt: self.now + 1000,
            recipients: mailboxes.map { mailbox in
                let domain = mailbox.split(separator: "@").last ?? ""
                return QueueRecipient(
                    address: Array(mailbox.utf8),
                    destination: Array(domain.lowercased().utf8),
                    notify: notify
                )
            }
        )
    }

    func enqueue(
        _ id: UInt64,
        for mailboxes: [String],
        content: [UInt8] = Array("Subject: x\r\n\r\nHello.\r\n".utf8),
        from reversePath: String = "sender@example.org",
        notify: NotifyConditions = [],
        also accounts: [AccountID] = []
    ) throws {
        var message = TestMessage(id, content)
        message.reversePath = reversePath
        message.receivedAt = self.now
        let queue = self.submission(for: mailboxes, notify: notify)
        let answer = self.ask(message.append(to: accounts, after: 0, queue: queue))
        try #require(answer.isDone)
    }

    func due(
        _ destination: String,
        now: Int64? = nil,
        messages: Int = 100,
        recipients: Int = 100,
        octets: Int = 1 << 24,
        excluding: Set<MessageID> = []
    ) throws -> DueMessages {
        let query = DueMessagesQuery(
            destination: Array(destination.utf8),
            now: now ?? self.now,
            messagesMax: messages,
            recipientsMax: recipients,
            excluding: excluding,
            octetsMax: octets
        )
        return try #require(self.reader).dueMessages(query)
    }

    /// Destinations of which something is due, and when the next is.
    func dueDestinations(_ now: Int64) throws -> (due: [String], nextAt: Int64?) {
        let found = try #require(self.reader).dueDestinations(now: now, max: 100, excluding: [])
        return (found.due.map { String(decoding: $0.destination, as: UTF8.self) }, found.nextAt)
    }

    func rows(_ selector: QueueSelector = QueueSelector()) throws -> [QueueRow] {
        try #require(self.reader).queueRows(selector, after: nil, count: 1000).rows
    }

    /// The places of all recipients in the queue.
    func queued() throws -> [String] {
        try self.rows().map { "\($0.position.message.rawValue).\($0.position.number)" }
    }

    func settle(_ id: UInt64, _ recipients: [(Int, QueueDisposition)]) {
        let settlement = QueueSettlement(
            message: MessageID(rawValue: id),
            recipients: recipients.map {
                QueueSettlement.Recipient(number: $0, disposition: $1, reply: Array("said".utf8))
            },
            attempt: QueueAttempt(at: self.now, host: Array("mx.example".utf8), tls: [])
        )
        #expect(self.ask(.settle([settlement])).isDone)
    }

    func change(_ change: QueueChange, _ selector: QueueSelector = QueueSelector()) -> Int? {
        var count = 0
        var next: QueuePosition?
        repeat {
            let request = StoreRequest.changeQueue(change, selector, after: next, now: self.now)
            guard case .queueChanged(let changed, let place) = self.ask(request) else { return nil }
            count += changed
            next = place
        } while next != nil
        return count
    }
}
