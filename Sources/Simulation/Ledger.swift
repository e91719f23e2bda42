// SPDX-License-Identifier: Apache-2.0
//
// What the clients of a simulation were told: the other side of the promise that a 250 is kept.

/// The messages of one simulation and their fate as their senders know it.
package final class Ledger {
    /// What a sender knows of its message.
    package enum Fate: Sendable {
        /// No end of data was sent.
        case unsent
        /// The end of data was sent and no reply came: none or one copy is right.
        case inDoubt
        case acknowledged
        case refused
    }

    /// One message on its way.
    package struct Entry: Sendable {
        package let number: Int
        package let body: [UInt8]
        package var recipients: [String]
        package var fate = Fate.unsent
    }

    package private(set) var entries: [Entry] = []
    /// Numbers of messages whose deletion a POP3 server has confirmed, by maildrop.
    package private(set) var deleted: [String: Set<Int>] = [:]
    /// Numbers of messages whose deletion may or may not have happened.
    package private(set) var deletionInDoubt: [String: Set<Int>] = [:]
    /// What was seen that must never be.
    package private(set) var violations: [String] = []

    package init() {}

    package func open(body: (Int) -> [UInt8]) -> Int {
        let number = self.entries.count
        self.entries.append(Entry(number: number, body: body(number), recipients: []))
        return number
    }

    package func accepted(_ number: Int, recipient: String) {
        if !self.entries[number].recipients.contains(recipient) {
            self.entries[number].recipients.append(recipient)
        }
    }

    package func forgetRecipients(_ number: Int) { self.entries[number].recipients = [] }

    package func set(_ number: Int, _ fate: Fate) { self.entries[number].fate = fate }

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

    package func violate(_ text: String) { self.violations.append(text) }
}
