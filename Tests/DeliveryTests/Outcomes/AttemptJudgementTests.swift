// SPDX-License-Identifier: Apache-2.0

import MailSyntax
import Testing

@testable import Delivery

/// One line of the table: a reply, and what follows for the recipient and the destination.
struct JudgementCase: Sendable, CustomTestStringConvertible {
    let title: String
    let reply: RecipientOutcome
    var facts = RecipientFacts(notify: [], attempts: 0, expiresAt: 1_000_000, hasReversePath: true)
    let follows: String

    init(
        _ title: String,
        _ verdict: RecipientOutcome.Verdict,
        _ code: Int,
        _ status: (UInt8, UInt16, UInt16),
        at stage: RecipientOutcome.Stage,
        follows: String,
        _ change: (inout RecipientFacts) -> Void = { _ in }
    ) {
        self.title = title
        self.reply = RecipientOutcome(
            verdict: verdict,
            code: code,
            status: EnhancedStatus(status.0, status.1, status.2),
            stage: stage
        )
        self.follows = follows
        change(&self.facts)
    }

    var testDescription: String { self.title }

    static let accepted = [
        JudgementCase(
            "accepted",
            .delivered,
            250,
            (2, 0, 0),
            at: .content,
            follows: "removed, faster"
        ),
        JudgementCase(
            "success is wanted, and told by the next host",
            .delivered,
            250,
            (2, 0, 0),
            at: .content,
            follows: "removed, faster"
        ) { $0.notify = .success },
        JudgementCase(
            "success is wanted, and this was the last host",
            .delivered,
            250,
            (2, 1, 5),
            at: .content,
            follows: "report delivered 2.1.5, faster"
        ) {
            $0.notify = [.success, .failure]
            $0.isFinalDelivery = true
        },
        JudgementCase(
            "the last host, and nobody asked",
            .delivered,
            250,
            (2, 1, 5),
            at: .content,
            follows: "removed, faster"
        ) { $0.isFinalDelivery = true },
        JudgementCase(
            "relayed to a host without DSN",
            .relayed,
            250,
            (2, 0, 0),
            at: .content,
            follows: "report relayed 2.0.0, faster"
        ) { $0.notify = .success },
        JudgementCase(
            "relayed, and nobody asked",
            .relayed,
            250,
            (2, 0, 0),
            at: .content,
            follows: "removed, faster"
        ) { $0.notify = .failure },
        JudgementCase(
            "of a report nobody is told",
            .relayed,
            250,
            (2, 0, 0),
            at: .content,
            follows: "removed, faster"
        ) {
            $0.notify = .success
            $0.hasReversePath = false
        },
    ]

    static let refused = [
        JudgementCase(
            "no such mailbox",
            .failed,
            550,
            (5, 1, 1),
            at: .recipient,
            follows: "report failed 5.1.1, none"
        ),
        JudgementCase(
            "nobody wants to know",
            .failed,
            550,
            (5, 1, 1),
            at: .recipient,
            follows: "removed, none"
        ) { $0.notify = .never },
        JudgementCase(
            "only of success",
            .failed,
            550,
            (5, 1, 1),
            at: .recipient,
            follows: "removed, none"
        ) { $0.notify = [.success, .delay] },
        JudgementCase(
            "a report that cannot be delivered",
            .failed,
            550,
            (5, 1, 1),
            at: .recipient,
            follows: "removed, none"
        ) { $0.hasReversePath = false },
        JudgementCase(
            "sender refused",
            .failed,
            553,
            (5, 1, 8),
            at: .mail,
            follows: "report failed 5.1.8, none"
        ),
        JudgementCase(
            "content refused",
            .failed,
            554,
            (5, 7, 1),
            at: .content,
            follows: "report failed 5.7.1, none"
        ),
        JudgementCase(
            "an extension is missing",
            .failed,
            0,
            (5, 6, 7),
            at: .envelope,
            follows: "report failed 5.6.7, none"
        ),
        JudgementCase(
            "mailbox full for good",
            .failed,
            552,
            (5, 2, 2),
            at: .recipient,
            follows: "report failed 5.2.2, none"
        ) { $0.othersAccepted = true },
    ]

