// SPDX-License-Identifier: Apache-2.0
//
// The content of one message on its way out: in memory as a whole when it is small, or in parts
// that are read from the store as the peer takes them.

internal import MailBytes

/// What a message's content is sent from.
package struct OutgoingContent: Sendable {
    /// The octets, when they are at hand as a whole.
    package let octets: [UInt8]?
    /// Of the content as it is stored.
    package let count: Int
    /// Whether the last line is complete; otherwise it is completed on the way.
    package let endsWithCRLF: Bool
    /// Whether a line may begin with a dot, or end otherwise than with CRLF.
    package let needsStuffing: Bool

    /// A content at hand.
    package init(octets: [UInt8]) {
        self.octets = octets
        self.count = octets.count
        self.endsWithCRLF = octets.isEmpty || octets.suffix(2) == [.cr, .lf]
        self.needsStuffing =
            ContentEncoder.mayStuff(octets.span) || Self.hasBareLineEnd(octets.span)
    }

    private static func hasBareLineEnd(_ octets: borrowing Span<UInt8>) -> Bool {
        var last: UInt8 = 0
        for index in octets.indices {
            let octet = octets[index]
            if (octet == .lf) != (last == .cr) { return true }
            last = octet
        }
        return last == .cr
    }

    /// A content from the store, which keeps no bare CR or LF; without octets it is read in parts.
    package init(octets: [UInt8]?, count: Int, endsWithCRLF: Bool, needsStuffing: Bool) {
        self.octets = octets
        self.count = count
        self.endsWithCRLF = endsWithCRLF
        self.needsStuffing = needsStuffing
    }

    /// How many octets a peer gets, transparency not counted.
    package var sentCount: Int { self.count + (self.endsWithCRLF ? 0 : 2) }
}
