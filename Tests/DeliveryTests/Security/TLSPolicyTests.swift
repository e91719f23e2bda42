// SPDX-License-Identifier: Apache-2.0

import DNSProtocol
import MailSyntax
import Testing

@testable import Delivery

@Suite struct TLSPolicyTests {
    private static let record = DNSTLSA(
        usage: 3,
        selector: 1,
        matchingType: 1,
        association: [UInt8](repeating: 1, count: 32)
    )
    private static let enforcing = STSPolicy(mode: .enforce, patterns: ["mx.b"], ageSeconds: 1)
    private static let testing = STSPolicy(mode: .testing, patterns: ["mx.b"], ageSeconds: 1)
    private static let withdrawn = STSPolicy(mode: .none, patterns: ["mx.b"], ageSeconds: 1)

    private static func host(
        _ name: String = "mx.b",
        _ dane: DANEStatus = .absent,
        isSecure: Bool = false
    ) -> TLSPolicy.Host {
        TLSPolicy.Host(name: name, nextHops: ["b", "mx.b"], isNameSecure: isSecure, dane: dane)
    }

    /// What the operator sets holds whatever the domain publishes.
    @Test(arguments: [
        (TLSPreference.none, TLSRequirement.none), (.opportunistic, .opportunistic),
        (.encrypted, .encrypted), (.verified, .verified(names: ["mx.b"])),
    ])
    func whatTheOperatorSets(preference: TLSPreference, requirement: TLSRequirement) {
        let policy = TLSPolicy(preference: preference, sts: Self.enforcing)
        for dane in [DANEStatus.absent, .usable([Self.record]), .unknown("x"), .unusable] {
            let judgement = policy.judge(Self.host("mx.b", dane))
            #expect(judgement == .demand(requirement, .preference))
        }
    }

    @Test func nothingPublished() {
        for sts in [nil, Self.testing, Self.withdrawn] {
            let policy = TLSPolicy(preference: .published, sts: sts)
            #expect(policy.judge(Self.host("other.b")) == .demand(.opportunistic, .preference))
        }
    }

