// SPDX-License-Identifier: Apache-2.0
//
// From a plan to one connection: the addresses of a host race in the manner of RFC 8305, hosts
// come one after the other.

internal import MailSyntax

/// How long a race waits.
package struct ConnectionRaceSettings: Sendable {
    /// After so many seconds the next address of the host is tried beside the one before.
    package var staggerSeconds = 0.25
    /// One attempt may take so long.
    package var attemptSecondsMax = 30.0
    /// All attempts together may take so long, sessions not counted.
    package var wholeSecondsMax = 180.0
    /// So many sessions may fail before the destination counts as failed.
    package var sessionsMax = 5
    /// So many of them with one host, so that its many addresses do not hide the other hosts.
    package var sessionsPerHostMax = 2

    package init() {}
}

/// One address of one host of the plan.
package struct ConnectionAttempt: Hashable, Sendable {
    /// Index into `RoutePlan.hosts`.
    package let host: Int
    /// Index into the host's `endpoints`.
    package let endpoint: Int

    package init(host: Int, endpoint: Int) {
        self.host = host
        self.endpoint = endpoint
    }
}

/// The way through a plan, as a reducer.
///
/// `.started` comes first. Each `.connect` is answered by `.connected` or `.failed`, unless it was
/// cancelled; of what was cancelled nothing more may be told. After `.use` a session runs; should
/// it fail before any transaction in a way that concerns the host, `.sessionFailed` goes on to the
/// next address or host. `.exhausted` is the end.
///
/// The destination has failed for good only when every host was spoken to and each said that it
/// never takes mail. A host that could not be reached may be one that would have taken it.
package struct ConnectionRace: Sendable {
    package enum Event: Sendable {
        case started
        case connected(ConnectionAttempt)
        /// Why not, in a few words.
        case failed(ConnectionAttempt, String)
        case timerFired
        /// The session over the connection in use got nowhere: greeting, TLS, login.
        case sessionFailed(DestinationFailure)
    }

    package enum Action: Hashable, Sendable {
        case connect(ConnectionAttempt)
        case cancel(ConnectionAttempt)
        /// Have a session over this one. All others were cancelled.
        case use(ConnectionAttempt)
        /// Send `.timerFired` after so many seconds; replaces the timer before.
        case setTimer(seconds: Double)
        /// No timer is wanted any more.
        case stopTimer
        /// Nothing is left to try.
        case exhausted(DestinationFailure)
    }

    private enum Phase {
        case beginning
        case racing
        case inSession(ConnectionAttempt)
        case finished
    }

    private struct Running {
        let attempt: ConnectionAttempt
        let endsAt: Double
    }

    package let plan: RoutePlan
    private let settings: ConnectionRaceSettings
    private var phase = Phase.beginning
    private var host = 0
    /// The endpoints of the host that are still to be tried.
    private var remaining: ArraySlice<Int> = []
    private var running: [Running] = []
    /// When the next attempt may begin beside those that run.
    private var staggeredUntil = 0.0
    private var endsAt = 0.0
    /// What is left of the whole time, as of the last session.
    private var secondsLeft: Double
    private var sessionsOfHost = 0
    private var sessionFailures: [DestinationFailure] = []
    private var notes: [String] = []
    private var areAllHostsSpokenTo = true

    package init(_ plan: RoutePlan, settings: ConnectionRaceSettings = ConnectionRaceSettings()) {
        self.plan = plan
        self.settings = settings
        self.secondsLeft = settings.wholeSecondsMax
        self.remaining = ArraySlice(plan.hosts.first?.endpoints.indices ?? 0..<0)
    }

    /// Takes an event at `now`, in monotonic seconds, and appends what is to be done.
    package mutating func reduce(_ event: Event, now: Double, into actions: inout [Action]) {
        switch (event, self.phase) {
        case (.started, .beginning):
            self.race(now, into: &actions)
        case (.connected(let attempt), .racing):
            self.finishRace(with: attempt, now, into: &actions)
        case (.failed(let attempt, let reason), .racing):
            guard self.remove(attempt) else { return }
            self.note(attempt, reason)
            self.staggeredUntil = now
            self.step(now, into: &actions)
        case (.timerFired, .racing):
            self.endOverdue(now, into: &actions)
            self.step(now, into: &actions)
        case (.sessionFailed(let failure), .inSession(let attempt)):
            self.receive(failure, of: attempt, now, into: &actions)
        case (.started, _), (.connected, _), (.failed, _), (.timerFired, _), (.sessionFailed, _):
            return
        }
    }

    // MARK: - Racing

    private mutating func race(_ now: Double, into actions: inout [Action]) {
        self.phase = .racing
        self.endsAt = now + self.secondsLeft
        self.staggeredUntil = now
        self.step(now, into: &actions)
    }

    /// Begins the attempts whose time has come, and arms the timer for the next one.
    private mutating func step(_ now: Double, into actions: inout [Action]) {
        guard now < self.endsAt else {
            self.notes.append("no time is left for more")
            self.areAllHostsSpokenTo = false
            return self.exhaust(into: &actions)
        }
        while self.running.isEmpty, self.remaining.isEmpty {
            guard self.advanceHost() else { return self.exhaust(into: &actions) }
        }
        if now >= self.staggeredUntil || self.running.isEmpty,
            let endpoint = self.remaining.popFirst()
        {
            let attempt = ConnectionAttempt(host: self.host, endpoint: endpoint)
            self.running.append(
                Running(attempt: attempt, endsAt: now + self.settings.attemptSecondsMax)
            )
            self.staggeredUntil = now + self.settings.staggerSeconds
            actions.append(.connect(attempt))
        }
        var next = self.endsAt
        if !self.remaining.isEmpty { next = min(next, self.staggeredUntil) }
        for attempt in self.running { next = min(next, attempt.endsAt) }
        actions.append(.setTimer(seconds: max(next - now, 0)))
    }

    /// Goes on to the next host; false when there is none.
    private mutating func advanceHost() -> Bool {
        if self.sessionsOfHost == 0 { self.areAllHostsSpokenTo = false }
        guard self.host + 1 < self.plan.hosts.count else { return false }
        self.host += 1
        self.sessionsOfHost = 0
        self.remaining = ArraySlice(self.plan.hosts[self.host].endpoints.indices)
        return true
    }

    private mutating func endOverdue(_ now: Double, into actions: inout [Action]) {
        for overdue in self.running where overdue.endsAt <= now {
            actions.append(.cancel(overdue.attempt))
            self.note(overdue.attempt, "no connection in time")
        }
        self.running.removeAll { $0.endsAt <= now }
    }

    private mutating func remove(_ attempt: ConnectionAttempt) -> Bool {
        guard let index = self.running.firstIndex(where: { $0.attempt == attempt }) else {
            return false
        }
        self.running.remove(at: index)
        return true
    }

    private mutating func cancelAll(into actions: inout [Action]) {
        for other in self.running { actions.append(.cancel(other.attempt)) }
        self.running = []
    }

    private mutating func finishRace(
        with attempt: ConnectionAttempt,
        _ now: Double,
        into actions: inout [Action]
    ) {
        guard self.remove(attempt) else { return }
        // Those that lost may yet win, should the session come to nothing.
        self.remaining = ArraySlice(self.running.map(\.attempt.endpoint) + self.remaining)
        self.cancelAll(into: &actions)
        self.secondsLeft = self.endsAt - now
        self.phase = .inSession(attempt)
        actions.append(.stopTimer)
        actions.append(.use(attempt))
    }

    // MARK: - Failing

    private mutating func receive(
        _ failure: DestinationFailure,
        of attempt: ConnectionAttempt,
        _ now: Double,
        into actions: inout [Action]
    ) {
        self.note(attempt, failure.text)
        self.sessionFailures.append(failure)
        self.sessionsOfHost += 1
        if self.sessionsOfHost >= self.settings.sessionsPerHostMax { self.remaining = [] }
        if self.sessionFailures.count >= self.settings.sessionsMax {
            let isLast = self.host + 1 == self.plan.hosts.count
            self.areAllHostsSpokenTo = self.areAllHostsSpokenTo && isLast
            return self.exhaust(into: &actions)
        }
        self.race(now, into: &actions)
    }

    private mutating func exhaust(into actions: inout [Action]) {
        self.cancelAll(into: &actions)
        self.phase = .finished
        actions.append(.stopTimer)
        actions.append(.exhausted(self.failure))
    }

    private var failure: DestinationFailure {
        let text = self.notes.joined(separator: "; ")
        if let temporary = self.sessionFailures.last(where: { !$0.isPermanent }) {
            return DestinationFailure(temporary.reason, temporary.status, text)
        }
        if let permanent = self.sessionFailures.last, self.areAllHostsSpokenTo {
            return DestinationFailure(permanent.reason, permanent.status, text)
        }
        // RFC 3463, section 3.5: no answer from host.
        return DestinationFailure(
            .unreachable,
            EnhancedStatus(4, 4, 1),
            text.isEmpty ? "there is no host to try" : text
        )
    }

    private mutating func note(_ attempt: ConnectionAttempt, _ reason: String) {
        let host = self.plan.hosts[attempt.host]
        let place = host.endpoints[attempt.endpoint].description
        self.notes.append("\(host.name) at \(place): \(reason)")
    }
}
