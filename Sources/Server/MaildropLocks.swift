// SPDX-License-Identifier: Apache-2.0
//
// RFC 1939, section 3: one session has a maildrop to itself. The store belongs to this process
// alone, so the locks are in its memory and die with it.

internal import EventLoop
internal import MailStore

/// Who holds which maildrop.
struct MaildropLocks {
    private var holders: [AccountID: ConnectionID] = [:]

    /// Whether nobody holds any.
    var isEmpty: Bool { self.holders.isEmpty }

    /// Takes the lock unless another connection has it.
    mutating func take(_ account: AccountID, for connection: ConnectionID) -> Bool {
        if let holder = self.holders[account] { return holder == connection }
        self.holders[account] = connection
        return true
    }

    /// Gives the lock back if that connection has it.
    mutating func release(_ account: AccountID, of connection: ConnectionID) {
        guard self.holders[account] == connection else { return }
        self.holders[account] = nil
    }
}
