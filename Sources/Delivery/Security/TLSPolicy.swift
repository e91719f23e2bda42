// SPDX-License-Identifier: Apache-2.0
//
// What TLS has to be like with each host of a destination: what the operator wants, what the
// message demands (REQUIRETLS, RFC 8689), and what the domain publishes (DANE, RFC 7672; MTA-STS,
// RFC 8461), taken together.

internal import DNSProtocol
package import MailSyntax

/// The demands of one destination, asked host by host.
package struct TLSPolicy: Hashable, Sendable {
    /// What the operator wants of this destination.
    package var preference: TLSPreference
    /// The policy of MTA-STS in force for the domain, if any.
    package var sts: STSPolicy?
    /// Whether the message may pass over verified TLS only (REQUIRETLS).
    package var requiresTLS: Bool
    /// Whether the message asks for delivery above security (`TLS-Required: No`, RFC 8689,
    /// section 3).
    package var waivesTLS: Bool

    package init(
        preference: TLSPreference,
        sts: STSPolicy? = nil,
        requiresTLS: Bool = false,
        waivesTLS: Bool = false
    ) {
        self.preference = preference
        self.sts = sts
        self.requiresTLS = requiresTLS
        self.waivesTLS = waivesTLS
    }

    /// A host as the way to it was found.
    package struct Host: Hashable, Sendable {
        /// Its name, in A-labels; an address literal has its brackets.
        package var name: String
        /// The name or names that led to it: the destination's domain and what it is an alias
        /// of; empty where a route names the host.
        package var nextHops: [String]
        /// Whether DNSSEC proves how the name was found (or the operator gave it).
        package var isNameSecure: Bool
        package var dane: DANEStatus

        package init(
            name: String,
            nextHops: [String] = [],
            isNameSecure: Bool = false,
            dane: DANEStatus = .absent
        ) {
            self.name = name
            self.nextHops = nextHops
            self.isNameSecure = isNameSecure
            self.dane = dane
        }
    }

    /// Why TLS is demanded, for the log and for `martlet queue show`.
    package enum Source: String, Hashable, Sendable {
        case preference = "configuration"
        case dane = "DANE"
        case sts = "MTA-STS"
        case requireTLS = "REQUIRETLS"
    }

    /// What holds for one host.
    package enum Judgement: Hashable, Sendable {
        /// It may be tried.
        case demand(TLSRequirement, Source)
        /// It must not be tried, for this attempt; the next host may do.
        case skip(EnhancedStatus, String)
    }

    /// What holds for a host of the destination.
    ///
    /// Of what domains publish, DANE goes before MTA-STS where both speak (RFC 8461, section 2):
    /// a host whose records cannot be had is skipped, whatever a policy says of it.
    package func judge(_ host: Host) -> Judgement {
        if self.requiresTLS { return self.judgeRequired(host) }
        // It waives what domains publish, not what the operator set (RFC 8689, section 4.2.2).
        switch self.preference {
        case .none: return .demand(.none, .preference)
        case .opportunistic: return .demand(.opportunistic, .preference)
        case .encrypted: return .demand(.encrypted, .preference)
        case .verified: return .demand(.verified(names: [host.name]), .preference)
        case .published:
            return self.waivesTLS
                ? .demand(.opportunistic, .preference)
                : self.published(for: host) ?? .demand(.opportunistic, .preference)
        }
    }

    /// What the domain of a host publishes; nil: nothing.
    private func published(for host: Host) -> Judgement? {
        switch host.dane {
        case .unknown(let reason): return Self.unknown(host, reason)
        case .usable(let records): return Self.dane(records, host)
        case .unusable, .absent: break
        }
        if let sts = self.sts, sts.mode == .enforce {
            guard sts.admits(host: host.name) else { return Self.notAdmitted(host) }
            return .demand(.verified(names: [host.name]), .sts)
        }
        return host.dane == .unusable ? .demand(.encrypted, .dane) : nil
    }

    /// The host's certificate must be verified, and so must be how its name was found: by DNSSEC,
    /// or by a policy that names it (RFC 8689, section 4.2.1).
    private func judgeRequired(_ host: Host) -> Judgement {
        guard self.preference != .none else {
            return .skip(
                Self.requirementUnmet,
                "the message requires TLS, and none is used with \(host.name)"
            )
        }
        switch host.dane {
        case .unknown(let reason): return Self.unknown(host, reason)
        case .usable(let records) where host.isNameSecure: return Self.dane(records, host)
        case .usable, .unusable, .absent: break
        }
        let isAdmitted = self.sts?.admits(host: host.name) ?? false
        if self.sts?.mode == .enforce, !isAdmitted { return Self.notAdmitted(host) }
        guard host.isNameSecure || isAdmitted && self.sts?.mode != STSPolicy.Mode.none else {
            return .skip(
                Self.requirementUnmet,
                "the message requires TLS, and nothing proves that \(host.name) is the right host"
            )
        }
        return .demand(.verified(names: [host.name]), .requireTLS)
    }

    /// The certificate may be for the host or for what led to it (RFC 7672, section 3.2.3).
    private static func dane(_ records: [DNSTLSA], _ host: Host) -> Judgement {
        var names = [host.name]
        if host.isNameSecure { names += host.nextHops.filter { !names.contains($0) } }
        return .demand(.dane(records: records, names: names), .dane)
    }

    /// Without a look at the records a connection may be an attacker's (RFC 7672, section 2.1.2).
    private static func unknown(_ host: Host, _ reason: String) -> Judgement {
        .skip(EnhancedStatus(4, 7, 5), "the TLSA records of \(host.name) cannot be had: \(reason)")
    }

    private static func notAdmitted(_ host: Host) -> Judgement {
        .skip(
            EnhancedStatus(4, 7, 10),
            "\(host.name) is not a host of the domain's MTA-STS policy"
        )
    }

    /// RFC 8689, section 4.2.1.
    private static let requirementUnmet = EnhancedStatus(5, 7, 30)
}
