// SPDX-License-Identifier: Apache-2.0
//
// The productions under MailPath: Local-part, Domain, address-literal, At-domain-list.

internal import MailBytes

/// A place in a line, and the productions that can be read from there.
struct MailboxScanner {
    var index: Int
    let end: Int
    let utf8: Bool

    mutating func take(_ octet: UInt8, in line: borrowing Span<UInt8>) -> Bool {
        guard self.index < self.end, line[self.index] == octet else { return false }
        self.index += 1
        return true
    }

    /// A source route is read and ignored (RFC 5321, section 3.3 and appendix C).
    ///
    /// - Returns: whether there was one.
    mutating func skipSourceRoute(
        in line: borrowing Span<UInt8>
    ) throws(MailPath.Failure) -> Bool {
        guard self.index < self.end, line[self.index] == UInt8(ascii: "@") else { return false }
        repeat {
            guard self.take(UInt8(ascii: "@"), in: line) else { throw .syntax }
            _ = try self.domain(in: line)
        } while self.take(UInt8(ascii: ","), in: line)
        guard self.take(UInt8(ascii: ":"), in: line) else { throw .syntax }
        return true
    }

    mutating func mailbox(
        in line: borrowing Span<UInt8>,
        allowsBare: Bool
    ) throws(MailPath.Failure) -> MailPath {
        let start = self.index
        let isQuoted = self.index < self.end && line[self.index] == UInt8(ascii: "\"")
        if isQuoted {
            try self.quotedString(in: line)
        } else {
            try self.dotString(in: line)
        }
        let localPart = ByteRange(start, self.index)
        // The quotes are how a local-part is written; they do not count as part of it.
        guard localPart.count <= MailPath.localPartMax + (isQuoted ? 2 : 0) else { throw .tooLong }
        guard self.take(UInt8(ascii: "@"), in: line) else {
            guard allowsBare else { throw .syntax }
            return MailPath(localPart: localPart, domain: .empty, isQuoted: isQuoted, end: 0)
        }
        let domain =
            self.index < self.end && line[self.index] == UInt8(ascii: "[")
            ? try self.addressLiteral(in: line)
            : try self.domain(in: line)
        return MailPath(localPart: localPart, domain: domain, isQuoted: isQuoted, end: 0)
    }

    /// Atoms with single dots between them.
    private mutating func dotString(
        in line: borrowing Span<UInt8>
    ) throws(MailPath.Failure) {
        var atomStart = self.index
        while self.index < self.end {
            let octet = line[self.index]
            if octet == .dot {
                guard self.index > atomStart else { throw .syntax }
                atomStart = self.index + 1
                self.index += 1
            } else if octet >= 0x80 {
                try self.utf8Sequence(in: line)
            } else if Self.isAtomText(octet) {
                self.index += 1
            } else {
                break
            }
        }
        guard self.index > atomStart else { throw .syntax }
    }

    private mutating func quotedString(
        in line: borrowing Span<UInt8>
    ) throws(MailPath.Failure) {
        self.index += 1
        while self.index < self.end {
            let octet = line[self.index]
            switch octet {
            case UInt8(ascii: "\""):
                self.index += 1
                return
            case UInt8(ascii: "\\"):
                guard self.index + 1 < self.end, (0x20...0x7e).contains(line[self.index + 1])
                else { throw .syntax }
                self.index += 2
            case 0x80...:
                try self.utf8Sequence(in: line)
            case 0x20...0x7e:
                self.index += 1
            default:
                throw .syntax
            }
        }
        throw .syntax
    }

    mutating func domain(in line: borrowing Span<UInt8>) throws(MailPath.Failure) -> ByteRange {
        let start = self.index
        var labelStart = start
        while self.index < self.end {
            let octet = line[self.index]
            if octet == .dot {
                guard self.isLabel(labelStart, line) else { throw .syntax }
                labelStart = self.index + 1
                self.index += 1
            } else if octet >= 0x80 {
                try self.utf8Sequence(in: line)
            } else if Self.isLabelText(octet) {
                self.index += 1
            } else {
                break
            }
        }
        guard self.isLabel(labelStart, line) else { throw .syntax }
        guard self.index - start <= MailPath.domainMax else { throw .tooLong }
        return ByteRange(start, self.index)
    }

    /// A label is not empty, at most 63 characters, and has no hyphen at either end.
    ///
    /// A U-label may have more octets than the 63 of its A-label (RFC 5890, section 4.2).
    private func isLabel(_ start: Int, _ line: borrowing Span<UInt8>) -> Bool {
        guard self.index > start, line[start] != UInt8(ascii: "-"),
            line[self.index - 1] != UInt8(ascii: "-")
        else { return false }
        var characters = 0
        for index in start..<self.index where line[index] & 0xc0 != 0x80 { characters += 1 }
        return characters <= 63
    }

    private mutating func addressLiteral(
        in line: borrowing Span<UInt8>
    ) throws(MailPath.Failure) -> ByteRange {
        let start = self.index
        self.index += 1
        while self.index < self.end, Self.isLiteralText(line[self.index]) { self.index += 1 }
        guard AddressLiteral(line, in: ByteRange(start + 1, self.index)) != nil,
            self.take(UInt8(ascii: "]"), in: line)
        else { throw .syntax }
        guard self.index - start <= MailPath.domainMax else { throw .tooLong }
        return ByteRange(start, self.index)
    }

    /// One character beyond ASCII in well-formed UTF-8 (RFC 3629, section 4).
    private mutating func utf8Sequence(
        in line: borrowing Span<UInt8>
    ) throws(MailPath.Failure) {
        guard self.utf8 else { throw .needsUTF8 }
        let first = line[self.index]
        let count: Int
        let second: ClosedRange<UInt8>
        switch first {
        case 0xc2...0xdf: (count, second) = (2, 0x80...0xbf)
        case 0xe0: (count, second) = (3, 0xa0...0xbf)
        case 0xed: (count, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (count, second) = (3, 0x80...0xbf)
        case 0xf0: (count, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (count, second) = (4, 0x80...0xbf)
        case 0xf4: (count, second) = (4, 0x80...0x8f)
        default: throw .needsUTF8
        }
        guard self.index + count <= self.end, second.contains(line[self.index + 1]) else {
            throw .needsUTF8
        }
        for offset in 2..<max(count, 2) where line[self.index + offset] & 0xc0 != 0x80 {
            throw .needsUTF8
        }
        self.index += count
    }

    /// RFC 5322, section 3.2.3.
    static func isAtomText(_ octet: UInt8) -> Bool {
        if octet.isASCIILetter || octet.isASCIIDigit { return true }
        switch octet {
        case UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"), UInt8(ascii: "*"),
            UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: "="),
            UInt8(ascii: "?"), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"),
            UInt8(ascii: "{")...UInt8(ascii: "~"):
            return true
        default:
            return false
        }
    }

    /// Deviation (RFC 5321, section 4.1.2): underscores are let through, because hosts have them.
    static func isLabelText(_ octet: UInt8) -> Bool {
        octet.isASCIILetter || octet.isASCIIDigit || octet == UInt8(ascii: "-")
            || octet == UInt8(ascii: "_")
    }

    private static func isLiteralText(_ octet: UInt8) -> Bool {
        (0x21...0x5a).contains(octet) || (0x5e...0x7e).contains(octet)
    }
}
