// SPDX-License-Identifier: Apache-2.0
//
// The quoted-printable encoding (RFC 2045, section 6.7).

internal import MailBytes

/// Octets as lines of printable ASCII.
enum QuotedPrintable {
    /// Encodes text; CR LF stays the end of a line, and no line has more than 76 octets.
    static func encode(_ octets: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(octets.count + octets.count / 4)
        var column = 0
        var index = 0
        while index < octets.count {
            let octet = octets[index]
            if octet == .cr, index + 1 < octets.count, octets[index + 1] == .lf {
                out += [.cr, .lf]
                column = 0
                index += 2
                continue
            }
            index += 1
            let endsLine = index == octets.count || octets[index] == .cr
            let isPlain = Self.isPlain(octet, endsLine: endsLine)
            // An equals sign of a soft line break must still fit.
            if column + (isPlain ? 1 : 3) > 75 {
                out += [UInt8(ascii: "="), .cr, .lf]
                column = 0
            }
            if isPlain {
                out.append(octet)
                column += 1
            } else {
                out += [UInt8(ascii: "="), self.digit(octet >> 4), self.digit(octet & 15)]
                column += 3
            }
        }
        return out
    }

    private static func isPlain(_ octet: UInt8, endsLine: Bool) -> Bool {
        switch octet {
        case .space, 0x09: !endsLine
        case UInt8(ascii: "="): false
        default: (0x21...0x7e).contains(octet)
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}
