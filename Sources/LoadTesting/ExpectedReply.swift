// SPDX-License-Identifier: Apache-2.0
//
// Sessions as data: what is sent at once, and the replies that must follow before more is sent.

/// A reply as it must be; anything else is a failure of the session.
enum ExpectedReply: Equatable, BitwiseCopyable, Sendable {
    /// An SMTP reply of this code, with any number of lines.
    case code(Int)
    /// A positive status indicator of POP3.
    case status
    /// A drop listing (STAT), against which the scan listing is held.
    case dropListing
    /// A scan listing (LIST) that agrees with the drop listing.
    case scanListing
    /// A unique-id listing (UIDL) with one line for each message.
    case uniqueIDs
    /// A message of as many octets as the scan listing says (RETR).
    ///
    /// The content must have no line that begins with a dot, so that its octets on the wire can be
    /// counted without reading them.
    case message(Int)
}

/// Octets to send, and what is to come of them.
struct Exchange: Sendable {
    var request: [UInt8]
    var replies: [ExpectedReply]

    init(_ request: String, _ replies: ExpectedReply...) {
        self.request = Array(request.utf8)
        self.replies = replies
    }

    init(octets: [UInt8], _ replies: [ExpectedReply]) {
        self.request = octets
        self.replies = replies
    }

    /// Both in one, as a pipelining client sends them.
    static func + (first: Exchange, second: Exchange) -> Exchange {
        Exchange(octets: first.request + second.request, first.replies + second.replies)
    }
}
