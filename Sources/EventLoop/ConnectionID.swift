// SPDX-License-Identifier: Apache-2.0
//
// Names a connection for those who must not hold it: a slot of the loop's table, and which of the
// connections that had the slot it is.

/// The identity of one connection of a loop, never used again in a practical lifetime.
package struct ConnectionID: Hashable, BitwiseCopyable, Sendable {
    package let slot: UInt32
    package let generation: UInt32

    package init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// Both parts in one number.
    package var rawValue: UInt64 { UInt64(self.generation) << 32 | UInt64(self.slot) }
}
