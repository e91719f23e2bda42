// SPDX-License-Identifier: Apache-2.0

/// How many handshakes of TLS a loop has seen.
package struct HandshakeCounts: BitwiseCopyable, Sendable, Equatable {
    package var begun = 0
    package var done = 0
    /// Broken off by either side, or by the deadline.
    package var failed = 0
    /// Those among `done` that resumed a session.
    package var resumed = 0
}
