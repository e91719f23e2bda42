// SPDX-License-Identifier: Apache-2.0
//
// From a destination to the hosts that take its mail: RFC 5321, section 5.1, with null MX
// (RFC 7505), the cut of what leads back to ourselves, and what DANE needs (RFC 7672).

package import DNSProtocol
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

/// A question to DNS.
package struct DNSQuestion: Hashable, Sendable {
    package let name: String
    package let type: DNSRecordType

    package init(_ name: String, _ type: DNSRecordType) {
        self.name = name
        self.type = type
    }
}

/// One look-up, as a reducer.
///
/// `.started` comes first. Each question of an `.ask` is to be answered once, in any order; an
/// answer to what was not asked is ignored. `.deadlinePassed` takes what is still unanswered for
/// failed; late answers are then ignored. After `.finished` no event changes anything.
package struct RouteLookup: Sendable {
    package enum Event: Sendable {
        case started
        case answered(DNSAnswer)
        case deadlinePassed
    }

    package enum Effect: Hashable, Sendable {
        /// Look these up, all at once.
        case ask([DNSQuestion])
        /// Answers are still to come.
        case awaitAnswers
        case finished(RouteOutcome)
    }

    /// What was found and decided so far, in sentences for people.
    package private(set) var explanation: [String] = []

    /// A look-up of one destination.
    ///
    /// - Parameter seed: any number, for the order of hosts that are preferred alike.
    package init(
        _ destination: Destination,
        by rule: RouteRule,
        settings: RouteSettings,
        seed: UInt64
    ) {
    }

    package mutating func reduce(_ event: Event) -> Effect {
        .awaitAnswers
    }
}
