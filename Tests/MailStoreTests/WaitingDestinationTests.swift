// SPDX-License-Identifier: Apache-2.0

@testable import MailStore
import MailSyntax
import Testing

@Suite("The queue: what waits for a site")
struct WaitingDestinationTests {
    private func waiting(
        _ store: SQLiteStore,
        _ names: [String] = [],
        below: [String] = [],
        max: Int = 100
    ) throws -> [String] {
        let reader = try #require(store.reader)
        return try reader.waitingDestinations(
            names.map { Array($0.utf8) },
            below: below.map { Array($0.utf8) },
            max: max
        ).map { "\(String(decoding: $0.name, as: UTF8.self)) \($0.recipients)" }
    }

    @Test("Names, and all below others, each once, with how many recipients wait")
    func found() throws {
        let store = try SQLiteStore()
        try store.enqueue(1, for: ["a@x.example", "b@x.example", "c@y.x.example", "d@xx.example"])
        try store.enqueue(2, for: ["a@z.y.x.example", "a@x.example"])
        #expect(try self.waiting(store, ["x.example"]) == ["x.example 3"])
        #expect(
            try self.waiting(store, ["x.example", "none.example", "x.example"]) == ["x.example 3"]
        )
        #expect(
            try self.waiting(store, below: ["x.example"]) == ["y.x.example 1", "z.y.x.example 1"]
        )
        #expect(
            try self.waiting(store, ["y.x.example"], below: ["x.example", "y.x.example"])
                == ["y.x.example 1", "z.y.x.example 1"]
        )
        let all = ["x.example 3", "xx.example 1", "y.x.example 1", "z.y.x.example 1"]
        #expect(try self.waiting(store, below: [""]) == all)
        #expect(try self.waiting(store, below: [""], max: 2) == Array(all.prefix(2)))
        #expect(try self.waiting(store) == [])
    }

    @Test("What is held, or awaits a report, does not wait")
    func others() throws {
        let store = try SQLiteStore()
        try store.enqueue(1, for: ["a@x.example", "b@x.example"])
        try store.enqueue(2, for: ["a@y.x.example"])
        var selector = QueueSelector()
        selector.recipient = Array("a@x.example".utf8)
        let hold = StoreRequest.changeQueue(.hold, selector, after: nil, now: store.now)
        #expect(store.ask(hold).isDone)
        let failed = QueueSettlement(
            message: MessageID(rawValue: 2),
            recipients: [.init(number: 0, disposition: .report(.failed, EnhancedStatus(5, 1, 1)))],
            attempt: nil
        )
        #expect(store.ask(.settle([failed])).isDone)
        #expect(try self.waiting(store, ["x.example"], below: ["x.example"]) == ["x.example 1"])
    }

    @Test("A destination that rests has what it had")
    func resting() throws {
        let store = try SQLiteStore()
        try store.enqueue(1, for: ["a@x.example"])
        let rest = StoreRequest.rest(
            destination: Array("x.example".utf8),
            until: store.now + 500,
            failures: 1,
            reason: []
        )
        #expect(store.ask(rest).isDone)
        #expect(try self.waiting(store, ["x.example"]) == ["x.example 1"])
    }
}
