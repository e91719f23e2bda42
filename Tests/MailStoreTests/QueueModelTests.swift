// SPDX-License-Identifier: Apache-2.0
//
// Lives by chance, after each group of which every read tells what a simple model holds.
// MARTLET_QUEUE_SEEDS asks for more of them.

import Foundation
@testable import MailStore
import MailSyntax
import Testing

@Suite("The queue and its model")
struct QueueModelTests {
    /// How many lives are tried.
    static var seeds: ClosedRange<UInt64> {
        let asked = ProcessInfo.processInfo.environment["MARTLET_QUEUE_SEEDS"]
        return 1...max(1, asked.flatMap(UInt64.init) ?? 12)
    }

    @Test("Every read agrees with the model after every group", arguments: Self.seeds)
    func agrees(seed: UInt64) throws {
        let store = try SQLiteStore()
        var workload = Workload(seed: seed &* 31)
        var statesSeen: Set<QueueState> = []
        for index in 0..<60 {
            let reader = try #require(store.reader)
            let group = workload.nextGroup()
            let answers = store.commit(group.map(\.request))
            #expect(workload.answered(group, answers).isEmpty, "group \(index)")
            try workload.learnIncarnations(from: reader)
            let difference = try workload.model.difference(from: reader)
            try #require(difference == nil, "group \(index)")
            if index % 7 == 0 { _ = store.store?.tidy() }
            if index % 20 == 19 {
                try store.restart(inOrder: index % 40 == 19)
                workload.restarted()
            }
            for queued in workload.model.queue.values {
                statesSeen.formUnion(queued.recipients.values.map(\.state))
            }
        }
        #expect(statesSeen.count >= 3)
        #expect(try StoreAudit(store.directory).findings() == [])
        try self.empty(store, workload.model)
    }

    /// With all recipients gone nothing is left of the queue, nor of its messages.
    private func empty(_ store: SQLiteStore, _ model: StoreModel) throws {
        var count = 0
        var next: QueuePosition?
        repeat {
            let request = StoreRequest.changeQueue(
                .remove(reporting: false),
                QueueSelector(),
                after: next,
                now: 0
            )
            guard case .queueChanged(let removed, let place) = store.ask(request) else {
                Issue.record("not removed")
                return
            }
            count += removed
            next = place
        } while next != nil
        #expect(count == model.queue.values.reduce(0) { $0 + $1.recipients.count })
        store.store?.tidyUp()
        let audit = try StoreAudit(store.directory)
        #expect(try audit.findings() == [])
        let rows: [StaticString] = [
            "SELECT count(*) FROM queued", "SELECT count(*) FROM recipient",
            "SELECT count(*) FROM attempt", "SELECT count(*) FROM destination",
            "SELECT count(*) FROM failure",
        ]
        for query in rows { #expect(try audit.count(query) == 0) }
        let copies = try audit.count("SELECT count(DISTINCT message) FROM maildrop")
        #expect(try audit.count("SELECT count(*) FROM message") == copies)
    }
}
