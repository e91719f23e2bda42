// SPDX-License-Identifier: Apache-2.0

import MailBytes
import MailSyntax
import Testing

@testable import Delivery

/// A race told as a story: what happened, and what was done on one line.
private struct RaceStory {
    var race: ConnectionRace
    var now = 0.0

    /// Hosts a, b, c … with so many addresses each.
    init(addresses: [Int], _ settings: ConnectionRaceSettings = ConnectionRaceSettings()) {
        let hosts = addresses.enumerated().map { index, count in
            RouteHost(
                name: String(UnicodeScalar(UInt8(0x61 + index))),
                endpoints: (0..<count).map { place in
                    .address(NetworkAddress(ipv4: 0xc000_0200 + UInt32(place), port: 25))
                }
            )
        }
        self.race = ConnectionRace(
            RoutePlan(Destination("d.test"), hosts: hosts),
            settings: settings
        )
    }

    mutating func callAsFunction(_ event: ConnectionRace.Event, at now: Double? = nil) -> String {
        self.now = now ?? self.now
        var actions: [ConnectionRace.Action] = []
        self.race.reduce(event, now: self.now, into: &actions)
        return actions.map { action in
            switch action {
            case .connect(let attempt): "connect \(Self.name(attempt))"
            case .cancel(let attempt): "cancel \(Self.name(attempt))"
            case .use(let attempt): "use \(Self.name(attempt))"
            case .setTimer(let seconds): "timer \((seconds * 1000).rounded() / 1000)"
            case .stopTimer: "stop"
            case .exhausted(let failure): "exhausted \(failure.status) \(failure.reason)"
            }
        }.joined(separator: ", ")
    }

    private static func name(_ attempt: ConnectionAttempt) -> String {
        "\(String(UnicodeScalar(UInt8(0x61 + attempt.host))))\(attempt.endpoint)"
    }
}

private func attempt(_ host: Int, _ endpoint: Int) -> ConnectionAttempt {
    ConnectionAttempt(host: host, endpoint: endpoint)
}

private let busy = DestinationFailure(.noSession, EnhancedStatus(4, 3, 2), "421 busy")
private let never = DestinationFailure(.acceptsNoMail, EnhancedStatus(5, 3, 2), "521 never")

@Suite struct ConnectionRaceTests {
    @Test func firstConnectionIsUsed() {
        var story = RaceStory(addresses: [1])
        #expect(story(.started, at: 0) == "connect a0, timer 30.0")
        #expect(story(.connected(attempt(0, 0)), at: 0.1) == "stop, use a0")
    }

    /// RFC 8305, section 5: the next address after a quarter of a second, and the first one wins.
    @Test func slowAddressIsOvertaken() {
        var story = RaceStory(addresses: [3])
        #expect(story(.started, at: 0) == "connect a0, timer 0.25")
        #expect(story(.timerFired, at: 0.25) == "connect a1, timer 0.25")
        #expect(story(.timerFired, at: 0.5) == "connect a2, timer 29.5")
        #expect(story(.connected(attempt(0, 1)), at: 0.6) == "cancel a0, cancel a2, stop, use a1")
    }

    @Test func timerThatFiresEarlyStartsNothing() {
        var story = RaceStory(addresses: [2])
        #expect(story(.started, at: 0) == "connect a0, timer 0.25")
        #expect(story(.timerFired, at: 0.2) == "timer 0.05")
    }

    @Test func failureStartsTheNextAtOnce() {
        var story = RaceStory(addresses: [3])
        #expect(story(.started, at: 0) == "connect a0, timer 0.25")
        #expect(story(.failed(attempt(0, 0), "refused"), at: 0.01) == "connect a1, timer 0.25")
        #expect(story(.failed(attempt(0, 0), "again"), at: 0.02) == "")
        #expect(story(.connected(attempt(0, 0)), at: 0.03) == "")
        #expect(story(.connected(attempt(0, 1)), at: 0.04) == "stop, use a1")
    }

