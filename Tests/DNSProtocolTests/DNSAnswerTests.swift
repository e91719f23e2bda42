// SPDX-License-Identifier: Apache-2.0
//
// What a message answers to a question.

import DNSSupport
import Testing

@testable import DNSProtocol

@Suite struct DNSAnswerTests {
    private static let question = DNSQuestion("a.test", .mx)

    private static func answer(
        _ answers: [DNSRecord],
        _ code: DNSResponseCode = .noError,
        authority: [DNSRecord] = [],
        security: DNSSECStatus = .insecure
    ) -> DNSAnswer {
        let message = DNSMessage(
            id: 1,
            responseCode: code,
            question: self.question,
            answers: answers,
            authority: authority
        )
        return DNSAnswer(self.question, message: message, security: security)
    }

    private static func hasFailed(_ answer: DNSAnswer) -> Bool {
        if case .failed(let why) = answer.outcome { return !why.isEmpty && answer.records.isEmpty }
        return false
    }

    @Test func recordsAreFound() {
        let records: [DNSRecord] = [
            .mx("a.test", 10, "m.test", timeToLive: 60), .mx("a.test", 5, "n.test", timeToLive: 30),
        ]
        let others: [DNSRecord] = [.address("m.test", "192.0.2.1"), .mx("b.test", 1, "x.test")]
        let answer = Self.answer(records + others)
        #expect(answer.outcome == .found)
        #expect(answer.records == records)
        #expect(answer.name == "a.test" && answer.canonicalName == "a.test")
        #expect(answer.timeToLive == 30)
        #expect(!answer.isSecure)
        #expect(Self.answer(records, security: .secure).isSecure)
    }

    @Test func aliasesAreFollowedInAnyOrder() {
        let answer = Self.answer([
            .mx("c.test", 1, "m.test"), .cname("b.test", "c.test"), .cname("a.test", "b.test"),
        ])
        #expect(answer.outcome == .found)
        #expect(answer.canonicalName == "c.test")
        #expect(answer.records == [.mx("c.test", 1, "m.test")])
    }

    @Test func aliasesToNothing() {
        let alias = DNSRecord.cname("a.test", "b.test")
        #expect(Self.answer([alias]).outcome == .noData)
        #expect(Self.answer([alias], .nameError).outcome == .noSuchName)
        #expect(Self.answer([alias]).canonicalName == "b.test")
    }

    @Test func circlesAreNoAnswer() {
        #expect(Self.hasFailed(Self.answer([.cname("a.test", "a.test")])))
        #expect(
            Self.hasFailed(Self.answer([.cname("a.test", "b.test"), .cname("b.test", "a.test")]))
        )
        let names = ["a.test"] + (1...16).map { "n\($0).test" }
        let chain = zip(names, names.dropFirst()).map { DNSRecord.cname($0, $1) }
        #expect(Self.answer(chain + [.mx("n16.test", 1, "m.test")]).outcome == .found)
        let longer = chain + [.cname("n16.test", "z.test"), .mx("z.test", 1, "m.test")]
        #expect(Self.hasFailed(Self.answer(longer)))
    }

    @Test func nothingHasALifeToo() {
        let answer = Self.answer([], .nameError, authority: [.soa("test", minimum: 42)])
        #expect(answer.outcome == .noSuchName)
        #expect(answer.timeToLive == 42)
        #expect(Self.answer([], authority: [.soa("test", minimum: 4200)]).timeToLive == 300)
        #expect(Self.answer([]).outcome == .noData)
        #expect(Self.answer([]).timeToLive == 0)
    }

    @Test func whatNobodyCanTellHasFailed() {
        let records: [DNSRecord] = [.mx("a.test", 1, "m.test")]
        #expect(Self.hasFailed(Self.answer(records, .serverFailure)))
        #expect(Self.hasFailed(Self.answer(records, .refused)))
        let bogus = Self.answer(records, security: .bogus("no signatures"))
        #expect(bogus.outcome == .failed("DNSSEC: no signatures"))
        #expect(bogus.records.isEmpty && !bogus.isSecure)
    }

    @Test func otherQuestionsAreNotAnswered() {
        for other in [nil, DNSQuestion("b.test", .mx), .init("a.test", .a)] {
            let message = DNSMessage(id: 1, question: other, answers: [.mx("a.test", 1, "m.test")])
            let answer = DNSAnswer(Self.question, message: message, security: .insecure)
            #expect(Self.hasFailed(answer))
        }
        let query = DNSMessage(id: 1, isResponse: false, question: Self.question)
        #expect(Self.hasFailed(DNSAnswer(Self.question, message: query, security: .secure)))
    }
}
