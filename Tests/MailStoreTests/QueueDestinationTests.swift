// SPDX-License-Identifier: Apache-2.0

@testable import MailStore
import MailSyntax
import Testing

@Suite("The queue: destinations")
struct QueueDestinationTests {
    private func rest(
        _ store: SQLiteStore,
        _ destination: String,
        until: Int64,
        failures: Int = 1
    ) {
        let request = StoreRequest.rest(
            destination: Array(destination.utf8),
            until: until,
            failures: failures,
            reason: Array("connection refused".utf8)
        )
        #expect(store.ask(request).isDone)
    }

    @Test("A destination that rests is due when its rest is over, whatever comes for it")
    func rests() throws {
        let store = try SQLiteStore()
        let now = store.now
        try store.enqueue(1, for: ["a@far.example", "b@near.example"])
        #expect(try store.dueDestinations(now).due == ["far.example", "near.example"])
        self.rest(store, "far.example", until: now + 300, failures: 2)
        try store.enqueue(2, for: ["c@far.example"])
        let found = try store.dueDestinations(now)
        #expect(found.due == ["near.example"])
        #expect(found.nextAt == now + 300)
        let later = try #require(store.reader)
            .dueDestinations(now: now + 300, max: 9, excluding: [Array("near.example".utf8)])
        #expect(later.due.map(\.failures) == [2])
        #expect(later.due.map(\.dueAt) == [now + 300])
        let row = try #require(try store.rows().first)
        let rest = QueueRest(
            until: now + 300,
            failures: 2,
            reason: Array("connection refused".utf8)
        )
        #expect(row.rest == rest)
        try store.restart(inOrder: false)
        #expect(try store.dueDestinations(now).due == ["near.example"])
    }

