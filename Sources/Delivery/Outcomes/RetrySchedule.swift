// SPDX-License-Identifier: Apache-2.0
//
// When to try again: soon at first, then ever more seldom, and never all at one moment.

/// The delays between attempts.
///
/// The first is `secondsMin`, each further one twice that before, up to `secondsMax`; each is then
/// changed by up to an eighth in both directions, so that what failed together does not come back
/// together.
package struct RetrySchedule: Hashable, Sendable {
    package var secondsMin: Int64 = 300
    package var secondsMax: Int64 = 14_400
    /// The first delay where the recipient's host asked for patience with a stranger (greylisting),
    /// if it is less than `secondsMin`.
    package var greylistSeconds: Int64 = 90

    package init() {}

    /// How long to wait after so many failures in a row, at least one second; less than one failure
    /// counts as one, and `random` is any number.
    package func seconds(afterFailures failures: Int, random: UInt64) -> Int64 {
        self.spread(self.undisturbed(failures), random)
    }

    /// How long to wait after a first refusal that looks like greylisting.
    package func secondsAfterGreylisting(random: UInt64) -> Int64 {
        self.spread(min(self.greylistSeconds, self.secondsMin), random)
    }

    private func undisturbed(_ failures: Int) -> Int64 {
        var seconds = max(self.secondsMin, 1)
        // So far even one second has grown beyond every cap.
        for _ in 1..<min(max(failures, 1), 32) where seconds < self.secondsMax { seconds *= 2 }
        return min(seconds, max(self.secondsMax, self.secondsMin, 1))
    }

    private func spread(_ seconds: Int64, _ random: UInt64) -> Int64 {
        let width = UInt64(max(seconds, 1) / 4 + 1)
        return max(seconds - seconds / 8 + Int64(random % width), 1)
    }
}
