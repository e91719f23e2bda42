// SPDX-License-Identifier: Apache-2.0
//
// Names as they are asked for: A-labels in lower case, without the dot at the end.

internal import CIDN
internal import MailBytes

package enum DomainName {
    /// The form of a name in which the domain name system knows it; nil for what is no name.
    ///
    /// U-labels become A-labels (RFC 5891, section 5). Labels are of letters, digits, hyphens and
    /// underscores: whatever else the system could carry is neither a mail domain nor a host.
    package static func ascii(_ name: String) -> String? {
        var octets = Array(name.utf8)
        if octets.contains(where: { $0 >= 0x80 }) {
            guard let converted = self.converted(name) else { return nil }
            octets = Array(converted.utf8)
        }
        if octets == [.dot] { return "." }
        if octets.last == .dot { octets.removeLast() }
        guard octets.count <= self.octetsMax else { return nil }
        let labels = octets.split(separator: .dot, omittingEmptySubsequences: false)
        guard labels.allSatisfy({ (1...self.labelOctetsMax).contains($0.count) }),
            octets.allSatisfy({
                $0.isASCIILetter || $0.isASCIIDigit || $0 == .dot || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            })
        else { return nil }
        return String(decoding: octets.map(\.lowercasedASCII), as: UTF8.self)
    }

    private static func converted(_ name: String) -> String? {
        // C would take a NUL for the end.
        guard !name.utf8.contains(0), name.utf8.count <= self.octetsMax * 4 else { return nil }
        var result: UnsafeMutablePointer<UInt8>?
        let flags = Int32(bitPattern: IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue)
        let code = unsafe name.withCString { text in
            unsafe text.withMemoryRebound(to: UInt8.self, capacity: name.utf8.count + 1) {
                unsafe idn2_lookup_u8($0, &result, flags)
            }
        }
        guard let converted = unsafe result else { return nil }
        defer { unsafe idn2_free(converted) }
        guard code == Int32(IDN2_OK.rawValue) else { return nil }
        return unsafe String(cString: converted)
    }

    /// As text without the dot at the end; 255 octets on the wire (RFC 1035, section 2.3.4).
    private static let octetsMax = 253
    private static let labelOctetsMax = 63
}
