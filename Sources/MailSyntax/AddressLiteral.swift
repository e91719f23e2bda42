// SPDX-License-Identifier: Apache-2.0
//
// What may stand between the brackets of an address literal: RFC 5321, section 4.1.3.

internal import MailBytes

/// The host that an address literal names.
enum AddressLiteral: Equatable {
    /// An IPv4 or IPv6 address.
    case internet(NetworkAddress)
    /// An address of a kind that a tag names; none but IPv6 was ever registered.
    case general

    /// Reads what fills `range`, the brackets not included; nil when it is no literal.
    init?(_ octets: borrowing Span<UInt8>, in range: ByteRange) {
        guard let colon = octets.firstIndex(of: UInt8(ascii: ":"), from: range.lowerBound),
            colon < range.upperBound
        else {
            guard let bits = Self.ipv4(octets, in: range) else { return nil }
            self = .internet(NetworkAddress(ipv4: bits, port: 0))
            return
        }
        let tag = ByteRange(range.lowerBound, colon)
        let rest = ByteRange(colon + 1, range.upperBound)
        if octets.matches("IPv6", in: tag) {
            guard let bits = Self.ipv6(octets, in: rest) else { return nil }
            self = .internet(
                NetworkAddress(
                    ipv6: UInt64(truncatingIfNeeded: bits >> 64),
                    UInt64(truncatingIfNeeded: bits),
                    port: 0
                )
            )
        } else {
            guard Self.isTag(octets, in: tag), !rest.isEmpty else { return nil }
            self = .general
        }
    }

    /// Letters, digits and hyphens, not ending in a hyphen.
    private static func isTag(_ octets: borrowing Span<UInt8>, in range: ByteRange) -> Bool {
        guard !range.isEmpty, octets[range.upperBound - 1] != UInt8(ascii: "-") else {
            return false
        }
        for index in range.indices {
            let octet = octets[index]
            guard octet.isASCIILetter || octet.isASCIIDigit || octet == UInt8(ascii: "-")
            else { return false }
        }
        return true
    }

    /// Four numbers below 256 of one to three digits.
    private static func ipv4(_ octets: borrowing Span<UInt8>, in range: ByteRange) -> UInt32? {
        var bits: UInt32 = 0
        var start = range.lowerBound
        for place in 0..<4 {
            var end = start
            while end < range.upperBound, octets[end].isASCIIDigit { end += 1 }
            let isEnded =
                place == 3
                ? end == range.upperBound
                : end < range.upperBound && octets[end] == .dot
            guard isEnded, end - start <= 3,
                let number = octets.decimal(in: ByteRange(start, end)), number < 256
            else { return nil }
            bits = bits << 8 | UInt32(number)
            start = end + 1
        }
        return bits
    }

    /// Eight groups, of which one run may be left out as `::`, the last two perhaps as IPv4.
    private static func ipv6(_ octets: borrowing Span<UInt8>, in range: ByteRange) -> UInt128? {
        var scanner = IPv6Scanner(index: range.lowerBound, end: range.upperBound)
        guard scanner.takeGap(octets) || !scanner.isAt(UInt8(ascii: ":"), octets) else {
            return nil
        }
        while scanner.index < scanner.end {
            let start = scanner.index
            guard let group = scanner.takeGroup(octets) else { return nil }
            if scanner.isAt(.dot, octets) {
                guard let tail = Self.ipv4(octets, in: ByteRange(start, scanner.end)) else {
                    return nil
                }
                scanner.append(UInt128(tail), groups: 2)
                break
            }
            scanner.append(UInt128(group), groups: 1)
            guard scanner.count <= 8, scanner.takeSeparator(octets) else { return nil }
        }
        return scanner.address
    }
}

/// The groups of an IPv6 address read so far, and where the next one stands.
private struct IPv6Scanner {
    var index: Int
    let end: Int
    private var bits: UInt128 = 0
    private(set) var count = 0
    private var gap: Int?

    init(index: Int, end: Int) {
        self.index = index
        self.end = end
    }

    func isAt(_ octet: UInt8, _ octets: borrowing Span<UInt8>) -> Bool {
        self.index < self.end && octets[self.index] == octet
    }

    mutating func append(_ groupBits: UInt128, groups: Int) {
        self.bits = self.bits << UInt128(16 * groups) | groupBits
        self.count += groups
    }

    /// One to four hexadecimal digits.
    mutating func takeGroup(_ octets: borrowing Span<UInt8>) -> UInt16? {
        let start = self.index
        var group: UInt16 = 0
        while self.index < self.end, let digit = Self.digit(octets[self.index]) {
            guard self.index - start < 4 else { return nil }
            group = group << 4 | digit
            self.index += 1
        }
        return self.index > start ? group : nil
    }

    /// `::`, once.
    mutating func takeGap(_ octets: borrowing Span<UInt8>) -> Bool {
        let colon = UInt8(ascii: ":")
        guard self.gap == nil, self.index + 1 < self.end, octets[self.index] == colon,
            octets[self.index + 1] == colon
        else { return false }
        self.gap = self.count
        self.index += 2
        return true
    }

    /// What stands after a group: the end, `::`, or `:` with another group behind it.
    mutating func takeSeparator(_ octets: borrowing Span<UInt8>) -> Bool {
        if self.index == self.end || self.takeGap(octets) { return true }
        guard self.isAt(UInt8(ascii: ":"), octets) else { return false }
        self.index += 1
        return self.index < self.end && octets[self.index] != UInt8(ascii: ":")
    }

    /// The whole address; nil when groups are missing or too many.
    var address: UInt128? {
        guard let gap = self.gap else { return self.count == 8 ? self.bits : nil }
        guard self.count < 8 else { return nil }
        let tailBits = UInt128(16 * (self.count - gap))
        let head = self.bits >> tailBits
        let tail = self.bits & ((1 << tailBits) - 1)
        return head << UInt128(16 * (8 - gap)) | tail
    }

    private static func digit(_ octet: UInt8) -> UInt16? {
        switch octet {
        case 0x30...0x39: UInt16(octet - 0x30)
        case 0x41...0x46, 0x61...0x66: UInt16((octet | 0x20) - 0x61 + 10)
        default: nil
        }
    }
}
