// SPDX-License-Identifier: Apache-2.0
//
// What the scheduler is told, and what it says.

package import MailSyntax

/// Names one connection of the scheduler's; never given twice.
package struct DeliveryConnectionID: RawRepresentable, Hashable, BitwiseCopyable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

extension QueueScheduler {
    /// A destination as the store knows it.
    package struct Due: Hashable, Sendable {
        package let destination: Destination
        /// How often in a row it failed as a whole.
        package let failures: Int

        package init(_ destination: Destination, failures: Int = 0) {
            self.destination = destination
            self.failures = failures
        }
    }

    /// A message as the scheduler sees it: its recipients at one destination that are due.
    package struct Claim: Hashable, Sendable {
        package let id: MessageID
        /// Octets of content that the engine keeps in memory for it; 0: none, it reads later.
        package let octets: Int
        /// Messages with one number take turns with those of others: the account, or a hash of the
        /// reverse-path.
        package let sender: UInt64
        /// Whether it has more recipients that are due than were read: they come with the next
        /// claim after these are settled.
        package let isPartial: Bool

        package init(_ id: MessageID, octets: Int, sender: UInt64, isPartial: Bool) {
            self.id = id
            self.octets = octets
            self.sender = sender
            self.isPartial = isPartial
        }
    }

    /// What happened.
    package enum Event: Sendable {
        /// First of all: the store is open.
        case started
        /// A message for the destination was committed, or a wait of its was ended in the store
        /// (ETRN, `queue retry`). `isWanted`: by ETRN, so that it is tried even on demand.
        case queued(Destination, isWanted: Bool)
        /// The operator changed the queue: what was claimed and is not under way is stale.
        case queueChanged
        /// Answers `findDue`: at most as many as were asked for, and when the next one is due (as
        /// of the store, seconds since 1970); `isComplete`: no more are due now.
        case dueFound([Due], nextAt: Int64?, isComplete: Bool)
        /// Answers `findDue`: the store failed.
        case findDueFailed
        /// Answers `claim`. `isComplete`: nothing else of it is due.
        case claimed(Destination, [Claim], isComplete: Bool)
        /// Answers `claim`: the store failed.
        case claimFailed(Destination)
        /// Answers `open`: a transaction can begin.
        case connectionReady(DeliveryConnectionID)
        /// Answers `open`: there is none, and why; nothing more is said of it.
        case connectionFailed(DeliveryConnectionID, DestinationFailure)
        /// A peer turned its connection round (ATRN): it is ready, and takes the destination's
        /// mail until there is no more; then it is closed. The id comes from `makeConnectionID`.
        case connectionOffered(DeliveryConnectionID, Destination)
        /// Answers `deliver`: the outcomes are on their way to the store. Without `isReusable` the
        /// connection is about to end, which will be told.
        case finished(
            DeliveryConnectionID,
            MessageID,
            DestinationConsequence,
            isReusable: Bool
        )
        /// A connection that was ready is no more: it was closed, or ended by itself. With a
        /// failure when it is the host's, such as 421. A message that was being delivered and was
        /// not `finished` goes back to those that wait.
        case connectionEnded(DeliveryConnectionID, DestinationFailure?)
        /// What became of these is in the store, also after `failAll`; the earliest new time of
        /// recipients that are to be tried again, if any.
        case settled(Destination, [MessageID], retryAt: Int64?)
        /// The time of `setTimer` is over.
        case timerFired
        /// No new transaction any more.
        case stopping
    }

    /// What is to be done, in this order.
    package enum Action: Hashable, Sendable {
        /// Find destinations of which something is due, the longest first, but none of these.
        case findDue(max: Int, excluding: [Destination])
        /// Read messages that are due, but none of these, with content of at most so many octets.
        case claim(Destination, max: Int, octetsMax: Int, excluding: [MessageID])
        /// Forget what was claimed of these; they stay in the queue as they are.
        case release(Destination, [MessageID])
        /// Look up, connect, get to where a transaction can begin.
        case open(DeliveryConnectionID, Destination)
        /// Have a transaction over a connection that is ready.
        case deliver(DeliveryConnectionID, Destination, MessageID)
        /// End a connection that is ready and has nothing to do.
        case close(DeliveryConnectionID)
        /// Write down that nothing of the destination is due before `until` (seconds since 1970),
        /// and why.
        case rest(Destination, until: Int64, failures: Int, reason: String)
        /// Write down that it rests no more and has no failures: it is due when its messages are.
        case revive(Destination)
        /// Settle all recipients of these as failed for good: nothing was or will be sent.
        case failAll(Destination, [MessageID], DestinationFailure)
        /// Send `timerFired` after so many seconds; replaces the timer before.
        case setTimer(seconds: Double)
    }
}
