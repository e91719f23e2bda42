// SPDX-License-Identifier: Apache-2.0
//
// How often something happened lately, as whole numbers in a fixed space: no list of moments, and
// no average that forgets a burst.

/// A count over a window of time that moves along.
///
/// The window is kept as slots of a sixth of its length. What happened counts for at least the
/// whole window and at most a sixth longer, so a limit holds over any stretch of time as long as
/// the window, wherever it begins.
struct SlidingCount {
    private var counts = InlineArray<7, Int32>(repeating: 0)
    /// The number of the newest slot, counted from the beginning of time.
    private var newest: Int64 = 0

    private static let slotsPerWindow: Double = 6
    private static let slots = 7

    /// What happened in the last `window` seconds.
    func count(at now: Double, window: Double) -> Int {
        let age = Self.slot(now, window) - self.newest
        guard age < Int64(Self.slots) else { return 0 }
        var sum = 0
        for offset in 0..<(Self.slots - Int(max(age, 0))) {
            sum += Int(self.counts[self.index(back: offset)])
        }
        return sum
    }

    /// It happened, so many times.
    mutating func add(_ count: Int = 1, at now: Double, window: Double) {
        let slot = Self.slot(now, window)
        let steps = min(max(slot - self.newest, 0), Int64(Self.slots))
        self.newest = max(self.newest, slot)
        for offset in 0..<Int(steps) { self.counts[self.index(back: offset)] = 0 }
        let index = self.index(back: 0)
        let sum = self.counts[index].addingReportingOverflow(Int32(clamping: count))
        self.counts[index] = sum.overflow ? .max : sum.partialValue
    }

    /// It is not to count after all, so many times; the newest go first.
    mutating func takeBack(_ count: Int) {
        var rest = Int32(clamping: count)
        for offset in 0..<Self.slots where rest > 0 {
            let index = self.index(back: offset)
            let taken = min(self.counts[index], rest)
            self.counts[index] -= taken
            rest -= taken
        }
    }

    private func index(back offset: Int) -> Int {
        Int((self.newest - Int64(offset)) % Int64(Self.slots) + Int64(Self.slots)) % Self.slots
    }

    private static func slot(_ now: Double, _ window: Double) -> Int64 {
        Int64((now / window * self.slotsPerWindow).rounded(.down))
    }
}
