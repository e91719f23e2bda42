// SPDX-License-Identifier: Apache-2.0
//
// One connection as the scheduler knows it.

/// From the wish to open a connection to the word that it has ended.
struct DeliveryConnection {
    enum Phase {
        /// Leaves on: ready, failed.
        case opening
        /// Leaves on: a message, `close`, its end.
        case idle
        /// Leaves on: finished, its end.
        case busy(QueueScheduler.Claim)
        /// Leaves on: its end.
        case closing
    }

    let lane: DestinationLane
    var phase: Phase
    /// Whether the peer turned it round (ATRN).
    let isOffered: Bool
    var deliveredCount = 0
    /// When it became ready, in monotonic seconds.
    var readyAt = 0.0
    /// When it last had a message.
    var idleSince = 0.0
    /// Whether the row of idle connections has it.
    var isInIdleRow = false

    var isIdle: Bool {
        if case .idle = self.phase { true } else { false }
    }
}
