// SPDX-License-Identifier: Apache-2.0

import MailStore
import MailSyntax
import Testing

@Suite("Conformance: maildrops")
struct MaildropConformanceTests {
    @Test("What is appended is listed in order and read as it came", arguments: StoreKind.all)
    func appendAndRead(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        let messages = [
            TestMessage(1, "Subject: one\r\n\r\nHello.\r\n"),
            TestMessage(2, ""),
            TestMessage(3, "Subject: three\r\n\r\nno end of line"),
        ]
        let answers = store.commit(messages.map { $0.append(to: [account]) })
        #expect(answers.map(\.results) == [[.delivered], [.delivered], [.delivered]])
        #expect(try store.contents(of: account) == messages.map(\.delivered))
        let listing = try store.listing(account, below: .max)
        #expect(listing.map(\.sequence) == [1, 2, 3])
        #expect(listing.map(\.octets) == messages.map(\.delivered.count))
    }

    @Test("Octets count what is read, for every reverse-path and end", arguments: StoreKind.all)
    func octetsAreExact(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        var id: UInt64 = 0
        for reversePath in ["", "a@b", "somebody.with.a.long.name@a.long.domain.example.org"] {
            for content in ["", "x", "\r", "\n", "\r\n", "x\r\n", "x\n", "x\r", "x\r\n\r\n"] {
                id += 1
                var message = TestMessage(id, content)
                message.reversePath = reversePath
                #expect(store.ask(message.append(to: [account])).isDone)
                let entry = try #require(try store.listing(account, below: .max).last)
                #expect(entry.octets == message.delivered.count)
                let read = try store.content(of: account, entry.sequence, part: 7)
                #expect(read == message.delivered)
            }
        }
    }

    @Test("Any content of any size comes back octet by octet", arguments: StoreKind.all)
    func randomContents(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        var random = Octets(seed: 7)
        let sizes = [
            1, 511, 512, 4000, 8000, 8190, 8192, 10_240, 65_535, 65_536, 65_537, 131_072, 200_001,
        ]
        var expected: [[UInt8]] = []
        for (index, size) in sizes.enumerated() {
            let message = TestMessage(UInt64(index + 1), random.octets(size))
            #expect(store.ask(message.append(to: [account])).isDone)
            expected.append(message.delivered)
        }
        for part in [1 << 20, 65_536, 8191] {
            #expect(try store.contents(of: account, part: part) == expected)
        }
    }

    @Test("A message for many is one message for each", arguments: StoreKind.all)
    func manyRecipients(kind: StoreKind) throws {
        let store = try kind.make()
        let accounts = try (0..<20).map { try store.addAccount("user\($0)@example.test") }
        let message = TestMessage(1, "Subject: all\r\n\r\n")
        #expect(store.ask(message.append(to: accounts)).results?.count == 20)
        for (index, account) in accounts.enumerated() {
            #expect(try store.contents(of: account) == [message.delivered])
            let head = try store.head(account)
            let deletion = StoreRequest.delete(
                account,
                incarnation: head.incarnation,
                sequences: [1]
            )
            #expect(store.ask(deletion).isDone)
            #expect(try store.contents(of: account).isEmpty)
            // The copies of the others are still there.
            for other in accounts[(index + 1)...] {
                #expect(try store.contents(of: other) == [message.delivered])
            }
        }
    }

    @Test("A maildrop named twice gets one copy", arguments: StoreKind.all)
    func namedTwice(kind: StoreKind) throws {
        let store = try kind.make()
        let anna = try store.addAccount("anna@example.test")
        let bert = try store.addAccount("bert@example.test")
        let message = TestMessage(1, "once\r\n")
        #expect(store.ask(message.append(to: [anna, bert, anna])).results?.count == 3)
        #expect(try store.contents(of: anna) == [message.delivered])
        let head = try store.head(anna)
        _ = store.ask(.delete(anna, incarnation: head.incarnation, sequences: [1]))
        #expect(try store.contents(of: bert) == [message.delivered])
    }

    @Test("A message appended again is stored once", arguments: StoreKind.all)
    func appendIsIdempotent(kind: StoreKind) throws {
        let store = try kind.make()
        let anna = try store.addAccount("anna@example.test")
        let bert = try store.addAccount("bert@example.test", quota: 100)
        let message = TestMessage(1, "Subject: once\r\n\r\n")
        for _ in 0..<3 {
            let answer = store.ask(message.append(to: [anna, bert]))
            #expect(answer.results == [.delivered, .delivered])
        }
        // Twice in one group, and together with others.
        let other = TestMessage(2, "other\r\n")
        let answers = store.commit([
            message.append(to: [anna, bert]), other.append(to: [anna]), other.append(to: [anna]),
        ])
        #expect(answers.allDone)
        #expect(try store.contents(of: anna) == [message.delivered, other.delivered])
        #expect(try store.contents(of: bert) == [message.delivered])
        try store.restart(inOrder: false)
        #expect(store.ask(message.append(to: [anna, bert])).results == [.delivered, .delivered])
        #expect(try store.contents(of: bert) == [message.delivered])
    }

