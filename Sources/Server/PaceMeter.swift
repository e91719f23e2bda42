// SPDX-License-Identifier: Apache-2.0
//
// How fast a mail transaction must go on: in the whole within a deadline, its content at a minimum
// rate, and never with a long silence.

/// The pace of one mail transaction.
struct PaceMeter {
    /// What a look at the pace found.
    enum Verdict: Equatable {
        case goOn
        /// The whole took too long, or nothing came for too long.
        case late
        case tooSlow
    }

    private var transactionStarted: Double?
    private var contentStarted: Double?
    private var octetsSeen = 0
    private var progressAt: Double = 0
    private var checkAt: Double = 0

    /// A sender is judged by its rate only after this many seconds, and every so many.
    private static let checkSeconds: Double = 30

    /// Whether a transaction is under way.
    var isRunning: Bool { self.transactionStarted != nil }

    /// The transaction begins, unless it has begun.
    mutating func start(at now: Double) {
        if self.transactionStarted == nil { self.transactionStarted = now }
    }

    /// Content begins.
    mutating func startContent(at now: Double, limits: borrowing ServerLimits) {
        self.start(at: now)
        self.contentStarted = now
        self.octetsSeen = 0
        self.progressAt = now
        self.checkAt = now + Self.interval(limits)
    }

    /// The transaction is over.
    mutating func stop() {
        self.transactionStarted = nil
        self.contentStarted = nil
    }

    /// Judges the sender; `octets` of content came so far.
    mutating func check(
        octets: Int,
        at now: Double,
        limits: borrowing ServerLimits
    ) -> Verdict {
        guard let started = self.transactionStarted else { return .goOn }
        guard now < started + limits.transactionSeconds else { return .late }
        guard let contentStarted = self.contentStarted else { return .goOn }
        if octets > self.octetsSeen {
            self.octetsSeen = octets
            self.progressAt = now
        }
        guard now < self.progressAt + limits.idleSeconds else { return .late }
        guard now >= self.checkAt else { return .goOn }
        self.checkAt = now + Self.interval(limits)
        let needed = (now - contentStarted) * Double(limits.contentOctetsPerSecondMin)
        return Double(octets) < needed ? .tooSlow : .goOn
    }

    /// The server kept the sender waiting: its silence is not held against it.
    mutating func excuse(at now: Double) {
        self.progressAt = now
    }

    /// Seconds until the sender is to be judged again; `idle` is all that counts outside content.
    func nextCheck(at now: Double, limits: borrowing ServerLimits) -> Double {
        guard let started = self.transactionStarted else { return limits.idleSeconds }
        var next = started + limits.transactionSeconds
        if self.contentStarted != nil {
            next = min(next, self.checkAt, self.progressAt + limits.idleSeconds)
        } else {
            next = min(next, now + limits.idleSeconds)
        }
        return max(next - now, 0.01)
    }

    private static func interval(_ limits: borrowing ServerLimits) -> Double {
        min(Self.checkSeconds, limits.transactionSeconds / 2)
    }
}
