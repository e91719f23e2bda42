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

    /// The demand on a host, or why it must not be tried.
    static func of(
        _ host: RouteHost,
        in plan: RoutePlan,
        sts: STSPolicy?,
        preference: TLSPreference
    ) -> Result<HostDemand, DestinationFailure> {
        let sts = host.isRelay ? nil : sts
        let policy = TLSPolicy(preference: host.tls ?? preference, sts: sts)
        switch policy.judge(plan.policyHost(host)) {
        case .skip(let status, let text):
            return .failure(DestinationFailure(.insecure, status, text))
        case .demand(let requirement, let source):
            let isAdmitted = sts?.mode == .enforce && sts?.admits(host: host.name) ?? false
            return .success(
                HostDemand(
                    requirement: requirement,
                    source: source,
                    isNameProven: host.isNameSecure || isAdmitted
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
            // Of who need not be verified it is no matter.
            case .failed where !self.requirement.isVerified: .notAsked
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
