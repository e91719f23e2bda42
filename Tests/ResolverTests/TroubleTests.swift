// SPDX-License-Identifier: Apache-2.0
//
// Servers that are slow, silent, or not who they say they are; and questions taken back.

import DNSProtocol
import DNSSupport
import EventLoop
import Foundation
import MailBytes
import Synchronization
import Testing

@testable import Resolver

@Suite struct TroubleTests {
    private static let honest: [DNSRecord] = [
        .mx("a.test", 10, "mail.a.test"), .address("mail.a.test", "192.0.2.1"),
    ]
    private static let forged: [DNSRecord] = [.mx("a.test", 1, "mail.evil.test")]

    private static func harness(
        _ behaviour: DNSBehaviour?,
        _ configure: (inout ResolverSettings) -> Void = { _ in }
    ) throws -> ResolverHarness {
        let behaviours = behaviour.map { ["a.test": $0] } ?? [:]
        return try ResolverHarness(
            DNSZones(self.honest, behaviours: behaviours),
            configure: configure
        )
    }

    // MARK: - Forgers

    /// "Invalid header ID" is no failure: the look-up goes on until the right answer comes.
    @Test(arguments: [1, 20, 300])
    func forgedAnswersAreIgnored(count: Int) throws {
        let harness = try Self.harness(.forged(count: count, Self.forged))
        let answer = try harness.answer("a.test", .mx)
        #expect(answer.outcome == .found)
        #expect(
            answer.records.map(\.content) == [.mx(preference: 10, exchange: "mail.a.test")]
        )
        // And the forger left nothing in the cache.
        #expect(try harness.answer("mail.evil.test", .a).outcome == .noSuchName)
        #expect(try harness.answer("a.test", .mx).records == answer.records)
    }

    @Test func answersToOtherQuestionsAreNeverBelieved() throws {
        let harness = try Self.harness(.wrongQuestion(Self.forged))
        let answer = try harness.answer("a.test", .mx)
        #expect(answer.failure != nil)
        #expect(try harness.answer("another.test", .mx).outcome == .noSuchName)
    }

    // MARK: - Failing servers

    @Test(arguments: [DNSBehaviour.serverFailure, .refused, .garbage])
    func failuresFail(behaviour: DNSBehaviour) throws {
        let harness = try Self.harness(behaviour)
        let answer = try harness.answer("a.test", .mx)
        #expect(answer.failure?.contains("SERVFAIL") ?? false)
        #expect(answer.records.isEmpty && !answer.isSecure && answer.timeToLive == 0)
        // The trouble of one name is not that of others.
        #expect(try harness.answer("mail.a.test", .a).outcome == .found)
    }

    @Test func silenceEndsAtTheDeadline() throws {
        let harness = try Self.harness(.silent) { $0.secondsMax = 0.5 }
        let start = harness.loop.now
        let answer = try harness.answer("a.test", .mx)
        #expect(answer.failure == "no answer in time")
        // The loop's clock stands still within a turn.
        #expect((0.45..<2).contains(harness.loop.now - start))
        #expect(try harness.answer("mail.a.test", .a).outcome == .found)
    }

    /// Without the deadline libunbound itself gives up in reasonable time.
    @Test func silentServersAreGivenUp() throws {
        let harness = try Self.harness(.silent) { $0.secondsMax = 60 }
        let answer = try harness.answer("a.test", .mx)
        #expect(answer.failure?.contains("SERVFAIL") ?? false)
        #expect((3...6).contains(harness.server.questions.count))
    }

    @Test func lostQuestionsAreAskedAgain() throws {
        let harness = try Self.harness(.silentFirst(2))
        #expect(try harness.answer("a.test", .mx).outcome == .found)
        #expect(harness.server.questions.count == 3)
    }

    @Test func longAnswersComeOverTCP() throws {
        let text = String(repeating: "0123456789", count: 2000)
        let zones = DNSZones([.txt("a.test", text)], behaviours: ["a.test": .truncated])
        let harness = try ResolverHarness(zones)
        let answer = try harness.answer("a.test", .txt)
        #expect(answer.records.map(\.content) == [.txt(Array(text.utf8))])
        #expect(harness.server.connectionCount == 1)
    }

    @Test func secondServerAnswersForADeadOne() throws {
        let dead = try DNSServer(DNSZones([], behaviours: ["a.test": .silent]))
        defer { dead.stop() }
        let harness = try Self.harness(nil) { settings in
            guard case .addresses(let servers) = settings.servers else { return }
            settings.servers = .addresses([dead.address] + servers)
        }
        #expect(try harness.answer("a.test", .mx).outcome == .found)
    }

    /// What was dead for a while is asked again before long.
    @Test func serversComeBack() throws {
        let harness = try Self.harness(.silent)
        #expect(try harness.answer("a.test", .mx).failure != nil)
        harness.server.change(DNSZones(Self.honest))
        var outcome = DNSAnswer.Outcome.noData
        for _ in 0..<8 where outcome != .found {
            outcome = try harness.answer("a.test", .mx).outcome
            if outcome != .found { harness.rest(seconds: 1) }
        }
        #expect(outcome == .found)
    }

    // MARK: - Taking back

    @Test func cancelledQuestionsAreNotAnswered() throws {
        let harness = try Self.harness(.slow(milliseconds: 100))
        let query = harness.ask("a.test", .mx) { _ in Issue.record("nobody asks any more") }
        harness.cancel(query)
        harness.rest(seconds: 0.4)
        #expect(harness.answers.isEmpty)
        // Twice, or after the answer, is no harm.
        query.map { harness.resolver?.cancel($0) }
        #expect(try harness.answer("a.test", .mx).outcome == .found)
    }

    @Test func othersWhoAskTheSameStillHear() throws {
        let harness = try Self.harness(.slow(milliseconds: 100))
        let query = harness.ask("a.test", .mx) { _ in Issue.record("nobody asks any more") }
        harness.ask("a.test", .mx)
        harness.cancel(query)
        try harness.run()
        #expect(harness.answers.map(\.outcome) == [.found])
    }

    @Test func answersUnderWayCanBeCancelled() throws {
        let harness = try Self.harness(nil)
        _ = try harness.answer("a.test", .mx)
        // It has landed inside the call already, and is handed on in the next turn.
        let query = harness.ask("a.test", .mx) { _ in Issue.record("nobody asks any more") }
        harness.cancel(query)
        var second: ResolverQuery?
        harness.ask("a.test", .mx) { _ in harness.cancel(second) }
        second = harness.ask("a.test", .mx) { _ in Issue.record("nobody asks any more") }
        harness.rest(seconds: 0.2)
        #expect(harness.answers.count == 2)
    }

    @Test func waitingQuestionsCanBeCancelled() throws {
        let harness = try Self.harness(.slow(milliseconds: 100)) { $0.inFlightMax = 1 }
        harness.ask("a.test", .mx)
        let queries = (0..<100).map { harness.ask("host\($0).test", .a) }
        harness.ask("mail.a.test", .a)
        queries.forEach(harness.cancel)
        try harness.run()
        #expect(harness.answers.map(\.name) == ["a.test", "mail.a.test"])
        #expect(harness.server.questions.count == 2)
    }

    /// The closures of those who asked are let go of, however a question ends.
    @Test func nothingIsRetained() throws {
        final class Witness {}
        weak var cancelled: Witness?
        weak var dropped: Witness?
        weak var answered: Witness?
        let harness = try Self.harness(.silentFirst(1))
        func ask(_ name: String) -> (ResolverQuery?, Witness) {
            let witness = Witness()
            return (harness.resolver?.lookUp(name, .mx) { _ in _ = witness }, witness)
        }
        do {
            let (query, witness) = ask("a.test")
            cancelled = witness
            query.map { harness.resolver?.cancel($0) }
        }
        #expect(cancelled == nil)
        answered = ask("mail.a.test").1
        harness.rest(seconds: 0.3)
        #expect(answered == nil)
        harness.server.change(DNSZones([], behaviours: ["b.test": .silent]))
        dropped = ask("b.test").1
        #expect(dropped != nil)
        harness.dropResolver()
        #expect(dropped == nil)
    }

    /// Questions under way, waiting, cancelled and landed: nobody hears, nothing crashes.
    @Test func resolverMayGoAtAnyTime() throws {
        let names = (0..<200).map { "host\($0).test" }
        let records = names.map { DNSRecord.address($0, "192.0.2.1") }
        for step in 0..<12 {
            let harness = try ResolverHarness(DNSZones(records)) { $0.inFlightMax = 100 }
            let queries = names.map { harness.ask($0, .a) }
            queries.prefix(50).forEach(harness.cancel)
            harness.rest(seconds: Double(step) * 0.002)
            let count = harness.answers.count
            harness.dropResolver()
            harness.rest(seconds: 0.02)
            #expect(harness.answers.count == count)
        }
    }

    @Test func resolverMayGoInsideAnAnswer() throws {
        let harness = try Self.harness(.slow(milliseconds: 50))
        harness.ask("mail.a.test", .a) { _ in harness.dropResolver() }
        harness.ask("a.test", .mx) { _ in Issue.record("the resolver is gone") }
        harness.rest(seconds: 0.3)
        #expect(harness.answers.count == 1)
    }

    // MARK: - What it costs

    /// Threads take the name of the one that starts them: there is never another one of that name.
    @Test func everythingIsOnTheLoop() {
        let name = "resolver test"
        let failures = Mutex<[String]>([])
        let thread = WorkerThread(name: name) {
            do {
                let harness = try Self.harness(.truncated)
                let outcome = try harness.answer("a.test", .mx).outcome
                let folder = "/proc/self/task"
                let threads = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
                    let text = try? String(contentsOfFile: "\(folder)/\($0)/comm", encoding: .utf8)
                    return text?.trimmingCharacters(in: .newlines) == name
                }
                if outcome != .found || threads.count != 1 {
                    failures.withLock { $0.append("\(outcome), \(threads)") }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        thread.join()
        #expect(failures.withLock { $0 } == [])
    }

    @Test func descriptorsAreCountedAndGivenBack() throws {
        let names = (0..<400).map { "host\($0).test" }
        let zones = DNSZones(
            [],
            behaviours: Dictionary(uniqueKeysWithValues: names.map { ($0, .silent) })
        )
        func sockets() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        }
        let before = try sockets()
        let harness = try ResolverHarness(zones) { $0.inFlightMax = 64 }
        for name in names { harness.ask(name, .a) }
        harness.rest(seconds: 0.3)
        let settings = {
            var settings = ResolverSettings()
            settings.inFlightMax = 64
            return settings
        }()
        #expect(try sockets() - before <= Resolver.descriptorsMax(settings) + 40)
        harness.dropResolver()
        #expect(try sockets() - before <= 40)
    }
}
