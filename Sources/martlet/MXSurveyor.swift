// SPDX-License-Identifier: Apache-2.0
//
// Asks all there is to ask about a domain's mail, on a loop of its own.

internal import Configuration
internal import DNSProtocol
internal import Delivery
internal import EventLoop
internal import Resolver
internal import Server

/// One survey under way.
///
/// The question for MX comes first. Then, at once: what delivery wants to know; and what the lists
/// lack, the name servers of the zone and the addresses of all hosts named.
final class MXSurveyor {
    private let loop: EventLoop
    private let resolver: Resolver
    private var lookup: RouteLookup
    private var survey: MXSurvey
    private var unanswered = 0
    /// Hosts whose addresses were asked for.
    private var hosts: Set<String> = []

    /// Asks, and returns when everything is answered or has failed.
    static func survey(
        _ domain: String,
        configuration: Configuration,
        resolver settings: ResolverSettings
    ) throws -> MXSurvey {
        let loop: EventLoop
        let resolver: Resolver
        do {
            loop = try EventLoop(connectionsMax: 1)
            resolver = try Resolver(loop: loop, settings: settings)
        } catch {
            throw Complaint(.configuration, "\(error)")
        }
        let surveyor = MXSurveyor(domain, configuration, loop, resolver)
        surveyor.begin()
        if surveyor.unanswered > 0 { loop.run() }
        return surveyor.survey
    }

    private init(
        _ domain: String,
        _ configuration: Configuration,
        _ loop: EventLoop,
        _ resolver: Resolver
    ) {
        let destination = Destination(domain)
        self.loop = loop
        self.resolver = resolver
        self.lookup = RouteLookup(
            destination,
            by: configuration.routeTable.rule(for: destination),
            settings: configuration.routeSettings,
            seed: .random(in: 0...UInt64.max)
        )
        self.survey = MXSurvey(domain: domain, outcome: .discard)
        if configuration.localDomains.contains(domain) {
            self.survey.explanation.append("\(domain) is local: its mail is delivered here")
        }
    }

    private func begin() {
        guard !self.survey.domain.hasPrefix("[") else { return self.perform(.started) }
        self.unanswered += 1
        self.resolver.lookUpMessage(self.survey.domain, .mx) { answer, message in
            self.receive(answer, message)
            self.countAnswer()
        }
    }

    private func ask(
        _ name: String,
        _ type: DNSRecordType,
        _ answered: @escaping (DNSAnswer) -> Void
    ) {
        self.unanswered += 1
        self.resolver.lookUp(name, type) { answer in
            answered(answer)
            self.countAnswer()
        }
    }

    private func countAnswer() {
        self.unanswered -= 1
        if self.unanswered == 0 { self.loop.stop() }
    }

    // MARK: - What delivery wants to know

    private func perform(_ event: RouteLookup.Event) {
        switch self.lookup.reduce(event) {
        case .ask(let questions):
            for question in questions {
                self.ask(question.name, question.type) { self.perform(.answered($0)) }
            }
        case .awaitAnswers: break
        case .finished(let outcome):
            self.survey.outcome = outcome
            self.survey.explanation += self.lookup.explanation
        }
    }

    // MARK: - What the lists hold

    private func receive(_ answer: DNSAnswer, _ message: DNSMessage?) {
        self.survey.answer = answer
        func rows(_ records: [DNSRecord]?, _ types: Set<DNSRecordType>) -> [MXSurvey.Row] {
            (records ?? []).filter { types.contains($0.type) }
                .map { MXSurvey.Row(record: $0, isLookedUp: false) }
        }
        self.survey.answers = rows(message?.answers, [.mx, .cname])
        self.survey.authority = rows(message?.authority, [.ns, .soa])
        self.survey.additional = rows(message?.additional, [.a, .aaaa])
        self.perform(.started)
        guard answer.outcome == .found || answer.outcome == .noData else { return }
        for record in answer.records.prefix(Self.hostsMax) {
            if case .mx(_, let exchange) = record.content { self.addAddresses(of: exchange) }
        }
        if answer.outcome == .noData { self.addAddresses(of: answer.canonicalName) }
        let servers = self.survey.authority.filter { $0.record.type == .ns }
        if servers.isEmpty { self.addServers(of: answer.canonicalName) }
        servers.forEach { self.addAddresses(ofServer: $0.record) }
    }

    /// The name servers of the zone that a name is in: those of the name, or of the nearest name
    /// above it that has any.
    private func addServers(of name: String) {
        self.ask(name, .ns) { answer in
            switch answer.outcome {
            case .found:
                for record in answer.records.prefix(Self.hostsMax) {
                    let row = MXSurvey.Row(record: record, isLookedUp: true)
                    self.survey.authority.append(row)
                    self.addAddresses(ofServer: record)
                }
            case .noData, .noSuchName:
                guard let dot = name.firstIndex(of: ".") else { return }
                let parent = name[name.index(after: dot)...]
                if !parent.isEmpty { self.addServers(of: String(parent)) }
            case .failed: break
            }
        }
    }

    private func addAddresses(ofServer record: DNSRecord) {
        if case .ns(let server) = record.content { self.addAddresses(of: server) }
    }

    private func addAddresses(of host: String) {
        guard host != ".", self.hosts.insert(host).inserted else { return }
        for type in [DNSRecordType.a, .aaaa] {
            let isThere = self.survey.additional.contains {
                $0.record.name == host && $0.record.type == type
            }
            guard !isThere else { continue }
            self.ask(host, type) { answer in
                self.survey.additional += answer.records.prefix(Self.addressesMax).map {
                    MXSurvey.Row(record: $0, isLookedUp: true)
                }
            }
        }
    }

    private static let hostsMax = 20
    private static let addressesMax = 16
}
