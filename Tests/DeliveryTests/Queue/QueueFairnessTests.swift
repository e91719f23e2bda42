// SPDX-License-Identifier: Apache-2.0
//
// Long queues: who has to wait for whom, and what it costs.

import MailSyntax
import Testing

@testable import Delivery

/// A store and servers that answer at once, one answer after the other; the clock does not move but
/// for what the answers take.
private final class LongQueue {
    private var scheduler: QueueScheduler
    private var left: [Destination: [UInt64]]
    /// In the order in which they are due.
    private var row: [Destination]
    private let isDown: Bool
    private(set) var delivered: [Destination] = []
    private(set) var eventCount = 0
    private(set) var openCount = 0
    private(set) var restCount = 0
    private(set) var actionsMost = 0
    private(set) var most = QueueScheduler.Occupancy(
        destinations: 0,
        messages: 0,
        octets: 0,
        connections: 0
    )

    init(
        _ messages: [(name: String, count: Int)],
        isDown: Bool = false,
        settings: QueueSchedulerSettings
    ) {
        self.scheduler = QueueScheduler(settings: settings, seed: 1)
        self.isDown = isDown
        self.left = [:]
        self.row = messages.map { Destination($0.name) }
        for (name, count) in messages { self.left[Destination(name)] = Array(0..<UInt64(count)) }
    }

    convenience init(
        destinations: Int,
        each: Int,
        isDown: Bool = false,
        settings: QueueSchedulerSettings
    ) {
        self.init(
            (0..<destinations).map { ("d\($0).test", each) },
            isDown: isDown,
            settings: settings
        )
    }

    var leftCount: Int { self.left.count }

    func run() {
        var events = RingQueue<QueueScheduler.Event>()
        events.append(.started)
        var now = DeliveryTime(monotonic: 1, wallClock: 1000)
        var actions: [QueueScheduler.Action] = []
        while let event = events.popFirst() {
            actions.removeAll(keepingCapacity: true)
            self.scheduler.reduce(event, now: now, into: &actions)
            self.eventCount += 1
            self.actionsMost = max(self.actionsMost, actions.count)
            now.monotonic += 0.000_01
            self.note(self.scheduler.occupancy)
            for action in actions {
                for answer in self.answers(action) { events.append(answer) }
            }
        }
    }

    private func note(_ now: QueueScheduler.Occupancy) {
        self.most = QueueScheduler.Occupancy(
            destinations: max(self.most.destinations, now.destinations),
            messages: max(self.most.messages, now.messages),
            octets: max(self.most.octets, now.octets),
            connections: max(self.most.connections, now.connections)
        )
    }

    private func answers(_ action: QueueScheduler.Action) -> [QueueScheduler.Event] {
        switch action {
        case .findDue(let max, let known):
            let all = Set(known)
            self.row.removeAll { self.left[$0] == nil }
            let due = self.row.lazy.filter { !all.contains($0) }.prefix(max + 1)
            let found = due.prefix(max).map { QueueScheduler.Due($0) }
            return [.dueFound(Array(found), nextAt: nil, isComplete: due.count <= max)]
        case .claim(let destination, let max, _, let known):
            let all = Set(known.map(\.rawValue))
            let due = (self.left[destination] ?? []).lazy.filter { !all.contains($0) }
            let found = due.prefix(max + 1)
            let claims = found.prefix(max).map {
                QueueScheduler.Claim(
                    MessageID(rawValue: $0),
                    octets: 4000,
                    sender: $0 % 7,
                    isPartial: false
                )
            }
            return [.claimed(destination, Array(claims), isComplete: found.count <= max)]
        case .open(let id, _):
            self.openCount += 1
            let down = DestinationFailure(.unreachable, EnhancedStatus(4, 4, 1), "down")
            return [self.isDown ? .connectionFailed(id, down) : .connectionReady(id)]
        case .deliver(let id, let destination, let message):
            self.delivered.append(destination)
            self.left[destination]?.removeAll { $0 == message.rawValue }
            if self.left[destination]?.isEmpty ?? true { self.left[destination] = nil }
            return [
                .finished(id, message, .faster, isReusable: true),
                .settled(destination, [message], retryAt: nil),
            ]
        case .close(let id): return [.connectionEnded(id, nil)]
        case .rest(let destination, let until, _, _):
            self.row.removeAll { $0 == destination }
            // One second: it has only stepped back.
            if until == 1001 { self.row.append(destination) } else { self.restCount += 1 }
            return []
        case .release, .revive, .failAll, .setTimer: return []
        }
    }
}

@Suite struct QueueFairnessTests {
    /// Two thousand messages for one domain, and fifty domains behind it in the row.
    @Test func longQueueOfOneDomainStopsNobody() {
        var settings = QueueSchedulerSettings()
        settings.connectionsMax = 4
        let queue = LongQueue(
            [("big.test", 2000)] + (0..<50).map { ("small\($0).test", 1) },
            settings: settings
        )
        queue.run()
        #expect(queue.leftCount == 0)
        let last = queue.delivered.lastIndex { $0.text != "big.test" } ?? 0
        // Each of the fifty waits for at most one turn of twenty on a few connections.
        #expect(last < 600, "the last of the small ones comes at \(last)")
        #expect(queue.most.connections <= 4)
    }

    @Test func twoLongQueuesShareTheConnections() {
        var settings = QueueSchedulerSettings()
        settings.connectionsMax = 6
        let queue = LongQueue([("a.test", 1500), ("b.test", 1500)], settings: settings)
        queue.run()
        let firstHalf = queue.delivered.prefix(1500)
        let ofB = firstHalf.count { $0.text == "b.test" }
        #expect((450...1050).contains(ofB), "\(ofB) of b among the first 1500")
    }

    /// Many more destinations than memory has room for, each with more than one turn.
    @Test func allHaveTheirTurnWhenMemoryIsShort() {
        var settings = QueueSchedulerSettings()
        settings.destinationsMax = 10
        settings.connectionsMax = 4
        settings.messagesPerTurn = 5
        let queue = LongQueue(destinations: 100, each: 30, settings: settings)
        queue.run()
        #expect(queue.leftCount == 0)
        #expect(queue.delivered.count == 3000)
        #expect(queue.most.destinations <= 10)
        // In the first third everybody has had something.
        #expect(Set(queue.delivered.prefix(1500)).count > 80)
    }

    /// The memory is that of the limits, and the work that of the messages.
    @Test func costGrowsWithTheMessagesOnly() {
        var settings = QueueSchedulerSettings()
        settings.destinationsMax = 100
        settings.messagesMax = 300
        settings.connectionsMax = 20
        settings.octetsMax = 1 << 22
        let queue = LongQueue(destinations: 1000, each: 6, settings: settings)
        queue.run()
        #expect(queue.leftCount == 0)
        #expect(queue.most.destinations <= 100)
        #expect(queue.most.messages <= 300)
        #expect(queue.most.octets <= 1 << 22)
        #expect(queue.most.connections <= 20)
        #expect(queue.eventCount < 4 * 6000, "\(queue.eventCount) events")
        #expect(queue.actionsMost <= 300)
    }

    /// Destinations that are down cost one or two connections and one row each, whatever they hold.
    @Test func destinationsThatAreDownCostLittle() {
        var settings = QueueSchedulerSettings()
        settings.destinationsMax = 100
        let queue = LongQueue(destinations: 1000, each: 10, isDown: true, settings: settings)
        queue.run()
        #expect(queue.delivered.isEmpty)
        #expect(queue.restCount == 1000)
        #expect(queue.openCount <= 2000)
        #expect(queue.eventCount < 6000, "\(queue.eventCount) events")
    }
}
