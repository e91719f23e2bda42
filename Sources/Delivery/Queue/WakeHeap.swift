// SPDX-License-Identifier: Apache-2.0
//
// Which destination is to be looked at again, and when: the earliest first.

/// A binary heap of times.
struct WakeHeap {
    struct Wake {
        /// Monotonic seconds.
        let at: Double
        let lane: DestinationLane
    }

    private var wakes: [Wake] = []
    /// So many may be stored before those that do not count any more are thrown out.
    private var countMax = 64

    var first: Wake? { self.wakes.first }

    mutating func insert(_ wake: Wake) {
        if self.wakes.count >= self.countMax { self.throwOutStale() }
        self.append(wake)
    }

    /// Keeps one wake of each destination, the one that it goes by.
    private mutating func throwOutStale() {
        var seen: Set<ObjectIdentifier> = []
        let all = self.wakes
        self.wakes = []
        for wake in all
        where !wake.lane.isGone && wake.lane.wakeAt == wake.at
            && seen.insert(ObjectIdentifier(wake.lane)).inserted
        {
            self.append(wake)
        }
        self.countMax = max(2 * self.wakes.count, 64)
    }

    private mutating func append(_ wake: Wake) {
        self.wakes.append(wake)
        var child = self.wakes.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.wakes[child].at < self.wakes[parent].at else { break }
            self.wakes.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> Wake? {
        guard let first = self.wakes.first else { return nil }
        let last = self.wakes.removeLast()
        guard !self.wakes.isEmpty else { return first }
        self.wakes[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.wakes.count && self.wakes[child].at < self.wakes[least].at {
                least = child
            }
            guard least != parent else { return first }
            self.wakes.swapAt(parent, least)
            parent = least
        }
    }
}
