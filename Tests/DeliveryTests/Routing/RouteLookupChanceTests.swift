// SPDX-License-Identifier: Apache-2.0
//
// Look-ups answered by chance: records of the wrong kind, names that make no sense, failures, and a
// deadline at any time.

import DNSProtocol
import MailBytes
import Testing

@testable import Delivery

@Suite struct RouteLookupChanceTests {
    private static let names = [
        "d.test", "a.test", "b.test", "us.test", "A.TEST", ".", "", "192.0.2.1", "[192.0.2.1]",
        "x y", "\u{1b}[2J", String(repeating: "n", count: 300),
    ]

    private static var settings: RouteSettings {
        var settings = RouteSettings()
        settings.ownNames = ["us.test"]
        settings.ownAddresses = [NetworkAddress(ipv4: 0xc000_0201, port: 25)]
        settings.hostsMax = 3
        settings.addressesPerHostMax = 2
        return settings
    }

    private static func content(_ random: inout SeededRandom) -> DNSRecord.Content {
        switch Int.random(in: 0..<7, using: &random) {
        case 0, 1:
            .mx(
                preference: UInt16.random(in: 0...2, using: &random),
                exchange: self.names.randomElement(using: &random) ?? ""
            )
        case 2, 3:
            .address(
                NetworkAddress(ipv4: 0xc000_0200 + UInt32(random.next() % 6), port: 0)
            )
        case 4: .address(NetworkAddress(ipv6: 0x2001_0db8 << 32, random.next() % 4, port: 7))
        case 5: .address(.unix)
        default:
            .tlsa(DNSTLSA(usage: 3, selector: 1, matchingType: 1, association: [1]))
        }
    }

    private static func answer(
        _ question: DNSQuestion,
        _ random: inout SeededRandom
    ) -> DNSAnswer {
        let outcome: DNSAnswer.Outcome =
            switch Int.random(in: 0..<8, using: &random) {
            case 0: .noData
            case 1: .noSuchName
            case 2: .failed("no\nanswer")
            default: .found
            }
        let records = (0..<Int.random(in: 0...6, using: &random)).map { _ in
            DNSRecord(
                name: question.name,
                type: question.type,
                timeToLive: 1,
                content: self.content(&random)
            )
        }
        return DNSAnswer(
            name: question.name.uppercased(),
            type: question.type,
            outcome: outcome,
            records: records,
            canonicalName: Bool.random(using: &random)
                ? self.names.randomElement(using: &random) : nil,
            isSecure: Bool.random(using: &random),
            timeToLive: UInt32(truncatingIfNeeded: random.next())
        )
    }

    @Test func whateverIsAnsweredThereIsOneSoundEnd() {
        let relay = RelayTarget(.smtp, .host("relay.test", port: 2525))
        let routes: [Route] = [.mx, .mx, .mxElse(relay), .relay(relay)]
        var planCount = 0
        for seed in 0..<4000 {
            var random = SeededRandom(seed: UInt64(seed))
            let route = routes.randomElement(using: &random) ?? .mx
            let settings = Self.settings
            var lookup = RouteLookup(
                Destination("d.test"),
                by: RouteRule("*", route),
                settings: settings,
                seed: random.next()
            )
            var waiting: [DNSQuestion] = []
            var asked: Set<DNSQuestion> = []
            var effect = lookup.reduce(.started)
            var outcomes: [RouteOutcome] = []
            for _ in 0..<100 {
                if case .ask(let questions) = effect {
                    #expect(asked.isDisjoint(with: questions), "seed \(seed)")
                    asked.formUnion(questions)
                    waiting += questions
                }
                if case .finished(let outcome) = effect { outcomes.append(outcome) }
                guard !waiting.isEmpty else { break }
                waiting.shuffle(using: &random)
                let question = waiting.removeLast()
                effect =
                    Int.random(in: 0..<40, using: &random) == 0
                    ? lookup.reduce(.deadlinePassed)
                    : lookup.reduce(.answered(Self.answer(question, &random)))
            }
            #expect(outcomes.count == 1, "seed \(seed): \(outcomes.count) ends")
            #expect(
                lookup.explanation.allSatisfy { line in
                    line.utf8.allSatisfy { (0x20..<0x7f).contains($0) } && line.utf8.count <= 512
                },
                "seed \(seed): \(lookup.explanation)"
            )
            guard case .plan(let plan) = outcomes.first else { continue }
            planCount += 1
            self.check(plan, settings, seed)
        }
        #expect(planCount > 1000)
    }

    private func check(_ plan: RoutePlan, _ settings: RouteSettings, _ seed: Int) {
        let exchangers = plan.hosts.filter { !$0.isRelay }
        #expect(!plan.hosts.isEmpty, "seed \(seed)")
        #expect(exchangers.count <= settings.hostsMax, "seed \(seed)")
        #expect(plan.hosts.count - exchangers.count <= 1, "seed \(seed)")
        #expect((10...3600).contains(plan.timeToLive), "seed \(seed)")
        let preferences = exchangers.map(\.preference)
        #expect(preferences == preferences.sorted(), "seed \(seed)")
        for host in plan.hosts {
            #expect(!settings.ownNames.contains(host.name), "seed \(seed)")
            #expect((1...2).contains(host.endpoints.count), "seed \(seed)")
            #expect(Set(host.endpoints).count == host.endpoints.count, "seed \(seed)")
            for endpoint in host.endpoints {
                guard case .address(let address) = endpoint else {
                    Issue.record("seed \(seed): \(endpoint)")
                    continue
                }
                #expect(address.port == (host.isRelay ? 2525 : 25), "seed \(seed)")
                #expect(!settings.isOwn(address), "seed \(seed)")
            }
            if !host.isNameSecure { #expect(host.dane == .absent, "seed \(seed)") }
        }
    }
}