    /// DANE goes before MTA-STS (RFC 8461, section 2).
    @Test func whatDANESays() {
        for sts in [nil, Self.enforcing, Self.testing] {
            let policy = TLSPolicy(preference: .published, sts: sts)
            let names = ["other.b"]
            #expect(
                policy.judge(Self.host("other.b", .usable([Self.record])))
                    == .demand(.dane(records: [Self.record], names: names), .dane)
            )
            // Only a name that DNSSEC led from counts (RFC 7672, section 3.2.3).
            #expect(
                policy.judge(Self.host("mx.b", .usable([Self.record]), isSecure: true))
                    == .demand(.dane(records: [Self.record], names: ["mx.b", "b"]), .dane)
            )
            #expect(
                policy.judge(Self.host("mx.b", .unknown("SERVFAIL")))
                    == .skip(
                        EnhancedStatus(4, 7, 5),
                        "the TLSA records of mx.b cannot be had: SERVFAIL"
                    )
            )
        }
    }

    /// Records that cannot be used demand encryption, and leave the rest to MTA-STS.
    @Test func unusableRecords() {
        var policy = TLSPolicy(preference: .published)
        #expect(policy.judge(Self.host("mx.b", .unusable)) == .demand(.encrypted, .dane))
        policy.sts = Self.enforcing
        #expect(
            policy.judge(Self.host("mx.b", .unusable)) == .demand(.verified(names: ["mx.b"]), .sts)
        )
    }

    @Test func whatMTASTSSays() {
        let policy = TLSPolicy(preference: .published, sts: Self.enforcing)
        #expect(policy.judge(Self.host()) == .demand(.verified(names: ["mx.b"]), .sts))
        #expect(
            policy.judge(Self.host("evil.b"))
                == .skip(
                    EnhancedStatus(4, 7, 10),
                    "evil.b is not a host of the domain's MTA-STS policy"
                )
        )
    }

    /// A sender may waive what the domain publishes, not what the operator set.
    @Test func waivedTLS() {
        var policy = TLSPolicy(preference: .published, sts: Self.enforcing, waivesTLS: true)
        #expect(policy.judge(Self.host("evil.b")) == .demand(.opportunistic, .preference))
        policy.preference = .encrypted
        #expect(policy.judge(Self.host("evil.b")) == .demand(.encrypted, .preference))
        // REQUIRETLS goes before it (RFC 8689, section 3).
        policy.requiresTLS = true
        #expect(policy.judge(Self.host()) == .demand(.verified(names: ["mx.b"]), .requireTLS))
    }

    /// REQUIRETLS: the name must be proven and the certificate verified, by whatever way.
    @Test func requiredTLS() {
        for preference in TLSPreference.allCases where preference != .none {
            let policy = TLSPolicy(preference: preference, requiresTLS: true)
            #expect(
                policy.judge(Self.host())
                    == .skip(
                        EnhancedStatus(5, 7, 30),
                        "the message requires TLS, and nothing proves that mx.b is the right host"
                    )
            )
            let verified = TLSPolicy.Judgement.demand(.verified(names: ["mx.b"]), .requireTLS)
            #expect(policy.judge(Self.host(isSecure: true)) == verified)
            #expect(policy.judge(Self.host("mx.b", .unusable, isSecure: true)) == verified)
            #expect(
                policy.judge(Self.host("mx.b", .usable([Self.record]), isSecure: true))
                    == .demand(.dane(records: [Self.record], names: ["mx.b", "b"]), .dane)
            )
            // Records of a host that anybody may have named prove nothing.
            guard case .skip = policy.judge(Self.host("mx.b", .usable([Self.record]))) else {
                Issue.record("a host that nothing names is used")
                return
            }
            var other = policy
            other.sts = Self.testing
            #expect(other.judge(Self.host()) == verified)
            other.sts = Self.withdrawn
            #expect(other.judge(Self.host()) != verified)
            other.sts = Self.enforcing
            #expect(other.judge(Self.host()) == verified)
            guard case .skip(let status, _) = other.judge(Self.host("evil.b", isSecure: true))
            else {
                Issue.record("a policy that is enforced is passed over")
                return
            }
            #expect(status == EnhancedStatus(4, 7, 10))
        }
        let policy = TLSPolicy(preference: .none, requiresTLS: true)
        guard case .skip(let status, _) = policy.judge(Self.host(isSecure: true)) else {
            Issue.record("TLS is required where none is used")
            return
        }
        #expect(status == EnhancedStatus(5, 7, 30))
    }

    /// No message with REQUIRETLS goes without verified TLS, whatever else holds.
    @Test func requiredTLSIsNeverLess() {
        let daneStates: [DANEStatus] = [.absent, .unusable, .usable([Self.record]), .unknown("x")]
        let policies = [nil, Self.enforcing, Self.testing, Self.withdrawn]
        for preference in TLSPreference.allCases {
            for (dane, sts) in daneStates.flatMap({ dane in policies.map { (dane, $0) } }) {
                for (name, isSecure) in [("mx.b", true), ("mx.b", false), ("evil.b", false)] {
                    var policy = TLSPolicy(preference: preference, sts: sts, requiresTLS: true)
                    policy.waivesTLS = isSecure
                    let judgement = policy.judge(Self.host(name, dane, isSecure: isSecure))
                    if case .demand(let requirement, _) = judgement {
                        #expect(requirement.isVerified && !requirement.permitsCleartext)
                        #expect(name == "mx.b")
                    }
                }
            }
        }
    }

    // MARK: - Words

    @Test(arguments: [
        (TLSRequirement.none, "none"), (.opportunistic, "opportunistic"),
        (.encrypted, "encrypted"), (.verified(names: ["a", "b"]), "verified for a or b"),
        (.dane(records: [record], names: []), "DANE, 1 record"),
        (.dane(records: [record, record], names: []), "DANE, 2 records"),
    ])
    func requirementsInWords(requirement: TLSRequirement, text: String) {
        #expect(requirement.description == text)
    }

    @Test(arguments: [
        (TLSOutcome(version: nil), "no TLS"),
        (TLSOutcome(version: nil, verification: .failed("reset")), "TLS failed: reset"),
        (TLSOutcome(version: "TLSv1.3", cipher: "AES"), "TLSv1.3 AES, not verified"),
        (
            TLSOutcome(version: "TLSv1.3", cipher: "AES", verification: .verified, source: .dane),
            "TLSv1.3 AES, verified (DANE)"
        ),
        (
            TLSOutcome(version: "TLSv1.2", verification: .failed("expired"), source: .sts),
            "TLSv1.2, refused (MTA-STS): expired"
        ),
    ])
    func outcomesInWords(outcome: TLSOutcome, text: String) {
        #expect(outcome.description == text)
    }
}
