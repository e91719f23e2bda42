// SPDX-License-Identifier: Apache-2.0
//
// From a plan to one connection: the addresses of a host race in the manner of RFC 8305, hosts
// come one after the other.

/// How long a race waits.
package struct ConnectionRaceSettings: Sendable {
    /// After so many seconds the next address of the host is tried beside the one before.
    package var staggerSeconds = 0.25
    /// One attempt may take so long.
    package var attemptSecondsMax = 30.0
    /// All attempts together may take so long, sessions not counted.
    package var wholeSecondsMax = 180.0
    /// So many sessions may fail in a way that makes another host worth trying.
    package var sessionsMax = 5

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
/// cancelled. After `.use` a session runs; should it fail before any transaction in a way that
/// concerns the host, `.sessionFailed` goes on to the next address or host. `.exhausted` is the
/// end.
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

    package let plan: RoutePlan

    package init(_ plan: RoutePlan, settings: ConnectionRaceSettings = ConnectionRaceSettings()) {
        self.plan = plan
    }

    /// Takes an event at `now`, in monotonic seconds, and appends what is to be done.
    package mutating func reduce(_ event: Event, now: Double, into actions: inout [Action]) {
    }
}
