// SPDX-License-Identifier: Apache-2.0
//
// When to ask the store which destinations are due.

/// The state of that search.
struct DueSearch {
    /// Whether a question is being answered.
    var isPending = false
    /// Whether the store may know of due destinations that are not in memory.
    var mayFindMore = false
    /// When the next one is due, in seconds since 1970.
    private(set) var nextAt: Int64?
    /// What was heard of such times since the question was asked.
    private var nextSinceAsked: Int64?
    /// Whether something was queued since then.
    private var wasQueuedSinceAsked = false
    /// Not before then, in monotonic seconds.
    var notBefore = 0.0
    /// When it was last asked.
    private(set) var askedAt = -Double.infinity

    /// Asks at least so often, in seconds.
    let secondsMax: Double

    init(secondsMax: Double) { self.secondsMax = secondsMax }

    /// A destination will be due then.
    mutating func note(_ time: Int64) {
        self.nextAt = min(self.nextAt ?? time, time)
        self.nextSinceAsked = min(self.nextSinceAsked ?? time, time)
    }

    /// A destination that is not in memory may be due.
    mutating func noteQueued() {
        self.mayFindMore = true
        self.wasQueuedSinceAsked = true
    }

    mutating func ask(at now: Double) {
        self.isPending = true
        self.askedAt = now
        self.nextSinceAsked = nil
        self.wasQueuedSinceAsked = false
    }

    mutating func receive(nextAt: Int64?, isComplete: Bool) {
        self.isPending = false
        self.mayFindMore = !isComplete || self.wasQueuedSinceAsked
        self.nextAt = nextAt
        if let heard = self.nextSinceAsked { self.nextAt = min(nextAt ?? heard, heard) }
    }

    mutating func receiveFailure() { self.isPending = false }

    /// What becomes due by itself.
    mutating func advance(to now: DeliveryTime) {
        if let nextAt = self.nextAt, nextAt <= now.wallClock {
            self.nextAt = nil
            self.mayFindMore = true
        }
        if now.monotonic - self.askedAt >= self.secondsMax { self.mayFindMore = true }
    }

    /// When time alone makes a question due, in monotonic seconds; nil: never, only events do.
    func nextTime(_ now: DeliveryTime) -> Double? {
        guard !self.isPending else { return nil }
        guard !self.mayFindMore else {
            return self.notBefore > now.monotonic ? self.notBefore : nil
        }
        let sweep = self.askedAt + self.secondsMax
        guard let nextAt = self.nextAt else { return sweep }
        return min(now.monotonic + Double(max(nextAt - now.wallClock, 0)), sweep)
    }
}
