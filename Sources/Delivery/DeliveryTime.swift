// SPDX-License-Identifier: Apache-2.0
//
// Time as it comes into the reducers of this module.

/// One moment on both clocks.
///
/// Waits of this process go by the monotonic clock, what the queue remembers by the other.
package struct DeliveryTime: Hashable, BitwiseCopyable, Sendable {
    /// Monotonic seconds.
    package var monotonic: Double
    /// Seconds since 1970, UTC.
    package var wallClock: Int64

    package init(monotonic: Double, wallClock: Int64) {
        self.monotonic = monotonic
        self.wallClock = wallClock
    }
}
