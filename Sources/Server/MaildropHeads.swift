// SPDX-License-Identifier: Apache-2.0
//
// The counters of maildrops as they are in the store, and the listings of small ones, remembered on
// the loop, so that a session that only looks whether there is something new asks no other thread.
// Every write goes through this loop, and is forgotten here before
// its answer reaches a driver: whoever was told of a change finds it at the next login.

internal import MailStore
internal import POP3Protocol

/// The loop's memory of maildrop counters.
struct MaildropHeads {
    private enum Entry {
        /// A reader was asked; a change in the meantime removes this, and its answer is not kept.
        case asked(Ticket)
        case known(MaildropHead, MaildropListing?)
    }

    private var entries: [AccountID: Entry] = [:]
    private let entriesMax: Int
    /// What the listings take, counted in messages.
    private var listedCount = 0

    /// A listing takes as much memory as this many messages, beside those that it has.
    private static let listingOverhead = 8
    /// Longer listings are read from the store each time.
    private static let listingMax = 64
    /// About four megabytes in all.
    private static let listedMax = 1 << 18

    init(entriesMax: Int) {
        self.entriesMax = entriesMax
    }

    /// The counters, if they are known.
    func head(of account: AccountID) -> MaildropHead? {
        guard case .known(let head, _) = self.entries[account] else { return nil }
        return head
    }

    /// The listing that belongs to these counters, if it is known.
    func listing(of account: AccountID, at head: MaildropHead) -> MaildropListing? {
        guard case .known(head, let listing) = self.entries[account] else { return nil }
        return listing
    }

    /// The reader will be asked.
    mutating func willAsk(_ account: AccountID, _ ticket: Ticket) {
        if self.entries.count >= self.entriesMax {
            self.entries.removeAll(keepingCapacity: true)
            self.listedCount = 0
        }
        self.entries[account] = .asked(ticket)
    }

    /// What the reader found, asked with that ticket.
    mutating func remember(_ head: MaildropHead, of account: AccountID, _ ticket: Ticket) {
        guard case .asked(ticket) = self.entries[account] else { return }
        self.entries[account] = .known(head, nil)
    }

    /// What the reader found for these counters.
    ///
    /// Equal counters mean the same messages: each new one has a new sequence, and each deletion
    /// makes the count less.
    mutating func remember(
        _ listing: MaildropListing,
        of account: AccountID,
        at head: MaildropHead
    ) {
        guard case .known(head, nil) = self.entries[account], listing.count == head.count,
            listing.count <= Self.listingMax
        else { return }
        let weight = listing.count + Self.listingOverhead
        if self.listedCount + weight > Self.listedMax { self.forgetListings() }
        self.listedCount += weight
        self.entries[account] = .known(head, listing)
    }

    private mutating func forgetListings() {
        self.listedCount = 0
        self.entries = self.entries.mapValues { entry in
            guard case .known(let head, _) = entry else { return entry }
            return .known(head, nil)
        }
    }

    /// Those maildrops have changed.
    mutating func forget(_ accounts: [AccountID]) {
        for account in accounts {
            guard let entry = self.entries.removeValue(forKey: account) else { continue }
            guard case .known(_, let listing?) = entry else { continue }
            self.listedCount -= listing.count + Self.listingOverhead
        }
    }
}
