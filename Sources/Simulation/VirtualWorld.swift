// SPDX-License-Identifier: Apache-2.0
//
// Time and chance of a simulation: a queue of things to happen on a virtual clock, and one seed
// from which every choice comes. The same seed gives the same run.

internal import Server

/// A virtual clock with its queue.
package final class VirtualWorld: Timekeeper {
    private struct Happening {
        let time: Double
        let order: Int
        let body: () -> Void
    }

    /// A min-heap by time, then by order of scheduling.
    private var heap: [Happening] = []
    private var order = 0
    private var chance: SeededGenerator
    package private(set) var now: Double = 1000
    /// How many things have happened.
    package private(set) var count = 0

    package init(seed: UInt64) {
        self.chance = SeededGenerator(seed: seed)
    }

    package var wallClock: Int64 { 1_700_000_000 + Int64(self.now) }

    package func after(seconds: Double, _ body: @escaping () -> Void) {
        self.order += 1
        self.push(Happening(time: self.now + max(seconds, 0), order: self.order, body: body))
    }

    /// Lets things happen until nothing is left to happen, or `countMax` have.
    ///
    /// - Returns: whether the world came to rest.
    package func run(countMax: Int) -> Bool {
        let end = self.count + countMax
        while let next = self.pop() {
            self.now = max(self.now, next.time)
            self.count += 1
            guard self.count < end else { return false }
            next.body()
        }
        return true
    }

    /// Lets all happen that happens in the next `seconds`.
    package func run(for seconds: Double) {
        let end = self.now + seconds
        while let next = self.heap.first, next.time <= end, let next = self.pop() {
            self.now = max(self.now, next.time)
            self.count += 1
            next.body()
        }
        self.now = end
    }

    // MARK: - Chance

    /// A number below `bound`.
    package func pick(_ bound: Int) -> Int {
        Int(self.chance.next() % UInt64(max(bound, 1)))
    }

    /// True once in `n` times.
    package func oneIn(_ n: Int) -> Bool { self.pick(n) == 0 }

    /// A number between the two.
    package func between(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * Double(self.chance.next() >> 11) / Double(1 << 53)
    }

    // MARK: - The heap

    private func push(_ happening: Happening) {
        self.heap.append(happening)
        var child = self.heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.isEarlier(child, parent) else { return }
            self.heap.swapAt(child, parent)
            child = parent
        }
    }

    private func pop() -> Happening? {
        guard let last = self.heap.indices.last else { return nil }
        self.heap.swapAt(0, last)
        let first = self.heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < self.heap.count else { break }
            let right = left + 1
            let child = right < self.heap.count && self.isEarlier(right, left) ? right : left
            guard self.isEarlier(child, parent) else { break }
            self.heap.swapAt(child, parent)
            parent = child
        }
        return first
    }

    private func isEarlier(_ one: Int, _ other: Int) -> Bool {
        (self.heap[one].time, self.heap[one].order)
            < (self.heap[other].time, self.heap[other].order)
    }
}

/// SplitMix64: small, seedable, good enough to choose faults.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { self.state = seed }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
