// SPDX-License-Identifier: Apache-2.0
//
// Time passes, and the end.

extension QueueScheduler {
    mutating func receiveTimer(_ now: DeliveryTime, _ actions: inout [Action]) {
        self.timerAt = nil
        self.closeOverdueIdle(now, &actions)
        while let wake = self.wakes.first, wake.at <= now.monotonic {
            _ = self.wakes.popFirst()
            // Of several times of one destination only the last one that was set counts.
            guard wake.lane.wakeAt == wake.at else { continue }
            wake.lane.wakeAt = nil
            self.serve(wake.lane, now, &actions)
        }
    }

    /// Sets the timer for the first thing that time brings, if that is before it fires anyway.
    mutating func armTimer(_ now: DeliveryTime, _ actions: inout [Action]) {
        guard let next = self.nextTime(now) else { return }
        // However overdue: never at once, so that no mistake can become a busy loop.
        let at = max(next, now.monotonic + Self.timerSecondsMin)
        if let timerAt = self.timerAt, timerAt <= at { return }
        self.timerAt = at
        actions.append(.setTimer(seconds: at - now.monotonic))
    }

    private func nextTime(_ now: DeliveryTime) -> Double? {
        var next: Double?
        func consider(_ time: Double) { next = min(next ?? time, time) }
        if let place = self.idleConnections.first {
            consider(place.since + self.settings.idleSecondsMax)
        }
        if let wake = self.wakes.first { consider(wake.at) }
        guard !self.isStopping else { return next }
        if let searchAt = self.search.nextTime(now) { consider(searchAt) }
        return next
    }

    mutating func receiveStopping(_ now: DeliveryTime, _ actions: inout [Action]) {
        self.isStopping = true
        for lane in self.lanesInOrder {
            self.release(lane, &actions)
            self.serve(lane, now, &actions)
        }
        self.entries.removeAll()
        self.refills.removeAll()
        self.firstOpenings.removeAll()
        self.furtherOpenings.removeAll()
    }

    private static var timerSecondsMin: Double { 0.01 }
}
