// SPDX-License-Identifier: Apache-2.0
//
// The base 64 encoding of RFC 4648, section 4, with padding and without line breaks.

/// Octets as base64 text, and back.
public enum Base64 {
    /// The octets as text.
    public static func encode(_ octets: [UInt8]) -> [UInt8] { self.encode(octets.span) }

    /// The octets as text.
    public static func encode(_ octets: borrowing Span<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((octets.count + 2) / 3 * 4)
        var index = 0
        while index < octets.count {
            let count = min(3, octets.count - index)
            var bits: UInt32 = 0
            for offset in 0..<3 {
                bits = bits << 8 | (offset < count ? UInt32(octets[index + offset]) : 0)
            }
            for digit in 0..<4 {
                let value = UInt8(truncatingIfNeeded: bits >> UInt32(18 - 6 * digit)) & 0x3f
                text.append(digit <= count ? self.letter(value) : self.padding)
            }
            index += count
        }
        return text
    }

    /// The octets that a text stands for, or nil.
    ///
    /// There is one text for each sequence of octets: foreign characters, missing padding and bits
    /// left over in the last letter are refused (RFC 4648, section 3.5).
    public static func decode(_ text: [UInt8]) -> [UInt8]? { self.decode(text.span) }

    /// The octets that a text stands for, or nil; as strict as for an array.
    public static func decode(_ text: borrowing Span<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var octets: [UInt8] = []
        octets.reserveCapacity(text.count / 4 * 3)
        var letters = text.count
        while letters > 0, text.count - letters < 2, text[letters - 1] == self.padding {
            letters -= 1
        }
        var bits: UInt32 = 0
        for index in 0..<letters {
            guard let value = self.value(text[index]) else { return nil }
            bits = bits << 6 | UInt32(value)
            if index % 4 > 0 {
                let left = UInt32(6 - 2 * (index % 4))
                octets.append(UInt8(truncatingIfNeeded: bits >> left))
                bits &= (1 << left) - 1
            }
        }
        // What is left over: nothing after four letters, zeros after two or three, never one.
        return bits == 0 && letters % 4 != 1 ? octets : nil
    }

    private static let padding = UInt8(ascii: "=")

    private static func letter(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    private static func value(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): letter - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
