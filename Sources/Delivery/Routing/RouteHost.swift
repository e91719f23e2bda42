// SPDX-License-Identifier: Apache-2.0
//
// One host of a plan, with all that a connection to it needs to know.

package import MailBytes

/// Where a connection can be made to.
package enum RouteEndpoint: Hashable, Sendable {
    /// An address with its port.
    case address(NetworkAddress)
    /// The path of a Unix socket.
    case unix(String)
}

extension RouteEndpoint: CustomStringConvertible {
    package var description: String {
        switch self {
        case .address(let address): address.description
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// One host to try.
package struct RouteHost: Hashable, Sendable {
    /// As DNS or the configuration names it; the text of the address for a literal.
    package var name: String
    /// Of its MX record; 0 where there is none.
    package var preference: UInt16
    /// Never empty; in the order of the race.
    package var endpoints: [RouteEndpoint]
    package var transport = RelayTarget.Transport.smtp
    package var login: RelayLogin?
    /// Whether a static route names it, rather than DNS.
    package var isRelay = false
    /// Whether DNSSEC, or the operator's own word, proves that mail of the destination goes to this
    /// name.
    package var isNameSecure = false
    /// Whether DNSSEC proves its addresses.
    package var areAddressesSecure = false
    /// What its TLSA records demand; absent when they were not asked for.
    package var dane = DANEStatus.absent
    /// Of the rule that names it, or led to MX; nil: as everywhere.
    package var tls: TLSPreference?

    package init(name: String, preference: UInt16 = 0, endpoints: [RouteEndpoint]) {
        self.name = name
        self.preference = preference
        self.endpoints = endpoints
    }
}
