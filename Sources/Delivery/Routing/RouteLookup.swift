// SPDX-License-Identifier: Apache-2.0
//
// From a destination to the hosts that take its mail: RFC 5321, section 5.1, with null MX
// (RFC 7505), the cut of what leads back to ourselves, and what DANE needs (RFC 7672).

package import DNSProtocol
internal import MailBytes
internal import MailSyntax

/// One look-up, as a reducer.
///
/// `.started` comes first. Each question of an `.ask` is to be answered once, in any order; an
/// answer to what was not asked is ignored. `.deadlinePassed` takes what is still unanswered for
/// failed; late answers are then ignored. After `.finished` no event changes anything.
///
/// | what DNS says | what follows |
/// |---|---|
/// | MX: the name does not exist | permanent, 5.1.2 |
/// | MX: nobody could tell | temporary, 4.4.3 |
/// | MX: only `.` | permanent, 5.1.10 (null MX) |
/// | MX: none | the domain itself is the host (implicit MX) |
/// | a host is this server | it and all that are not preferred to it are left out |
/// | nothing is left by that | permanent, 5.4.6 |
/// | no host has an address | permanent, 5.4.4 |
/// | some have none, of the others nobody could tell | temporary, 4.4.3 |
///
/// A relay of the configuration is different: whatever is wrong with its name may be a slip of the
/// operator's, so that it is temporary (4.4.4), and no mail comes back for it.
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

    private enum Phase {
        case beginning
        case awaitingExchangers
        case awaitingAddresses
        case finished
    }

    let destination: Destination
    let rule: RouteRule
    let settings: RouteSettings
    private var phase = Phase.beginning
    private var random: SeededRandom
    private var pending: Set<DNSQuestion> = []
    private(set) var answers: [DNSQuestion: DNSAnswer] = [:]
    /// The hosts of MX, preferred ones first.
    private(set) var exchangers: [RouteCandidate] = []
    /// The host of a static route.
    private(set) var relay: RouteCandidate?
    /// Why MX leads nowhere, where a relay may yet help.
    private(set) var exchangerFailure: DestinationFailure?
    /// What was found and decided so far, in sentences for people.
    package internal(set) var explanation: [String] = []

    /// A look-up of one destination; `seed` is any number, for the order of hosts that are
    /// preferred alike.
    package init(
        _ destination: Destination,
        by rule: RouteRule,
        settings: RouteSettings,
        seed: UInt64
    ) {
        // Answers are matched by their names, which have no case.
        self.destination = Destination(destination.text)
        self.rule = rule
        self.settings = settings
        self.random = SeededRandom(seed: seed)
    }

    /// The destination as it may be shown.
    var shownDestination: String { self.destination.text.printable(octetsMax: 255) }

    /// The answer to the question for MX, if it was asked.
    var exchangerAnswer: DNSAnswer? {
        self.answers[DNSQuestion(self.destination.text, .mx)]
    }

    /// Takes an event and says what is to be done.
    package mutating func reduce(_ event: Event) -> Effect {
        switch (event, self.phase) {
        case (_, .finished): return .awaitAnswers
        case (.started, .beginning): return self.start()
        case (.started, _), (_, .beginning): return .awaitAnswers
        case (.answered(let answer), _): return self.receive(answer)
        case (.deadlinePassed, _): return self.giveUpWaiting()
        }
    }

    // MARK: - Beginning

    private mutating func start() -> Effect {
        switch self.rule.route {
        case .discard:
            self.explanation.append("a route discards mail for \(self.shownDestination)")
            return self.finish(.discard)
        case .onDemand:
            self.explanation.append(
                "mail for \(self.shownDestination) waits until it is fetched (ETRN, ATRN)"
            )
            return self.finish(.onDemand)
        case .refuse(let text):
            self.explanation.append("a route refuses mail for \(self.shownDestination)")
            return self.finish(
                .failure(DestinationFailure(.refusedByRoute, EnhancedStatus(5, 7, 1), text))
            )
        case .relay(let target):
            self.relay = self.candidate(target)
            return self.ask(self.relay?.addressQuestions(self.settings.families) ?? [])
        case .mx:
            return self.startWithExchangers()
        case .mxElse(let target):
            self.relay = self.candidate(target)
            return self.startWithExchangers()
        }
    }

    private mutating func startWithExchangers() -> Effect {
        if self.destination.isLiteral { return self.startWithLiteral() }
        guard self.destination.isDomainName else {
            self.explanation.append("\(self.shownDestination) is no name of a domain")
            return self.finish(
                .failure(
                    DestinationFailure(
                        .noSuchDomain,
                        EnhancedStatus(5, 1, 2),
                        "\(self.shownDestination) is no name of a domain"
                    )
                )
            )
        }
        self.phase = .awaitingExchangers
        let relayQuestions = self.relay?.addressQuestions(self.settings.families) ?? []
        return self.ask([DNSQuestion(self.destination.text, .mx)] + relayQuestions)
    }

    /// RFC 5321, section 4.1.3: no look-up at all.
    private mutating func startWithLiteral() -> Effect {
        guard let address = self.destination.literalAddress(port: self.settings.port),
            address.isOneHost
        else {
            self.explanation.append("\(self.shownDestination) is no address of a host")
            return self.finish(
                .failure(
                    DestinationFailure(
                        .noSuchDomain,
                        EnhancedStatus(5, 1, 2),
                        "\(self.shownDestination) is no address of a host"
                    )
                )
            )
        }
        self.explanation.append("\(self.shownDestination) is an address: nothing is looked up")
        var host = RouteHost(name: self.shownDestination, endpoints: [.address(address)])
        host.tls = self.rule.tls
        self.exchangers = [
            RouteCandidate(host: host, port: self.settings.port)
        ]
        self.phase = .awaitingAddresses
        return self.ask(self.relay?.addressQuestions(self.settings.families) ?? [])
    }

    private func candidate(_ target: RelayTarget) -> RouteCandidate {
        var host: RouteHost
        var port: UInt16 = 0
        switch target.place {
        case .host(let name, let namedPort):
            host = RouteHost(name: name.lowercased(), endpoints: [])
            port = namedPort
        case .address(let address):
            host = RouteHost(name: "[\(address.host)]", endpoints: [.address(address)])
            port = address.port
        case .unix(let path):
            host = RouteHost(name: "unix:\(path)", endpoints: [.unix(path)])
        }
        host.transport = target.transport
        host.login = target.login
        host.isRelay = true
        host.tls = target.tls ?? self.rule.tls
        host.isNameSecure = true
        return RouteCandidate(host: host, port: port)
    }

    // MARK: - Answers

    /// Asks what was not asked yet, and goes on at once when there is nothing to wait for.
    private mutating func ask(_ questions: [DNSQuestion]) -> Effect {
        if self.phase == .beginning { self.phase = .awaitingAddresses }
        let fresh = questions.filter { question in
            self.answers[question] == nil && self.pending.insert(question).inserted
        }
        if !fresh.isEmpty { return .ask(fresh) }
        return self.pending.isEmpty ? self.conclude() : .awaitAnswers
    }

    private mutating func receive(_ answer: DNSAnswer) -> Effect {
        let question = DNSQuestion(answer.name.lowercased(), answer.type)
        guard self.pending.remove(question) != nil else { return .awaitAnswers }
        self.answers[question] = answer
        if answer.type == .mx, self.phase == .awaitingExchangers {
            return self.receiveExchangers(answer)
        }
        guard self.phase == .awaitingAddresses, answer.type != .tlsa, self.settings.asksTLSA else {
            return self.ask([])
        }
        return self.ask(
            (self.exchangers + [self.relay].compactMap(\.self))
                .filter { $0.isNamed && $0.host.name == question.name }
                .flatMap { candidate -> [DNSQuestion] in
                    let known = self.addressAnswers(candidate)
                    guard known.count == candidate.addressQuestions(self.settings.families).count
                    else { return [] }
                    return candidate.tlsaQuestions(known)
                }
        )
    }

    private mutating func giveUpWaiting() -> Effect {
        for question in self.pending {
            self.answers[question] = DNSAnswer(
                name: question.name,
                type: question.type,
                outcome: .failed("no answer in time")
            )
        }
        self.pending = []
        if self.phase == .awaitingExchangers, let answer = self.exchangerAnswer {
            let effect = self.receiveExchangers(answer)
            // Whatever could be asked now would be late as well.
            if case .ask = effect { return self.giveUpWaiting() }
            return effect
        }
        return self.conclude()
    }

    /// What is known of a host's addresses, in the order of families.
    func addressAnswers(_ candidate: RouteCandidate) -> [DNSAnswer] {
        candidate.addressQuestions(self.settings.families).compactMap { self.answers[$0] }
    }

    private mutating func receiveExchangers(_ answer: DNSAnswer) -> Effect {
        self.phase = .awaitingAddresses
        switch self.exchangers(in: answer) {
        case .success(let exchangers): self.exchangers = exchangers
        case .failure(let failure):
            if self.relay == nil || failure.isPermanent { return self.finish(.failure(failure)) }
            self.exchangerFailure = failure
        }
        return self.ask(self.exchangers.flatMap { $0.addressQuestions(self.settings.families) })
    }

    /// The hosts of the answer, those alike in random order (RFC 5321, section 5.1).
    private mutating func exchangers(
        in answer: DNSAnswer
    ) -> Result<[RouteCandidate], DestinationFailure> {
        let found: [(preference: UInt16, name: String)]
        switch answer.outcome {
        case .noSuchName: return .failure(self.noSuchDomain())
        case .failed(let reason): return .failure(self.noAnswer(reason))
        case .noData:
            self.explainImplicit(answer)
            return .success([self.exchanger(0, self.destination.text, answer)])
        case .found:
            found = answer.records.compactMap { record in
                guard case .mx(let preference, let exchange) = record.content else { return nil }
                return (preference, exchange.lowercased())
            }
        }
        // A null MX stands alone; beside others the root is only a host that does not exist.
        var named = found.filter { $0.name != "." && !$0.name.isEmpty }
        guard !named.isEmpty else { return .failure(self.nullExchanger()) }
        self.explainExchangers(named.count, answer)
        named.shuffle(using: &self.random)
        var names: Set<String> = []
        let ordered = named.enumerated()
            .sorted { ($0.element.preference, $0.offset) < ($1.element.preference, $1.offset) }
            .filter { names.insert($0.element.name).inserted }
            .prefix(self.settings.hostsMax)
        return .success(
            ordered.map { self.exchanger($0.element.preference, $0.element.name, answer) }
        )
    }

    private func exchanger(
        _ preference: UInt16,
        _ name: String,
        _ answer: DNSAnswer
    ) -> RouteCandidate {
        var host = RouteHost(name: name, preference: preference, endpoints: [])
        host.tls = self.rule.tls
        host.isNameSecure = answer.isSecure
        return RouteCandidate(host: host, port: self.settings.port)
    }

    // MARK: - The end

    private mutating func conclude() -> Effect { self.finish(self.outcome()) }

    private mutating func finish(_ outcome: RouteOutcome) -> Effect {
        self.phase = .finished
        return .finished(outcome)
    }
}
