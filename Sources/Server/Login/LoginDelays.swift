// SPDX-License-Identifier: Apache-2.0
//
// RFC 2449, section 6.5: where LOGIN-DELAY is announced, a maildrop that is opened again too soon
// is refused.

internal import MailStore

/// When maildrops were opened last.
struct LoginDelays {
    private var opened: [AccountID: Double] = [:]
    private var forgetAt: Double = 0
    private let seconds: Double?

    /// Delays of so many seconds; nil: none.
    init(seconds: Double?) {
        self.seconds = seconds
    }

    /// Whether the maildrop was opened too short a time ago.
    func isTooSoon(_ account: AccountID, at now: Double) -> Bool {
        guard let seconds, let last = self.opened[account] else { return false }
        return now < last + seconds
    }

    /// The maildrop is opened.
    mutating func record(_ account: AccountID, at now: Double) {
        guard let seconds else { return }
        if now >= self.forgetAt {
            self.opened = self.opened.filter { now < $0.value + seconds }
            self.forgetAt = now + max(seconds, 60)
        }
        self.opened[account] = now
    }
}
