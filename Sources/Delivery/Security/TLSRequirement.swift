// SPDX-License-Identifier: Apache-2.0
//
// What TLS has to be like on one connection, in the terms of the one who makes it.

package import DNSProtocol

/// What must be true of TLS with one host before mail goes to it.
package enum TLSRequirement: Hashable, Sendable {
    /// No TLS at all.
    case none
    /// TLS when it is offered, without a look at the certificate; in the clear when it is not
    /// offered or fails.
    case opportunistic
    /// TLS, without a look at the certificate.
    case encrypted
    /// TLS with a certificate that a trusted authority gave to one of the names.
    case verified(names: [String])
    /// TLS with a certificate that one of the records names (RFC 7672); `names` are those that a
    /// certificate below a trust anchor (usage 2) may be for, and are not looked at for usage 3.
    case dane(records: [DNSTLSA], names: [String])

    /// Whether a connection without TLS will do.
    package var permitsCleartext: Bool { self == .none || self == .opportunistic }

    /// Whether the certificate is looked at.
    package var isVerified: Bool {
        switch self {
        case .none, .opportunistic, .encrypted: false
        case .verified, .dane: true
        }
    }
}

extension TLSRequirement: CustomStringConvertible {
    /// In a few words, for the log.
    package var description: String {
        switch self {
        case .none: "none"
        case .opportunistic: "opportunistic"
        case .encrypted: "encrypted"
        case .verified(let names): "verified for \(names.joined(separator: " or "))"
        case .dane(let records, _):
            records.count == 1 ? "DANE, 1 record" : "DANE, \(records.count) records"
        }
    }
}
