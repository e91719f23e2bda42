// SPDX-License-Identifier: Apache-2.0

@testable import MailStore
import MailSyntax
import Testing

@Suite("The queue: claims and settlements")
struct QueueTests {
    @Test("Content of any size is claimed octet by octet, and its end is known")
    func contents() throws {
        let store = try SQLiteStore()
        var random = Octets(seed: 3)
        let sizes = [0, 1, 4000, 8192, 65_535, 65_536, 65_537, 131_072, 200_001]
        var expected = sizes.map { random.octets($0) }
        expected.append(Array("Subject: dots\r\n\r\n.\r\n..x\r\n".utf8))
        expected.append(Array("Subject: no end of line".utf8))
        for (index, content) in expected.enumerated() {
            try store.enqueue(UInt64(index + 1), for: ["a@far.example"], content: content)
        }
        let found = try store.due("far.example")
        #expect(found.isComplete)
        #expect(found.messages.map(\.content) == expected)
        #expect(found.messages.map(\.octets) == expected.map(\.count))
        #expect(found.messages.map(\.needsStuffing).suffix(2) == [true, false])
        #expect(found.messages.map(\.endsWithCRLF).suffix(2) == [true, false])
        for (message, content) in zip(found.messages, expected) {
            var read: [UInt8] = []
            let reader = try #require(store.reader)
            while try !reader.queuedContent(message.id, offset: read.count, max: 777, into: &read) {
            }
            #expect(read == content)
        }
    }

    @Test("A claim is bounded in messages, recipients and octets, and passes over what is claimed")
    func bounds() throws {
        let store = try SQLiteStore()
        let content = [UInt8](repeating: 0x61, count: 1000)
        for id in 1...5 {
            let names = (0..<4).map { "user\($0)@far.example" }
            try store.enqueue(UInt64(id), for: names + ["x@other.example"], content: content)
        }
        let first = try store.due("far.example", messages: 2, recipients: 3, octets: 1500)
        #expect(first.messages.map(\.id.rawValue) == [1, 2])
        #expect(!first.isComplete)
        #expect(first.messages.map { $0.recipients.map(\.number) } == [[0, 1, 2], [0, 1, 2]])
        #expect(first.messages.map { $0.content?.count } == [1000, nil])
        let claimed = Set(first.messages.map(\.id))
        let second = try store.due("far.example", messages: 3, excluding: claimed)
        #expect(second.messages.map(\.id.rawValue) == [3, 4, 5])
        #expect(second.isComplete)
        #expect(try store.due("other.example").messages.map(\.recipients.count) == [1, 1, 1, 1, 1])
        #expect(try store.due("far.example", now: store.now - 1).messages.isEmpty)
        #expect(try store.due("nowhere.example").messages.isEmpty)
    }

    @Test("What has been due for longest is claimed first")
    func order() throws {
        let store = try SQLiteStore()
        for id in 1...4 { try store.enqueue(UInt64(id), for: ["a@far.example"]) }
        store.settle(1, [(0, .retry(at: store.now + 20, status: EnhancedStatus(4, 2, 0)))])
        store.settle(3, [(0, .retry(at: store.now + 10, status: EnhancedStatus(4, 2, 0)))])
        let now = try store.due("far.example", now: store.now)
        #expect(now.messages.map(\.id.rawValue) == [2, 4])
        let later = try store.due("far.example", now: store.now + 30)
        #expect(later.messages.map(\.id.rawValue) == [2, 4, 3, 1])
        #expect(later.messages.map { $0.recipients[0].attempts } == [0, 0, 1, 1])
    }

    @Test(
        "The last recipient takes the message along, unless a maildrop has it",
        arguments: [10, 200_000]
    )
    func references(octets: Int) throws {
        let store = try SQLiteStore()
        let account = try store.addAccount("anna@example.test")
        let content = [UInt8](seeded: octets)
        for id in 1...3 {
            try store.enqueue(
                UInt64(id),
                for: ["a@far.example", "b@far.example"],
                content: content,
                also: [account]
            )
        }
        store.settle(1, [(0, .removed)])
        #expect(try store.queued() == ["1.1", "2.0", "2.1", "3.0", "3.1"])
        store.settle(1, [(1, .removed)])
        #expect(try store.contents(of: account).count == 3)
        let incarnation = try store.head(account).incarnation
        #expect(store.ask(.delete(account, incarnation: incarnation, sequences: [1, 2])).isDone)
        store.store?.tidyUp()
        #expect(try store.due("far.example").messages[0].content == content)
        store.settle(2, [(0, .removed), (1, .removed)])
        // The messages of an account that goes stay in the queue.
        #expect(store.ask(.removeAccount(try address("anna@example.test"))).isDone)
        store.store?.tidyUp()
        #expect(try store.due("far.example").messages.map(\.content) == [content])
        store.settle(3, [(0, .removed), (1, .removed)])
        store.store?.tidyUp()
        let audit = try StoreAudit(store.directory)
        #expect(try audit.count("SELECT count(*) FROM message") == 0)
        #expect(try audit.count("SELECT count(*) FROM chunk") == 0)
        #expect(try audit.findings() == [])
    }

