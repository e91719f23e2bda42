// SPDX-License-Identifier: Apache-2.0
//
// Questions and their answers, with a server that does as it should.

import DNSProtocol
import DNSSupport
import EventLoop
import MailBytes
import Testing

@testable import Resolver

@Suite struct LookUpTests {
    private static let zones = DNSZones([
        .mx("example.test", 10, "mx1.example.test"), .mx("example.test", 20, "mx2.example.test"),
        .address("mx1.example.test", "192.0.2.1"), .address("mx1.example.test", "2001:db8::1"),
        .address("mx2.example.test", "192.0.2.2"), .mx("null.test", 0, "."),
        .cname("alias.test", "www.alias.test"), .cname("www.alias.test", "example.test"),
        .txt("_mta-sts.example.test", "v=STSv1; id=1"),
        .tlsa("_25._tcp.mx1.example.test", 3, 1, 1, [UInt8](repeating: 7, count: 32)),
        .ptr("1.2.0.193.in-addr.arpa", "mx1.example.test"),
        .address("xn--mller-kva.test", "192.0.2.3"),
        .mx("example.invalid", 1, "mx.example.invalid"),
    ])

    @Test func recordsAreFound() throws {
        let harness = try ResolverHarness(Self.zones)
        let answer = try harness.answer("Example.TEST.", .mx)
        #expect(answer.outcome == .found)
        #expect(answer.name == "example.test")
        #expect(
            Set(answer.records.map(\.content)) == [
                .mx(preference: 10, exchange: "mx1.example.test"),
                .mx(preference: 20, exchange: "mx2.example.test"),
            ]
        )
        #expect((1...300).contains(answer.timeToLive))
        #expect(!answer.isSecure)
        #expect(try harness.answer("example.invalid", .mx).outcome == .found)
    }

    @Test(arguments: [
        ("mx1.example.test", DNSRecordType.a), ("mx1.example.test", .aaaa), ("null.test", .mx),
        ("_mta-sts.example.test", .txt), ("_25._tcp.mx1.example.test", .tlsa),
        ("1.2.0.193.in-addr.arpa", .ptr),
    ])
    func everyTypeIsFound(name: String, type: DNSRecordType) throws {
        let harness = try ResolverHarness(Self.zones)
        let answer = try harness.answer(name, type)
        #expect(answer.outcome == .found)
        #expect(answer.records.map(\.type) == [type])
        let expected = Self.zones.answer(DNSQuestion(name, type), id: 0).answers
        #expect(answer.records.map(\.content) == expected.map(\.content))
    }

    @Test func aliasesAreFollowed() throws {
        let answer = try ResolverHarness(Self.zones).answer("alias.test", .mx)
        #expect(answer.outcome == .found)
        #expect(answer.canonicalName == "example.test")
        #expect(answer.records.count == 2)
    }

    @Test func nothingIsNothing() throws {
        let harness = try ResolverHarness(Self.zones)
        #expect(try harness.answer("null.test", .a).outcome == .noData)
        #expect(try harness.answer("nowhere.test", .mx).outcome == .noSuchName)
        #expect(try harness.answer("_tcp.mx1.example.test", .a).outcome == .noData)
        #expect(harness.answers.allSatisfy { (1...60).contains($0.timeToLive) })
    }

    @Test func wholeMessageHasTheAddresses() throws {
        let harness = try ResolverHarness(Self.zones)
        let loop = harness.loop
        var message: DNSMessage?
        harness.resolver?.lookUpMessage("example.test", .mx) { _, whole in
            message = whole
            loop.stop()
        }
        loop.run()
        #expect(message?.answers.count == 2)
        #expect(Set(message?.additional.map(\.type) ?? []) == [.a, .aaaa])
    }

    @Test func uLabelsAreConverted() throws {
        let harness = try ResolverHarness(Self.zones)
        let answer = try harness.answer("MÜLLER.test", .a)
        #expect(answer.outcome == .found)
        #expect(answer.name == "xn--mller-kva.test")
    }

    @Test(arguments: [
        "", "..", "a..test", ".test", "a b.test", "a\u{0}.test", "a\\.test", "*.test",
        "ü\u{0}.test",
        String(repeating: "a", count: 64) + ".test", "☃\u{200d}.test", "\u{ad}.test",
        String(repeating: "ä", count: 4000),
        (0..<64).map { _ in "abc" }.joined(separator: "."),
    ])
    func whatIsNoNameDoesNotExist(name: String) throws {
        let harness = try ResolverHarness(Self.zones)
        #expect(try harness.answer(name, .mx).outcome == .noSuchName)
        #expect(harness.server.questions.isEmpty)
    }

    @Test(arguments: [
        ("a.test", "a.test"), ("A.Test.", "a.test"), (".", "."), ("_25._tcp.a", "_25._tcp.a"),
        ("bücher.example", "xn--bcher-kva.example"), ("straße.test", "xn--strae-oqa.test"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
    ])
    func namesHaveOneForm(name: String, form: String) { #expect(DomainName.ascii(name) == form) }

    /// Whoever asks is never called back inside its own call, not even with what is known already.
    @Test func answersComeLater() throws {
        let harness = try ResolverHarness(Self.zones)
        _ = try harness.answer("example.test", .mx)
        for name in ["example.test", "localhost", "no name"] {
            var isAnswered = false
            harness.ask(name, .mx) { _ in isAnswered = true }
            #expect(!isAnswered)
            try harness.run()
            #expect(isAnswered)
        }
        #expect(harness.server.questions.count == 1)
    }

    @Test func equalQuestionsAreAskedOnce() throws {
        let harness = try ResolverHarness(Self.zones)
        for name in ["example.test", "EXAMPLE.test", "example.test."] { harness.ask(name, .mx) }
        harness.ask("example.test", .a)
        try harness.run()
        #expect(harness.answers.count(where: { $0.outcome == .found }) == 3)
        #expect(harness.server.questions.count == 2)
    }

    @Test func answersAreRemembered() throws {
        let harness = try ResolverHarness(Self.zones)
        for _ in 0..<3 { #expect(try harness.answer("example.test", .mx).outcome == .found) }
        for _ in 0..<3 { #expect(try harness.answer("no.test", .mx).outcome == .noSuchName) }
        #expect(harness.server.questions.count == 2)
    }

    @Test func askingInsideAnAnswerIsAllowed() throws {
        let harness = try ResolverHarness(Self.zones)
        harness.ask("example.test", .mx) { answer in
            for case .mx(_, let exchange) in answer.records.map(\.content) {
                harness.ask(exchange, .a)
            }
        }
        try harness.run()
        #expect(harness.answers.map(\.outcome) == [.found, .found, .found])
    }

    @Test func manyQuestionsWaitForTheirTurn() throws {
        let count = 500
        let records = (0..<count).map { DNSRecord.address("host\($0).test", "192.0.2.1") }
        let harness = try ResolverHarness(DNSZones(records)) { $0.inFlightMax = 8 }
        for number in 0..<count { harness.ask("host\(number).test", .a) }
        try harness.run()
        #expect(harness.answers.count == count)
        #expect(harness.answers.allSatisfy { $0.outcome == .found })
    }

    @Test func tooManyQuestionsFail() throws {
        let zones = DNSZones([], behaviours: ["a.test": .silent])
        let harness = try ResolverHarness(zones) {
            $0.inFlightMax = 1
            $0.waitingMax = 2
            $0.secondsMax = 0.3
        }
        for name in ["a.test", "b.test", "c.test", "d.test"] { harness.ask(name, .a) }
        try harness.run()
        #expect(
            harness.answers.map { $0.failure ?? "" } == [
                "too many questions wait", "no answer in time", "no answer in time",
                "no answer in time",
            ]
        )
    }
}
