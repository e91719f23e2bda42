// SPDX-License-Identifier: Apache-2.0
//
// Finds the way to a destination, and what TLS its domain demands by MTA-STS, and remembers both for
// a while: a destination with much mail is asked about once.

internal import DNSProtocol
internal import Delivery

/// The ways that are known, and the look-ups that are under way.
final class RouteFinder {
    /// What was found.
    struct Finding {
        let outcome: RouteOutcome
        /// The policy of MTA-STS in force, if any.
        let sts: STSPolicy?

        /// The same, with hosts alike in another order: each connection chooses anew.
        func shuffled(seed: UInt64) -> Finding {
            guard case .plan(let plan) = self.outcome else { return self }
            return Finding(outcome: .plan(plan.shuffled(seed: seed)), sts: self.sts)
        }
    }

    private struct Known {
        let finding: Finding
        let until: Double
    }

    private let settings: DeliverySettings
    private let names: any NameResolver
    private let time: any Timekeeper
    private let policies: STSPolicies
    private var known: [Destination: Known] = [:]
    private var searches: [Destination: RouteSearch] = [:]
    private var chance: UInt64

    /// What was found is used at least so long, so that a burst of mail asks once, and at most so
    /// long, whatever the records say.
    private static let knownSeconds: ClosedRange<Double> = 5...300

    init(
        settings: DeliverySettings,
        names: any NameResolver,
        policies: (any PolicySource)?,
        time: any Timekeeper,
        seed: UInt64
    ) {
        self.settings = settings
        self.names = names
        self.time = time
        self.policies = STSPolicies(names: names, source: policies, time: time)
        self.chance = seed
    }

    /// Whether nothing is looked up.
    var isIdle: Bool { self.searches.isEmpty && self.policies.isIdle }

    /// Finds the way; `found` may be called from within this call.
    func find(_ destination: Destination, _ found: @escaping (Finding) -> Void) {
        self.chance = self.chance &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        if let known = self.known[destination], self.time.now < known.until {
            return found(known.finding.shuffled(seed: self.chance))
        }
        if let search = self.searches[destination] { return search.waiting.append(found) }
        let search = RouteSearch(
            destination,
            rule: self.rule(for: destination),
            settings: self.settings,
            seed: self.chance,
            names: self.names,
            policies: self.policies
        ) { [unowned self] search, finding in self.found(finding, search) }
        search.waiting.append(found)
        self.searches[destination] = search
        self.time.after(seconds: RouteSearch.secondsMax) { [weak search] in
            search?.deadlinePassed()
        }
        search.begin()
    }

    /// Who fetches his mail by ETRN has it brought by MX.
    private func rule(for destination: Destination) -> RouteRule {
        var rule = self.settings.routes.rule(for: destination)
        if rule.route == .onDemand { rule.route = .mx }
        return rule
    }

    private func found(_ finding: Finding, _ search: RouteSearch) {
        self.searches[search.destination] = nil
        if self.known.count >= self.settings.routesMax { self.forgetOld() }
        let seconds = min(
            max(finding.outcome.timeToLive, Self.knownSeconds.lowerBound),
            Self.knownSeconds.upperBound
        )
        self.known[search.destination] = Known(finding: finding, until: self.time.now + seconds)
        for waiting in search.waiting { waiting(finding) }
    }

    private func forgetOld() {
        let now = self.time.now
        self.known = self.known.filter { now < $0.value.until }
        if self.known.count >= self.settings.routesMax { self.known.removeAll() }
    }

    /// What is known of a destination was no good, or may be old.
    func forget(_ destination: Destination) { self.known[destination] = nil }

    func forgetAll() { self.known.removeAll() }
}

extension RouteOutcome {
    /// For how many seconds it may be used.
    fileprivate var timeToLive: Double {
        switch self {
        case .plan(let plan): Double(plan.timeToLive)
        // A failure rests in the queue, and is looked at anew when it is over.
        case .failure: 0
        case .discard, .onDemand: .infinity
        }
    }
}

/// One look-up of a way.
final class RouteSearch {
    let destination: Destination
    var waiting: [(RouteFinder.Finding) -> Void] = []
    private var lookUp: RouteLookup
    private let names: any NameResolver
    private let policies: STSPolicies
    private let asksSTS: Bool
    private let done: (RouteSearch, RouteFinder.Finding) -> Void
    private var questions: Set<LookUpID> = []
    private var outcome: RouteOutcome?
    private var sts: STSPolicy??

    /// All questions together take no longer.
    static let secondsMax: Double = 60

    init(
        _ destination: Destination,
        rule: RouteRule,
        settings: DeliverySettings,
        seed: UInt64,
        names: any NameResolver,
        policies: STSPolicies,
        done: @escaping (RouteSearch, RouteFinder.Finding) -> Void
    ) {
        self.destination = destination
        var lookUps = settings.lookUps
        let isPublished = (rule.tls ?? settings.tls) == .published
        lookUps.asksTLSA = isPublished
        self.lookUp = RouteLookup(destination, by: rule, settings: lookUps, seed: seed)
        self.names = names
        self.policies = policies
        self.asksSTS = isPublished && rule.route.isByMX && !destination.isLiteral
        self.done = done
    }

    func begin() {
        if self.asksSTS {
            self.policies.find(self.destination.text) { [weak self] policy in
                self?.sts = .some(policy)
                self?.finishIfComplete()
            }
        } else {
            self.sts = .some(nil)
        }
        self.take(.started)
    }

    func deadlinePassed() {
        guard self.outcome == nil || self.sts == nil else { return }
        for question in self.questions { self.names.cancel(question) }
        self.questions = []
        if self.sts == nil { self.sts = .some(nil) }
        self.take(.deadlinePassed)
        self.finishIfComplete()
    }

    private func take(_ event: RouteLookup.Event) {
        guard self.outcome == nil else { return }
        switch self.lookUp.reduce(event) {
        case .awaitAnswers: break
        case .ask(let questions):
            for question in questions { self.ask(question.name, question.type) }
        case .finished(let outcome):
            self.outcome = outcome
            self.finishIfComplete()
        }
    }

    private func ask(_ name: String, _ type: DNSRecordType) {
        var id: LookUpID?
        id = self.names.lookUp(name, type) { [weak self] answer in
            guard let self else { return }
            if let id { self.questions.remove(id) }
            self.take(.answered(answer))
        }
        if let id { self.questions.insert(id) }
    }

    private func finishIfComplete() {
        guard let outcome = self.outcome, let sts = self.sts else { return }
        self.done(self, RouteFinder.Finding(outcome: outcome, sts: sts))
    }
}

extension Route {
    /// Whether the domain itself says where its mail goes.
    fileprivate var isByMX: Bool {
        switch self {
        case .mx, .mxElse: true
        case .relay, .discard, .refuse, .onDemand: false
        }
    }
}

extension Destination {
    /// Whether it is an address in brackets.
    var isLiteral: Bool { self.octets.first == UInt8(ascii: "[") }
}
