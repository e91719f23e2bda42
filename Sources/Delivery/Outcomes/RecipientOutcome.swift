// SPDX-License-Identifier: Apache-2.0
//
// What a host said of one recipient, and what the queue knows of it.

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

extension RecipientOutcome {
    /// Whether the host wants fewer recipients in one transaction (RFC 5321, section 4.5.3.1.10).
    ///
    /// Older hosts say 552. Where nobody else was accepted, it was not for the number of them.
    func isForTooMany(_ facts: RecipientFacts) -> Bool {
        guard facts.othersAccepted, self.stage == .recipient else { return false }
        // A full mailbox (X.2.2) has the same codes. A full system (X.3.1) has them too, and is
        // what a bare 452 is taken for: it will say so again when the recipient comes alone.
        return self.code == 452 && self.status.subject != 2
            || self.code == 552 && self.status.subject == 5 && self.status.detail == 3
    }

    /// Whether the host may only want to see us again.
    var isLikeGreylisting: Bool {
        guard self.verdict == .deferred, self.stage == .recipient else { return false }
        let isFull = self.status.subject == 2 && self.status.detail == 2
        return (self.code == 450 || self.code == 451) && self.status.subject != 3 && !isFull
    }

    /// Whether the host is short of something that fewer connections may spare.
    var isShortage: Bool {
        guard self.verdict == .deferred else { return false }
        if self.code == 421 { return true }
        switch (self.stage, self.status.subject) {
        case (.envelope, _): return false
        case (.mail, _), (.connection, _): return true
        case (_, 3): return true
        case (_, 4): return self.status.detail == 5
        case (.data, 7), (.content, 7): return true
        case (.recipient, _), (.data, _), (.content, _): return false
        }
    }
}
