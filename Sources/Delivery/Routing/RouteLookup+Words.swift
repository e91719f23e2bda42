// SPDX-License-Identifier: Apache-2.0
//
// What a look-up says: the failures that go into reports, and the explanation for operators.

internal import DNSProtocol
internal import MailBytes
internal import MailSyntax

extension RouteLookup {
    // MARK: - Failures

    mutating func noSuchDomain() -> DestinationFailure {
        self.failed(
            .noSuchDomain,
            EnhancedStatus(5, 1, 2),
            "there is no domain \(self.shownDestination)"
        )
    }

    /// RFC 7505, section 4.
    mutating func nullExchanger() -> DestinationFailure {
        self.failed(
            .acceptsNoMail,
            EnhancedStatus(5, 1, 10),
            "\(self.shownDestination) takes no mail (null MX)"
        )
    }

    mutating func noAnswer(_ reason: String, about name: String? = nil) -> DestinationFailure {
        self.failed(
            .lookUpFailed,
            EnhancedStatus(4, 4, 3),
            "DNS does not tell of \(name ?? self.shownDestination): \(reason)"
        )
    }

    mutating func loop(_ own: String) -> DestinationFailure {
        self.failed(
            .loopsBack,
            EnhancedStatus(5, 4, 6),
            "mail for \(self.shownDestination) comes back here: \(own) is this server"
        )
    }

    mutating func noAddress() -> DestinationFailure {
        self.failed(
            .noAddress,
            EnhancedStatus(5, 4, 4),
            "no host that takes mail for \(self.shownDestination) has an address"
        )
    }

    private mutating func failed(
        _ reason: DestinationFailure.Reason,
        _ status: EnhancedStatus,
        _ text: String
    ) -> DestinationFailure {
        let failure = DestinationFailure(reason, status, text)
        self.explanation.append(failure.text)
        return failure
    }

    // MARK: - Explanation

    mutating func explainImplicit(_ answer: DNSAnswer) {
        self.explanation.append(
            "\(self.shownDestination) has no MX: its own address counts (implicit MX)"
                + self.proof(answer)
        )
    }

    mutating func explainExchangers(_ count: Int, _ answer: DNSAnswer) {
        let number = count == 1 ? "1 mail exchanger" : "\(count) mail exchangers"
        self.explanation.append("\(self.shownDestination) has \(number)" + self.proof(answer))
        if answer.canonicalName.lowercased() != self.destination.text {
            self.explanation.append(
                "\(self.shownDestination) is an alias of \(answer.canonicalName)"
                    .printable(octetsMax: Self.lineOctetsMax)
            )
        }
    }

    private func proof(_ answer: DNSAnswer) -> String {
        answer.isSecure ? ", proved by DNSSEC" : ""
    }

    mutating func explain(_ candidate: RouteCandidate, _ standing: RouteCandidate.Standing) {
        let words =
            switch standing {
            case .usable(let addresses):
                candidate.isNamed
                    ? addresses.map(\.host).joined(separator: ", ")
                    : candidate.host.endpoints.map(\.description).joined(separator: ", ")
            case .ourselves: "this server"
            case .noAddress: "no address"
            case .unknown(let reason): "DNS does not tell: \(reason)"
            }
        self.explanation.append(self.shown(candidate, words))
    }

    mutating func explainCut(_ candidate: RouteCandidate, _ standing: RouteCandidate.Standing) {
        self.explanation.append(
            self.shown(
                candidate,
                standing == .ourselves
                    ? "this server; what is not preferred to it is left out"
                    : "left out"
            )
        )
    }

    /// The hosts as they will be tried.
    mutating func explainOrder(_ hosts: [RouteHost]) {
        for (index, host) in hosts.enumerated() {
            let places = host.endpoints.map(\.description).joined(separator: ", ")
            let dane =
                switch host.dane {
                case .absent: ""
                case .unusable: "; TLS without a known certificate (DANE)"
                case .usable(let records): "; DANE, \(records.count) TLSA"
                case .unknown(let reason): "; passed over, its TLSA is not known: \(reason)"
                }
            self.explanation.append(
                "try \(index + 1): \(host.name) at \(places)\(dane)"
                    .printable(octetsMax: Self.lineOctetsMax)
            )
        }
    }

    private func shown(_ candidate: RouteCandidate, _ words: String) -> String {
        let rank = candidate.host.isRelay ? "relay" : "\(candidate.host.preference)"
        return "\(rank) \(candidate.host.name): \(words)".printable(octetsMax: Self.lineOctetsMax)
    }

    private static var lineOctetsMax: Int { 512 }
}
