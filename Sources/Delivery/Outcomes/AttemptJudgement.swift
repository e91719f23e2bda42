// SPDX-License-Identifier: Apache-2.0
//
// What follows from the words of another server, for the recipient and for the destination.

package import MailSyntax

/// The table of judgements: what follows from what a host says.
///
/// | what happened | the recipient | the destination |
/// |---|---|---|
/// | accepted | removed, or a report of success where that is wanted and ours to give | faster |
/// | 5yz to MAIL, RCPT, DATA or the content; the host lacks an extension | failed | nothing |
/// | 450, 451 to RCPT at the first attempt (greylisting) | again soon | nothing |
/// | 452 (552) to RCPT for too many, others were accepted | again at once | nothing |
/// | other 4yz to RCPT, 4yz to DATA or the content | again, later each time | nothing |
/// | 4yz to MAIL; 4yz with X.3.X, X.4.5, or X.7.X not to RCPT | again, later each time | slower |
/// | 421, connection lost or silent in a transaction | again, later each time | slower |
/// | greeting 4yz, EHLO, TLS or login refused | waits | next host; when none is left, rests |
/// | greeting 521 (RFC 7504) | failed, when all hosts say so | next host |
/// | greeting 5yz otherwise | waits | next host; when none is left, rests |
/// | no connection, DNS does not tell | waits | rests |
/// | DNS says no for good | failed | not opened |
///
/// *Failed* is reported unless nobody wants to know (NOTIFY, or the null reverse-path). *Again*
/// becomes *failed*, 4.4.7, when the message is too old. *Waits* costs the recipient no attempt:
/// only the destination's failures are counted, and its rest grows with them. What refuses at a
/// greeting is not believed to be for good but for 521, because block lists and overload speak
/// with 5yz there, too.
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

    // MARK: - Recipients

    /// What becomes of a recipient after an attempt that ended at `now`, in seconds since 1970;
    /// `random` is any number, for the delay.
    package func disposition(
        of outcome: RecipientOutcome,
        for facts: RecipientFacts,
        now: Int64,
        random: UInt64
    ) -> Disposition {
        switch outcome.verdict {
        case .delivered:
            return self.success(
                .delivered,
                outcome.status,
                isOurs: facts.isFinalDelivery,
                for: facts
            )
        case .relayed:
            return self.success(.relayed, outcome.status, isOurs: true, for: facts)
        case .failed where !outcome.isForTooMany(facts):
            return self.failure(outcome.status, for: facts)
        case .deferred, .failed:
            guard now < facts.expiresAt else {
                return self.failure(Self.expired, for: facts)
            }
            let delay = self.seconds(after: outcome, for: facts, random: random)
            // What comes after the end of its age is told at that end.
            return .retry(
                at: min(now + delay, facts.expiresAt),
                status: EnhancedStatus(4, outcome.status.subject, outcome.status.detail)
            )
        }
    }

    /// What becomes of a recipient of a destination that failed for good.
    package func disposition(
        of failure: DestinationFailure,
        for facts: RecipientFacts
    ) -> Disposition {
        self.failure(failure.status, for: facts)
    }

    private func success(
        _ reported: Reported,
        _ status: EnhancedStatus,
        isOurs: Bool,
        for facts: RecipientFacts
    ) -> Disposition {
        isOurs && facts.notify.contains(.success) && facts.hasReversePath
            ? .report(reported, status) : .removed
    }

    private func failure(_ status: EnhancedStatus, for facts: RecipientFacts) -> Disposition {
        facts.notify.wantsFailure && facts.hasReversePath ? .report(.failed, status) : .removed
    }

    private func seconds(
        after outcome: RecipientOutcome,
        for facts: RecipientFacts,
        random: UInt64
    ) -> Int64 {
        if outcome.isForTooMany(facts) { return 0 }
        if facts.attempts == 0, outcome.isLikeGreylisting {
            return self.schedule.secondsAfterGreylisting(random: random)
        }
        // The attempt just made is not yet among those that are counted.
        return self.schedule.seconds(afterFailures: facts.attempts + 1, random: random)
    }

    /// RFC 3463, section 3.5: delivery time expired.
    package static let expired = EnhancedStatus(4, 4, 7)

    // MARK: - Destinations

    /// What the outcomes of one message's recipients mean for the destination.
    package func consequence(of outcomes: [RecipientOutcome]) -> DestinationConsequence {
        let isTaken = outcomes.contains { $0.verdict == .delivered || $0.verdict == .relayed }
        let isShort = outcomes.contains { outcome in
            // Beside recipients that were accepted, this one was only too many.
            outcome.isShortage && !(isTaken && outcome.stage == .recipient && outcome.code == 452)
        }
        if isShort { return .slower }
        return isTaken ? .faster : .none
    }

    /// Why a destination gets no mail from a session that a host refused or ended; `code` is 0
    /// without a reply.
    package func failure(
        ofSessionAt stage: SessionStage,
        code: Int,
        status: EnhancedStatus,
        text: String
    ) -> DestinationFailure {
        if stage == .greeting, code == 521 {
            return DestinationFailure(.acceptsNoMail, EnhancedStatus(5, 3, 2), text)
        }
        return DestinationFailure(stage == .startTLS ? .insecure : .noSession, status, text)
    }
}
