// SPDX-License-Identifier: Apache-2.0
//
// Fields on one line of the control socket.

internal import MailBytes

/// The framing of the control socket: TAB-separated fields, %XX for what would break the line.
package enum ControlLine {
    /// A line longer than this is refused.
    package static let octetsMax = 1 << 16

    package static func encode(_ fields: [[UInt8]]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        var line: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { line.append(0x09) }
            for octet in field {
                if octet < 0x20 || octet == UInt8(ascii: "%") || octet == 0x7f {
                    line += [UInt8(ascii: "%"), digits[Int(octet >> 4)], digits[Int(octet & 15)]]
                } else {
                    line.append(octet)
                }
            }
        }
        return line
    }

    package static func decode(_ line: [UInt8]) -> [[UInt8]]? {
        var fields: [[UInt8]] = []
        for encoded in line.split(separator: 0x09, omittingEmptySubsequences: false) {
            var field: [UInt8] = []
            var index = encoded.startIndex
            while index < encoded.endIndex {
                let octet = encoded[index]
                guard octet == UInt8(ascii: "%") else {
                    field.append(octet)
                    index += 1
                    continue
                }
                guard index + 2 < encoded.endIndex,
                    let high = Self.digit(encoded[index + 1]),
                    let low = Self.digit(encoded[index + 2])
                else { return nil }
                field.append(high << 4 | low)
                index += 3
            }
            fields.append(field)
        }
        return fields
    }

    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 0x30...0x39: octet - 0x30
        case 0x41...0x46: octet - 0x41 + 10
        case 0x61...0x66: octet - 0x61 + 10
        default: nil
        }
    }
}
