// SPDX-License-Identifier: Apache-2.0
//
// A store, an engine and the servers of the world in a few lines each, on a virtual clock and from
// one seed. It objects to every action that makes no sense.

import MailSyntax
import Testing

@testable import Delivery

/// What a destination is like.
enum WorldHost: CaseIterable {
    case good
    /// Cannot be reached before half of the time is over.
    case downForLong
    /// Some connections fail, some end, some messages are put off.
    case flaky
    /// Puts off every message once.
    case greylisting
    /// Says no for good.
    case refusing
    /// Takes one message on a connection and hangs up.
    case curt
    /// Mail is fetched.
    case onDemand
}

/// The world of one seed.
final class QueueWorld {
    private struct Message {
        let id: MessageID
        let destination: Destination
        let sender: UInt64
        let octets: Int
        var nextAt: Int64
        /// How many portions of recipients it has left.
        var portions: Int
        var attempts = 0
        var isHeld = false
    }

    private struct Rest {
        var until: Int64
        var failures: Int
    }

    private enum Line {
        case opening
        case ready(delivered: Int)
        case busy(MessageID, delivered: Int)
        case closing
    }

    private struct Pending {
        let at: Double
        let order: Int
        let event: QueueScheduler.Event
    }

    let seed: Int
    let settings: QueueSchedulerSettings
    private var random: SeededRandom
    private var scheduler: QueueScheduler
    private let start = DeliveryTime(monotonic: 50, wallClock: 1_700_000_000)
    private var now: DeliveryTime
    private let secondsMax: Double

    private var hosts: [Destination: WorldHost] = [:]
    private var messages: [Destination: [MessageID: Message]] = [:]
    private var rests: [Destination: Rest] = [:]
    private var messageCounter: UInt64 = 0
    /// What the engine keeps, until it is settled or released.
    private var kept: [Destination: [MessageID: Int]] = [:]
    private var settling: [Destination: Set<MessageID>] = [:]
    private var lines: [DeliveryConnectionID: (destination: Destination, line: Line)] = [:]
    private var pending: [Pending] = []
    private var pendingOrder = 0
    private var timerAt: Double?
    private var claims: [Destination: (count: Int, octets: Int)] = [:]
    private var isSearching = false
    private var isStopped = false
    private var rateSpent: [Destination: [Double]] = [:]

    private(set) var deliveredCount = 0
    private(set) var failedCount = 0
    private(set) var withdrawnCount = 0
    private(set) var eventCount = 0
    private(set) var emptyTimerCount = 0
    private(set) var failures: [String] = []

    init(
        seed: Int,
        destinations: Int,
        messages: Int,
        secondsMax: Double = 4000,
        settings: QueueSchedulerSettings
    ) {
        self.seed = seed
        self.settings = settings
        self.random = SeededRandom(seed: UInt64(seed))
        self.secondsMax = secondsMax
        self.now = self.start
        var hosts: [Destination: WorldHost] = [:]
        for index in 0..<destinations {
            let host = WorldHost.allCases.randomElement(using: &self.random) ?? .good
            // The first one has half of all mail: it has to be one that mail leaves for.
            hosts[Destination("d\(index).test")] =
                index == 0 && host == .onDemand ? .good : host
        }
        self.hosts = hosts
        self.scheduler = QueueScheduler(
            settings: settings,
            isOnDemand: { hosts[$0] == .onDemand },
            seed: UInt64(seed)
        )
        for _ in 0..<messages { self.commit() }
    }

    // MARK: - The run

    /// Runs until all mail is gone, or time is over.
    func run() {
        self.send(.started)
        while self.failures.isEmpty, self.elapsed < self.secondsMax {
            if self.isEmpty, self.scheduler.isIdle, self.pending.isEmpty { break }
            self.step()
        }
    }

    /// Stops, and lets what is under way come to its end.
    func stop() {
        self.send(.stopping)
        self.isStopped = true
        var steps = 0
        while self.failures.isEmpty, !self.scheduler.isIdle, steps < 10_000 {
            steps += 1
            self.step()
        }
        self.expect(self.scheduler.isIdle, "something is left after the stop")
        self.expect(self.lines.isEmpty, "a connection is left after the stop")
        self.expect(self.kept.values.allSatisfy(\.isEmpty), "a message is kept after the stop")
    }

