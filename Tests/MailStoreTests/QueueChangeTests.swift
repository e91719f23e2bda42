// SPDX-License-Identifier: Apache-2.0

@testable import MailStore
import MailSyntax
import Testing

@Suite("The queue: what operators change and see")
struct QueueChangeTests {
    /// Three messages of two senders for two destinations.
    private func make() throws -> SQLiteStore {
        let store = try SQLiteStore()
        try store.enqueue(1, for: ["a@far.example", "b@near.example"], from: "one@example.org")
        try store.enqueue(2, for: ["A@Far.example", "c@far.example"], from: "Two@example.org")
        try store.enqueue(3, for: ["d@near.example"], from: "")
        return store
    }

    private func selector(_ change: (inout QueueSelector) -> Void) -> QueueSelector {
        var selector = QueueSelector()
        change(&selector)
        return selector
    }

    private func found(_ store: SQLiteStore, _ change: (inout QueueSelector) -> Void) throws
        -> [String]
    {
        try store.rows(self.selector(change)).map {
            "\($0.position.message.rawValue).\($0.position.number)"
        }
    }

    @Test("A selector means what all its conditions say")
    func selectors() throws {
        let store = try self.make()
        #expect(try self.found(store) { _ in } == ["1.0", "1.1", "2.0", "2.1", "3.0"])
        #expect(try self.found(store) { $0.message = MessageID(rawValue: 2) } == ["2.0", "2.1"])
        #expect(try self.found(store) { $0.message = MessageID(rawValue: 4) } == [])
        #expect(
            try self.found(store) { $0.destination = Array("near.example".utf8) } == ["1.1", "3.0"]
        )
        #expect(
            try self.found(store) { $0.sender = Array("two@EXAMPLE.org".utf8) } == ["2.0", "2.1"]
        )
        #expect(try self.found(store) { $0.sender = [] } == ["3.0"])
        #expect(
            try self.found(store) { $0.recipient = Array("a@far.example".utf8) } == ["1.0", "2.0"]
        )
        #expect(
            try self.found(store) { $0.recipient = Array("c@far.EXAMPLE".utf8) } == ["2.1"]
        )
        #expect(try self.found(store) { $0.queuedUntil = store.now - 1 } == [])
        #expect(try self.found(store) { $0.queuedUntil = store.now }.count == 5)
        #expect(try self.found(store) { $0.state = .held } == [])
        let both = try self.found(store) {
            $0.sender = Array("one@example.org".utf8)
            $0.destination = Array("near.example".utf8)
        }
        #expect(both == ["1.1"])
    }

    @Test("Held mail is not due until it is released")
    func holdAndRelease() throws {
        let store = try self.make()
        let far = self.selector { $0.destination = Array("far.example".utf8) }
        #expect(store.change(.hold, far) == 3)
        #expect(store.change(.hold, far) == 0)
        #expect(try store.due("far.example").messages.isEmpty)
        #expect(store.change(.hold) == 2)
        #expect(try store.dueDestinations(.max).due.isEmpty)
        // A delivery that was under way when the mail was held ends as it ends.
        store.settle(1, [(0, .retry(at: store.now + 60, status: EnhancedStatus(4, 2, 0)))])
        #expect(try store.rows().map(\.state) == [.held, .held, .held, .held, .held])
        store.settle(3, [(0, .removed)])
        #expect(store.change(.release) == 4)
        #expect(try store.due("far.example").messages.map(\.id.rawValue) == [1, 2])
        #expect(try StoreAudit(store.directory).findings() == [])
    }

    @Test("Retried mail is due now, and its destination rests no more")
    func retry() throws {
        let store = try self.make()
        let later = QueueDisposition.retry(at: store.now + 600, status: EnhancedStatus(4, 2, 0))
        store.settle(1, [(0, later), (1, later)])
        for name in ["far.example", "near.example"] {
            let rest = StoreRequest.rest(
                destination: Array(name.utf8),
                until: store.now + 900,
                failures: 1,
                reason: []
            )
            #expect(store.ask(rest).isDone)
        }
        let one = self.selector {
            $0.message = MessageID(rawValue: 1)
            $0.recipient = Array("b@near.example".utf8)
        }
        #expect(store.change(.retry, one) == 1)
        let found = try store.dueDestinations(store.now)
        #expect(found.due == ["near.example"])
        #expect(found.nextAt == store.now + 900)
        #expect(try store.due("near.example").messages.map(\.id.rawValue) == [1, 3])
    }

    @Test("Removed mail goes without a word, or with a report where one may be sent")
    func remove() throws {
        let store = try self.make()
        try store.enqueue(4, for: ["e@far.example"], notify: .never)
        let far = self.selector { $0.destination = Array("far.example".utf8) }
        #expect(store.change(.remove(reporting: true), far) == 4)
        #expect(store.change(.remove(reporting: true), far) == 0)
        let near = self.selector { $0.destination = Array("near.example".utf8) }
        #expect(store.change(.remove(reporting: true), near) == 2)
        let rows = try store.rows()
        #expect(try store.queued() == ["1.0", "1.1", "2.0", "2.1"])
        #expect(rows.allSatisfy { $0.state == .failed && $0.status == EnhancedStatus(5, 3, 0) })
        #expect(rows[0].reply == Array("removed from the queue by the operator".utf8))
        #expect(store.change(.remove(reporting: false)) == rows.count)
        #expect(try store.queued().isEmpty)
        let audit = try StoreAudit(store.directory)
        #expect(try audit.count("SELECT count(*) FROM message") == 0)
    }

    @Test("A change goes through the queue in portions, and so does a listing")
    func portions() throws {
        let store = try SQLiteStore()
        let count = 2 * Schema.changesMax + 10
        try store.enqueue(1, for: (0..<count).map { "user\($0)@far.example" })
        try store.enqueue(2, for: ["a@near.example"])
        let hold = StoreRequest.changeQueue(.hold, QueueSelector(), after: nil, now: store.now)
        guard case .queueChanged(let changed, let next?) = store.ask(hold) else {
            Issue.record("not one portion of several")
            return
        }
        #expect(changed == Schema.changesMax)
        #expect(next == QueuePosition(message: MessageID(rawValue: 1), number: changed - 1))
        #expect(store.change(.hold) == count + 1 - changed)
        let reader = try #require(store.reader)
        let page = try reader.queueRows(QueueSelector(), after: next, count: 5)
        #expect(page.rows.map(\.position.number) == Array(changed..<(changed + 5)))
        #expect(page.next?.number == changed + 4)
        let first = try #require(
            try reader.queueMessage(MessageID(rawValue: 1), after: nil, count: 3)
        )
        #expect(first.next == 2)
        let detail = try #require(
            try reader.queueMessage(MessageID(rawValue: 1), after: count - 2, count: 3)
        )
        #expect(detail.recipients.map(\.row.position.number) == [count - 1])
        #expect(detail.next == nil)
        #expect(try reader.queueMessage(MessageID(rawValue: 3), after: nil, count: 3) == nil)
    }
}
