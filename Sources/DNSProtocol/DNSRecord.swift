// SPDX-License-Identifier: Apache-2.0
//
// Resource records (RFC 1035, section 3.2), those that mail needs in full and the others as octets.

package import MailBytes

/// What a record holds, by its number (RFC 1035, RFC 3596, RFC 6698).
package struct DNSRecordType: RawRepresentable, Hashable, BitwiseCopyable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let a = DNSRecordType(rawValue: 1)
    package static let ns = DNSRecordType(rawValue: 2)
    package static let cname = DNSRecordType(rawValue: 5)
    package static let soa = DNSRecordType(rawValue: 6)
    package static let ptr = DNSRecordType(rawValue: 12)
    package static let mx = DNSRecordType(rawValue: 15)
    package static let txt = DNSRecordType(rawValue: 16)
    package static let aaaa = DNSRecordType(rawValue: 28)
    package static let tlsa = DNSRecordType(rawValue: 52)
}

/// One record.
///
/// Names are in lower case, without the dot at the end; the root is ".".
package struct DNSRecord: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        /// A or AAAA; the port is 0.
        case address(NetworkAddress)
        case mx(preference: UInt16, exchange: String)
        case ns(String)
        case cname(String)
        case ptr(String)
        /// The strings of a TXT record, one behind the other.
        case txt([UInt8])
        case tlsa(DNSTLSA)
        case other([UInt8])
    }

    package let name: String
    package let type: DNSRecordType
    /// Seconds.
    package let timeToLive: UInt32
    package let content: Content

    package init(name: String, type: DNSRecordType, timeToLive: UInt32, content: Content) {
        self.name = name
        self.type = type
        self.timeToLive = timeToLive
        self.content = content
    }
}

/// Which certificate a service shows (TLSA, RFC 6698, section 2.1).
package struct DNSTLSA: Hashable, Sendable {
    package let usage: UInt8
    package let selector: UInt8
    package let matchingType: UInt8
    package let association: [UInt8]

    package init(usage: UInt8, selector: UInt8, matchingType: UInt8, association: [UInt8]) {
        self.usage = usage
        self.selector = selector
        self.matchingType = matchingType
        self.association = association
    }
}
