// SPDX-License-Identifier: Apache-2.0
//
// What an account may send: a stolen password must not become a day's worth of spam.

internal import MailStore

/// Messages and recipients per account and hour.
struct AccountRates {
    private struct Entry: Fading {
        var messages = SlidingCount()
        var recipients = SlidingCount()

        func weight(at now: Double) -> Int {
            self.messages.count(at: now, window: AccountRates.windowSeconds)
                + self.recipients.count(at: now, window: AccountRates.windowSeconds)
        }
    }

    private var accounts: BoundedTable<AccountID, Entry>
    private let messagesMax: Int
    private let recipientsMax: Int
    private static let windowSeconds: Double = 3600

    init(messagesPerHour: Int, recipientsPerHour: Int, entriesMax: Int) {
        self.messagesMax = messagesPerHour
        self.recipientsMax = recipientsPerHour
        self.accounts = BoundedTable(entriesMax: entriesMax)
    }

    /// Whether nothing is remembered.
    var isEmpty: Bool { self.accounts.isEmpty }

    /// Counts a message that is begun, unless it is one too many.
    mutating func takeMessage(_ account: AccountID, at now: Double) -> Bool {
        self.take(\.messages, max: self.messagesMax, of: account, at: now)
    }

    /// Counts a recipient, unless it is one too many.
    mutating func takeRecipient(_ account: AccountID, at now: Double) -> Bool {
        self.take(\.recipients, max: self.recipientsMax, of: account, at: now)
    }

    private mutating func take(
        _ kind: WritableKeyPath<Entry, SlidingCount>,
        max: Int,
        of account: AccountID,
        at now: Double
    ) -> Bool {
        self.accounts.change(account, orNew: Entry(), at: now) { entry in
            guard entry[keyPath: kind].count(at: now, window: Self.windowSeconds) < max else {
                return false
            }
            entry[keyPath: kind].add(at: now, window: Self.windowSeconds)
            return true
        }
    }

    /// A message that was begun was not sent.
    mutating func giveBack(_ account: AccountID, messages: Int, recipients: Int) {
        self.accounts.changeIfThere(account) { entry in
            entry.messages.takeBack(messages)
            entry.recipients.takeBack(recipients)
        }
    }

    /// Forgets what is over; false when nothing is left.
    mutating func sweep(at now: Double) -> Bool {
        self.accounts.sweep(at: now)
        return !self.accounts.isEmpty
    }
}
