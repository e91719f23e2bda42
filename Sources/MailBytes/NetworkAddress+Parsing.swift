// SPDX-License-Identifier: Apache-2.0
//
// Internet addresses as text: the dotted decimals of IPv4 and the forms of RFC 4291, section 2.2.
// Names, ports by name and zones (fe80::1%eth0) are not read.

extension NetworkAddress {
    /// An address with or without a port: `192.0.2.1`, `192.0.2.1:25`, `2001:db8::1`,
    /// `[2001:db8::1]` or `[2001:db8::1]:25`; nil for anything else.
    ///
    /// Without a port the port is 0. Decimals have no leading zeros, because some readers take
    /// those for octal.
    public init?(parsing text: String) {
        self.init(octets: Array(text.utf8).span)
    }

    /// An address from octets, in the same forms.
    public init?(octets text: borrowing Span<UInt8>) {
        var scanner = AddressScanner(end: text.count)
        if scanner.take(UInt8(ascii: "["), in: text) {
            guard let halves = scanner.ipv6(in: text), scanner.take(UInt8(ascii: "]"), in: text),
                let port = scanner.optionalPort(in: text)
            else { return nil }
            self.init(ipv6: halves.high, halves.low, port: port)
        } else if let bits = scanner.ipv4(in: text) {
            guard let port = scanner.optionalPort(in: text) else { return nil }
            self.init(ipv4: bits, port: port)
        } else {
            scanner.index = 0
            guard let halves = scanner.ipv6(in: text), scanner.isAtEnd else { return nil }
            self.init(ipv6: halves.high, halves.low, port: 0)
        }
    }
}

/// A place in the text of an address.
private struct AddressScanner {
    var index = 0
    let end: Int

    init(end: Int) { self.end = end }

    var isAtEnd: Bool { self.index == self.end }

    mutating func take(_ octet: UInt8, in text: borrowing Span<UInt8>) -> Bool {
        guard self.index < self.end, text[self.index] == octet else { return false }
        self.index += 1
        return true
    }

    /// A number in decimal digits without leading zeros; nil, with the index anywhere, otherwise.
    mutating func decimal(max: Int, in text: borrowing Span<UInt8>) -> Int? {
        let start = self.index
        var number = 0
        while self.index < self.end, text[self.index].isASCIIDigit {
            number = number * 10 + Int(text[self.index] &- 0x30)
            guard number <= max else { return nil }
            self.index += 1
        }
        guard self.index > start, self.index == start + 1 || text[start] != UInt8(ascii: "0")
        else { return nil }
        return number
    }

    mutating func ipv4(in text: borrowing Span<UInt8>) -> UInt32? {
        var bits: UInt32 = 0
        for part in 0..<4 {
            guard part == 0 || self.take(.dot, in: text),
                let number = self.decimal(max: 255, in: text)
            else { return nil }
            bits = bits << 8 | UInt32(number)
        }
        return bits
    }

    /// Nothing, or a colon and a port that ends the text.
    mutating func optionalPort(in text: borrowing Span<UInt8>) -> UInt16? {
        if self.isAtEnd { return 0 }
        guard self.take(UInt8(ascii: ":"), in: text),
            let port = self.decimal(max: 65535, in: text), self.isAtEnd
        else { return nil }
        return UInt16(port)
    }

    /// Eight groups, fewer with one `::`, the last two perhaps as dotted decimals.
    mutating func ipv6(in text: borrowing Span<UInt8>) -> (high: UInt64, low: UInt64)? {
        var before = IPv6Groups()
        var after: IPv6Groups?
        if self.take(UInt8(ascii: ":"), in: text) {
            guard self.take(UInt8(ascii: ":"), in: text) else { return nil }
            after = IPv6Groups()
        }
        while self.hasGroup(in: text) {
            let count = before.count + (after?.count ?? 0)
            var groups = after ?? before
            guard self.appendGroup(to: &groups, isLastAllowed: count <= 6, in: text) else {
                return nil
            }
            if after == nil { before = groups } else { after = groups }
            guard self.take(UInt8(ascii: ":"), in: text) else { break }
            if self.take(UInt8(ascii: ":"), in: text) {
                guard after == nil else { return nil }
                after = IPv6Groups()
            } else if !self.hasGroup(in: text) {
                return nil
            }
        }
        guard let after else { return before.count == 8 ? before.halves : nil }
        guard before.count + after.count <= 7 else { return nil }
        return before.followed(by: after)
    }

    private func hasGroup(in text: borrowing Span<UInt8>) -> Bool {
        self.index < self.end && Self.hexadecimal(text[self.index]) != nil
    }

    /// One group of four hexadecimal digits, or two of them as an IPv4 address at the end.
    private mutating func appendGroup(
        to groups: inout IPv6Groups,
        isLastAllowed: Bool,
        in text: borrowing Span<UInt8>
    ) -> Bool {
        let start = self.index
        var group: UInt16 = 0
        while self.index < self.end, self.index < start + 4,
            let digit = Self.hexadecimal(text[self.index])
        {
            group = group << 4 | UInt16(digit)
            self.index += 1
        }
        guard self.index < self.end, text[self.index] == .dot else { return groups.append(group) }
        self.index = start
        guard isLastAllowed, let bits = self.ipv4(in: text) else { return false }
        // Nothing may follow the dotted decimals.
        guard self.isAtEnd || text[self.index] == UInt8(ascii: "]") else { return false }
        return groups.append(UInt16(bits >> 16))
            && groups.append(UInt16(truncatingIfNeeded: bits))
    }

    private static func hexadecimal(_ octet: UInt8) -> UInt8? {
        switch octet.lowercasedASCII {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet.lowercasedASCII - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

/// Up to eight groups of sixteen bits, the first one highest.
private struct IPv6Groups {
    private(set) var count = 0
    /// The groups so far, as the lowest `16 * count` of 128 bits.
    private var high: UInt64 = 0
    private var low: UInt64 = 0

    var halves: (high: UInt64, low: UInt64) { (self.high, self.low) }

    /// False when there are eight already.
    mutating func append(_ group: UInt16) -> Bool {
        guard self.count < 8 else { return false }
        self.high = self.high << 16 | self.low >> 48
        self.low = self.low << 16 | UInt64(group)
        self.count += 1
        return true
    }

    /// These groups, zeros, and the groups after `::`.
    func followed(by last: IPv6Groups) -> (high: UInt64, low: UInt64) {
        var first = self
        while first.append(0) {}
        return (first.high | last.high, first.low | last.low)
    }
}
