// SPDX-License-Identifier: Apache-2.0
//
// A hundred thousand messages for ten thousand domains, all of them down: the queue lives in the
// file, and what is read of it is bounded.

import Foundation
@testable import MailStore
import MailSyntax
import Testing

@Suite("The queue: a hundred thousand messages")
struct QueueScaleTests {
    private let messages = 100_000
    private let destinations = 10_000

    private static var residentOctets: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * 4096
    }

    private func fill(_ store: SQLiteStore) throws {
        var id = 0
        while id < self.messages {
            let group = (id..<(id + 1000)).map { number in
                let mailbox = "user\(number)@host\(number % self.destinations).example"
                return TestMessage(UInt64(number + 1), "Subject: \(number)\r\n\r\n")
                    .append(to: [], after: 0, queue: store.submission(for: [mailbox]))
            }
            try #require(store.commit(group).allDone)
            id += 1000
        }
    }

    @Test("They cost neither memory nor time at the start")
    func scale() throws {
        let store = try SQLiteStore()
        try self.fill(store)
        for number in 0..<self.destinations {
            let rest = StoreRequest.rest(
                destination: Array("host\(number).example".utf8),
                until: store.now + 100 + Int64(number),
                failures: 1,
                reason: []
            )
            #expect(store.ask(rest).isDone)
        }
        let before = Self.residentOctets
        let clock = ContinuousClock()
        var next: Int64?
        let opening = try clock.measure {
            try store.restart(inOrder: false)
            next = try store.dueDestinations(store.now).nextAt
        }
        #expect(next == store.now + 100)
        #expect(opening < .seconds(2))
        let reading = try clock.measure { try self.read(store) }
        // With a scan of all rows for each of these reads it would take a minute.
        #expect(reading < .seconds(10))
        #expect(Self.residentOctets - before < 64 << 20)
    }

    /// Each kind of read, a hundred times.
    private func read(_ store: SQLiteStore) throws {
        let reader = try #require(store.reader)
        for round in 0..<100 {
            let now = store.now + 100 + Int64(round * 100)
            let due = try reader.dueDestinations(now: now, max: 10, excluding: []).due
            #expect(due.count == (round == 0 ? 1 : 10))
            for destination in due {
                let query = DueMessagesQuery(
                    destination: destination.destination,
                    now: now,
                    messagesMax: 5,
                    octetsMax: 1 << 20
                )
                #expect(try reader.dueMessages(query).messages.count == 5)
            }
            #expect(try reader.expiring(now: store.now, max: 10, excluding: []).nextAt != nil)
            let expired = try reader.expiring(now: store.now + 9000, max: 10, excluding: [])
            #expect(expired.messages.count == 10)
            #expect(try reader.reportsDue(after: nil, max: 10).isEmpty)
            let place = QueuePosition(message: MessageID(rawValue: UInt64(round * 900)), number: 0)
            let page = try reader.queueRows(QueueSelector(), after: place, count: 10)
            #expect(page.rows.count == 10)
        }
    }
}
