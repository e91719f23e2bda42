// SPDX-License-Identifier: Apache-2.0
//
// How fast mail data must come in: within a whole-transaction deadline, at a minimum rate, and
// never with a long silence.

/// The pace of one message that is being received.
struct PaceMeter {
    private var started: Double = 0

    /// A sender is judged by its rate only after this many seconds.
    private static let graceSeconds: Double = 30

    mutating func start(at now: Double) {
        self.started = now
    }

    /// Whether the whole-transaction deadline is still ahead.
    func hasTime(at now: Double, limits: ServerLimits) -> Bool {
        now < self.started + limits.contentSeconds
    }

    /// Whether the octets so far came below the minimum rate.
    func isTooSlow(octets: Int, at now: Double, limits: ServerLimits) -> Bool {
        let elapsed = now - self.started
        guard elapsed >= Self.grace(limits) else { return false }
        return Double(octets) < elapsed * Double(limits.contentOctetsPerSecondMin)
    }

    /// Seconds until the sender is to be judged again.
    func nextCheck(at now: Double, limits: ServerLimits) -> Double {
        let whole = max(self.started + limits.contentSeconds - now, 0.01)
        return min(whole, Self.grace(limits))
    }

    private static func grace(_ limits: ServerLimits) -> Double {
        min(Self.graceSeconds, limits.contentSeconds / 2)
    }
}
