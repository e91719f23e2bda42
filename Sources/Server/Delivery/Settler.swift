// SPDX-License-Identifier: Apache-2.0
//
// What became of attempts, on its way into the store: all of a turn, or of as long as the store was
// busy, in one request. What the store would not take is offered again, and stays claimed until
// then: a message that was delivered must not go out once more because a disk was full for a while.

internal import Delivery
internal import MailStore
internal import MailSyntax

/// Outcomes that are not durable yet.
final class Settler {
    private unowned let engine: DeliveryEngine
    private var waiting = Batch()
    /// What the store is writing; nil: nothing.
    private var underWay: Batch?
    private var isDue = false
    private var failures = 0

    private static let retrySecondsMax: Double = 30

    private struct Batch {
        var settlements: [QueueSettlement] = []
        private(set) var messages: [Destination: Settled] = [:]
        /// Those destinations in the order they came: what is told must not hang on hashes.
        private(set) var destinations: [Destination] = []
        /// Those that were claimed for no destination.
        var others: [MessageID] = []
        var hasReports = false

        struct Settled {
            var messages: [MessageID] = []
            var retryAt: Int64?

            mutating func append(_ message: MessageID, _ retryAt: Int64?) {
                self.messages.append(message)
                if let retryAt { self.retryAt = min(self.retryAt ?? retryAt, retryAt) }
            }
        }

        mutating func append(_ settlement: QueueSettlement, of destination: Destination?) {
            self.settlements.append(settlement)
            var retryAt: Int64?
            for recipient in settlement.recipients {
                switch recipient.disposition {
                case .removed: break
                case .retry(let at, _): retryAt = min(retryAt ?? at, at)
                case .report: self.hasReports = true
                }
            }
            guard let destination else { return self.others.append(settlement.message) }
            if self.messages[destination] == nil { self.destinations.append(destination) }
            self.messages[destination, default: Settled()].append(settlement.message, retryAt)
        }
    }

    init(engine: DeliveryEngine) { self.engine = engine }

    /// Whether all outcomes are durable.
    var isIdle: Bool { self.underWay == nil && self.waiting.settlements.isEmpty }

    /// Takes the outcome of one message, which was claimed for the destination, if it was.
    func settle(_ settlement: QueueSettlement, of destination: Destination?) {
        self.waiting.append(settlement, of: destination)
        guard self.underWay == nil, !self.isDue else { return }
        self.isDue = true
        self.engine.server.time.after(seconds: 0) { [weak self] in
            self?.isDue = false
            self?.flush()
        }
    }

    private func flush() {
        guard self.underWay == nil, !self.waiting.settlements.isEmpty else { return }
        self.underWay = self.waiting
        self.waiting = Batch()
        self.write()
    }

    private func write() {
        guard let batch = self.underWay else { return }
        self.engine.write(.settle(batch.settlements)) { [weak self] reply in
            self?.answered(reply)
        }
    }

    private func answered(_ reply: StorageReply) {
        guard let batch = self.underWay else { return }
        guard !reply.hasFailed else { return self.offerAgain() }
        self.failures = 0
        self.underWay = nil
        self.engine.watch.expired(batch.others)
        self.flush()
        for destination in batch.destinations {
            guard let settled = batch.messages[destination] else { continue }
            self.engine.tell(
                .settled(destination, settled.messages, retryAt: settled.retryAt)
            )
        }
        if batch.hasReports { self.engine.reports.wake() }
    }

    private func offerAgain() {
        self.failures += 1
        let seconds = min(Double(1 << min(self.failures - 1, 5)), Self.retrySecondsMax)
        self.engine.server.journal.outcomesNotStored(seconds: seconds)
        self.engine.server.time.after(seconds: seconds) { [weak self] in self?.write() }
    }
}
