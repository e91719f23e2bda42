// SPDX-License-Identifier: Apache-2.0

import MailStore
import MailSyntax
import Testing

@Suite("Conformance: large messages")
struct StagingConformanceTests {
    private func large(_ id: UInt64, chunks: Int, and more: Int) -> TestMessage {
        var random = Octets(seed: id)
        return TestMessage(id, random.octets(chunks * TestMessage.chunkOctets + more))
    }

    @Test("Chunks that went ahead are read with the rest", arguments: StoreKind.all)
    func staged(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        let messages = [
            large(1, chunks: 1, and: 0), large(2, chunks: 1, and: 1),
            large(3, chunks: 40, and: 9000),
        ]
        for message in messages {
            for stage in message.stages {
                #expect(store.ask(stage).isDone)
                #expect(try store.listing(account, below: .max).count == Int(message.id) - 1)
            }
            let append = message.append(to: [account], staged: message.stages.count)
            #expect(store.ask(append).results == [.delivered])
        }
        #expect(try store.contents(of: account, part: 100_000) == messages.map(\.delivered))
        try store.restart(inOrder: false)
        #expect(try store.contents(of: account, part: 65_536) == messages.map(\.delivered))
    }

    @Test("Some chunks ahead and several with the append", arguments: StoreKind.all)
    func stagedInPart(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        let message = large(1, chunks: 5, and: 17)
        #expect(store.commit(Array(message.stages.prefix(2))).allDone)
        #expect(store.ask(message.append(to: [account], staged: 2)).isDone)
        #expect(try store.contents(of: account) == [message.delivered])
    }

    @Test("Pieces of any size go ahead of any rest", arguments: StoreKind.all)
    func spilled(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        var random = Octets(seed: 3)
        var expected: [[UInt8]] = []
        for id in 1...40 {
            let message = TestMessage(UInt64(id), random.octets(random.below(150_000)))
            let ahead = random.below(message.content.count + 1)
            var offset = 0
            while offset < ahead {
                let room = TestMessage.chunkOctets - offset % TestMessage.chunkOctets
                let count = min(1 + random.below(room), ahead - offset)
                #expect(store.ask(message.piece(at: offset, octets: count)).isDone)
                offset += count
            }
            let append = message.append(to: [account], after: ahead)
            #expect(store.ask(append).results == [.delivered])
            // Again, as after a lost answer.
            if ahead > 0 { #expect(store.ask(message.piece(at: 0, octets: 1)).isDone) }
            #expect(store.ask(append).results == [.delivered])
            expected.append(message.delivered)
        }
        #expect(try store.contents(of: account) == expected)
    }

    @Test(
        "A piece with a gap before it, and an append with one, are refused",
        arguments: StoreKind.all
    )
    func gaps(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        let message = large(1, chunks: 1, and: 10)
        #expect(store.ask(message.piece(at: 0, octets: 1000)).isDone)
        #expect(!store.ask(message.piece(at: 1001, octets: 10)).isDone)
        #expect(!store.ask(message.append(to: [account], after: 1011)).isDone)
        #expect(store.ask(message.append(to: [account], after: 1000)).isDone)
        #expect(try store.contents(of: account) == [message.delivered])
    }

    @Test("Staging and appending again changes nothing", arguments: StoreKind.all)
    func stagedAgain(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        let message = large(1, chunks: 2, and: 10)
        for _ in 0..<2 {
            #expect(store.commit(message.stages + message.stages).allDone)
            #expect(store.ask(message.append(to: [account], staged: 2)).results == [.delivered])
        }
        // Giving up what was appended takes nothing away.
        #expect(store.ask(.unstage(MessageID(rawValue: 1))).isDone)
        #expect(try store.contents(of: account) == [message.delivered])
    }

    @Test("An append with missing chunks is refused, alone", arguments: StoreKind.all)
    func missingChunks(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test")
        let message = large(1, chunks: 3, and: 10)
        _ = store.commit([message.stages[0], message.stages[2]])
        let good = TestMessage(2, "good\r\n")
        let answers = store.commit([
            message.append(to: [account], staged: 3), good.append(to: [account]),
        ])
        #expect(!answers[0].isDone)
        #expect(answers[1].isDone)
        #expect(try store.contents(of: account) == [good.delivered])
    }

    @Test("What a process staged is of no use to the next", arguments: StoreKind.all)
    func forgottenByRestart(kind: StoreKind) throws {
        let store = try kind.make()
        let account = try store.addAccount("anna@example.test", quota: 10)
        let message = large(1, chunks: 2, and: 10)
        _ = store.commit(message.stages)
        // Refused: the chunks are given up.
        let append = message.append(to: [account], staged: 2)
        #expect(store.ask(append).failure == .overQuota)
        try store.restart(inOrder: false)
        #expect(try store.contents(of: account).isEmpty)
    }

    @Test("A large message is shared and deleted like a small one", arguments: StoreKind.all)
    func deleted(kind: StoreKind) throws {
        let store = try kind.make()
        let anna = try store.addAccount("anna@example.test")
        let bert = try store.addAccount("bert@example.test")
        let message = large(1, chunks: 3, and: 100)
        _ = store.commit(message.stages)
        _ = store.ask(message.append(to: [anna, bert], staged: 3))
        let incarnation = try store.head(anna).incarnation
        #expect(store.ask(.delete(anna, incarnation: incarnation, sequences: [1])).isDone)
        #expect(try store.contents(of: bert) == [message.delivered])
        let other = try store.head(bert).incarnation
        #expect(store.ask(.delete(bert, incarnation: other, sequences: [1])).isDone)
        #expect(throws: StoreError.gone) { _ = try store.content(of: bert, 1, part: 1000) }
    }
}
