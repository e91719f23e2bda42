// SPDX-License-Identifier: Apache-2.0

/// What a client wants of TLS.
package struct TLSClientOptions {
    /// The name to ask for (SNI, RFC 6066 section 3); never an address.
    package var serverName: String?
    /// The one version that is spoken; nil for any from `minimumVersion` on.
    package var version: TLSOptions.Version?
    package var minimumVersion = TLSOptions.Version.tls12
    /// How the server has to prove who it is.
    package var verification = TLSVerification.none
    /// Whether the handshake fails when the server does not prove it; otherwise the connection goes
    /// on, and `TLSFacts.serverVerification` tells.
    package var requiresVerification = false
    /// Whether sessions are kept and resumed.
    package var resumesSessions = false

    package init() {}
}

/// How a server has to prove who it is.
package enum TLSVerification {
    /// Not at all.
    case none
    /// By a certificate that an authority has signed for one of the names (RFC 5280, RFC 9525).
    ///
    /// A wildcard in it stands for a whole first label, and names count as alternative names only
    /// (RFC 8461, section 4.1). A single name may be an IP address.
    case authorities(TLSAuthorities, names: [String])
    /// By a certificate that the records vouch for (RFC 6698), as mail has it (RFC 7672).
    ///
    /// Usage 2 vouches for an authority, and the certificate must be valid and for one of the
    /// names, the first of them the base domain of the records. Usage 3 vouches for the certificate
    /// itself, whatever its names and times. The other usages, and records that cannot be
    /// understood, count for nothing; there must be one that counts.
    case dane(records: [TLSAssociation], names: [String])
}

/// Which certificate a server shows: the content of a TLSA record (RFC 6698, section 2.1).
package struct TLSAssociation: Hashable, Sendable {
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