    var isEmpty: Bool { self.messages.values.allSatisfy { $0.isEmpty } }

    /// How many are in the store, those aside that wait to be fetched.
    var leftCount: Int {
        self.messages.reduce(0) { sum, entry in
            self.hosts[entry.key] == .onDemand
                ? sum : sum + entry.value.values.count { !$0.isHeld }
        }
    }

    private var elapsed: Double { self.now.monotonic - self.start.monotonic }

    private func step() {
        let next = self.pending.min { ($0.at, $0.order) < ($1.at, $1.order) }
        switch (next, self.timerAt) {
        case (let next?, let timerAt) where next.at <= timerAt ?? .infinity:
            self.pending.removeAll { $0.order == next.order }
            self.advance(to: next.at)
            self.happen(next.event)
        case (_, let timerAt?):
            self.advance(to: timerAt)
            self.timerAt = nil
            self.send(.timerFired)
        default:
            self.expect(false, "nothing is under way and no timer is set")
        }
        guard !self.isStopped else { return }
        // In the second half of the time what is there has to leave.
        guard self.elapsed < self.secondsMax / 2 else { return }
        if self.chance(0.01) { self.commit(withWord: true) }
        if self.chance(0.004) { self.changeQueue() }
        if self.chance(0.004) { self.fetch() }
    }

    private func advance(to time: Double) {
        self.now.monotonic = max(self.now.monotonic, time)
        self.now.wallClock = self.start.wallClock + Int64(self.elapsed)
    }

