// SPDX-License-Identifier: Apache-2.0
//
// The TXT record that tells that a domain has a policy of MTA-STS, and which (RFC 8461, section
// 3.1).

package import DNSProtocol
internal import MailBytes

/// What `_mta-sts.` of a domain says.
package struct STSRecord: Hashable, Sendable {
    /// Up to 32 letters and digits: another id, another policy.
    package let id: String

    /// The name to ask for TXT records.
    package static func queryName(domain: String) -> String { "_mta-sts.\(domain)" }

    /// The host that serves the policy over HTTPS (RFC 8461, section 3.3).
    package static func policyHost(domain: String) -> String { "mta-sts.\(domain)" }

    /// The path of the policy on that host.
    package static let policyPath = "/.well-known/mta-sts.txt"

    /// The one record in an answer; nil when there is none, more than one, or it is malformed:
    /// the domain then counts as one without a policy.
    package init?(answer: DNSAnswer) {
        let texts = answer.records.compactMap { record -> [UInt8]? in
            guard case .txt(let octets) = record.content, Self.beginsAsRecord(octets) else {
                return nil
            }
            return octets
        }
        guard texts.count == 1, let record = STSRecord(octets: texts[0]) else { return nil }
        self = record
    }

    /// A record from its text (the strings of the TXT record, joined); nil when it is none.
    package init?(octets: [UInt8]) {
        guard octets.count <= Self.octetsMax, Self.beginsAsRecord(octets) else { return nil }
        var fields = octets.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        // A semicolon may stand at the end, and only there is nothing behind it.
        if let last = fields.last, Self.trimmed(last).isEmpty { fields.removeLast() }
        var id: String?
        for field in fields.dropFirst() {
            let field = Self.trimmed(field)
            guard let equals = field.firstIndex(of: UInt8(ascii: "=")),
                Self.isName(field[..<equals])
            else { return nil }
            let value = field[(equals + 1)...]
            if field[..<equals].elementsEqual("id".utf8) {
                guard id == nil, Self.isID(value) else { return nil }
                id = String(decoding: value, as: UTF8.self)
            } else if !Self.isValue(value) {
                return nil
            }
        }
        guard let id else { return nil }
        self.id = id
    }

    /// Longest text that is looked at.
    package static let octetsMax = 4096

    /// What does not begin so is another record, which says nothing about MTA-STS.
    private static func beginsAsRecord(_ octets: [UInt8]) -> Bool {
        guard octets.starts(with: "v=STSv1".utf8) else { return false }
        let rest = self.trimmed(octets[7...])
        return rest.isEmpty || rest.first == UInt8(ascii: ";")
    }

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var octets = octets
        while let first = octets.first, first == .space || first == 0x09 { octets.removeFirst() }
        while let last = octets.last, last == .space || last == 0x09 { octets.removeLast() }
        return octets
    }

    private static func isName(_ octets: ArraySlice<UInt8>) -> Bool {
        guard let first = octets.first, octets.count <= 32, self.isAlphanumeric(first) else {
            return false
        }
        return octets.allSatisfy { octet in
            self.isAlphanumeric(octet) || octet == UInt8(ascii: "_") || octet == UInt8(ascii: "-")
                || octet == .dot
        }
    }

    private static func isID(_ octets: ArraySlice<UInt8>) -> Bool {
        (1...32).contains(octets.count) && octets.allSatisfy(self.isAlphanumeric)
    }

    /// Printable, without space, equals sign and semicolon.
    private static func isValue(_ octets: ArraySlice<UInt8>) -> Bool {
        !octets.isEmpty
            && octets.allSatisfy { octet in
                (0x21...0x7e).contains(octet) && octet != UInt8(ascii: "=")
            }
    }

    private static func isAlphanumeric(_ octet: UInt8) -> Bool {
        octet.isASCIILetter || octet.isASCIIDigit
    }
}
