// SPDX-License-Identifier: Apache-2.0
//
// LIST and UIDL (RFC 1939, sections 5 and 7). A listing of any length goes out in batches, so
// that a driver can hold it back while the peer does not read.

internal import MailBytes

/// How many messages one step of a listing looks at; a line has at most 40 octets.
private let messagesPerStep = 256

extension POP3ServerSession {
    /// LIST or UIDL without a message-number.
    mutating func startListing(_ listing: Listing, into replies: inout ReplyBuffer) -> Effect {
        switch listing {
        case .sizes:
            self.lastReplyWasError = false
            replies.append("+OK ")
            self.appendCounts(into: &replies)
            replies.appendCRLF()
        case .uniqueIDs:
            self.reply(.uniqueIDsFollow, into: &replies)
        }
        return self.continueListing(listing, from: 0, into: &replies)
    }

    /// Appends the next lines of a listing, and its end after the last.
    mutating func continueListing(
        _ listing: Listing,
        from start: Int,
        into replies: inout ReplyBuffer
    ) -> Effect {
        let end = min(start + messagesPerStep, self.maildrop.count)
        for index in start..<end where !self.marks.contains(index) {
            self.appendLine(of: listing, index, to: &replies)
        }
        guard end == self.maildrop.count else {
            self.phase = .listing(listing, next: end)
            return .proceed
        }
        replies.append(".\r\n")
        self.phase = .transaction
        return self.goOn(into: &replies)
    }

    /// LIST or UIDL with a message-number.
    mutating func list(
        _ listing: Listing,
        _ message: Int,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let reason = self.reasonAgainst(message) { return self.refuse(reason, into: &replies) }
        self.lastReplyWasError = false
        replies.append("+OK ")
        self.appendLine(of: listing, message - 1, to: &replies)
        return self.goOn(into: &replies)
    }

    private func appendLine(of listing: Listing, _ index: Int, to replies: inout ReplyBuffer) {
        replies.append(decimal: index + 1)
        replies.append(.space)
        switch listing {
        case .sizes: replies.append(decimal: self.maildrop.octets[index])
        case .uniqueIDs: self.maildrop.appendUniqueID(at: index, to: &replies)
        }
        replies.appendCRLF()
    }
}
