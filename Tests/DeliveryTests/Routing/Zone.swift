// SPDX-License-Identifier: Apache-2.0
//
// A domain name system in a few lines of text.

import DNSProtocol
import Delivery
import MailBytes
import MailSyntax

/// Records, one a line: `NAME TYPE VALUE`, with `secure` behind what DNSSEC proves.
///
/// A name that is not mentioned does not exist; one that is mentioned has no data of other types.
/// `NAME TYPE fails` is a server that does not answer; `NAME CNAME TARGET` is followed;
/// `NAME empty` only exists.
struct Zone {
    private struct Entry {
        let name: String
        let type: String
        let value: [String]
        let isSecure: Bool
    }

    private let entries: [Entry]

    init(_ text: String) {
        self.entries = text.split(separator: "\n").map { line in
            var words = line.split(separator: " ").map(String.init)
            let isSecure = words.last == "secure"
            if isSecure { words.removeLast() }
            return Entry(
                name: words[0],
                type: words.count > 1 ? words[1] : "",
                value: Array(words.dropFirst(2)),
                isSecure: isSecure
            )
        }
    }

    func answer(_ question: DNSQuestion) -> DNSAnswer {
        var name = question.name
        var isSecure = true
        while let alias = self.entries.first(where: { $0.name == name && $0.type == "CNAME" }) {
            name = alias.value[0]
            isSecure = isSecure && alias.isSecure
        }
        let named = self.entries.filter { $0.name == name }
        let typed = named.filter { $0.type == Self.name(of: question.type) }
        isSecure = isSecure && (typed.isEmpty ? named : typed).allSatisfy(\.isSecure)
        let outcome: DNSAnswer.Outcome =
            if named.isEmpty {
                .noSuchName
            } else if typed.contains(where: { $0.value == ["fails"] }) {
                .failed("SERVFAIL")
            } else {
                typed.isEmpty ? .noData : .found
            }
        return DNSAnswer(
            name: question.name,
            type: question.type,
            outcome: outcome,
            records: outcome == .found ? typed.map { Self.record($0, question.type) } : [],
            canonicalName: name,
            isSecure: isSecure,
            timeToLive: 300
        )
    }

    private static func name(of type: DNSRecordType) -> String {
        switch type {
        case .a: "A"
        case .aaaa: "AAAA"
        case .mx: "MX"
        case .tlsa: "TLSA"
        default: "?"
        }
    }

    private static func record(_ entry: Entry, _ type: DNSRecordType) -> DNSRecord {
        let content: DNSRecord.Content =
            switch type {
            case .mx: .mx(preference: UInt16(entry.value[0]) ?? 0, exchange: entry.value[1])
            case .tlsa:
                .tlsa(
                    DNSTLSA(
                        usage: 3,
                        selector: 1,
                        matchingType: 1,
                        association: Array(repeating: UInt8(entry.value[0]) ?? 0, count: 32)
                    )
                )
            default: .address(NetworkAddress(parsing: entry.value[0]) ?? .unix)
            }
        return DNSRecord(name: entry.name, type: type, timeToLive: 300, content: content)
    }
}

/// A look-up that was answered from a zone.
struct LookupRun {
    private(set) var outcome: RouteOutcome?
    private(set) var asked: [DNSQuestion] = []
    private(set) var explanation: [String] = []

    /// Runs to the end, with the answers in the order asked or the other way round.
    init(
        _ destination: String,
        in zone: Zone,
        by route: Route = .mx,
        _ settings: RouteSettings = RouteSettings(),
        seed: UInt64 = 1,
        isReversed: Bool = false
    ) {
        var lookup = RouteLookup(
            Destination(destination),
            by: RouteRule("*", route),
            settings: settings,
            seed: seed
        )
        var waiting: [DNSQuestion] = []
        var effect = lookup.reduce(.started)
        while true {
            switch effect {
            case .ask(let questions):
                self.asked += questions
                waiting += questions
            case .awaitAnswers: break
            case .finished(let outcome): self.outcome = outcome
            }
            guard self.outcome == nil, !waiting.isEmpty else { break }
            let question = isReversed ? waiting.removeLast() : waiting.removeFirst()
            effect = lookup.reduce(.answered(zone.answer(question)))
        }
        self.explanation = lookup.explanation
    }

    /// The outcome on one line: hosts with their addresses, or the status of a failure.
    var summary: String {
        switch self.outcome {
        case nil: "unfinished"
        case .plan(let plan):
            plan.hosts.map { host in
                let places = host.endpoints.map { Self.short($0) }.joined(separator: " ")
                let dane =
                    switch host.dane {
                    case .absent: ""
                    case .unusable: " unusable"
                    case .usable(let records): " dane=\(records.map { $0.association[0] })"
                    case .unknown: " dane?"
                    }
                return (host.isRelay ? "relay " : "\(host.preference) ") + host.name
                    + ": " + places + dane
            }.joined(separator: "; ")
        case .failure(let failure): "\(failure.status) \(failure.reason)"
        case .discard: "discard"
        case .onDemand: "on demand"
        }
    }

    private static func short(_ endpoint: RouteEndpoint) -> String {
        guard case .address(let address) = endpoint, address.port == 25 else {
            return endpoint.description
        }
        return address.host
    }
}