    /// Hosts do not race: the preferred one has its whole turn first.
    @Test func hostsComeOneAfterTheOther() {
        var story = RaceStory(addresses: [2, 1])
        #expect(story(.started, at: 0) == "connect a0, timer 0.25")
        #expect(story(.timerFired, at: 0.25) == "connect a1, timer 29.75")
        #expect(story(.failed(attempt(0, 1), "refused"), at: 1) == "timer 29.0")
        #expect(story(.failed(attempt(0, 0), "refused"), at: 2) == "connect b0, timer 30.0")
        #expect(
            story(.failed(attempt(1, 0), "refused"), at: 3) == "stop, exhausted 4.4.1 unreachable"
        )
        #expect(story(.timerFired, at: 40) == "")
    }

    @Test func attemptTakesThirtySecondsAtTheMost() {
        var story = RaceStory(addresses: [1, 1])
        #expect(story(.started, at: 0) == "connect a0, timer 30.0")
        #expect(story(.timerFired, at: 30) == "cancel a0, connect b0, timer 30.0")
        #expect(story(.timerFired, at: 60) == "cancel b0, stop, exhausted 4.4.1 unreachable")
    }

    @Test func allTogetherHasAnEnd() {
        var settings = ConnectionRaceSettings()
        settings.wholeSecondsMax = 70
        var story = RaceStory(addresses: [1, 1, 1, 1], settings)
        #expect(story(.started, at: 0) == "connect a0, timer 30.0")
        #expect(story(.timerFired, at: 30) == "cancel a0, connect b0, timer 30.0")
        #expect(story(.timerFired, at: 60) == "cancel b0, connect c0, timer 10.0")
        #expect(story(.timerFired, at: 70) == "cancel c0, stop, exhausted 4.4.1 unreachable")
    }

    /// What a session takes is not taken from the time of the connections.
    @Test func sessionsDoNotCount() {
        var settings = ConnectionRaceSettings()
        settings.wholeSecondsMax = 70
        var story = RaceStory(addresses: [1, 1], settings)
        #expect(story(.started, at: 0) == "connect a0, timer 30.0")
        #expect(story(.connected(attempt(0, 0)), at: 20) == "stop, use a0")
        #expect(story(.sessionFailed(busy), at: 500) == "connect b0, timer 30.0")
        #expect(story(.timerFired, at: 530) == "cancel b0, stop, exhausted 4.3.2 noSession")
    }

    // MARK: - Sessions that come to nothing

    @Test func sessionThatFailsLeadsToTheNextAddress() {
        var story = RaceStory(addresses: [2, 1])
        #expect(story(.started, at: 0) == "connect a0, timer 0.25")
        #expect(story(.timerFired, at: 0.25) == "connect a1, timer 29.75")
        #expect(story(.connected(attempt(0, 1)), at: 0.3) == "cancel a0, stop, use a1")
        // The one that lost the race has another chance.
        #expect(story(.sessionFailed(busy), at: 1) == "connect a0, timer 30.0")
        #expect(story(.connected(attempt(0, 0)), at: 2) == "stop, use a0")
        #expect(story(.sessionFailed(busy), at: 3) == "connect b0, timer 30.0")
        #expect(story(.connected(attempt(1, 0)), at: 4) == "stop, use b0")
        #expect(story(.sessionFailed(busy), at: 5) == "stop, exhausted 4.3.2 noSession")
    }

    @Test func manyAddressesOfOneHostDoNotHideTheOthers() {
        var story = RaceStory(addresses: [8, 1])
        _ = story(.started, at: 0)
        #expect(story(.connected(attempt(0, 0)), at: 0) == "stop, use a0")
        #expect(story(.sessionFailed(busy), at: 0) == "connect a1, timer 0.25")
        #expect(story(.connected(attempt(0, 1)), at: 0) == "stop, use a1")
        #expect(story(.sessionFailed(busy), at: 0) == "connect b0, timer 30.0")
    }

    @Test func sessionsHaveAnEnd() {
        var story = RaceStory(addresses: [1, 1, 1, 1, 1, 1, 1])
        _ = story(.started, at: 0)
        for host in 0..<4 {
            #expect(story(.connected(attempt(host, 0))).hasPrefix("stop, use"))
            #expect(story(.sessionFailed(never)).hasPrefix("connect"))
        }
        #expect(story(.connected(attempt(4, 0))).hasPrefix("stop, use"))
        // Two hosts were not asked: it is not for good.
        #expect(story(.sessionFailed(never)) == "stop, exhausted 4.4.1 unreachable")
    }

    /// RFC 7504: only what all hosts say is what the destination says.
    @Test func destinationFailsForGoodOnlyByTheWordOfAll() {
        var all = RaceStory(addresses: [1, 1])
        _ = all(.started)
        _ = all(.connected(attempt(0, 0)))
        #expect(all(.sessionFailed(never)) == "connect b0, timer 30.0")
        _ = all(.connected(attempt(1, 0)))
        #expect(all(.sessionFailed(never)) == "stop, exhausted 5.3.2 acceptsNoMail")

        var silent = RaceStory(addresses: [1, 1])
        _ = silent(.started)
        #expect(silent(.failed(attempt(0, 0), "refused")) == "connect b0, timer 30.0")
        _ = silent(.connected(attempt(1, 0)))
        #expect(silent(.sessionFailed(never)) == "stop, exhausted 4.4.1 unreachable")

        var mixed = RaceStory(addresses: [1, 1])
        _ = mixed(.started)
        _ = mixed(.connected(attempt(0, 0)))
        _ = mixed(.sessionFailed(busy))
        _ = mixed(.connected(attempt(1, 0)))
        #expect(mixed(.sessionFailed(never)) == "stop, exhausted 4.3.2 noSession")
    }

    @Test func failureTellsOfEachHost() {
        var race = ConnectionRace(
            RoutePlan(
                Destination("d.test"),
                hosts: [
                    RouteHost(name: "a.test", endpoints: [.unix("/run/a")]),
                    RouteHost(
                        name: "b.test",
                        endpoints: [.address(NetworkAddress(ipv4: 0xc000_0201, port: 25))]
                    ),
                ]
            )
        )
        var actions: [ConnectionRace.Action] = []
        race.reduce(.started, now: 0, into: &actions)
        race.reduce(.failed(attempt(0, 0), "no such\nfile"), now: 0, into: &actions)
        race.reduce(.failed(attempt(1, 0), "refused"), now: 0, into: &actions)
        guard case .exhausted(let failure) = actions.last else {
            Issue.record("no end")
            return
        }
        #expect(
            failure.text
                == "a.test at unix:/run/a: no such?file; b.test at 192.0.2.1:25: refused"
        )
    }

    @Test func planWithoutHostsIsExhaustedAtOnce() {
        var story = RaceStory(addresses: [])
        #expect(story(.started) == "stop, exhausted 4.4.1 unreachable")
        #expect(story(.started) == "")
    }

    /// Whatever happens in whatever order: each attempt is made once and ends once, no two are in
    /// use, and there is an end.
    @Test func everyOrderOfEventsEnds() {
        for seed in 0..<3000 {
            var random = SeededRandom(seed: UInt64(seed))
            var story = RaceModel(seed: seed, &random)
            story.run(&random)
        }
    }
}

