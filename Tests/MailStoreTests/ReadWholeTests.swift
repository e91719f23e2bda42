// SPDX-License-Identifier: Apache-2.0

import MailStore
import MailSyntax
import Testing

/// Several messages in one pass are what they are one by one.
struct ReadWholeTests {
    private let store: SQLiteStore
    private let account: AccountID
    private var messages: [TestMessage] = []

    init() throws {
        self.store = try SQLiteStore()
        self.account = try self.store.addAccount("anna@example.test")
        let other = try self.store.addAccount("bert@example.test")
        var random = Octets(seed: 11)
        for (index, size) in [100, 0, 8000, 70_000, 10_240, 300].enumerated() {
            self.messages.append(TestMessage(UInt64(index + 1), random.octets(size)))
        }
        for message in self.messages {
            #expect(self.store.ask(message.append(to: [self.account, other])).isDone)
        }
    }

    private func read(
        _ sequences: [UInt32],
        octetsMax: Int = 1 << 20
    ) throws -> [(sequence: UInt32, octets: [UInt8])] {
        var octets: [UInt8] = [1, 2, 3]
        let ends = try #require(self.store.reader).readWhole(
            self.account,
            sequences: sequences,
            octetsMax: octetsMax,
            into: &octets
        )
        #expect(octets.prefix(3) == [1, 2, 3])
        #expect(octets.count == ends.last ?? 3)
        let starts = [3] + ends.dropLast()
        return zip(zip(sequences, starts), ends).map { ($0.0, Array(octets[$0.1..<$1])) }
    }

    @Test(arguments: [[1, 2, 3, 4, 5, 6], [2], [1, 4, 6], [3, 4, 5], []])
    func eachIsWhole(_ sequences: [UInt32]) throws {
        let found = try self.read(sequences)
        #expect(found.map(\.sequence) == sequences)
        #expect(found.map(\.octets) == sequences.map { self.messages[Int($0) - 1].delivered })
    }

    @Test func passEndsBeforeWhatIsTooLarge() throws {
        let sizes = self.messages.map(\.delivered.count)
        let room = sizes[0] + sizes[1] + sizes[2]
        #expect(try self.read([1, 2, 3, 5], octetsMax: room).map(\.sequence) == [1, 2, 3])
        #expect(try self.read([1, 2, 3], octetsMax: room - 1).map(\.sequence) == [1, 2])
        #expect(try self.read([1], octetsMax: 0).isEmpty)
    }

    @Test func passEndsBeforeWhatIsNotThere() throws {
        let head = try self.store.head(self.account)
        let answer = self.store.ask(
            .delete(self.account, incarnation: head.incarnation, sequences: [2, 4])
        )
        #expect(answer.isDone)
        #expect(try self.read([1, 2, 3]).map(\.sequence) == [1])
        #expect(try self.read([3, 4]).map(\.sequence) == [3])
        #expect(try self.read([4, 5]).isEmpty)
        #expect(try self.read([6, 7]).map(\.sequence) == [6])
    }
}
