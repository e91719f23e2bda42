// SPDX-License-Identifier: Apache-2.0
//
// What a POP3 session holds of its maildrop: the counters at login, the listing once somebody
// asked for it, and a few messages that were read ahead.

internal import MailStore
internal import POP3Protocol

/// A maildrop that is locked for one session.
struct OpenMaildrop {
    let account: AccountID
    /// The counters as they were at login; mail that comes later waits for the next session.
    var head: MaildropHead?
    var listing: MaildropListing?
    private var prefetched: [UInt32: [UInt8]] = [:]
    private(set) var prefetchedOctets = 0

    init(account: AccountID) {
        self.account = account
    }

    /// So many messages are read ahead at the most.
    private static let followingMax = 16

    /// The store's number of a message, counted from 0 as the session does.
    func sequence(of message: Int32) -> UInt32? {
        guard let listing, listing.sequences.indices.contains(Int(message)) else { return nil }
        return listing.sequences[Int(message)]
    }

    /// The messages a client that fetches them in order will ask for next.
    func following(_ message: Int32) -> [UInt32] {
        guard let listing, self.prefetched.isEmpty else { return [] }
        let start = Int(message) + 1
        guard start < listing.sequences.count else { return [] }
        return Array(listing.sequences[start..<min(start + Self.followingMax, listing.sequences.count)])
    }

    /// Keeps what was read ahead; returns how many octets that are.
    mutating func prefetch(_ messages: [PrefetchedMessage]) -> Int {
        var kept = 0
        for message in messages {
            kept += message.octets.count
            self.prefetched[message.sequence] = message.octets
        }
        self.prefetchedOctets += kept
        return kept
    }

    mutating func takePrefetched(_ sequence: UInt32) -> [UInt8]? {
        guard let octets = self.prefetched.removeValue(forKey: sequence) else { return nil }
        self.prefetchedOctets -= octets.count
        return octets
    }
}
