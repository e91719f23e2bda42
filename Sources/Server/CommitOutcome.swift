// SPDX-License-Identifier: Apache-2.0
//
// What the store made of a message, in the words of the session: one answer for all recipients
// (SMTP) or one for each (LMTP, RFC 2033, section 4.2).

internal import MailStore
internal import SMTPProtocol

/// The result of one append.
struct CommitOutcome {
    /// The answer to an SMTP client.
    let answer: SMTPServerSession.Answer
    /// The answers to an LMTP client, in the order of its recipients.
    let answersPerRecipient: [SMTPServerSession.Answer]

    init(_ reply: StorageReply, of targets: [[MailboxTarget]]) {
        guard case .written(.appended(let results)) = reply else {
            let failure = Self.failure(reply)
            self.answer = failure
            self.answersPerRecipient = targets.map { _ in failure }
            return
        }
        var delivered: [AccountID: DeliveryResult] = [:]
        for (account, result) in zip(MailboxTarget.accounts(of: targets), results) {
            delivered[account] = result
        }
        self.answer = results.allSatisfy(\.isDelivered) ? .committed : Self.answer(to: results)
        self.answersPerRecipient = targets.map { mailboxes in
            let results = mailboxes.compactMap { delivered[$0.account] }
            return results.allSatisfy(\.isDelivered) ? .recipientCommitted : Self.answer(to: results)
        }
    }

    /// Whether anybody got the message.
    var isStored: Bool {
        self.answer == .committed || self.answersPerRecipient.contains(.recipientCommitted)
    }

    private static func answer(to results: [DeliveryResult]) -> SMTPServerSession.Answer {
        results.contains(.overQuota) ? .mailboxFull(permanent: false) : .commitFailed
    }

    private static func failure(_ reply: StorageReply) -> SMTPServerSession.Answer {
        switch reply {
        case .written(.failed(.full)), .failed(.full): .storeFull
        case .written(.failed(.overQuota)): .mailboxFull(permanent: false)
        default: .commitFailed
        }
    }
}
