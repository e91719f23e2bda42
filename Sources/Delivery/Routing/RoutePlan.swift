// SPDX-License-Identifier: Apache-2.0
//
// What a look-up found: the hosts to try, in order, each with all that a connection needs to know.

/// The hosts that take mail for a destination, those to be tried first in front.
package struct RoutePlan: Hashable, Sendable {
    package let destination: Destination
    /// Never empty.
    package var hosts: [RouteHost]
    /// The destination's domain, and the name it is an alias of.
    ///
    /// Empty where a route names the hosts, and for literals. Certificates may be for these
    /// (RFC 7672, section 3.2.3).
    package var nextHops: [String]
    /// For how many seconds the plan may be used again.
    package var timeToLive: UInt32

    package init(
        _ destination: Destination,
        hosts: [RouteHost],
        nextHops: [String] = [],
        timeToLive: UInt32 = 0
    ) {
        self.destination = destination
        self.hosts = hosts
        self.nextHops = nextHops
        self.timeToLive = timeToLive
    }

    /// The same plan with hosts of equal preference in another random order (RFC 5321, section
    /// 5.1), so that what is known of a destination still spreads its mail.
    package func shuffled(seed: UInt64) -> RoutePlan {
        var plan = self
        var random = SeededRandom(seed: seed)
        var first = 0
        while first < plan.hosts.count {
            let host = plan.hosts[first]
            let others = plan.hosts[first...].prefix {
                !$0.isRelay && !host.isRelay && $0.preference == host.preference
            }
            let end = max(others.endIndex, first + 1)
            plan.hosts[first..<end].shuffle(using: &random)
            first = end
        }
        return plan
    }

    /// One of the hosts, as the policy of TLS looks at it.
    package func policyHost(_ host: RouteHost) -> TLSPolicy.Host {
        TLSPolicy.Host(
            name: host.name,
            nextHops: host.isRelay ? [] : self.nextHops,
            isNameSecure: host.isNameSecure,
            dane: host.dane
        )
    }
}

/// What became of a look-up.
package enum RouteOutcome: Hashable, Sendable {
    case plan(RoutePlan)
    case failure(DestinationFailure)
    /// Every message counts as delivered.
    case discard
    /// Nothing is opened: the mail is fetched.
    case onDemand
}
