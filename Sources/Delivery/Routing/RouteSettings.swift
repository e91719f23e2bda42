// SPDX-License-Identifier: Apache-2.0
//
// What routing goes by that the operator knows and DNS does not.

package import MailBytes

/// What a look-up goes by beside DNS.
package struct RouteSettings: Sendable {
    /// The port of mail exchangers.
    package var port: UInt16 = 25
    /// The names of this server, in lower case.
    package var ownNames: Set<String> = []
    /// Where this server listens for mail.
    ///
    /// Port 0 stands for every port; an unspecified address (0.0.0.0, ::) for every loopback
    /// address, so whoever listens on all interfaces names the addresses of each beside it.
    package var ownAddresses: [NetworkAddress] = []
    /// The families that are used, the one that is tried first in front.
    package var families: [NetworkAddress.Family] = [.ipv6, .ipv4]
    /// Whether TLSA records are asked for where DNSSEC vouches for names and addresses.
    package var asksTLSA = true
    package var hostsMax = 20
    package var addressesPerHostMax = 8

    package init() {}
}
