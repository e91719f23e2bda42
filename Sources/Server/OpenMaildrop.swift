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
    /// The last of them is the one that is likely to be wanted next.
    private var prefetched: [PrefetchedMessage] = []
    private var isExpecting = false
    /// Octets that were read ahead, or may be coming in.
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
        let end = min(start + Self.followingMax, listing.sequences.count)
        guard start < end else { return [] }
        return Array(listing.sequences[start..<end])
    }

    /// The reader was asked to read ahead; returns by how much the octets held may grow.
    mutating func expectPrefetch() -> Int {
        self.isExpecting = true
        self.prefetchedOctets += ContentQuestion.followingOctetsMax
        return ContentQuestion.followingOctetsMax
    }

    /// Keeps what was read ahead; returns by how much the octets held have grown.
    mutating func prefetch(_ messages: [PrefetchedMessage]) -> Int {
        var grown = self.isExpecting ? -ContentQuestion.followingOctetsMax : 0
        self.isExpecting = false
        for message in messages { grown += message.octets.count }
        self.prefetched = messages.reversed()
        self.prefetchedOctets += grown
        return grown
    }

    /// A message that was read ahead; it is given once.
    mutating func takePrefetched(_ sequence: UInt32) -> [UInt8]? {
        guard let index = self.prefetched.lastIndex(where: { $0.sequence == sequence }) else {
            return nil
        }
        let octets = self.prefetched.remove(at: index).octets
        self.prefetchedOctets -= octets.count
        return octets
    }
}
