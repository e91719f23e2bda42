// SPDX-License-Identifier: Apache-2.0

/// A timer that has not run yet.
package final class Timer {
    /// Nil once it has run: the event is then gone.
    private weak let event: LoopEvent?

    init(_ event: LoopEvent) { self.event = event }

    /// Nothing will run.
    package func cancel() { self.event?.release() }
}
