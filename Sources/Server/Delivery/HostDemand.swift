// SPDX-License-Identifier: Apache-2.0
//
// What TLS one host of a plan has to speak, and what came of it.

internal import Delivery
internal import EventLoop
internal import MailSyntax

/// The demand on one host.
struct HostDemand {
    let requirement: TLSRequirement
    let source: TLSPolicy.Source
    /// Whether DNSSEC, a policy or the operator vouches for the name of the host.
    let isNameProven: Bool
    /// The name that a certificate is for first of all, where records of DANE stand below another.
    let baseName: String?

    /// The demand on a host, or why it must not be tried.
    static func of(
        _ host: RouteHost,
        in plan: RoutePlan,
        sts: STSPolicy?,
        level: TLSLevel
    ) -> Result<HostDemand, DestinationFailure> {
        let sts = host.isRelay ? nil : sts
        let policy = TLSPolicy(preference: TLSPreference(level), sts: sts)
        let isNameSecure = plan.isSecure || host.isRelay
        let judgement = policy.judge(
            TLSPolicy.Host(
                name: host.name,
                nextHops: host.isRelay ? [] : [plan.destination.text],
                isNameSecure: isNameSecure,
                dane: host.daneStatus
            )
        )
        switch judgement {
        case .skip(let status, let text):
            return .failure(DestinationFailure(.insecure, status, text))
        case .demand(let requirement, let source):
            let isAdmitted = sts?.mode == .enforce && sts?.admits(host: host.name) ?? false
            return .success(
                HostDemand(
                    requirement: requirement,
                    source: source,
                    isNameProven: isNameSecure || isAdmitted,
                    baseName: host.tlsa?.baseName
                )
            )
        }
    }

    /// The outcome in the terms of the queue and the log.
    func outcome(_ facts: TLSFacts) -> TLSOutcome {
        let verification: TLSOutcome.Verification =
            switch facts.serverVerification {
            case .notAsked: .notAsked
            case .verified: .verified
            case .failed(let why): .failed(why)
            }
        return TLSOutcome(
            version: "\(facts.version)",
            cipher: facts.cipher,
            verification: verification,
            source: self.source
        )
    }
}

extension RouteHost {
    /// What its records of DANE demand.
    fileprivate var daneStatus: DANEStatus {
        guard let tlsa = self.tlsa else { return .absent }
        let usable = tlsa.records.filter(DANEStatus.isUsable)
        return usable.isEmpty ? .unusable : .usable(usable)
    }
}

extension TLSPreference {
    fileprivate init(_ level: TLSLevel) {
        switch level {
        case .off: self = .none
        case .opportunistic: self = .opportunistic
        case .daneAndSTS: self = .published
        case .encrypted: self = .encrypted
        case .verified: self = .verified
        }
    }
}