    @Test("The last ten failures of a destination are told of all that waits for it")
    func failures() throws {
        let store = try SQLiteStore()
        func history(_ id: UInt64) throws -> [QueueDetail.Attempt]? {
            try #require(store.reader).queueMessage(MessageID(rawValue: id), after: nil, count: 1)?
                .recipients.first?.history
        }
        try store.enqueue(1, for: ["a@far.example"])
        for round in 1...12 {
            let rest = StoreRequest.rest(
                destination: Array("far.example".utf8),
                until: store.now + Int64(100 * round),
                failures: round,
                reason: Array("refused \(round)".utf8),
                at: store.now + Int64(10 * round)
            )
            #expect(store.ask(rest).isDone)
        }
        // What ends a rest is no failure.
        self.rest(store, "far.example", until: 0, failures: 0)
        let settlement = QueueSettlement(
            message: MessageID(rawValue: 1),
            recipients: [
                QueueSettlement.Recipient(
                    number: 0,
                    disposition: .retry(at: store.now, status: EnhancedStatus(4, 2, 0))
                )
            ],
            attempt: QueueAttempt(at: store.now + 95, host: Array("mx".utf8), tls: [])
        )
        #expect(store.ask(.settle([settlement])).isDone)
        let all = try #require(try history(1))
        #expect(
            all.map { $0.attempt.at - store.now } == [
                30, 40, 50, 60, 70, 80, 90, 95, 100, 110, 120,
            ]
        )
        #expect(all.last?.reply == Array("refused 12".utf8))
        #expect(all.map { $0.status == nil }.filter { !$0 }.count == 1)
        var later = TestMessage(2, "Subject: later\r\n\r\n")
        later.receivedAt = store.now + 105
        let queue = store.submission(for: ["b@far.example"])
        #expect(store.ask(later.append(to: [], after: 0, queue: queue)).isDone)
        #expect(try history(2)?.map { $0.attempt.at - store.now } == [110, 120])
        store.settle(1, [(0, .removed)])
        store.settle(2, [(0, .removed)])
        let audit = try StoreAudit(store.directory)
        #expect(try audit.findings() == [])
        #expect(try audit.count("SELECT count(*) FROM failure") == 0)
    }

    @Test("Nothing is kept of a destination for which nothing waits")
    func forgotten() throws {
        let store = try SQLiteStore()
        self.rest(store, "far.example", until: store.now + 300)
        try store.enqueue(1, for: ["a@far.example"])
        #expect(try store.dueDestinations(store.now).due == ["far.example"])
        self.rest(store, "far.example", until: store.now + 300)
        store.settle(1, [(0, .removed)])
        try store.enqueue(2, for: ["a@far.example"])
        #expect(try store.dueDestinations(store.now).due == ["far.example"])
        #expect(try store.rows()[0].rest == nil)
    }

    @Test("Mail that was taken ends the failures")
    func failuresEnd() throws {
        let store = try SQLiteStore()
        for id in 1...3 { try store.enqueue(UInt64(id), for: ["a@far.example"]) }
        self.rest(store, "far.example", until: store.now - 1, failures: 4)
        store.settle(1, [(0, .report(.failed, EnhancedStatus(5, 1, 1)))])
        #expect(try store.rows()[1].rest?.failures == 4)
        store.settle(2, [(0, .removed)])
        let due = try #require(store.reader)
            .dueDestinations(now: store.now, max: 1, excluding: []).due
        #expect(due.map(\.failures) == [0])
    }

    @Test("A destination that is woken has all its recipients due, in portions")
    func wake() throws {
        let store = try SQLiteStore()
        let count = Schema.changesMax + 500
        let mailboxes = (0..<count).map { "user\($0)@far.example" }
        try store.enqueue(1, for: mailboxes)
        let retry = QueueDisposition.retry(at: store.now + 900, status: EnhancedStatus(4, 2, 0))
        store.settle(1, (0..<count).map { ($0, retry) })
        self.rest(store, "far.example", until: store.now + 1200)
        #expect(try store.dueDestinations(store.now + 1000).due.isEmpty)
        let request = StoreRequest.wake(destination: Array("far.example".utf8), now: store.now)
        var counts: [Int] = []
        var hasMore = true
        while hasMore, counts.count < 9 {
            guard case .queueChanged(let count, let next) = store.ask(request) else { break }
            counts.append(count)
            hasMore = next != nil
        }
        #expect(counts == [Schema.changesMax, 500])
        #expect(try store.dueDestinations(store.now).due == ["far.example"])
        let due = try store.due("far.example", recipients: 10_000)
        #expect(due.messages.map(\.recipients.count) == [count])
        #expect(try StoreAudit(store.directory).findings() == [])
    }

    @Test("All destinations are woken from their rests, and single recipients are not")
    func wakeAll() throws {
        let store = try SQLiteStore()
        for index in 0..<30 {
            try store.enqueue(UInt64(index + 1), for: ["a@host\(index).example"])
            self.rest(store, "host\(index).example", until: store.now + 600, failures: 3)
        }
        let retry = QueueDisposition.retry(at: store.now + 60, status: EnhancedStatus(4, 2, 0))
        store.settle(1, [(0, retry)])
        let answer = store.ask(.wake(destination: nil, now: store.now))
        guard case .queueChanged(let count, nil) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(count == 30)
        let found = try store.dueDestinations(store.now)
        #expect(found.due.count == 29)
        #expect(found.nextAt == store.now + 60)
        // How long they rest when they fail again is not forgotten.
        #expect(try store.rows()[1].rest?.failures == 3)
    }

    @Test("Messages expire, and are late, by an index and each at its time")
    func time() throws {
        let store = try SQLiteStore()
        let now = store.now
        for id in 1...3 { try store.enqueue(UInt64(id), for: ["a@far.example", "b@far.example"]) }
        let reader = try #require(store.reader)
        #expect(try reader.warnable(now: now, max: 9, excluding: []).nextAt == now + 1000)
        let late = try reader.warnable(now: now + 1000, max: 9, excluding: [])
        #expect(late.messages.map(\.id.rawValue) == [1, 2, 3])
        #expect(late.messages[0].recipients.map(\.number) == [0, 1])
        #expect(try reader.expiring(now: now + 1000, max: 9, excluding: []).messages.isEmpty)
        for id: UInt64 in [1, 2] {
            let closing = QueueReportClosing(
                message: MessageID(rawValue: id),
                numbers: [],
                warning: .given(next: id == 1 ? nil : now + 2000)
            )
            #expect(store.ask(.closeReports(closing)).isDone)
        }
        let again = try reader.warnable(now: now + 1000, max: 9, excluding: [])
        #expect(again.messages.map(\.id.rawValue) == [3])
        #expect(again.nextAt == now + 2000)
        // Held mail does not expire.
        var selector = QueueSelector()
        selector.message = MessageID(rawValue: 2)
        #expect(store.change(.hold, selector) == 2)
        store.settle(3, [(0, .report(.failed, EnhancedStatus(5, 1, 1)))])
        let expired = try reader.expiring(now: now + 5000, max: 9, excluding: [])
        #expect(expired.messages.map(\.id.rawValue).sorted() == [1, 3])
        #expect(expired.messages.map { $0.recipients.count }.sorted() == [1, 2])
        #expect(expired.nextAt == nil)
        let claimed: Set = [MessageID(rawValue: 1)]
        let others = try reader.expiring(now: now + 5000, max: 9, excluding: claimed)
        #expect(others.messages.map(\.id.rawValue) == [3])
        #expect(store.change(.release, selector) == 2)
        #expect(try reader.expiring(now: now + 5000, max: 9, excluding: []).messages.count == 3)
    }
}
