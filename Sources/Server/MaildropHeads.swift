// SPDX-License-Identifier: Apache-2.0
//
// The counters of maildrops as they are in the store, remembered on the loop, so that a login that
// only looks asks no other thread. Every write goes through this loop, and is forgotten here before
// its answer reaches a driver: whoever was told of a change finds it at the next login.

internal import MailStore

/// The loop's memory of maildrop counters.
struct MaildropHeads {
    private enum Entry {
        /// A reader was asked; a change in the meantime removes this, and its answer is not kept.
        case asked(Ticket)
        case known(MaildropHead)
    }

    private var entries: [AccountID: Entry] = [:]
    private let entriesMax: Int

    init(entriesMax: Int) {
        self.entriesMax = entriesMax
    }

    /// The counters, if they are known.
    func head(of account: AccountID) -> MaildropHead? {
        guard case .known(let head) = self.entries[account] else { return nil }
        return head
    }

    /// The reader will be asked.
    mutating func willAsk(_ account: AccountID, _ ticket: Ticket) {
        if self.entries.count >= self.entriesMax {
            self.entries.removeAll(keepingCapacity: true)
        }
        self.entries[account] = .asked(ticket)
    }

    /// What the reader found, asked with that ticket.
    mutating func remember(_ head: MaildropHead, of account: AccountID, _ ticket: Ticket) {
        guard case .asked(ticket) = self.entries[account] else { return }
        self.entries[account] = .known(head)
    }

    /// Those maildrops have changed.
    mutating func forget(_ accounts: [AccountID]) {
        for account in accounts { self.entries[account] = nil }
    }
}
