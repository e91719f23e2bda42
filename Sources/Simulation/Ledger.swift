// SPDX-License-Identifier: Apache-2.0
//
// What the clients of a simulation were told: the other side of the promise that a 250 is kept.

/// The messages of one simulation and their fate as their senders and readers know it.
package final class Ledger {
    /// What a sender knows of its message, for one maildrop.
    package enum Fate: Sendable {
        /// No end of content was sent.
        case unsent
        /// The end of content was sent and no reply came: none or one copy is right.
        case inDoubt
        case acknowledged
        case refused
    }

    /// One message on its way.
    package struct Entry: Sendable {
        package let number: Int
        package let body: [UInt8]
        /// The reverse-path that it is sent with.
        package let sender: String
        /// The maildrops that it was addressed to.
        package var fates: [String: Fate]
        fileprivate var settled: Set<String> = []
    }

    package private(set) var entries: [Entry] = []
    /// Numbers of messages whose deletion a POP3 server has confirmed, by maildrop.
    private var deleted: [String: Set<Int>] = [:]
    /// Numbers of messages whose deletion may or may not have happened.
    private var deletionInDoubt: [String: Set<Int>] = [:]
    /// Which message each unique-id stands for, by maildrop.
    private var uniqueIDs: [String: [String: Int]] = [:]
    /// The session that believes to have a maildrop to itself.
    private var sessions: [String: SimulatedStream] = [:]
    /// Whether the server may break off what it does.
    package var isServerEnding = false
    /// What was seen that must never be.
    package private(set) var violations: [String] = []

    package init() {}

    // MARK: - Senders

    /// A message that will be addressed to those maildrops.
    package func open(
        for maildrops: Set<String>,
        from sender: String,
        body: (Int) -> [UInt8]
    ) -> Int {
        let number = self.entries.count
        let fates = Dictionary(uniqueKeysWithValues: maildrops.map { ($0, Fate.unsent) })
        self.entries.append(
            Entry(number: number, body: body(number), sender: sender, fates: fates)
        )
        return number
    }

    /// All of its content was sent.
    package func sent(_ number: Int) {
        for maildrop in self.entries[number].fates.keys {
            self.entries[number].fates[maildrop] = .inDoubt
        }
    }

    /// The server has answered for those maildrops.
    package func settle(_ number: Int, _ fate: Fate, for maildrops: Set<String>) {
        for maildrop in maildrops where self.entries[number].fates[maildrop] != .acknowledged {
            self.entries[number].fates[maildrop] = fate
            self.entries[number].settled.insert(maildrop)
        }
    }

    /// The server has answered for all that it accepted: the other maildrops get nothing.
    package func settleRest(_ number: Int) {
        for maildrop in self.entries[number].fates.keys
        where !self.entries[number].settled.contains(maildrop) {
            self.entries[number].fates[maildrop] = .refused
        }
    }

    // MARK: - Readers

    package func enter(_ maildrop: String, by stream: SimulatedStream) {
        if let other = self.sessions[maildrop], !other.isOver {
            self.violate("two sessions have \(maildrop)")
        }
        self.sessions[maildrop] = stream
    }

    package func leave(_ maildrop: String) { self.sessions[maildrop] = nil }

    /// The messages that whoever logs in now must find.
    package func mustBeThere(in maildrop: String) -> Set<Int> {
        let acknowledged = self.entries.filter { $0.fates[maildrop] == .acknowledged }
        return Set(acknowledged.map(\.number))
            .subtracting(self.deleted[maildrop] ?? [])
            .subtracting(self.deletionInDoubt[maildrop] ?? [])
    }

    package func seen(_ number: Int, as uniqueID: String, in maildrop: String) {
        let before = self.uniqueIDs[maildrop]?[uniqueID]
        self.uniqueIDs[maildrop, default: [:]][uniqueID] = number
        if let before, before != number {
            self.violate("\(uniqueID) in \(maildrop) was message \(before), and is \(number)")
        }
    }

    package func deletionAsked(_ numbers: Set<Int>, in maildrop: String) {
        self.deletionInDoubt[maildrop, default: []].formUnion(numbers)
    }

    package func deletionConfirmed(_ numbers: Set<Int>, in maildrop: String) {
        self.deletionInDoubt[maildrop]?.subtract(numbers)
        self.deleted[maildrop, default: []].formUnion(numbers)
    }

    package func deletionRefused(_ numbers: Set<Int>, in maildrop: String) {
        self.deletionInDoubt[maildrop]?.subtract(numbers)
    }

    // MARK: - The end

    /// Holds what a maildrop holds against what everybody was told.
    package func compare(_ maildrop: String, with seen: [Int]) {
        for entry in self.entries {
            let copies = seen.count { $0 == entry.number }
            let isDeleted = self.deleted[maildrop]?.contains(entry.number) ?? false
            let mayBeDeleted = self.deletionInDoubt[maildrop]?.contains(entry.number) ?? false
            let allowed: ClosedRange<Int> =
                switch entry.fates[maildrop] {
                case _ where isDeleted: 0...0
                case .acknowledged: (mayBeDeleted ? 0 : 1)...1
                case .inDoubt: 0...1
                case .unsent, .refused, nil: 0...0
                }
            if !allowed.contains(copies) {
                let fate = entry.fates[maildrop].map { "\($0)" } ?? "not for it"
                self.violate("message \(entry.number), \(fate): \(copies) copies in \(maildrop)")
            }
        }
    }

    package func violate(_ text: String) { self.violations.append(text) }
}
