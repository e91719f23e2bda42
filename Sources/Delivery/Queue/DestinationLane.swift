// SPDX-License-Identifier: Apache-2.0
//
// What is under way for one destination: a window of its messages and its connections.

internal import MailSyntax

/// The scheduler's memory of one destination; it is gone when nothing is under way.
///
/// Owned by one scheduler, which alone changes it.
final class DestinationLane {
    let destination: Destination
    let isOnDemand: Bool

    // MARK: Messages

    /// Claimed and waiting.
    var backlog = FairBacklog()
    /// All that is claimed, until it is settled, with the octets it keeps in memory.
    var held: [MessageID: Int] = [:]
    /// Whether the store may have more that is due.
    var hasMore = true
    /// What was set aside for the claim that is being answered.
    var claim: Reservation?
    /// Whether the answer to that claim is to be thrown away.
    var isClaimStale = false
    /// Whether a message was committed after that claim began.
    var wasQueuedDuringClaim = false
    /// Messages with recipients left over, to be claimed again when these are settled.
    var partial: Set<MessageID> = []
    var hasEverClaimed = false
    /// When the last claim was asked for, in monotonic seconds.
    var askedAt: Double?

    // MARK: Connections

    /// All, from the wish to open one to the word that it has ended.
    var connectionCount = 0
    var openingCount = 0
    var closingCount = 0
    /// Ready and without a message; the last one is used first.
    var idle: [DeliveryConnectionID] = []
    /// So many connections it may have, in fractions that grow with each success.
    var limit: Double

    // MARK: Failures

    /// How often in a row it failed as a whole.
    var failures: Int
    /// Bad news since the last good one.
    var strikes = 0
    /// Why no message can be delivered at all.
    var verdict: DestinationFailure?
    /// Whether it only waits for what is under way to end.
    var isResting = false
    /// Whether mail came, or it was woken, while it was resting.
    var wasQueuedWhileResting = false
    /// Whether it was asked for (ETRN) though it is on demand.
    var isWanted = false

    // MARK: Turns and time

    /// Messages since it came into memory.
    var deliveredCount = 0
    var isWaitingForEntry = false
    var isWaitingForRefill = false
    var isWaitingForFirst = false
    var isWaitingForFurther = false
    /// When the next message would be due at its rate, in monotonic seconds.
    var nextMessageAt = 0.0
    /// No claim and no connection before these times.
    var claimNotBefore = 0.0
    var openNotBefore = 0.0
    /// When the heap of wakes has it.
    var wakeAt: Double?
    var isGone = false

    struct Reservation {
        let count: Int
        let octets: Int
        /// Whether the first connection waits for it.
        let isEntry: Bool
    }

    init(_ due: QueueScheduler.Due, isOnDemand: Bool, limit: Double) {
        self.destination = due.destination
        self.failures = due.failures
        self.isOnDemand = isOnDemand
        // A destination that failed is felt for with one connection.
        self.limit = due.failures > 0 ? 1 : limit
    }

    /// Connections that are ready, busy or not.
    var readyCount: Int { self.connectionCount - self.openingCount - self.closingCount }

    /// Whether messages wait that no connection is on its way for.
    var isShortOfConnections: Bool {
        self.backlog.count > self.openingCount + self.idle.count
            && self.connectionCount - self.closingCount < Int(self.limit)
    }

    /// Whether it may only use connections that are offered to it.
    var waitsToBeFetched: Bool { self.isOnDemand && !self.isWanted }
}
