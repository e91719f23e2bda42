// SPDX-License-Identifier: Apache-2.0
//
// A mailbox in the one form that tables are keyed by: local-part without quotes and in lower case,
// at-sign, domain in lower case. (Local mailboxes ignore the case of their local-parts, as every
// server of the field does.)

internal import MailBytes

/// The canonical form of a mailbox.
public struct Address: Hashable, Sendable {
    /// Local-part, at-sign, domain.
    public let octets: [UInt8]
    private let at: Int

    /// A mailbox as written on the wire; nil when it is none, or has no domain.
    public init?(octets written: borrowing Span<UInt8>) {
        guard
            let path = try? MailPath.parseMailbox(
                written,
                in: ByteRange(at: 0, count: written.count),
                allowsBare: false,
                utf8: true
            )
        else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(written.count)
        var index = path.localPart.lowerBound
        var end = path.localPart.upperBound
        if path.isQuoted {
            index += 1
            end -= 1
        }
        while index < end {
            if path.isQuoted, written[index] == UInt8(ascii: "\\") { index += 1 }
            octets.append(written[index].lowercasedASCII)
            index += 1
        }
        guard !octets.isEmpty else { return nil }
        self.at = octets.count
        octets.append(UInt8(ascii: "@"))
        for index in path.domain.indices { octets.append(written[index].lowercasedASCII) }
        self.octets = octets
    }

    /// A mailbox from text.
    public init?(parsing text: String) {
        self.init(octets: Array(text.utf8).span)
    }

    /// An address from octets that were canonical before, as they come out of a store.
    public init?(canonical octets: [UInt8]) {
        guard let at = octets.lastIndex(of: UInt8(ascii: "@")), at > 0 else { return nil }
        self.octets = octets
        self.at = at
    }

    /// The local-part.
    public var localPart: ArraySlice<UInt8> { self.octets[..<self.at] }

    /// The domain, or the address literal with its brackets.
    public var domain: ArraySlice<UInt8> { self.octets[(self.at + 1)...] }

    /// The address as text.
    public var text: String { String(decoding: self.octets, as: UTF8.self) }

    /// Whether the local-part is `postmaster`.
    public var isPostmaster: Bool { self.localPart.elementsEqual("postmaster".utf8) }

    /// The address without what follows the first `separator` in its local-part; nil when there is
    /// none, or nothing before it.
    public func removingDetail(separator: UInt8) -> Address? {
        guard let cut = self.localPart.firstIndex(of: separator), cut > 0 else { return nil }
        return Address(canonical: Array(self.localPart[..<cut]) + self.octets[self.at...])
    }
}
