// SPDX-License-Identifier: Apache-2.0

import Configuration
import Foundation
import MailStore
import MailSyntax
import Simulation
import StoreSupport
import Testing

@testable import Server

extension MailStore {
    /// Queues a message for mailboxes, with their domains as destinations.
    fileprivate func enqueue(
        _ id: UInt64,
        for mailboxes: [String],
        account: AccountID? = nil,
        options: EnvelopeOptions = EnvelopeOptions()
    ) {
        let content = Array("Subject: x\r\n\r\n".utf8)
        let queue = QueueSubmission(
            options: options,
            account: account,
            expiresAt: 1_700_400_000,
            warnAt: 1_700_010_000,
            recipients: mailboxes.map { mailbox in
                QueueRecipient(
                    address: Array(mailbox.utf8),
                    destination: Array(mailbox.drop { $0 != "@" }.dropFirst().utf8),
                    notify: [.failure, .delay],
                    originalRecipient: Array("rfc822;\(mailbox)".utf8)
                )
            }
        )
        let append = StoreRequest.Append(
            id: MessageID(rawValue: id),
            reversePath: Array("anna@example.test".utf8),
            content: content,
            stagedChunks: 0,
            octets: content.count,
            endsWithCRLF: true,
            deliveries: [],
            perRecipient: false,
            receivedAt: 1_700_000_000,
            queue: queue
        )
        guard case .appended = self.commit([.append(append)])[0] else {
            Issue.record("the message was not queued")
            return
        }
    }

    fileprivate func settle(_ id: UInt64, _ number: Int, _ disposition: QueueDisposition) {
        let recipient = QueueSettlement.Recipient(
            number: number,
            disposition: disposition,
            reply: Array("450 4.2.0 \u{9b}busy".utf8)
        )
        let settlement = QueueSettlement(
            message: MessageID(rawValue: id),
            recipients: [recipient],
            attempt: QueueAttempt(
                at: 1_700_000_100,
                host: Array("mx.far.example [192.0.2.1]".utf8),
                tls: Array("TLSv1.3".utf8)
            )
        )
        _ = self.commit([.settle([settlement])])
    }
}

@Suite("The queue over the control socket")
struct QueueControlTests {
    private static let position = QueuePosition(message: MessageID(rawValue: 77), number: 3)

    private static var selector: QueueSelector {
        var selector = QueueSelector()
        selector.message = MessageID(rawValue: 12)
        selector.destination = Array("far.example".utf8)
        selector.sender = []
        selector.recipient = Array("=a\t%@far.example".utf8)
        selector.queuedUntil = 1_700_000_000
        selector.state = .held
        return selector
    }

    @Test("Requests come back as they were")
    func requests() {
        let everything = QueueSelector()
        let message = MessageID(rawValue: .max >> 1)
        let requests: [QueueRequest] = [
            .list(everything, after: nil, count: 1),
            .list(Self.selector, after: Self.position, count: 200),
            .show(message, after: nil, count: 5), .show(message, after: 0, count: 5),
            .change(.hold, everything, after: nil, now: 5),
            .change(.release, Self.selector, after: nil, now: 5),
            .change(.retry, Self.selector, after: Self.position, now: 5),
            .change(.remove(reporting: false), Self.selector, after: nil, now: 5),
            .change(.remove(reporting: true), Self.selector, after: nil, now: 5),
        ]
        for request in requests {
            let request = AdministrationRequest.queue(request)
            #expect(AdministrationRequest(line: request.line) == request)
        }
    }

    @Test(
        "What is no request",
        arguments: [
            "queue-list", "queue-list\t\t\t\t\t\t\t\t\t0", "queue-list\t\t\t\t\t\t\t\t\t201",
            "queue-list\tno mark\t\t\t\t\t\t\t\t5", "queue-list\t=12\t\t\t\t\t\t\t\t5",
            "queue-list\t\t\t\t\t=soon\t\t\t\t5", "queue-list\t\t\t\t\t\t=9\t\t\t5",
            "queue-list\t\t\t\t\t\t\t=0000000000001\t\t5", "queue-list\t\t\t\t\t\t\t\t=1\t5",
            "queue-show\t1\t\t5", "queue-show\t0000000000001\t=-1\t5",
            "queue-drop\t\t\t\t\t\t\t\t\t5", "queue-hold\t\t\t\t\t\t\t\t\tnow", "queue-",
        ]
    )
    func noRequest(line: String) {
        #expect(AdministrationRequest(line: Array(line.utf8)) == nil)
    }

    /// A store with two messages; the first has been tried for one of its recipients, whose
    /// destination rests.
    private func fill(_ store: MailStore, account: AccountID?) {
        var options = EnvelopeOptions()
        options.body = .eightBitMIME
        options.needsUTF8 = true
        options.requiresTLS = true
        options.returnedContent = .full
        options.envelopeID = Array("QQ+2B1".utf8)
        store.enqueue(
            1,
            for: ["a@far.example", "b@near.example"],
            account: account,
            options: options
        )
        store.enqueue(2, for: ["c@near.example"])
        store.settle(1, 0, .retry(at: 1_700_000_400, status: EnhancedStatus(4, 2, 0)))
        store.settle(1, 0, .retry(at: 1_700_000_900, status: EnhancedStatus(4, 2, 1)))
        let rest = StoreRequest.rest(
            destination: Array("far.example".utf8),
            until: 1_700_001_000,
            failures: 2,
            reason: Array("connection refused".utf8)
        )
        _ = store.commit([rest])
    }

