// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import MailBytes
import Testing

/// Ids of connections, and what they find.
struct StreamTableTests {
    @Test("An id finds nothing once its slot has gone to another")
    func generations() {
        var table = StreamTable(capacity: 4)
        let first = table.takeSlot()
        let second = table.takeSlot()
        #expect(table.count == 2)
        table.vacate(first)
        let third = table.takeSlot()
        #expect(third.slot == first.slot)
        #expect(third.generation == first.generation + 1)
        #expect(Set([first, second, third]).count == 3)
        #expect(Set([first, second, third].map(\.rawValue)).count == 3)
        #expect(table.count == 2)
    }

    @Test("An id of a slot that never was finds nothing")
    func foreignIDs() throws {
        let loop = try EventLoop(connectionsMax: 1)
        #expect(loop.stream(ConnectionID(slot: 0, generation: 0)) == nil)
        #expect(loop.stream(ConnectionID(slot: .max, generation: .max)) == nil)
    }

    @Test("Unread input is consumed from its front and keeps no memory when empty")
    func unreadInput() {
        var unread = UnreadInput()
        let octets: [UInt8] = [1, 2, 3, 4, 5]
        unread.replace(with: octets.span)
        unread.consume(2)
        #expect(unread.count == 3)
        #expect(unread.start == 2)
        unread.replace(with: octets.span.extracting(1..<3))
        #expect(unread.octets == [2, 3])
        unread.consume(2)
        #expect(unread.isEmpty)
        #expect(unread.octets.capacity == 0)
    }
}
