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
    /// Whether a line may begin with a dot; see `ContentEncoder.mayStuff`.
    package let needsStuffing: Bool

    /// A content at hand.
    package init(octets: [UInt8]) {
        self.octets = octets
        self.count = octets.count
        self.endsWithCRLF = octets.isEmpty || octets.suffix(2) == [.cr, .lf]
        self.needsStuffing = ContentEncoder.mayStuff(octets.span)
    }

    /// A content whose facts are known; without octets it is read in parts.
    package init(octets: [UInt8]?, count: Int, endsWithCRLF: Bool, needsStuffing: Bool) {
        self.octets = octets
        self.count = count
        self.endsWithCRLF = endsWithCRLF
        self.needsStuffing = needsStuffing
    }

    /// How many octets a peer gets, transparency not counted.
    package var sentCount: Int { self.count + (self.endsWithCRLF ? 0 : 2) }
}
