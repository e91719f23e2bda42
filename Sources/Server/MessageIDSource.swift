// SPDX-License-Identifier: Apache-2.0
//
// Message ids from blocks that the store has reserved durably: a crash skips ids and never repeats
// one.

package import MailSyntax

/// The ids this process may give out.
package struct MessageIDSource {
    private var upcoming: UInt64
    private var end: UInt64
    private var spare: (first: UInt64, end: UInt64)?
    private var isRefilling = false

    /// So many ids are reserved at a time.
    package static let blockCount = 1 << 16

    package init(block first: UInt64) {
        self.upcoming = first
        self.end = first + UInt64(Self.blockCount)
    }

    /// Whether another block should be reserved now; true once per block.
    package mutating func shouldRefill() -> Bool {
        guard !self.isRefilling, self.spare == nil,
            self.end - self.upcoming < UInt64(Self.blockCount / 4)
        else { return false }
        self.isRefilling = true
        return true
    }

    /// The answer to a refill: the first id of a new block, or nil when the store could not.
    package mutating func refill(block first: UInt64?) {
        self.isRefilling = false
        guard let first else { return }
        self.spare = (first, first + UInt64(Self.blockCount))
    }

    /// A new id, or nil while there is none.
    package mutating func next() -> MessageID? {
        if self.upcoming == self.end, let spare = self.spare.take() {
            self.upcoming = spare.first
            self.end = spare.end
        }
        guard self.upcoming < self.end else { return nil }
        defer { self.upcoming += 1 }
        return MessageID(rawValue: self.upcoming)
    }
}
