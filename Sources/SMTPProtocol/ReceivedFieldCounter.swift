// SPDX-License-Identifier: Apache-2.0
//
// How often a message was received before: its Received fields, counted while the content passes
// by, so that mail that goes round in circles is noticed (RFC 5321, section 6.3).

internal import MailBytes

/// Counts the Received fields of a header that comes in parts.
struct ReceivedFieldCounter: Equatable, BitwiseCopyable {
    private(set) var count = 0
    private var isInHeader = true
    /// How many octets of the field name were seen on this line; -1 when it has another.
    private var matched = 0

    /// "received", packed like the verbs.
    private static let name: UInt64 = 0x7265_6365_6976_6564
    private static let nameCount = 8

    /// Takes the next part of the content.
    mutating func scan(_ octets: borrowing Span<UInt8>, _ range: ByteRange) {
        guard self.isInHeader else { return }
        self.scan(octets.extracting(range.indices))
    }

    /// Takes a line end that is content but does not stand in the input.
    mutating func endLine() {
        if self.matched == 0 { self.isInHeader = false }
        self.matched = 0
    }

    private mutating func scan(_ octets: borrowing Span<UInt8>) {
        var index = 0
        while index < octets.count {
            if self.matched < 0 {
                guard let lf = octets.firstIndex(of: .lf, from: index) else { return }
                self.matched = 0
                index = lf + 1
                continue
            }
            let octet = octets[index]
            // The header ends at the first empty line; what follows only looks like fields.
            if self.matched == 0, octet == .cr || octet == .lf {
                self.isInHeader = false
                return
            }
            self.take(octet)
            index += 1
        }
    }

    private mutating func take(_ octet: UInt8) {
        if octet == .lf {
            self.matched = 0
        } else if self.matched < Self.nameCount {
            let expected = UInt8(truncatingIfNeeded: Self.name >> UInt64(56 - 8 * self.matched))
            self.matched = octet.lowercasedASCII == expected ? self.matched + 1 : -1
        } else if octet == UInt8(ascii: ":") {
            self.count += 1
            self.matched = -1
        } else if octet != .space, octet != 0x09 {
            // RFC 5322, section 4.5.8: old messages have white space before the colon.
            self.matched = -1
        }
    }
}
