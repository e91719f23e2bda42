// SPDX-License-Identifier: Apache-2.0
//
// What came of a run.

/// Counts and times of the sessions of one run.
package struct LoadReport: Sendable {
    /// Sessions that went as they must.
    package private(set) var sessions = 0
    package private(set) var failures = 0
    /// The first of the failures, in words.
    package private(set) var failureTexts: [String] = []
    /// From the first connection to the end of the last session.
    package internal(set) var seconds: Double = 0
    private var microseconds: [UInt32] = []

    private static let failureTextsMax = 10

    init(expecting sessions: Int) { self.microseconds.reserveCapacity(sessions) }

    mutating func sessionSucceeded(in time: Duration) {
        self.sessions += 1
        self.microseconds.append(UInt32(clamping: Int(time / .microseconds(1))))
    }

    mutating func sessionFailed(_ text: String) {
        self.failures += 1
        if self.failureTexts.count < Self.failureTextsMax { self.failureTexts.append(text) }
    }

    /// Sessions that succeeded, per second.
    package var rate: Double { self.seconds > 0 ? Double(self.sessions) / self.seconds : 0 }

    /// The times, in milliseconds, under which these shares of the sessions took.
    package func milliseconds(atShares shares: [Double]) -> [Double] {
        let sorted = self.microseconds.sorted()
        guard let longest = sorted.last else { return shares.map { _ in 0 } }
        return shares.map { share in
            let index = Int(Double(sorted.count) * share)
            return Double(index < sorted.count ? sorted[index] : longest) / 1000
        }
    }

    /// The report as one line of JSON.
    package var json: String {
        let times = self.milliseconds(atShares: [0.5, 0.99, 1])
        return "{\"sessions\":\(self.sessions),\"failures\":\(self.failures),"
            + "\"seconds\":\(self.seconds),\"rate\":\(self.rate),"
            + "\"p50_ms\":\(times[0]),\"p99_ms\":\(times[1]),\"max_ms\":\(times[2])}"
    }
}
