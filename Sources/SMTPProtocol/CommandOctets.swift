// SPDX-License-Identifier: Apache-2.0
//
// Small productions that several commands share.

internal import MailBytes

extension Span where Element == UInt8 {
    /// The range without spaces at either end.
    func trimmed(_ range: ByteRange) -> ByteRange {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start] == .space { start += 1 }
        while end > start, self[end - 1] == .space { end -= 1 }
        return ByteRange(start, end)
    }

    /// The decimal number that fills `range`; `Int.max` when it does not fit, nil when it is none.
    ///
    /// A size too large to hold is still a size: the message is too large.
    func saturatingDecimal(in range: ByteRange) -> Int? {
        guard !range.isEmpty else { return nil }
        for index in range.indices where !self[index].isASCIIDigit { return nil }
        return self.decimal(in: range) ?? .max
    }

    /// Whether an octet above 127 stands in `range`.
    func hasNonASCII(in range: ByteRange) -> Bool {
        for index in range.indices where self[index] >= 0x80 { return true }
        return false
    }

    /// The octets that the xtext (RFC 3461, section 4) of `range` stands for; nil when it is none.
    func decodedXtext(in range: ByteRange) -> [UInt8]? {
        guard self.isXtext(in: range) else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let isEscape = self[index] == UInt8(ascii: "+")
            octets.append(isEscape ? self.hexadecimal(at: index + 1) ?? 0 : self[index])
            index += isEscape ? 3 : 1
        }
        return octets
    }

    /// Whether xtext fills `range`: printable octets without space, `+` and `=`, and `+` with two
    /// hexadecimal digits for any octet.
    ///
    /// Deviation (RFC 3461, section 4): octets above 127 pass, because names may be UTF-8, and
    /// digits may be lower-case letters.
    func isXtext(in range: ByteRange) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            let octet = self[index]
            guard octet > .space, octet != 0x7f, octet != UInt8(ascii: "=") else { return false }
            guard octet == UInt8(ascii: "+") else {
                index += 1
                continue
            }
            guard index + 2 < range.upperBound, self.hexadecimal(at: index + 1) != nil else {
                return false
            }
            index += 3
        }
        return true
    }

    /// Whether xtext fills `range` that stands for printable ASCII, spaces and tabs, as the values
    /// of ENVID and ORCPT do (RFC 3461, sections 4.2 and 4.4).
    ///
    /// Exactly by the grammar, because other servers will read it.
    func isPrintableXtext(in range: ByteRange) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            let octet = self[index]
            guard octet > .space, octet < 0x7f, octet != UInt8(ascii: "=") else { return false }
            guard octet == UInt8(ascii: "+") else {
                index += 1
                continue
            }
            guard index + 2 < range.upperBound, let high = self[index + 1].strictHexadecimalDigit,
                let low = self[index + 2].strictHexadecimalDigit
            else { return false }
            let meant = high << 4 | low
            guard 0x20...0x7e ~= meant || meant == 0x09 else { return false }
            index += 3
        }
        return !range.isEmpty
    }

    /// The octet that two hexadecimal digits at `index` stand for.
    private func hexadecimal(at index: Int) -> UInt8? {
        guard let high = self[index].hexadecimalDigit, let low = self[index + 1].hexadecimalDigit
        else { return nil }
        return high << 4 | low
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit; letters are capitals (RFC 3461, section 4).
    var strictHexadecimalDigit: UInt8? {
        let isSmall = UInt8(ascii: "a")...UInt8(ascii: "f") ~= self
        return isSmall ? nil : self.hexadecimalDigit
    }

    fileprivate var hexadecimalDigit: UInt8? {
        switch self.lowercasedASCII {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self.lowercasedASCII - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
