// SPDX-License-Identifier: Apache-2.0
//
// What the store made of a message, in the words of the session: one answer for all recipients
// (SMTP) or one for each (LMTP, RFC 2033, section 4.2).

internal import MailStore
internal import SMTPProtocol

/// The result of one append.
struct CommitOutcome {
    let answer: SMTPDriver.ReadyAnswer

    init(_ answer: StoreAnswer, of targets: [[MailboxTarget]], isLMTP: Bool) {
        switch (answer, isLMTP) {
        case (.appended(let results), false):
            self.answer = .answer(
                results.allSatisfy(\.isDelivered) ? .committed : Self.answer(to: results)
            )
        case (.appended(let results), true):
            self.answer = .perRecipient(Self.answers(to: results, targets))
        case (_, false):
            self.answer = .answer(Self.failure(answer))
        case (_, true):
            let failure = Self.failure(answer)
            self.answer = .perRecipient(targets.map { _ in failure })
        }
    }

    private static func answers(
        to results: [DeliveryResult],
        _ targets: [[MailboxTarget]]
    ) -> [SMTPServerSession.Answer] {
        var delivered: [AccountID: DeliveryResult] = [:]
        for (account, result) in zip(MailboxTarget.accounts(of: targets), results) {
            delivered[account] = result
        }
        return targets.map { mailboxes in
            let results = mailboxes.compactMap { delivered[$0.account] }
            return results.allSatisfy(\.isDelivered)
                ? .recipientCommitted : Self.answer(to: results)
        }
    }

    private static func answer(to results: [DeliveryResult]) -> SMTPServerSession.Answer {
        results.contains(.overQuota) ? .mailboxFull(permanent: false) : .commitFailed
    }

    private static func failure(_ answer: StoreAnswer) -> SMTPServerSession.Answer {
        switch answer {
        case .failed(.full): .storeFull
        case .failed(.overQuota): .mailboxFull(permanent: false)
        default: .commitFailed
        }
    }
}
