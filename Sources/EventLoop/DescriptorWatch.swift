// SPDX-License-Identifier: Apache-2.0

/// A descriptor that is watched for somebody else, until `cancel`.
package final class DescriptorWatch {
    /// What is waited for.
    package enum Readiness: Sendable {
        case readable
        case writable
    }

    /// Nil once it was cancelled.
    private weak let event: LoopEvent?

    init(_ event: LoopEvent) { self.event = event }

    /// Nothing will run.
    package func cancel() { self.event?.release() }
}
