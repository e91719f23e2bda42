// SPDX-License-Identifier: Apache-2.0
//
// Octets that messages on their way in will need in maildrops with a quota, so that many senders
// at once cannot all be promised the same room. The store checks again in its transaction.

internal import MailStore

/// Room promised and not yet used, by account.
struct QuotaReservations {
    private var octets: [AccountID: Int] = [:]

    /// Whether nothing is promised.
    var isEmpty: Bool { self.octets.isEmpty }

    /// Whether the maildrop cannot take `more` octets.
    func isOver(_ mailbox: MailboxTarget, adding more: Int) -> Bool {
        guard let quota = mailbox.quota else { return false }
        let reserved = self.octets[mailbox.account] ?? 0
        return mailbox.octets + reserved + max(more, 1) > quota
    }

    /// The maildrops will be sent so many octets.
    mutating func add(_ octets: Int, to mailboxes: [MailboxTarget]) {
        guard octets > 0 else { return }
        for mailbox in mailboxes where mailbox.quota != nil {
            self.octets[mailbox.account, default: 0] += octets
        }
    }

    /// They were sent, or will not be.
    mutating func remove(_ octets: Int, from mailboxes: [MailboxTarget]) {
        guard octets > 0 else { return }
        for mailbox in mailboxes where mailbox.quota != nil {
            let left = (self.octets[mailbox.account] ?? 0) - octets
            self.octets[mailbox.account] = left > 0 ? left : nil
        }
    }
}