    @Test("Repeated for each recipient, only those who have it got it", arguments: StoreKind.all)
    func appendIsIdempotentPerRecipient(kind: StoreKind) throws {
        let store = try kind.make()
        let anna = try store.addAccount("anna@example.test")
        let bert = try store.addAccount("bert@example.test", quota: 10)
        var message = TestMessage(1, "Subject: once\r\n\r\n")
        message.perRecipient = true
        let nobody = AccountID(rawValue: 99)
        for _ in 0..<2 {
            let answer = store.ask(message.append(to: [bert, anna, nobody]))
            #expect(answer.results == [.overQuota, .delivered, .noAccount])
        }
        #expect(try store.contents(of: anna) == [message.delivered])
    }

    @Test("Deletion takes all or nothing", arguments: StoreKind.all)
    func deletionIsWhole(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        let messages = (1...6).map { TestMessage($0, "message \($0)\r\n") }
        _ = store.commit(messages.map { $0.append(to: [account]) })
        let incarnation = try store.head(account).incarnation
        func delete(_ sequences: [UInt32], _ incarnation: UInt64) -> StoreError? {
            store.ask(.delete(account, incarnation: incarnation, sequences: sequences)).failure
        }
        #expect(delete([1, 2, 7], incarnation) == .gone)
        #expect(delete([1, 2], incarnation ^ 1) == .fenced)
        #expect(try store.contents(of: account).count == 6)
        #expect(delete([1, 3, 4], incarnation) == nil)
        #expect(delete([3], incarnation) == .gone)
        #expect(delete([], incarnation) == nil)
        // In any order, and each only once.
        #expect(delete([6, 2, 6], incarnation) == nil)
        #expect(try store.contents(of: account) == [messages[4].delivered])
        #expect(try store.listing(account, below: .max).map(\.sequence) == [5])
        let nobody = AccountID(rawValue: 99)
        let answer = store.ask(.delete(nobody, incarnation: incarnation, sequences: [1]))
        #expect(answer.failure == .gone)
    }

    @Test("Sequences are never given again", arguments: StoreKind.all)
    func sequencesAreNew(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        var seen: Set<UInt32> = []
        for round in 0..<4 {
            let ids = (0..<3).map { UInt64(round * 3 + $0 + 1) }
            _ = store.commit(ids.map { TestMessage($0, "x\r\n").append(to: [account]) })
            let head = try store.head(account)
            let sequences = try store.listing(account, below: .max).map(\.sequence)
            for sequence in sequences.suffix(3) { #expect(seen.insert(sequence).inserted) }
            #expect(sequences.allSatisfy { $0 < head.nextSequence })
            let deletion = StoreRequest.delete(
                account,
                incarnation: head.incarnation,
                sequences: sequences
            )
            #expect(store.ask(deletion).isDone)
            try store.restart(inOrder: round % 2 == 0)
            #expect(try store.head(account).nextSequence == head.nextSequence)
        }
    }

    @Test("A listing ends below the sequence that was asked for", arguments: StoreKind.all)
    func listingHasAnEnd(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        _ = store.commit((1...5).map { TestMessage($0, "x\r\n").append(to: [account]) })
        #expect(try store.listing(account, below: 4).map(\.sequence) == [1, 2, 3])
        #expect(try store.listing(account, below: 1).isEmpty)
    }

    @Test("What is gone is said to be gone", arguments: StoreKind.all)
    func gone(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        let nobody = AccountID(rawValue: 99)
        #expect(throws: StoreError.gone) { _ = try store.head(nobody) }
        #expect(throws: StoreError.gone) { _ = try store.content(of: account, 1, part: 100) }
        #expect(try store.listing(nobody, below: .max).isEmpty)
        #expect(store.ask(TestMessage(1, "x").append(to: [nobody])).failure == .gone)
        #expect(store.ask(TestMessage(2, "x").append(to: [account, nobody])).failure == .gone)
        #expect(store.ask(TestMessage(3, "x").append(to: [])).failure == .gone)
        #expect(try store.contents(of: account).isEmpty)
    }

    @Test("A quota holds for all recipients or for each", arguments: StoreKind.all)
    func quotas(kind: StoreKind) throws {
        let store = try kind.make()
        let size = TestMessage(1, "0123456789\r\n").delivered.count
        let anna = try store.addAccount("anna@example.test", quota: 2 * size)
        let bert = try store.addAccount("bert@example.test")
        func message(_ id: UInt64, perRecipient: Bool = false) -> StoreRequest {
            var message = TestMessage(id, "0123456789\r\n")
            message.perRecipient = perRecipient
            return message.append(to: [bert, anna])
        }
        // The third of one group is judged with the first two in place.
        let answers = store.commit([message(1), message(2), message(3)])
        #expect(answers.map(\.failure) == [nil, nil, .overQuota])
        #expect(try store.head(bert).count == 2)
        #expect(store.ask(message(4, perRecipient: true)).results == [.delivered, .overQuota])
        #expect(try store.head(bert).count == 3)
        #expect(try store.head(anna).octets == 2 * size)
        // Room comes back with a deletion, and with a larger quota.
        let incarnation = try store.head(anna).incarnation
        _ = store.ask(.delete(anna, incarnation: incarnation, sequences: [1]))
        #expect(store.ask(message(5)).isDone)
        #expect(store.ask(message(6)).failure == .overQuota)
        let quota = StoreRequest.setQuota(try address("anna@example.test"), 3 * size)
        #expect(
            store.commit([quota, message(7), message(8)]).map(\.failure) == [nil, nil, .overQuota]
        )
        #expect(store.ask(.setQuota(try address("anna@example.test"), nil)).isDone)
        #expect(store.ask(message(9)).isDone)
    }
}