    static let deferred = [
        JudgementCase(
            "greylisting",
            .deferred,
            450,
            (4, 7, 1),
            at: .recipient,
            follows: "retry +90 4.7.1, none"
        ),
        JudgementCase(
            "greylisting by 451",
            .deferred,
            451,
            (4, 7, 1),
            at: .recipient,
            follows: "retry +90 4.7.1, none"
        ),
        JudgementCase(
            "the second time it is none",
            .deferred,
            450,
            (4, 7, 1),
            at: .recipient,
            follows: "retry +600 4.7.1, none"
        ) { $0.attempts = 1 },
        JudgementCase(
            "mailbox full",
            .deferred,
            450,
            (4, 2, 2),
            at: .recipient,
            follows: "retry +300 4.2.2, none"
        ),
        JudgementCase(
            "mailbox full by 452",
            .deferred,
            452,
            (4, 2, 2),
            at: .recipient,
            follows: "retry +300 4.2.2, none"
        ) { $0.othersAccepted = true },
        JudgementCase(
            "too many recipients",
            .deferred,
            452,
            (4, 5, 3),
            at: .recipient,
            follows: "retry +0 4.5.3, none"
        ) { $0.othersAccepted = true },
        JudgementCase(
            "too many, though it was alone",
            .deferred,
            452,
            (4, 5, 3),
            at: .recipient,
            follows: "retry +300 4.5.3, none"
        ),
        JudgementCase(
            "too many, the old way",
            .failed,
            552,
            (5, 5, 3),
            at: .recipient,
            follows: "retry +0 4.5.3, none"
        ) { $0.othersAccepted = true },
        JudgementCase(
            "too many, the old way, alone",
            .failed,
            552,
            (5, 5, 3),
            at: .recipient,
            follows: "report failed 5.5.3, none"
        ),
        JudgementCase(
            "a system that is full",
            .deferred,
            452,
            (4, 3, 1),
            at: .recipient,
            follows: "retry +300 4.3.1, slower"
        ),
        JudgementCase(
            "too many recipients, in a bare 452",
            .deferred,
            452,
            (4, 3, 1),
            at: .recipient,
            follows: "retry +0 4.3.1, slower"
        ) { $0.othersAccepted = true },
        JudgementCase(
            "MAIL refused for now",
            .deferred,
            451,
            (4, 1, 8),
            at: .mail,
            follows: "retry +300 4.1.8, slower"
        ),
        JudgementCase(
            "DATA refused for now",
            .deferred,
            451,
            (4, 5, 0),
            at: .data,
            follows: "retry +300 4.5.0, none"
        ),
        JudgementCase(
            "content refused for now",
            .deferred,
            451,
            (4, 6, 0),
            at: .content,
            follows: "retry +300 4.6.0, none"
        ),
        JudgementCase(
            "content refused for policy",
            .deferred,
            451,
            (4, 7, 0),
            at: .content,
            follows: "retry +300 4.7.0, slower"
        ),
        JudgementCase(
            "congestion",
            .deferred,
            451,
            (4, 4, 5),
            at: .content,
            follows: "retry +300 4.4.5, slower"
        ),
        JudgementCase(
            "421 to RCPT",
            .deferred,
            421,
            (4, 7, 0),
            at: .recipient,
            follows: "retry +300 4.7.0, slower"
        ),
        JudgementCase(
            "connection lost",
            .deferred,
            0,
            (4, 4, 2),
            at: .connection,
            follows: "retry +300 4.4.2, slower"
        ),
        JudgementCase(
            "too big for now",
            .deferred,
            0,
            (4, 3, 4),
            at: .envelope,
            follows: "retry +300 4.3.4, none"
        ),
        JudgementCase(
            "the tenth time",
            .deferred,
            451,
            (4, 0, 0),
            at: .content,
            follows: "retry +14400 4.0.0, none"
        ) { $0.attempts = 9 },
        JudgementCase(
            "beyond its age it is told at its end",
            .deferred,
            451,
            (4, 0, 0),
            at: .content,
            follows: "retry +5000 4.0.0, none"
        ) {
            $0.attempts = 9
            $0.expiresAt = 105_000
        },
        JudgementCase(
            "too old",
            .deferred,
            451,
            (4, 0, 0),
            at: .content,
            follows: "report failed 4.4.7, none"
        ) { $0.expiresAt = 100_000 },
        JudgementCase(
            "too old, and nobody wants to know",
            .deferred,
            451,
            (4, 0, 0),
            at: .content,
            follows: "removed, none"
        ) {
            $0.expiresAt = 99_999
            $0.notify = .never
        },
    ]
}

@Suite struct AttemptJudgementTests {
    private static let now: Int64 = 100_000

    /// With this number no delay is changed.
    private static func middle(of seconds: Int64) -> UInt64 { UInt64(seconds / 8) }

    @Test(
        arguments: [JudgementCase.accepted, JudgementCase.refused, JudgementCase.deferred].joined()
    )
    func replyHasItsConsequence(_ item: JudgementCase) {
        let judgement = AttemptJudgement()
        let words = [90, 300, 600, 14_400].map { (seconds: Int64) in
            let disposition = judgement.disposition(
                of: item.reply,
                for: item.facts,
                now: Self.now,
                random: Self.middle(of: seconds)
            )
            return "\(Self.words(disposition)), \(judgement.consequence(of: [item.reply]))"
        }
        #expect(words.contains(item.follows), "\(words)")
    }

    private static func words(_ disposition: AttemptJudgement.Disposition) -> String {
        switch disposition {
        case .removed: "removed"
        case .retry(let at, let status): "retry +\(at - Self.now) \(status)"
        case .report(let reported, let status): "report \(reported) \(status)"
        }
    }

