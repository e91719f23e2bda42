// SPDX-License-Identifier: Apache-2.0
//
// A client that gets everything wrong is more often a program that tries what it can than one that
// has something to say. It is heard more slowly, which costs it more than us.

/// Slows one session down by its errors.
struct Tarpit {
    /// When and how much.
    struct Limits {
        /// So many errors cost nothing.
        var freeErrors: Int
        /// Each one after them costs so long.
        var pauseSeconds: Double
    }

    private var errorsSeen = 0

    /// Seconds to pause now that the session has had `errors` errors in all; nil: none.
    mutating func pause(after errors: Int, limits: Limits) -> Double? {
        let hasErred = errors > self.errorsSeen
        self.errorsSeen = errors
        guard hasErred, errors > limits.freeErrors, limits.pauseSeconds > 0 else { return nil }
        return limits.pauseSeconds
    }
}
