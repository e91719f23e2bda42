// SPDX-License-Identifier: Apache-2.0
//
// The streams of a loop by slot, the only strong references to them. A slot counts the streams it
// has had, so that the id of a stream that is gone finds nothing.

/// Streams by connection id.
struct StreamTable {
    private struct Slot {
        var generation: UInt32 = 0
        var stream: LoopStream?
    }

    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []

    /// How many streams the table holds.
    var count: Int { self.slots.count - self.freeSlots.count }

    init(capacity: Int) { self.slots.reserveCapacity(capacity) }

    /// The id of the next stream; its slot is taken.
    mutating func takeSlot() -> ConnectionID {
        let slot = self.freeSlots.popLast() ?? UInt32(self.slots.count)
        if Int(slot) == self.slots.count { self.slots.append(Slot()) }
        self.slots[Int(slot)].generation &+= 1
        return ConnectionID(slot: slot, generation: self.slots[Int(slot)].generation)
    }

    mutating func vacate(_ id: ConnectionID) {
        self.slots[Int(id.slot)].stream = nil
        self.freeSlots.append(id.slot)
    }

    subscript(id: ConnectionID) -> LoopStream? {
        get {
            guard self.slots.indices.contains(Int(id.slot)),
                self.slots[Int(id.slot)].generation == id.generation
            else { return nil }
            return self.slots[Int(id.slot)].stream
        }
        set { self.slots[Int(id.slot)].stream = newValue }
    }

    /// All streams there are.
    var streams: [LoopStream] { self.slots.compactMap(\.stream) }
}
