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
    /// Where the octets are of the messages that were read ahead.
    private var octets: [UInt8] = []
    /// The last of them is the one that is likely to be wanted next.
    private var prefetched: [(sequence: UInt32, part: ContentPart)] = []
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

    /// A message, if it is small enough to be read with others, and those that a client that
    /// fetches them in order will ask for next; what all of them come to in octets.
    func following(_ message: Int32, octetsMax: Int) -> (sequences: [UInt32], octets: Int) {
        guard let listing, self.prefetched.isEmpty else { return ([], 0) }
        let first = Int(message)
        var total = listing.octets[first]
        guard total <= octetsMax else { return ([], 0) }
        let most = total + ContentQuestion.followingOctetsMax
        var end = first + 1
        let endMax = min(end + Self.followingMax, listing.count)
        while end < endMax, total + listing.octets[end] <= most {
            total += listing.octets[end]
            end += 1
        }
        return (Array(listing.sequences[(first + 1)..<end]), total)
    }

    /// The reader was asked to read ahead so many octets at the most.
    mutating func expectPrefetch(octets: Int) {
        self.prefetchedOctets = octets
    }

    /// Keeps what was read ahead.
    mutating func prefetch(_ content: ReadContent) {
        self.prefetched = content.following.reversed()
        self.octets = content.following.isEmpty ? [] : content.octets
        self.prefetchedOctets = self.octets.count
    }

    /// Nothing was read ahead.
    mutating func forgetPrefetched() {
        self.prefetched = []
        self.octets = []
        self.prefetchedOctets = 0
    }

    /// A message that was read ahead; it is given once.
    mutating func takePrefetched(_ sequence: UInt32) -> (octets: [UInt8], part: ContentPart)? {
        guard let index = self.prefetched.lastIndex(where: { $0.sequence == sequence }) else {
            return nil
        }
        let part = self.prefetched.remove(at: index).part
        let octets = self.octets
        if self.prefetched.isEmpty { self.forgetPrefetched() }
        return (octets, part)
    }
}