    @Test("Answers come back as the store gave them")
    func answers() throws {
        let disk = try TemporaryStore()
        let account = NewAccount(
            address: try #require(Address(parsing: "anna@example.test")),
            verifier: [],
            recoverableSecret: nil,
            quota: nil
        )
        guard case .accountAdded(let id) = disk.store.commit([.addAccount(account)])[0] else {
            Issue.record("no account")
            return
        }
        self.fill(disk.store, account: id)
        let page = try disk.reader.queueRows(QueueSelector(), after: nil, count: 2)
        #expect(page.rows[0].rest?.failures == 2)
        #expect(page.next != nil)
        #expect(QueueAnswer.page(AdministrationResult(.queueRows(page)).rows) == page)
        let rest = try disk.reader.queueRows(QueueSelector(), after: page.next, count: 2)
        #expect(QueueAnswer.page(AdministrationResult(.queueRows(rest)).rows) == rest)
        #expect(rest.next == nil)

        let found = try disk.reader.queueMessage(MessageID(rawValue: 1), after: nil, count: 9)
        let detail = try #require(found)
        let read = try #require(
            QueueAnswer.detail(AdministrationResult(.queueMessage(detail)).rows)
        )
        #expect(read.submitter?.text == "anna@example.test")
        #expect(read.message.options == detail.message.options)
        #expect(read.message.endsWithCRLF)
        #expect(read.message.expiresAt == detail.message.expiresAt)
        #expect(read.message.warnAt == detail.message.warnAt)
        #expect(read.recipients.map(\.row) == detail.recipients.map(\.row))
        #expect(read.recipients.map(\.history) == detail.recipients.map(\.history))
        #expect(read.recipients.map(\.history.count) == [2, 0])
        #expect(read.recipients.map(\.notify) == [[.failure, .delay], [.failure, .delay]])
        #expect(read.recipients[1].originalRecipient == Array("rfc822;b@near.example".utf8))
        #expect(read.next == nil)
        #expect(AdministrationResult(.queueMessage(nil)).failure == AdministrationResult.notQueued)
    }

    @Test(
        "Rows that are no answer are none",
        arguments: [[], ["message"], ["message", "x"], ["row"]]
    )
    func noAnswer(fields: [String]) {
        let rows = [fields.map { Array($0.utf8) }]
        #expect(QueueAnswer.detail(rows) == nil)
        #expect(QueueAnswer.page(rows).rows.isEmpty)
        #expect(QueueAnswer.changed(rows).count == 0)
    }

    @Test("Who delivers is told of changes, and of nothing else")
    func changes() throws {
        let test = try ServerUnderTest()
        self.fill(test.disk.store, account: nil)
        var told = 0
        test.server.whenQueueChanged = { told += 1 }
        let client = test.connectControl()
        func ask(_ request: QueueRequest) -> String {
            let before = client.text
            let line = AdministrationRequest.queue(request).line
            client.say(String(decoding: line, as: UTF8.self) + "\n")
            return String(client.text.dropFirst(before.count))
        }
        #expect(ask(.list(QueueSelector(), after: nil, count: 9)).split(separator: "\n").count == 4)
        #expect(
            ask(.show(MessageID(rawValue: 9), after: nil, count: 9)).hasPrefix("!\tthere is no")
        )
        #expect(told == 0)
        var far = QueueSelector()
        far.destination = Array("far.example".utf8)
        #expect(ask(.change(.hold, far, after: nil, now: 1)) == "=\tchanged\t1\n.\tdone\n")
        #expect(told == 1)
        #expect(ask(.change(.hold, far, after: nil, now: 1)) == "=\tchanged\t0\n.\tdone\n")
        #expect(told == 1)
        #expect(
            ask(.change(.remove(reporting: false), QueueSelector(), after: nil, now: 1))
                == "=\tchanged\t3\n.\tdone\n"
        )
        #expect(told == 2)
        #expect(ask(.list(QueueSelector(), after: nil, count: 9)) == ".\tdone\n")
    }

    @Test("A change of the queue while nobody serves is made in the store itself")
    func offline() throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "martlet-queue-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "martlet.toml").path
        try """
        hostname = "mail.example.test"
        local-domains = ["example.test"]
        data-directory = "\(directory.path)/data"

        [[listener]]
        address = "127.0.0.1:2525"
        service = "smtp"
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let administrator = Administrator(configuration: try Configuration.load(path: path))
        do {
            let store = try MailStore(directory: "\(directory.path)/data")
            self.fill(store, account: nil)
            store.close()
        }
        var near = QueueSelector()
        near.destination = Array("near.example".utf8)
        let results = try administrator.perform([
            .queue(.change(.remove(reporting: false), near, after: nil, now: 1)),
            .queue(.list(QueueSelector(), after: nil, count: 9)),
            .queue(.show(MessageID(rawValue: 2), after: nil, count: 9)),
        ])
        #expect(QueueAnswer.changed(results[0].rows).count == 2)
        #expect(
            QueueAnswer.page(results[1].rows).rows.map(\.address) == [Array("a@far.example".utf8)]
        )
        #expect(results[2].failure == AdministrationResult.notQueued)
    }
}
