// SPDX-License-Identifier: Apache-2.0
//
// The claimed messages of one destination that wait for a connection: senders take turns, so that
// one with a thousand messages does not stand before one with a single message.

internal import MailSyntax

/// Claims, given out one sender after the other.
struct FairBacklog {
    private var queues: [UInt64: RingQueue<QueueScheduler.Claim>] = [:]
    /// The senders that have something, each once, the next one in front.
    private var turns = RingQueue<UInt64>()
    private(set) var count = 0

    var isEmpty: Bool { self.count == 0 }

    mutating func append(_ claim: QueueScheduler.Claim) {
        if self.queues[claim.sender] == nil { self.turns.append(claim.sender) }
        self.queues[claim.sender, default: RingQueue()].append(claim)
        self.count += 1
    }

    /// Puts back what was taken; it is the next one of its sender.
    mutating func putBack(_ claim: QueueScheduler.Claim) {
        if self.queues[claim.sender] == nil { self.turns.prepend(claim.sender) }
        self.queues[claim.sender, default: RingQueue()].prepend(claim)
        self.count += 1
    }

    mutating func popFirst() -> QueueScheduler.Claim? {
        while let sender = self.turns.popFirst() {
            guard let claim = self.queues[sender]?.popFirst() else { continue }
            self.count -= 1
            if self.queues[sender]?.isEmpty ?? true {
                self.queues[sender] = nil
            } else {
                self.turns.append(sender)
            }
            return claim
        }
        return nil
    }

    /// Takes all, in the order of turns.
    mutating func popAll() -> [QueueScheduler.Claim] {
        var claims: [QueueScheduler.Claim] = []
        claims.reserveCapacity(self.count)
        while let claim = self.popFirst() { claims.append(claim) }
        return claims
    }
}
