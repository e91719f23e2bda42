// SPDX-License-Identifier: Apache-2.0
//
// What the DNS says about the certificates of one host (RFC 7672, sections 2.1 and 3.1).

package import DNSProtocol

/// What the TLSA records of a host demand.
package enum DANEStatus: Hashable, Sendable {
    /// Nothing: there are no records, or none that DNSSEC proves.
    case absent
    /// There are proven records, and none of them can be used: TLS, without authentication
    /// (RFC 7672, section 2.2).
    case unusable
    /// The certificate must be one of these; never empty.
    case usable([DNSTLSA])
    /// Nobody could tell, and the host must not be tried (RFC 7672, section 2.1.2); and why, in a
    /// few words.
    case unknown(String)

    /// Most records that are looked at; a set of more is taken for unknown, because the record
    /// that fits might be among those left out.
    package static let recordsMax = 64

    /// The name whose TLSA records are to be asked for (RFC 6698, section 3).
    package static func queryName(host: String, port: UInt16 = 25) -> String {
        "_\(port)._tcp.\(host)"
    }

    /// The status of a host from the answer to the question for its TLSA records.
    ///
    /// They are asked for only when DNSSEC proves the addresses of the host (RFC 7672, section
    /// 2.2.2): servers of unsigned zones that stumble over the question must not cost mail.
    package init(areAddressesSecure: Bool, answer: DNSAnswer?) {
        guard areAddressesSecure, let answer else {
            self = .absent
            return
        }
        switch answer.outcome {
        case .failed(let reason): self = .unknown(reason)
        case .noData, .noSuchName: self = .absent
        case .found where !answer.isSecure: self = .absent
        case .found: self = Self.status(of: answer)
        }
    }

    private static func status(of answer: DNSAnswer) -> DANEStatus {
        let records = answer.records.compactMap { record -> DNSTLSA? in
            guard case .tlsa(let content) = record.content else { return nil }
            return content
        }
        guard records.count <= self.recordsMax else {
            return .unknown("more than \(self.recordsMax) TLSA records")
        }
        guard !records.isEmpty else { return .absent }
        let usable = records.filter(self.isUsable)
        return usable.isEmpty ? .unusable : .usable(usable)
    }

    /// Whether mail may rely on a record.
    ///
    /// Usages 0 and 1 want an authority besides, and mail knows none that both ends trust
    /// (RFC 7672, section 3.1.3).
    package static func isUsable(_ record: DNSTLSA) -> Bool {
        guard record.usage == 2 || record.usage == 3, record.selector <= 1 else { return false }
        return switch record.matchingType {
        case 0: !record.association.isEmpty
        case 1: record.association.count == 32
        case 2: record.association.count == 64
        default: false
        }
    }
}