    private func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self.random) < probability
    }

    private func later(_ event: QueueScheduler.Event, within seconds: Double = 0.05) {
        self.pendingOrder += 1
        self.pending.append(
            Pending(
                at: self.now.monotonic + Double.random(in: 0..<seconds, using: &self.random),
                order: self.pendingOrder,
                event: event
            )
        )
    }

    private func expect(_ condition: Bool, _ words: @autoclosure () -> String) {
        if !condition { self.failures.append("seed \(self.seed): \(words())") }
    }

    // MARK: - Events

    /// What is waited for happens, if it still can.
    private func happen(_ event: QueueScheduler.Event) {
        switch event {
        case .connectionReady(let id):
            self.lines[id]?.line = .ready(delivered: 0)
        case .connectionFailed(let id, _): self.lines[id] = nil
        case .connectionEnded(let id, _):
            guard let entry = self.lines.removeValue(forKey: id) else { return }
            if case .opening = entry.line { return }
        case .finished(let id, let message, _, let isReusable):
            guard let (destination, line) = self.lines[id],
                case .busy(message, let delivered) = line
            else { return }
            self.lines[id]?.line = isReusable ? .ready(delivered: delivered + 1) : .closing
            self.settling[destination, default: []].insert(message)
            self.later(self.settled(destination, message), within: 0.1)
            if !isReusable { self.later(.connectionEnded(id, nil)) }
        case .claimed(let destination, let found, let isComplete):
            self.takeClaims(destination, found, isComplete)
            return
        case .dueFound, .findDueFailed: self.isSearching = false
        case .claimFailed(let destination): self.claims[destination] = nil
        case .settled(let destination, let ids, _):
            for id in ids { self.settle(destination, id) }
        case .started, .queued, .queueChanged, .connectionOffered, .timerFired, .stopping: break
        }
        self.send(event)
    }

    private func send(_ event: QueueScheduler.Event) {
        var actions: [QueueScheduler.Action] = []
        self.scheduler.reduce(event, now: self.now, into: &actions)
        self.eventCount += 1
        if case .timerFired = event, actions.count <= 1 { self.emptyTimerCount += 1 }
        self.expect(actions.count <= self.actionsMax(event), "\(actions.count) actions")
        for action in actions { self.perform(action) }
        self.checkLimits()
    }

    /// Each connection and each destination may have one or two actions, not more.
    private func actionsMax(_ event: QueueScheduler.Event) -> Int {
        3 * (self.settings.connectionsMax + self.settings.destinationsMax) + 10
    }

    private func checkLimits() {
        let occupancy = self.scheduler.occupancy
        self.expect(occupancy.destinations <= self.settings.destinationsMax + 2, "destinations")
        self.expect(occupancy.messages <= self.settings.messagesMax, "messages")
        self.expect(occupancy.octets <= self.settings.octetsMax, "octets")
        // Two may be offered beside those that are opened.
        self.expect(self.lines.count <= self.settings.connectionsMax + 2, "connections")
        self.expect(occupancy.connections == self.lines.count, "connections are miscounted")
        let kept = self.kept.values.reduce(0) { $0 + $1.count }
        let reserved = self.claims.values.reduce(0) { $0 + $1.count }
        self.expect(
            occupancy.messages == kept + reserved,
            "\(occupancy.messages) messages are counted, \(kept) are kept, \(reserved) asked for"
        )
        let octets = self.kept.values.reduce(0) { $0 + $1.values.reduce(0, +) }
        let reservedOctets = self.claims.values.reduce(0) { $0 + $1.octets }
        self.expect(occupancy.octets == octets + reservedOctets, "octets are miscounted")
    }

    // MARK: - Actions

    private func perform(_ action: QueueScheduler.Action) {
        switch action {
        case .findDue(let max, let known): self.find(max, known)
        case .claim(let destination, let max, let octetsMax, let known):
            self.claim(destination, max, octetsMax, known)
        case .release(let destination, let ids):
            for id in ids {
                let isUnderWay = self.settling[destination]?.contains(id) ?? false
                self.expect(!isUnderWay, "\(id) is released while it is settled")
                self.kept[destination]?[id] = nil
            }
        case .open(let id, let destination): self.open(id, destination)
        case .deliver(let id, let destination, let message):
            self.deliver(id, destination, message)
        case .close(let id):
            guard let entry = self.lines[id], case .ready = entry.line else {
                // The end of it may be on its way already.
                self.expect(false, "what is closed is not idle")
                return
            }
            self.lines[id]?.line = .closing
            self.later(.connectionEnded(id, nil))
        case .rest(let destination, let until, let failures, _):
            self.expect(until > self.now.wallClock, "it rests until a time that is over")
            self.rests[destination] = Rest(until: until, failures: failures)
        case .revive(let destination): self.rests[destination] = nil
        case .failAll(let destination, let ids, let failure):
            self.expect(self.hosts[destination] == .refusing, "a good host is failed")
            self.expect(failure.isPermanent, "failed by a failure that may pass")
            for id in ids {
                self.expect(self.kept[destination]?[id] != nil, "what is failed was not claimed")
                self.settling[destination, default: []].insert(id)
            }
            self.later(.settled(destination, ids, retryAt: nil), within: 0.1)
        case .setTimer(let seconds):
            self.expect(seconds > 0.009, "a timer of \(seconds)")
            self.timerAt = self.now.monotonic + seconds
        }
    }

    private func find(_ max: Int, _ known: [Destination]) {
        self.expect(!self.isSearching, "it asks twice for what is due")
        self.expect(max > 0, "it asks for nothing")
        self.isSearching = true
        if self.chance(0.02) { return self.later(.findDueFailed) }
        var due: [(QueueScheduler.Due, Int64)] = []
        var nextAt: Int64?
        for (destination, waiting) in self.messages where !known.contains(destination) {
            guard let earliest = waiting.values.filter({ !$0.isHeld }).map(\.nextAt).min() else {
                continue
            }
            let at = Swift.max(earliest, self.rests[destination]?.until ?? 0)
            if at <= self.now.wallClock {
                let failures = self.rests[destination]?.failures ?? 0
                due.append((QueueScheduler.Due(destination, failures: failures), at))
            } else {
                nextAt = min(nextAt ?? at, at)
            }
        }
        due.sort { ($0.1, $0.0.destination.text) < ($1.1, $1.0.destination.text) }
        self.later(
            .dueFound(
                due.prefix(max).map(\.0),
                nextAt: nextAt,
                isComplete: due.count <= max
            )
        )
    }

    private func claim(
        _ destination: Destination,
        _ max: Int,
        _ octetsMax: Int,
        _ known: [MessageID]
    ) {
        self.expect(self.claims[destination] == nil, "it claims twice")
        self.expect(max > 0, "it claims nothing")
        self.expect(Set(known) == Set((self.kept[destination] ?? [:]).keys), "what is excluded")
        self.claims[destination] = (max, octetsMax)
        if self.chance(0.02) { return self.later(.claimFailed(destination)) }
        var left = octetsMax
        var found: [QueueScheduler.Claim] = []
        let due = (self.messages[destination] ?? [:]).values
            .filter {
                !$0.isHeld && $0.nextAt <= self.now.wallClock && !known.contains($0.id)
            }
            .sorted { ($0.nextAt, $0.id.rawValue) < ($1.nextAt, $1.id.rawValue) }
        for message in due.prefix(max) {
            let octets = message.octets <= left ? message.octets : 0
            left -= octets
            found.append(
                QueueScheduler.Claim(
                    message.id,
                    octets: octets,
                    sender: message.sender,
                    isPartial: message.portions > 1
                )
            )
        }
        self.later(.claimed(destination, found, isComplete: due.count <= max))
    }

    private func takeClaims(
        _ destination: Destination,
        _ found: [QueueScheduler.Claim],
        _ isComplete: Bool
    ) {
        self.claims[destination] = nil
        for claim in found { self.kept[destination, default: [:]][claim.id] = claim.octets }
        self.send(.claimed(destination, found, isComplete: isComplete))
    }

    private func open(_ id: DeliveryConnectionID, _ destination: Destination) {
        let host = self.hosts[destination] ?? .good
        self.expect(self.lines[id] == nil, "an id is used twice")
        self.lines[id] = (destination, .opening)
        let own = self.lines.values.filter { $0.destination == destination }
        self.expect(
            own.count <= self.settings.connectionsPerDestinationMax + 1,
            "\(own.count) connections to one destination"
        )
        self.expect(self.lines.count <= self.settings.connectionsMax + 1, "too many connections")
        self.expect(!self.isStopped, "it opens after the stop")
        if host == .refusing {
            let failure = DestinationFailure(.noSuchDomain, EnhancedStatus(5, 1, 2), "no")
            return self.later(.connectionFailed(id, failure))
        }
        let isDown = host == .downForLong && self.elapsed < self.secondsMax / 4
        if isDown || host == .flaky && self.chance(0.3) || self.chance(0.01) {
            let failure = DestinationFailure(.unreachable, EnhancedStatus(4, 4, 1), "down")
            return self.later(.connectionFailed(id, failure), within: 1)
        }
        self.later(.connectionReady(id), within: 0.3)
    }

    private func deliver(
        _ id: DeliveryConnectionID,
        _ destination: Destination,
        _ message: MessageID
    ) {
        guard let entry = self.lines[id], case .ready(let delivered) = entry.line else {
            return self.expect(false, "it delivers over what is not ready")
        }
        self.expect(entry.destination == destination, "over another destination's connection")
        self.expect(self.kept[destination]?[message] != nil, "it delivers what it did not claim")
        self.expect(!self.isStopped, "it delivers after the stop")
        self.expect(delivered < self.settings.messagesPerConnectionMax, "too many messages")
        for (_, other) in self.lines where other.destination == destination {
            if case .busy(message, _) = other.line {
                self.expect(false, "\(message) is in two connections")
            }
        }
        self.expect(
            !(self.settling[destination]?.contains(message) ?? false),
            "it delivers what is done"
        )
        if let stored = self.messages[destination]?[message] {
            self.expect(!stored.isHeld, "it delivers what is held")
            self.expect(stored.nextAt <= self.now.wallClock, "it delivers what is not due")
        } else {
            self.expect(false, "it delivers what is gone")
        }
        self.spendRate(destination)
        self.lines[id]?.line = .busy(message, delivered: delivered)
        self.answer(id, destination, message)
    }

    private func spendRate(_ destination: Destination) {
        guard self.settings.messagesPerDestinationSecond > 0 else { return }
        var times = self.rateSpent[destination] ?? []
        times.append(self.now.monotonic)
        let recent = times.filter { $0 > self.now.monotonic - 10 }
        let most = self.settings.messagesPerDestinationSecond * 10.05 + 2
        self.expect(Double(recent.count) <= most, "\(recent.count) messages in ten seconds")
        self.rateSpent[destination] = recent
    }

    private func answer(
        _ id: DeliveryConnectionID,
        _ destination: Destination,
        _ message: MessageID
    ) {
        switch self.hosts[destination] ?? .good {
        case .flaky where self.chance(0.1):
            let failure = DestinationFailure(.noSession, EnhancedStatus(4, 3, 2), "421")
            self.later(.connectionEnded(id, self.chance(0.5) ? failure : nil), within: 0.5)
        case .flaky where self.chance(0.2):
            self.later(.finished(id, message, .slower, isReusable: self.chance(0.5)), within: 0.5)
        case .curt:
            self.later(.finished(id, message, .faster, isReusable: false), within: 0.5)
        case .greylisting:
            self.later(.finished(id, message, .none, isReusable: true), within: 0.5)
        case .good, .downForLong, .flaky, .refusing, .onDemand:
            self.later(.finished(id, message, .faster, isReusable: true), within: 0.5)
        }
    }

    // MARK: - The store

    /// What became of a message, as it will be in the store.
    private func settled(_ destination: Destination, _ id: MessageID) -> QueueScheduler.Event {
        guard var message = self.messages[destination]?[id] else {
            return .settled(destination, [id], retryAt: nil)
        }
        message.attempts += 1
        let host = self.hosts[destination] ?? .good
        let isPutOff =
            host == .greylisting && message.attempts == 1 || host == .flaky && self.chance(0.2)
        var retryAt: Int64?
        if isPutOff {
            retryAt = self.now.wallClock + Int64.random(in: 0...40, using: &self.random)
            message.nextAt = retryAt ?? 0
        } else {
            message.portions -= 1
        }
        self.messages[destination]?[id] = message
        return .settled(destination, [id], retryAt: retryAt)
    }

    private func settle(_ destination: Destination, _ id: MessageID) {
        self.settling[destination]?.remove(id)
        self.kept[destination]?[id] = nil
        if self.hosts[destination] == .refusing {
            self.messages[destination]?[id] = nil
            self.failedCount += 1
        } else if self.messages[destination]?[id]?.portions == 0 {
            self.messages[destination]?[id] = nil
            self.deliveredCount += 1
        }
    }

    private func commit(withWord: Bool = false) {
        let names = self.hosts.keys.sorted { $0.text < $1.text }
        // Half of all mail is for the first destination.
        let index = self.chance(0.5) ? 0 : Int.random(in: 0..<names.count, using: &self.random)
        self.messageCounter += 1
        let message = Message(
            id: MessageID(rawValue: self.messageCounter),
            destination: names[index],
            sender: UInt64.random(in: 0..<4, using: &self.random),
            octets: Int.random(in: 0..<40_000, using: &self.random),
            nextAt: self.now.wallClock,
            portions: self.chance(0.1) ? 2 : 1
        )
        self.messages[message.destination, default: [:]][message.id] = message
        if withWord { self.later(.queued(message.destination, isWanted: false)) }
    }

    /// The operator holds or removes a message that is not under way, or releases all.
    private func changeQueue() {
        let isRelease = self.chance(0.5)
        for destination in self.messages.keys.sorted(by: { $0.text < $1.text }) {
            for id in (self.messages[destination] ?? [:]).keys.sorted(by: {
                $0.rawValue < $1.rawValue
            }) {
                if isRelease {
                    self.messages[destination]?[id]?.isHeld = false
                } else if self.chance(0.05), !self.isUnderWay(destination, id) {
                    if self.chance(0.5) {
                        self.messages[destination]?[id]?.isHeld = true
                    } else {
                        self.messages[destination]?[id] = nil
                        self.withdrawnCount += 1
                    }
                }
            }
        }
        self.send(.queueChanged)
    }

    private func isUnderWay(_ destination: Destination, _ id: MessageID) -> Bool {
        if self.settling[destination]?.contains(id) ?? false { return true }
        return self.lines.values.contains { entry in
            if entry.destination == destination, case .busy(id, _) = entry.line {
                true
            } else {
                false
            }
        }
    }

    /// Somebody asks for mail: with ETRN, or over a connection of his own.
    private func fetch() {
        let names = self.hosts.keys.sorted { $0.text < $1.text }
        guard let destination = names.randomElement(using: &self.random) else { return }
        self.rests[destination] = nil
        let offered = self.lines.count { $0.key.rawValue == 0 }
        guard self.hosts[destination] == .onDemand, offered == 0, self.chance(0.5),
            self.lines.count < self.settings.connectionsMax
        else { return self.later(.queued(destination, isWanted: true)) }
        let id = self.scheduler.makeConnectionID()
        self.lines[id] = (destination, .ready(delivered: 0))
        self.send(.connectionOffered(id, destination))
    }
}