    @Test func messageSpeedsUpWhenAnybodyGotIt() {
        let judgement = AttemptJudgement()
        let taken = RecipientOutcome(
            verdict: .delivered,
            code: 250,
            status: EnhancedStatus(2, 0, 0),
            stage: .content
        )
        let unknown = RecipientOutcome(
            verdict: .failed,
            code: 550,
            status: EnhancedStatus(5, 1, 1),
            stage: .recipient
        )
        let busy = RecipientOutcome(
            verdict: .deferred,
            code: 421,
            status: EnhancedStatus(4, 3, 2),
            stage: .recipient
        )
        #expect(judgement.consequence(of: [unknown, taken]) == .faster)
        #expect(judgement.consequence(of: [unknown]) == .none)
        #expect(judgement.consequence(of: [unknown, taken, busy]) == .slower)
        #expect(judgement.consequence(of: []) == .none)
        let tooMany = RecipientOutcome(
            verdict: .deferred,
            code: 452,
            status: EnhancedStatus(4, 3, 1),
            stage: .recipient
        )
        #expect(judgement.consequence(of: [taken, tooMany]) == .faster)
        #expect(judgement.consequence(of: [tooMany]) == .slower)
    }

    @Test(
        arguments: [
            (SessionStage.greeting, 554, "4.7.1 noSession"),
            (.greeting, 521, "5.3.2 acceptsNoMail"),
            (.greeting, 421, "4.7.1 noSession"),
            (.greeting, 0, "4.7.1 noSession"),
            (.hello, 550, "4.7.1 noSession"),
            (.hello, 521, "4.7.1 noSession"),
            (.startTLS, 0, "4.7.1 insecure"),
            (.authentication, 535, "4.7.1 noSession"),
            (.transaction, 421, "4.7.1 noSession"),
        ]
    )
    func sessionThatIsRefusedConcernsTheDestination(
        stage: SessionStage,
        code: Int,
        follows: String
    ) {
        let failure = AttemptJudgement().failure(
            ofSessionAt: stage,
            code: code,
            status: EnhancedStatus(code / 100 == 4 ? 4 : 5, 7, 1),
            text: "no"
        )
        #expect("\(failure.status) \(failure.reason)" == follows)
    }

    /// A wrong password, a certificate, a block list: no queue comes back for these.
    @Test(arguments: [DestinationFailure.Reason.noSession, .insecure, .unreachable, .lookUpFailed])
    func whatMayPassIsNeverForGood(reason: DestinationFailure.Reason) {
        let failure = DestinationFailure(reason, EnhancedStatus(5, 7, 8), "no")
        #expect(!failure.isPermanent)
        #expect(failure.status == EnhancedStatus(4, 7, 8))
    }

    @Test func destinationThatFailedForGoodFailsItsRecipients() {
        let judgement = AttemptJudgement()
        let failure = DestinationFailure(.acceptsNoMail, EnhancedStatus(5, 1, 10), "null MX")
        var facts = RecipientFacts(notify: [], attempts: 0, expiresAt: 0, hasReversePath: true)
        #expect(
            judgement.disposition(of: failure, for: facts)
                == .report(.failed, EnhancedStatus(5, 1, 10))
        )
        facts.notify = .never
        #expect(judgement.disposition(of: failure, for: facts) == .removed)
    }
}

@Suite struct RetryScheduleTests {
    @Test func delaysGrowToTheirCap() {
        let schedule = RetrySchedule()
        let middle = (1...9).map { failures -> Int64 in
            let plain = min(Int64(300) << Int64(failures - 1), 14_400)
            return schedule.seconds(afterFailures: failures, random: UInt64(plain / 8))
        }
        #expect(middle == [300, 600, 1200, 2400, 4800, 9600, 14_400, 14_400, 14_400])
    }

    @Test func delaysAreSpreadByAnEighth() {
        let schedule = RetrySchedule()
        var random = SeededRandom(seed: 7)
        let delays = (0..<2000).map { _ in
            schedule.seconds(afterFailures: 2, random: random.next())
        }
        #expect(delays.min().map { (525...530).contains($0) } ?? false)
        #expect(delays.max().map { (670...675).contains($0) } ?? false)
        #expect(Set(delays).count > 100)
    }

    @Test(arguments: [Int.min, -1, 0, 1, 60, 1_000_000, Int.max])
    func noCountOfFailuresIsTooMuch(failures: Int) {
        let delay = RetrySchedule().seconds(afterFailures: failures, random: UInt64.max)
        #expect((200...16_300).contains(delay))
    }

    @Test func oddSettingsGiveAtLeastASecond() {
        var schedule = RetrySchedule()
        schedule.secondsMin = 0
        schedule.secondsMax = 0
        schedule.greylistSeconds = 0
        for random in [0, 1, 5, UInt64.max] {
            #expect(schedule.seconds(afterFailures: 3, random: random) >= 1)
            #expect(schedule.secondsAfterGreylisting(random: random) >= 1)
        }
        schedule.secondsMin = 500
        #expect(schedule.seconds(afterFailures: 9, random: 62) == 500)
    }

    @Test func greylistingIsNeverSlowerThanTheFirstRetry() {
        var schedule = RetrySchedule()
        #expect(schedule.secondsAfterGreylisting(random: 11) == 90)
        schedule.secondsMin = 10
        #expect(schedule.secondsAfterGreylisting(random: 1) == 10)
    }
}