    @Test("A message that went ahead in chunks is queued with its last part")
    func staged() throws {
        let store = try SQLiteStore()
        let message = TestMessage(9, [UInt8](seeded: 150_000))
        #expect(store.commit(message.stages).allDone)
        let queue = store.submission(for: ["a@far.example"])
        #expect(store.ask(message.append(to: [], after: 131_072, queue: queue)).isDone)
        #expect(try store.due("far.example").messages.map(\.content) == [message.content])
        // Appended again it is not queued again.
        #expect(store.ask(message.append(to: [], after: 131_072, queue: queue)).isDone)
        #expect(try store.queued() == ["9.0"])
    }

    @Test("A maildrop that refuses keeps the message out of the queue, or not, as was asked")
    func refusals() throws {
        let store = try SQLiteStore()
        let full = try store.addAccount("anna@example.test", quota: 10)
        let queue = store.submission(for: ["a@far.example"])
        var message = TestMessage(1, "Subject: x\r\n\r\n")
        #expect(
            store.ask(message.append(to: [full], after: 0, queue: queue)).failure == .overQuota
        )
        #expect(try store.queued().isEmpty)
        message.perRecipient = true
        let answer = store.ask(message.append(to: [full], after: 0, queue: queue))
        #expect(answer.results == [.overQuota])
        #expect(try store.queued() == ["1.0"])
    }

    @Test("Settling what is settled, or never was, changes nothing")
    func idempotence() throws {
        let store = try SQLiteStore()
        try store.enqueue(1, for: ["a@far.example", "b@far.example"])
        let removal = QueueSettlement(
            message: MessageID(rawValue: 1),
            recipients: [QueueSettlement.Recipient(number: 0, disposition: .removed)],
            attempt: nil
        )
        #expect(store.commit([.settle([removal]), .settle([removal])]).allDone)
        #expect(store.ask(.settle([removal])).isDone)
        #expect(try store.queued() == ["1.1"])
        store.settle(1, [(1, .report(.failed, EnhancedStatus(5, 1, 1)))])
        // Late news of a second failure, and of a later time, are no news.
        store.settle(1, [(1, .report(.failed, EnhancedStatus(5, 7, 1)))])
        store.settle(1, [(1, .retry(at: 1, status: EnhancedStatus(4, 0, 0)))])
        let row = try #require(try store.rows().first)
        #expect(row.state == .failed)
        #expect(row.status == EnhancedStatus(5, 1, 1))
        #expect(row.attempts == 1)
        // That it was delivered after all is.
        store.settle(1, [(1, .report(.relayed, EnhancedStatus(2, 0, 0)))])
        #expect(try store.rows().map(\.state) == [.relayed])
        store.settle(1, [(1, .removed), (7, .removed)])
        store.settle(99, [(0, .removed)])
        #expect(try store.queued().isEmpty)
        #expect(try StoreAudit(store.directory).findings() == [])
    }

    @Test("The history holds the last ten attempts, in printable and bounded words")
    func history() throws {
        let store = try SQLiteStore()
        try store.enqueue(1, for: ["a@far.example"])
        for round in 1...12 {
            let reply =
                Array("450 try \(round)\r\n\u{1b}[31m".utf8) + [UInt8](repeating: 0x78, count: 600)
            let settlement = QueueSettlement(
                message: MessageID(rawValue: 1),
                recipients: [
                    QueueSettlement.Recipient(
                        number: 0,
                        disposition: .retry(
                            at: store.now,
                            status: EnhancedStatus(4, 2, UInt16(round))
                        ),
                        reply: reply
                    )
                ],
                attempt: QueueAttempt(
                    at: store.now + Int64(round),
                    host: Array("mx.far.example [192.0.2.1]".utf8),
                    tls: Array("TLSv1.3, DANE".utf8)
                )
            )
            #expect(store.ask(.settle([settlement])).isDone)
        }
        let reader = try #require(store.reader)
        let detail = try #require(
            try reader.queueMessage(MessageID(rawValue: 1), after: nil, count: 10)
        )
        let history = try #require(detail.recipients.first?.history)
        #expect(history.map(\.attempt.at) == (3...12).map { store.now + Int64($0) })
        #expect(history.map(\.status?.detail) == (3...12).map { UInt16($0) })
        #expect(history.allSatisfy { $0.reply.count == 512 })
        #expect(String(decoding: history[0].reply, as: UTF8.self).hasPrefix("450 try 3???[31mxxx"))
        #expect(history[0].attempt.tls == Array("TLSv1.3, DANE".utf8))
        #expect(detail.recipients[0].row.attempts == 12)
        store.settle(1, [(0, .removed)])
        #expect(try StoreAudit(store.directory).count("SELECT count(*) FROM attempt") == 0)
    }
}
