// SPDX-License-Identifier: Apache-2.0
//
// A driver has at most one question outstanding. The serial number tells its answer from one that
// comes too late.

internal import EventLoop

/// The question a driver waits on.
struct PendingQuestion {
    private var serial: UInt32 = 0
    private var isWaiting = false

    /// A ticket for a new question.
    mutating func next(_ connection: ConnectionID) -> Ticket {
        self.serial = (self.serial &+ 1) & 0x7fff_ffff
        self.isWaiting = true
        return Ticket(connection: connection, serial: self.serial)
    }

    /// Whether an answer with this number is the one waited for; if so, nothing is waited for now.
    mutating func takes(_ serial: UInt32) -> Bool {
        guard self.isWaiting, self.serial == serial else { return false }
        self.isWaiting = false
        return true
    }

    /// Any answer still to come is of no interest.
    mutating func forget() {
        self.isWaiting = false
    }
}
