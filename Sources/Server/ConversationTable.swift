// SPDX-License-Identifier: Apache-2.0
//
// Finds a driver by the id of its connection, for every answer that comes in: an array by slot, as
// in the loop, because a hash for each would be felt.

internal import EventLoop

/// The drivers of all connections.
struct ConversationTable {
    private struct Entry {
        var generation: UInt32 = 0
        var conversation: (any Conversation)?
    }

    private var entries: [Entry] = []
    private(set) var count = 0

    /// The driver of that connection, unless it is gone.
    subscript(id: ConnectionID) -> (any Conversation)? {
        let slot = Int(id.slot)
        guard slot < self.entries.count, self.entries[slot].generation == id.generation else {
            return nil
        }
        return self.entries[slot].conversation
    }

    /// Takes a driver in.
    mutating func insert(_ conversation: any Conversation) {
        let id = conversation.stream.id
        let slot = Int(id.slot)
        while slot >= self.entries.count { self.entries.append(Entry()) }
        precondition(self.entries[slot].conversation == nil, "one connection has a slot at a time")
        self.entries[slot] = Entry(generation: id.generation, conversation: conversation)
        self.count += 1
    }

    /// Gives a driver up; false when it was not there.
    mutating func remove(_ id: ConnectionID) -> Bool {
        guard self[id] != nil else { return false }
        self.entries[Int(id.slot)].conversation = nil
        self.count -= 1
        return true
    }

    /// All drivers there are now.
    var all: [any Conversation] { self.entries.compactMap(\.conversation) }
}
