// SPDX-License-Identifier: Apache-2.0
//
// What follows from the words of another server, for the recipient and for the destination.

package import MailSyntax

/// What became of one recipient in a transaction, in the terms of this module.
package struct RecipientOutcome: Hashable, Sendable {
    package enum Verdict: Hashable, BitwiseCopyable, Sendable {
        /// The host has taken the message for the recipient.
        case delivered
        /// It has, and cannot report success, though that was asked for.
        case relayed
        /// Not now.
        case deferred
        /// Never.
        case failed
    }

    /// What the reply answered.
    package enum Stage: Hashable, BitwiseCopyable, CaseIterable, Sendable {
        /// Nothing was asked: the host lacks what the message needs.
        case envelope
        case mail
        case recipient
        case data
        case content
        /// No reply: the connection ended, timed out, or became senseless.
        case connection
    }

    package var verdict: Verdict
    /// Of the reply; 0: there was none.
    package var code: Int
    package var status: EnhancedStatus
    package var stage: Stage

    package init(verdict: Verdict, code: Int, status: EnhancedStatus, stage: Stage) {
        self.verdict = verdict
        self.code = code
        self.status = status
        self.stage = stage
    }
}

/// What is known of the recipient beside the outcome.
package struct RecipientFacts: Hashable, Sendable {
    package var notify: NotifyConditions
    /// How often it was tried before this attempt.
    package var attempts: Int
    /// Seconds since 1970.
    package var expiresAt: Int64
    /// False for a message that is a report itself: of it nobody is told.
    package var hasReversePath: Bool
    /// Whether the host is the last one, and tells nobody of success: LMTP without DSN.
    package var isFinalDelivery = false
    /// Whether another recipient was accepted in the same transaction.
    package var othersAccepted = false

    package init(
        notify: NotifyConditions,
        attempts: Int,
        expiresAt: Int64,
        hasReversePath: Bool
    ) {
        self.notify = notify
        self.attempts = attempts
        self.expiresAt = expiresAt
        self.hasReversePath = hasReversePath
    }
}

/// What an attempt means for the connections to its destination.
package enum DestinationConsequence: Hashable, BitwiseCopyable, Sendable {
    /// The host works: more connections may be opened.
    case faster
    /// Nothing: the reply concerned the message or the recipient.
    case none
    /// The host is short of something: fewer connections.
    case slower
}

/// The table of judgements.
package struct AttemptJudgement: Sendable {
    package enum Reported: Hashable, BitwiseCopyable, Sendable {
        case failed
        case delivered
        case relayed
    }

    /// What becomes of the recipient's place in the queue.
    package enum Disposition: Hashable, Sendable {
        /// It goes, and nobody is told.
        case removed
        /// Again, not before that second since 1970.
        case retry(at: Int64, status: EnhancedStatus)
        /// It stays until its report is written.
        case report(Reported, EnhancedStatus)
    }

    package var schedule: RetrySchedule

    package init(schedule: RetrySchedule = RetrySchedule()) { self.schedule = schedule }

    /// What becomes of a recipient after an attempt.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - random: any number, for the delay.
    package func disposition(
        of outcome: RecipientOutcome,
        for facts: RecipientFacts,
        now: Int64,
        random: UInt64
    ) -> Disposition {
        .removed
    }

    /// What becomes of a recipient of a destination that failed for good.
    package func disposition(
        of failure: DestinationFailure,
        for facts: RecipientFacts
    ) -> Disposition {
        .removed
    }

    /// What the outcomes of one message's recipients mean for the destination.
    package func consequence(of outcomes: [RecipientOutcome]) -> DestinationConsequence {
        .none
    }
}
