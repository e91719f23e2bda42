// SPDX-License-Identifier: Apache-2.0
//
// One part of a report, with the encoding that carries it.

internal import MailBytes

/// A part: its media type and its octets.
struct ReportPart {
    /// Content-Transfer-Encoding (RFC 2045, section 6.1).
    enum Encoding: String {
        case sevenBit = "7bit"
        case eightBit = "8bit"
        case quotedPrintable = "quoted-printable"
    }

    let type: String
    let encoding: Encoding
    /// Lines with CR LF, encoded.
    let octets: [UInt8]

    /// A part of a type that any encoding may carry: as it is where it may be, else in
    /// quoted-printable.
    init(type: String, encodable octets: [UInt8], allowsEightBit: Bool) {
        self.type = type
        switch Carriage(of: octets) {
        case .sevenBit:
            self.encoding = .sevenBit
            self.octets = octets
        case .eightBit where allowsEightBit:
            self.encoding = .eightBit
            self.octets = octets
        case .eightBit, .neither:
            self.encoding = .quotedPrintable
            self.octets = QuotedPrintable.encode(octets)
        }
    }

    /// A part of a type that must not be encoded (RFC 2046, section 5.2.1); nil when it would
    /// have to be.
    init?(type: String, unencoded octets: [UInt8]) {
        self.type = type
        switch Carriage(of: octets) {
        case .sevenBit: self.encoding = .sevenBit
        case .eightBit: self.encoding = .eightBit
        case .neither: return nil
        }
        self.octets = octets
    }

    /// Appends the header fields of the part, an empty line, and its octets.
    func append(to out: inout [UInt8]) {
        ReportComposer.add("Content-Type: \(self.type)", to: &out)
        if self.encoding != .sevenBit {
            ReportComposer.add("Content-Transfer-Encoding: \(self.encoding.rawValue)", to: &out)
        }
        ReportComposer.add("", to: &out)
        out += self.octets
        // The line end before a boundary belongs to the boundary.
        if !self.octets.isEmpty, !self.octets.suffix(2).elementsEqual([.cr, .lf]) {
            out += [.cr, .lf]
        }
    }

    /// Which octets a transport must carry for these, if they are not encoded.
    private enum Carriage {
        case sevenBit
        case eightBit
        /// Lines that are too long, NUL, or CR and LF that do not stand together.
        case neither

        init(of octets: [UInt8]) {
            var isASCII = true
            var lineStart = 0
            var previous: UInt8 = 0
            for (index, octet) in octets.enumerated() {
                if octet >= 0x80 { isASCII = false }
                guard octet != 0, (octet == .lf) == (previous == .cr) else {
                    self = .neither
                    return
                }
                if octet == .lf {
                    lineStart = index + 1
                } else if octet != .cr, index - lineStart >= 998 {
                    self = .neither
                    return
                }
                previous = octet
            }
            guard previous != .cr else {
                self = .neither
                return
            }
            self = isASCII ? .sevenBit : .eightBit
        }
    }
}
