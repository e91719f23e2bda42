// SPDX-License-Identifier: Apache-2.0
//
// How long the turns of a loop take, in powers of two of microseconds: the first figure to look at
// when a server feels slow.

/// Counts of turns by duration.
package struct TurnHistogram: Sendable, CustomStringConvertible {
    /// `counts[n]` turns took less than 2^n µs, and no less than half of that.
    package private(set) var counts = [Int](repeating: 0, count: 32)
    package private(set) var longestMicroseconds = 0

    mutating func record(nanoseconds: UInt64) {
        let microseconds = Int(nanoseconds / 1000)
        let bucket = min(Int.bitWidth - microseconds.leadingZeroBitCount, 31)
        self.counts[bucket] += 1
        self.longestMicroseconds = max(self.longestMicroseconds, microseconds)
    }

    /// The duration in microseconds that this share of the turns stayed under.
    package func quantile(_ share: Double) -> Int {
        let total = self.counts.reduce(0, +)
        var rest = Int(Double(total) * share)
        for (bucket, count) in self.counts.enumerated() {
            rest -= count
            if rest < 0 { return 1 << bucket }
        }
        return self.longestMicroseconds
    }

    /// One line for a log.
    package var description: String {
        "\(self.counts.reduce(0, +)) p50<\(self.quantile(0.5))us p99<\(self.quantile(0.99))us "
            + "longest \(self.longestMicroseconds)us"
    }
}
