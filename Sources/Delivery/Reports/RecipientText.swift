// SPDX-License-Identifier: Apache-2.0
//
// Recipients as the fields of a delivery status write them: the original one out of ORCPT (RFC
// 3461, section 4.2), and addresses beyond ASCII (RFC 6533, section 3).

internal import MailBytes

/// Addresses with their types.
enum RecipientText {
    /// The value of Final-Recipient.
    static func final(_ address: [UInt8], usesUTF8: Bool) -> [UInt8] {
        ReportText.isASCII(address)
            ? Array("rfc822; ".utf8) + ReportText.safe(address, allowsUTF8: false)
            : Array("utf-8; ".utf8) + self.escaped(address, keepsUTF8: usesUTF8)
    }

    /// The value of Original-Recipient, from ORCPT as it came; nil when there was none.
    static func original(_ parameter: [UInt8], usesUTF8: Bool) -> [UInt8]? {
        guard let semicolon = parameter.firstIndex(of: UInt8(ascii: ";")) else { return nil }
        let type = ReportText.printable(Array(parameter[..<semicolon]), octetsMax: 64)
        guard !type.isEmpty else { return nil }
        let written = Array(parameter[(semicolon + 1)...])
        let isUTF8 = type.map(\.lowercasedASCII).elementsEqual("utf-8".utf8)
        let value =
            isUTF8
            ? self.escaped(self.unescaped(written), keepsUTF8: usesUTF8)
            : ReportText.safe(self.decoded(xtext: written), allowsUTF8: false)
        return type + Array("; ".utf8) + value
    }

    /// Octets out of xtext (RFC 3461, section 4): `+` and two digits stand for one octet.
    ///
    /// What is no xtext stays as it is.
    static func decoded(xtext: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var index = 0
        while index < xtext.count {
            if xtext[index] == UInt8(ascii: "+"), index + 2 < xtext.count,
                let high = self.value(xtext[index + 1]), let low = self.value(xtext[index + 2])
            {
                out.append(UInt8(high << 4 | low))
                index += 3
            } else {
                out.append(xtext[index])
                index += 1
            }
        }
        return out
    }

    /// Characters out of `\x{…}` (RFC 6533, section 3).
    static func unescaped(_ text: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var index = 0
        while index < text.count {
            if let (scalar, end) = self.escape(text, at: index) {
                out += String(scalar).utf8
                index = end
            } else {
                out.append(text[index])
                index += 1
            }
        }
        return out
    }

    private static func escape(_ text: [UInt8], at start: Int) -> (Unicode.Scalar, Int)? {
        guard text[start...].starts(with: "\\x{".utf8) else { return nil }
        var number: UInt32 = 0
        var index = start + 3
        while index < text.count, index < start + 9, let digit = self.value(text[index]) {
            number = number << 4 | digit
            index += 1
        }
        guard index > start + 3, index < text.count, text[index] == UInt8(ascii: "}"),
            let scalar = Unicode.Scalar(number)
        else { return nil }
        return (scalar, index + 1)
    }

    /// An address in which `\x{…}` stands for what may not stand there itself.
    private static func escaped(_ address: [UInt8], keepsUTF8: Bool) -> [UInt8] {
        var out: [UInt8] = []
        let safe = ReportText.safe(address, allowsUTF8: true)
        for scalar in String(decoding: safe, as: UTF8.self).unicodeScalars {
            let isKept =
                switch scalar.value {
                case 0x2b, 0x3d, 0x5c: false
                case 0x21...0x7e: true
                default: keepsUTF8 && scalar.value >= 0x80
                }
            out +=
                (isKept
                ? String(scalar) : "\\x{\(String(scalar.value, radix: 16, uppercase: true))}")
                .utf8
        }
        return out
    }

    /// The value of a hexadecimal digit.
    private static func value(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit) - 0x30
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(digit) - 0x41 + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(digit) - 0x61 + 10
        default: nil
        }
    }
}