/// A world of connections that do as chance wants, which objects to what makes no sense.
private struct RaceModel {
    private var race: ConnectionRace
    private let seed: Int
    private var open: Set<ConnectionAttempt> = []
    private var used: ConnectionAttempt?
    private var isFinished = false
    private var timerAt: Double?
    private var now = 0.0

    init(seed: Int, _ random: inout SeededRandom) {
        self.seed = seed
        let hosts = (0..<Int.random(in: 0...5, using: &random)).map { host in
            RouteHost(
                name: "h\(host)",
                endpoints: (0..<Int.random(in: 1...4, using: &random)).map { .unix("/\($0)") }
            )
        }
        self.race = ConnectionRace(RoutePlan(Destination("d.test"), hosts: hosts))
    }

    mutating func run(_ random: inout SeededRandom) {
        self.send(.started)
        for _ in 0..<200 where !self.isFinished {
            let choice = Int.random(in: 0..<10, using: &random)
            if self.used != nil {
                // Sessions that work end the story as well.
                if choice == 0 { return }
                self.send(.sessionFailed(choice < 5 ? busy : never))
            } else if choice < 4, let attempt = self.open.randomElement(using: &random) {
                self.open.remove(attempt)
                self.send(.failed(attempt, "refused"))
            } else if choice < 6, let attempt = self.open.randomElement(using: &random) {
                self.send(.connected(attempt))
            } else if let timerAt {
                self.now = max(self.now, timerAt)
                self.timerAt = nil
                self.send(.timerFired)
            }
        }
        #expect(self.isFinished, "seed \(self.seed)")
    }

    private mutating func send(_ event: ConnectionRace.Event) {
        if case .sessionFailed = event { self.used = nil }
        var actions: [ConnectionRace.Action] = []
        self.race.reduce(event, now: self.now, into: &actions)
        #expect(actions.count <= 8, "seed \(self.seed)")
        for action in actions {
            #expect(!self.isFinished, "seed \(self.seed)")
            switch action {
            case .connect(let attempt):
                #expect(self.open.insert(attempt).inserted, "seed \(self.seed)")
                #expect(Set(self.open.map(\.host)).count == 1, "seed \(self.seed)")
            case .cancel(let attempt):
                #expect(self.open.remove(attempt) != nil, "seed \(self.seed)")
            case .use(let attempt):
                #expect(self.used == nil, "seed \(self.seed)")
                #expect(self.open == [attempt], "seed \(self.seed)")
                self.open = []
                self.used = attempt
            case .setTimer(let seconds):
                #expect(seconds > 0, "seed \(self.seed)")
                self.timerAt = self.now + seconds
            case .stopTimer: self.timerAt = nil
            case .exhausted:
                #expect(self.open.isEmpty, "seed \(self.seed)")
                self.isFinished = true
            }
        }
        #expect(self.isFinished || self.used != nil || self.timerAt != nil, "seed \(self.seed)")
    }
}
