// SPDX-License-Identifier: Apache-2.0
//
// The paths and mailboxes of RFC 5321, section 4.1.2 (and RFC 6531, section 3.3, where UTF-8 is
// allowed): found in a line as ranges, nothing copied.

public import MailBytes

/// A reverse-path or forward-path, as ranges of the line it stands in.
public struct MailPath: Equatable, BitwiseCopyable, Sendable {
    /// Why a path is none.
    public enum Failure: Error, Equatable {
        /// It does not follow the grammar.
        case syntax
        /// The local-part, the domain or the whole is too long (RFC 5321, section 4.5.3.1).
        case tooLong
        /// It has octets above 127 and SMTPUTF8 was not asked for, or they are not UTF-8.
        case needsUTF8
    }

    /// The local-part as written, quotes included; empty for the null path.
    public var localPart: ByteRange
    /// The domain or address literal, brackets included; empty when there is none.
    public var domain: ByteRange
    /// Whether the local-part is a quoted string.
    public var isQuoted: Bool
    /// The index after the closing bracket.
    public var end: Int

    /// Whether this is `<>`.
    public var isNull: Bool { self.localPart.isEmpty && self.domain.isEmpty }

    /// The mailbox without source route: local-part, at-sign, domain.
    public var mailbox: ByteRange {
        ByteRange(
            self.localPart.lowerBound,
            self.domain.isEmpty ? self.localPart.upperBound : self.domain.upperBound
        )
    }

    /// Longest local-part and domain (RFC 5321, section 4.5.3.1).
    static let localPartMax = 64
    static let domainMax = 255
    /// Longest path, source route and brackets included.
    ///
    /// The 256 octets of RFC 5321, section 4.5.3.1.3, are what every server must take at least, and
    /// a local-part and a domain of the longest kind do not fit in them.
    static let pathMax = 1024

    /// Reads a path in angle brackets that begins at `start`.
    ///
    /// `allowsNull` tells whether `<>` is a path (RFC 5321, section 4.5.5), `allowsBare` whether a
    /// mailbox without domain is one (`postmaster`, section 4.5.1; which local-part it is, is left
    /// to the caller), and `utf8` whether SMTPUTF8 was asked for.
    public static func parse(
        _ line: borrowing Span<UInt8>,
        at start: Int,
        allowsNull: Bool,
        allowsBare: Bool,
        utf8: Bool
    ) throws(Failure) -> MailPath {
        var scanner = MailboxScanner(index: start, end: line.count, utf8: utf8)
        guard scanner.take(UInt8(ascii: "<"), in: line) else { throw .syntax }
        if allowsNull, scanner.take(UInt8(ascii: ">"), in: line) {
            return MailPath(localPart: .empty, domain: .empty, isQuoted: false, end: scanner.index)
        }
        let isRouted = try scanner.skipSourceRoute(in: line)
        var path = try scanner.mailbox(in: line, allowsBare: allowsBare && !isRouted)
        guard scanner.take(UInt8(ascii: ">"), in: line) else { throw .syntax }
        guard scanner.index - start <= Self.pathMax else { throw .tooLong }
        path.end = scanner.index
        return path
    }

    /// Reads a mailbox without brackets that fills `range`.
    public static func parseMailbox(
        _ line: borrowing Span<UInt8>,
        in range: ByteRange,
        allowsBare: Bool,
        utf8: Bool
    ) throws(Failure) -> MailPath {
        var scanner = MailboxScanner(index: range.lowerBound, end: range.upperBound, utf8: utf8)
        var path = try scanner.mailbox(in: line, allowsBare: allowsBare)
        guard scanner.index == range.upperBound else { throw .syntax }
        path.end = scanner.index
        return path
    }

    init(localPart: ByteRange, domain: ByteRange, isQuoted: Bool, end: Int) {
        self.localPart = localPart
        self.domain = domain
        self.isQuoted = isQuoted
        self.end = end
    }
}
