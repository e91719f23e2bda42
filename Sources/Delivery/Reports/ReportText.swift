// SPDX-License-Identifier: Apache-2.0
//
// Words of others, made fit to stand in a report: no octet of theirs ends a line, begins a field,
// or moves a cursor.

internal import MailBytes

/// Makes text of octets that anybody may have chosen.
enum ReportText {
    static func isASCII(_ octets: [UInt8]) -> Bool { octets.allSatisfy { $0 < 0x80 } }

    /// Words in printable ASCII with single spaces between them, cut to `octetsMax`.
    ///
    /// What is not ASCII becomes one question mark for each character, or each octet that is part
    /// of none.
    static func printable(_ octets: [UInt8], octetsMax: Int) -> [UInt8] {
        var out: [UInt8] = []
        for octet in octets.prefix(4 * octetsMax) {
            switch octet {
            case 0x21...0x7e: out.append(octet)
            // The first octet of a character stands for all of them.
            case 0x80...0xbf: continue
            case 0xc0...0xff: out.append(UInt8(ascii: "?"))
            default: if let last = out.last, last != .space { out.append(.space) }
            }
        }
        if out.count > octetsMax {
            out.removeLast(out.count - octetsMax + 3)
            out += "...".utf8
        }
        while out.last == .space { out.removeLast() }
        return out
    }

    /// The octets one by one, with a question mark for each that is not printable; what is beyond
    /// ASCII stays when it is UTF-8, prints, and `allowsUTF8`.
    static func safe(_ octets: [UInt8], allowsUTF8: Bool) -> [UInt8] {
        guard !allowsUTF8 || self.isASCII(octets) else {
            var out: [UInt8] = []
            for scalar in String(decoding: octets, as: UTF8.self).unicodeScalars {
                out += self.prints(scalar) ? Array(String(scalar).utf8) : [UInt8(ascii: "?")]
            }
            return out
        }
        return octets.map { (0x20...0x7e).contains($0) ? $0 : UInt8(ascii: "?") }
    }

    /// Whether a character neither controls anything nor turns the direction of what follows.
    private static func prints(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff,
            0xfffd:
            false
        default: true
        }
    }
}
