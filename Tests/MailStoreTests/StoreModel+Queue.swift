// SPDX-License-Identifier: Apache-2.0
//
// What the queue should hold, kept in memory in the simplest way.

@testable import MailStore
import MailSyntax

extension StoreModel {
    /// A message in the queue.
    struct Queued {
        struct Recipient {
            var recipient: QueueRecipient
            var state: QueueState
            var next: Int64
            var status: EnhancedStatus?
            /// Time and words of every attempt.
            var attempts: [(at: Int64, reply: [UInt8])] = []
        }

        var message: TestMessage
        var submission: QueueSubmission
        var warnAt: Int64?
        var recipients: [Int: Recipient] = [:]

        var waits: Bool { self.recipients.values.contains { $0.state == .waiting } }
        var wakes: Int64? {
            self.waits ? min(self.submission.expiresAt, self.warnAt ?? .max) : nil
        }
        var awaitingReport: [Int] {
            self.recipients.filter { $0.value.state.rawValue >= 2 }.keys.sorted()
        }
    }

    /// Why a destination is not asked at once.
    struct Rest: Equatable {
        var until: Int64 = 0
        var failures = 0
    }

    // MARK: - Changes

    mutating func enqueue(_ message: TestMessage, _ submission: QueueSubmission) {
        var queued = Queued(message: message, submission: submission, warnAt: submission.warnAt)
        for (number, recipient) in submission.recipients.enumerated() {
            let waits = recipient.state == .waiting
            queued.recipients[number] = Queued.Recipient(
                recipient: recipient,
                state: waits ? .waiting : .delivered,
                next: message.receivedAt,
                status: waits ? nil : EnhancedStatus(2, 0, 0)
            )
        }
        self.queue[message.id] = queued
    }

    mutating func settle(_ settlement: QueueSettlement) {
        let id = settlement.message.rawValue
        for settled in settlement.recipients {
            guard var row = self.queue[id]?.recipients[settled.number] else { continue }
            let isOpen = row.state == .waiting || row.state == .held
            if let attempt = settlement.attempt {
                row.attempts.append((attempt.at, settled.reply))
            }
            switch settled.disposition {
            case .removed:
                self.queue[id]?.recipients[settled.number] = nil
                if settlement.attempt != nil { self.tookMail(row.recipient.destination) }
            case .retry(let at, let status):
                guard isOpen else { continue }
                row.next = at
                row.status = status
                self.queue[id]?.recipients[settled.number] = row
            case .report(let outcome, let status):
                guard isOpen || row.state == .failed && outcome != .failed else { continue }
                row.state = QueueState(rawValue: outcome.rawValue) ?? .failed
                row.status = status
                self.queue[id]?.recipients[settled.number] = row
                if outcome != .failed { self.tookMail(row.recipient.destination) }
            }
        }
        self.forgetEmpty(id)
    }

    private mutating func tookMail(_ destination: [UInt8]) {
        self.rests[destination]?.failures = 0
    }

    private mutating func forgetEmpty(_ id: UInt64) {
        if self.queue[id]?.recipients.isEmpty ?? false { self.queue[id] = nil }
    }

    mutating func rest(_ destination: [UInt8], until: Int64, failures: Int) {
        guard self.isWaiting(for: destination) else {
            self.rests[destination] = nil
            return
        }
        self.rests[destination] = Rest(until: until, failures: failures)
    }

    mutating func wake(_ destination: [UInt8]?, now: Int64) {
        self.forgetRests()
        guard let destination else {
            for (name, rest) in self.rests where rest.until > now { self.rests[name]?.until = 0 }
            return
        }
        self.rests[destination]?.until = 0
        self.changeWaiting { _, row in
            if row.recipient.destination == destination { row.next = min(row.next, now) }
        }
    }

    mutating func close(_ closing: QueueReportClosing) {
        let id = closing.message.rawValue
        for number in closing.numbers {
            guard let row = self.queue[id]?.recipients[number], row.state.rawValue >= 2 else {
                continue
            }
            self.queue[id]?.recipients[number] = nil
        }
        if case .given(let next) = closing.warning { self.queue[id]?.warnAt = next }
        self.forgetEmpty(id)
    }

    /// Changes what is meant; returns how many recipients that were.
    @discardableResult
    mutating func change(_ change: QueueChange, _ selector: QueueSelector, now: Int64) -> Int {
        var count = 0
        for (id, queued) in self.queue {
            for (number, row) in queued.recipients where selector.means(queued, id, row) {
                switch self.outcome(of: change, for: row, of: queued, now: now) {
                case .none: continue
                case .removed: self.queue[id]?.recipients[number] = nil
                case .changed(let row): self.queue[id]?.recipients[number] = row
                }
                count += 1
                if change == .retry { self.rests[row.recipient.destination]?.until = 0 }
            }
            self.forgetEmpty(id)
        }
        return count
    }

    private enum Outcome {
        case none
        case removed
        case changed(Queued.Recipient)
    }

    private func outcome(
        of change: QueueChange,
        for row: Queued.Recipient,
        of queued: Queued,
        now: Int64
    ) -> Outcome {
        var row = row
        let isOpen = row.state == .waiting || row.state == .held
        switch change {
        case .hold where row.state == .waiting: row.state = .held
        case .release where row.state == .held:
            row.state = .waiting
            row.next = now
        case .retry where row.state == .waiting: row.next = min(row.next, now)
        case .remove(reporting: false): return .removed
        case .remove(reporting: true) where isOpen:
            guard !queued.message.reversePath.isEmpty, row.recipient.notify.wantsFailure else {
                return .removed
            }
            row.state = .failed
            row.status = EnhancedStatus(5, 3, 0)
            row.attempts.append((now, Array("removed from the queue by the operator".utf8)))
        default: return .none
        }
        return .changed(row)
    }

    private mutating func changeWaiting(_ body: (UInt64, inout Queued.Recipient) -> Void) {
        for (id, queued) in self.queue {
            for (number, row) in queued.recipients where row.state == .waiting {
                var row = row
                body(id, &row)
                self.queue[id]?.recipients[number] = row
            }
        }
    }

    /// Nothing is kept of destinations for which nothing waits; looked after at the end of a group.
    mutating func forgetRests() {
        self.rests = self.rests.filter { self.isWaiting(for: $0.key) }
        for destination in self.destinations where self.rests[destination] == nil {
            self.rests[destination] = Rest()
        }
    }

    func isWaiting(for destination: [UInt8]) -> Bool { self.destinations.contains(destination) }

    /// Destinations for which somebody waits.
    var destinations: Set<[UInt8]> {
        Set(
            self.queue.values.flatMap(\.recipients.values).filter { $0.state == .waiting }
                .map(\.recipient.destination)
        )
    }
}

extension QueueSelector {
    func means(
        _ queued: StoreModel.Queued,
        _ id: UInt64,
        _ row: StoreModel.Queued.Recipient
    ) -> Bool {
        func same(_ one: [UInt8]?, _ other: [UInt8]) -> Bool {
            guard let one else { return true }
            return String(decoding: one, as: UTF8.self).lowercased()
                == String(decoding: other, as: UTF8.self).lowercased()
        }
        return (self.message.map { $0.rawValue == id } ?? true)
            && (self.destination.map { $0 == row.recipient.destination } ?? true)
            && same(self.sender, Array(queued.message.reversePath.utf8))
            && same(self.recipient, row.recipient.address)
            && (self.queuedUntil.map { queued.message.receivedAt <= $0 } ?? true)
            && (self.state.map { $0 == row.state } ?? true)
    }
}
