// SPDX-License-Identifier: Apache-2.0
//
// From the answers to the outcome of a look-up.

internal import DNSProtocol
internal import MailBytes
internal import MailSyntax

extension RouteLookup {
    /// The plan, or why there is none; all answers are there.
    mutating func outcome() -> RouteOutcome {
        var hosts: [RouteHost] = []
        var failure = self.exchangerFailure
        if failure == nil, self.isByExchangers {
            switch self.exchangerHosts() {
            case .success(let found): hosts = found
            case .failure(let found): failure = found
            }
        }
        if let failure, failure.isPermanent { return .failure(failure) }
        let isDirect = !hosts.isEmpty
        if let relay = self.relay {
            switch self.relayHost(relay) {
            case .success(let host): hosts.append(host)
            case .failure(let found): failure = failure ?? found
            }
        }
        guard !hosts.isEmpty else {
            return .failure(failure ?? self.noAnswer("nothing was found"))
        }
        self.explainOrder(hosts)
        return .plan(self.plan(hosts, isDirect: isDirect))
    }

    private var isByExchangers: Bool {
        switch self.rule.route {
        case .mx, .mxElse: true
        case .relay, .discard, .refuse, .onDemand: false
        }
    }

    private func plan(_ hosts: [RouteHost], isDirect: Bool) -> RoutePlan {
        var nextHops: [String] = []
        if isDirect, let answer = self.exchangerAnswer {
            nextHops = [self.destination.text]
            let canonicalName = answer.canonicalName.lowercased()
            if canonicalName != self.destination.text { nextHops.append(canonicalName) }
        }
        let lifetimes = self.answers.values.filter { $0.outcome == .found }.map(\.timeToLive)
        return RoutePlan(
            self.destination,
            hosts: hosts,
            nextHops: nextHops,
            timeToLive: min(
                max(lifetimes.min() ?? Self.secondsMax, Self.secondsMin),
                Self.secondsMax
            )
        )
    }

    // MARK: - Mail exchangers

    /// The hosts that may be tried (RFC 5321, section 5.1).
    private mutating func exchangerHosts() -> Result<[RouteHost], DestinationFailure> {
        let standings = self.exchangers.map { self.standing(of: $0) }
        let own = zip(self.exchangers, standings).first { $0.1 == .ourselves }?.0.host
        var hosts: [RouteHost] = []
        var unknown: (name: String, reason: String)?
        for (candidate, standing) in zip(self.exchangers, standings) {
            // What is no better than we are would send it back to us.
            guard candidate.host.preference < own?.preference ?? UInt16.max || own == nil else {
                self.explainCut(candidate, standing)
                continue
            }
            self.explain(candidate, standing)
            switch standing {
            case .usable(let addresses): hosts.append(self.host(candidate, addresses))
            case .unknown(let reason): unknown = unknown ?? (candidate.host.name, reason)
            case .noAddress, .ourselves: break
            }
        }
        if !hosts.isEmpty { return .success(hosts) }
        if let unknown { return .failure(self.noAnswer(unknown.reason, about: unknown.name)) }
        if let own { return .failure(self.loop(own.name)) }
        return .failure(self.noAddress())
    }

    private func standing(of candidate: RouteCandidate) -> RouteCandidate.Standing {
        if !candidate.isNamed {
            let isOwn = candidate.host.endpoints.contains { self.isOwn($0) }
            return isOwn ? .ourselves : .usable([])
        }
        let answers = self.addressAnswers(candidate)
        let names = [candidate.host.name] + answers.map { $0.canonicalName.lowercased() }
        guard self.settings.ownNames.isDisjoint(with: names) else { return .ourselves }
        return candidate.standing(answers, self.settings)
    }

    private func isOwn(_ endpoint: RouteEndpoint) -> Bool {
        guard case .address(let address) = endpoint else { return false }
        return self.settings.isOwn(address)
    }

    /// The host with all that is known of it.
    private func host(_ candidate: RouteCandidate, _ addresses: [NetworkAddress]) -> RouteHost {
        var host = candidate.host
        guard candidate.isNamed else { return host }
        host.endpoints = addresses.map { .address($0) }
        let answers = self.addressAnswers(candidate)
        host.areAddressesSecure = answers.filter { $0.outcome == .found }.allSatisfy(\.isSecure)
        host.dane = self.dane(candidate, answers)
        return host
    }

    /// The first name with records counts; but where nobody could tell, none behind it does
    /// (RFC 7672, section 2.2.3).
    private func dane(_ candidate: RouteCandidate, _ addresses: [DNSAnswer]) -> DANEStatus {
        guard self.settings.asksTLSA else { return .absent }
        for question in candidate.tlsaQuestions(addresses) {
            // Not asked: the deadline passed before its time had come.
            guard let answer = self.answers[question] else { return .unknown("not asked in time") }
            let status = DANEStatus(areAddressesSecure: true, answer: answer)
            if status != .absent { return status }
        }
        return .absent
    }

    // MARK: - A relay

    private mutating func relayHost(
        _ relay: RouteCandidate
    ) -> Result<RouteHost, DestinationFailure> {
        let standing = self.standing(of: relay)
        self.explain(relay, standing)
        switch standing {
        case .usable(let addresses): return .success(self.host(relay, addresses))
        case .ourselves:
            return .failure(
                DestinationFailure(
                    .loopsBack,
                    EnhancedStatus(4, 4, 6),
                    "the relay \(relay.host.name) is this server"
                )
            )
        case .noAddress:
            return .failure(
                DestinationFailure(
                    .noAddress,
                    EnhancedStatus(4, 4, 4),
                    "the relay \(relay.host.name) has no address"
                )
            )
        case .unknown(let reason):
            return .failure(self.noAnswer(reason, about: relay.host.name))
        }
    }

    /// A plan is worth keeping for so many seconds, whatever its records say.
    private static var secondsMin: UInt32 { 10 }
    private static var secondsMax: UInt32 { 3600 }
}
