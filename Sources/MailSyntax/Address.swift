// SPDX-License-Identifier: Apache-2.0
//
// A mailbox in the one form that tables are keyed by, that lists show and that files keep. It is
// itself a mailbox of RFC 5321, so that it can be read again wherever it was written.

internal import MailBytes

/// The canonical form of a mailbox.
///
/// - The local-part stands without quotes where it can (`"a"@x` is `a@x`), else in quotes with no
///   more backslashes than it needs.
/// - ASCII letters are in lower case on both sides. Deviation (RFC 5321, section 2.4): local-parts
///   are compared without case, as servers of local mailboxes do. Letters beyond ASCII stay as they
///   are, without normalisation, and an A-label is not its U-label.
/// - An IPv4 or IPv6 literal stands in its shortest form, `[ipv6:::1]` for
///   `[IPv6:0:0:0:0:0:0:0:1]`; an IPv4 address mapped into IPv6 is IPv4.
///
/// No octet of it is a control character of ASCII: an address never ends a line.
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
        Self.appendLocalPart(of: path, in: written, to: &octets)
        self.at = octets.count
        octets.append(UInt8(ascii: "@"))
        Self.appendDomain(path.domain, in: written, to: &octets)
        self.octets = octets
    }

    /// A mailbox from text.
    public init?(parsing text: String) {
        self.init(octets: Array(text.utf8).span)
    }

    /// An address from octets that were canonical before, as they come out of a store.
    public init?(canonical octets: [UInt8]) {
        guard let at = Self.localPartEnd(octets), at > 0, at < octets.count,
            octets[at] == UInt8(ascii: "@")
        else { return nil }
        self.octets = octets
        self.at = at
    }

    /// The local-part, in quotes where it needs them.
    public var localPart: ArraySlice<UInt8> { self.octets[..<self.at] }

    /// The domain, or the address literal with its brackets.
    public var domain: ArraySlice<UInt8> { self.octets[(self.at + 1)...] }

    /// The address as text, which can be parsed again.
    public var text: String { String(decoding: self.octets, as: UTF8.self) }

    /// Whether the local-part is `postmaster`.
    public var isPostmaster: Bool { self.localPart.elementsEqual("postmaster".utf8) }

    /// The address without what follows the first `separator` in its local-part; nil when there is
    /// none, or nothing before it.
    public func removingDetail(separator: UInt8) -> Address? {
        let isQuoted = self.octets.first == Self.quote
        guard let cut = self.localPart.firstIndex(of: separator), cut > (isQuoted ? 1 : 0) else {
            return nil
        }
        // What is left may need no quotes any more.
        let plain = self.octets[..<cut] + (isQuoted ? [Self.quote] : []) + self.octets[self.at...]
        return Address(octets: Array(plain).span)
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    private static func appendLocalPart(
        of path: MailPath,
        in written: borrowing Span<UInt8>,
        to octets: inout [UInt8]
    ) {
        guard path.isQuoted else {
            for index in path.localPart.indices { octets.append(written[index].lowercasedASCII) }
            return
        }
        var content: [UInt8] = []
        var index = path.localPart.lowerBound + 1
        while index < path.localPart.upperBound - 1 {
            if written[index] == Self.backslash { index += 1 }
            content.append(written[index].lowercasedASCII)
            index += 1
        }
        guard !Self.isDotString(content) else {
            octets += content
            return
        }
        octets.append(Self.quote)
        for octet in content {
            if octet == Self.quote || octet == Self.backslash { octets.append(Self.backslash) }
            octets.append(octet)
        }
        octets.append(Self.quote)
    }

    private static func isDotString(_ content: [UInt8]) -> Bool {
        var previous: UInt8 = .dot
        for octet in content {
            let isAllowed = octet >= 0x80 || MailboxScanner.isAtomText(octet)
            guard octet == .dot ? previous != .dot : isAllowed else { return false }
            previous = octet
        }
        return previous != .dot
    }

    private static func appendDomain(
        _ domain: ByteRange,
        in written: borrowing Span<UInt8>,
        to octets: inout [UInt8]
    ) {
        let inside = ByteRange(
            domain.lowerBound + 1,
            max(domain.upperBound - 1, domain.lowerBound + 1)
        )
        guard written[domain.lowerBound] == UInt8(ascii: "["),
            case .internet(let host) = AddressLiteral(written, in: inside)
        else {
            for index in domain.indices { octets.append(written[index].lowercasedASCII) }
            return
        }
        var literal = ReplyBuffer(capacity: 64)
        literal.append(host.family == .ipv6 ? "[ipv6:" : "[")
        host.appendHost(to: &literal)
        literal.append("]")
        octets.append(literal.span)
    }

    /// The index after the local-part of a canonical address.
    private static func localPartEnd(_ octets: [UInt8]) -> Int? {
        guard octets.first == Self.quote else { return octets.firstIndex(of: UInt8(ascii: "@")) }
        var index = 1
        while index < octets.count {
            if octets[index] == Self.quote { return index + 1 }
            index += octets[index] == Self.backslash ? 2 : 1
        }
        return nil
    }
}
