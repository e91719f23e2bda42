// SPDX-License-Identifier: Apache-2.0

@testable import MailStore
import MailSyntax
import Testing

@Suite("The queue: reports")
struct QueueReportTests {
    private let failed = QueueDisposition.report(.failed, EnhancedStatus(5, 1, 1))

    private func report(
        _ id: UInt64,
        to accounts: [AccountID],
        queue: QueueSubmission? = nil,
        closing: UInt64,
        _ numbers: [Int]
    ) -> StoreRequest {
        var message = TestMessage(id, "Subject: Undelivered\r\n\r\n")
        message.reversePath = ""
        guard case .append(let append) = message.append(to: accounts, after: 0, queue: queue) else {
            preconditionFailure("an append")
        }
        let closing = QueueReportClosing(
            message: MessageID(rawValue: closing),
            numbers: numbers
        )
        return .appendReport(append, closing: closing)
    }

    @Test("What awaits a report is found with the header and the last attempt")
    func found() throws {
        let store = try SQLiteStore()
        let header = "Subject: x\r\nTo: somebody\r\n\r\n"
        try store.enqueue(1, for: ["a@far.example"], content: Array("\(header)body\r\n".utf8))
        try store.enqueue(2, for: ["a@far.example", "b@far.example"], content: [13, 10, 65])
        let long = [UInt8](repeating: 0x61, count: 100_000)
        try store.enqueue(3, for: ["a@far.example"], content: long)
        store.settle(1, [(0, self.failed)])
        store.settle(2, [(1, .report(.relayed, EnhancedStatus(2, 5, 0)))])
        store.settle(3, [(0, self.failed)])
        let reader = try #require(store.reader)
        let due = try reader.reportsDue(after: nil, max: 10)
        #expect(due.map(\.message.id.rawValue) == [1, 2, 3])
        #expect(due.map(\.header) == [Array(header.utf8), [13, 10], Array(long[..<65_536])])
        #expect(due[1].recipients.map(\.recipient.number) == [1])
        #expect(due[1].recipients.map(\.outcome) == [.relayed])
        #expect(due[0].recipients[0].attempt?.host == Array("mx.example".utf8))
        #expect(due[0].recipients[0].reply == Array("said".utf8))
        let rest = try reader.reportsDue(after: MessageID(rawValue: 1), max: 1)
        #expect(rest.map(\.message.id.rawValue) == [2])
    }

    @Test("A report ends the rows that it tells of, and no others", arguments: [true, false])
    func closes(toMaildrop: Bool) throws {
        let store = try SQLiteStore()
        let account = try store.addAccount("sender@example.test")
        try store.enqueue(1, for: ["a@far.example", "b@far.example", "c@far.example"])
        store.settle(1, [(0, self.failed), (1, self.failed)])
        let request = self.report(
            50,
            to: toMaildrop ? [account] : [],
            queue: toMaildrop ? nil : store.submission(for: ["sender@near.example"]),
            closing: 1,
            [0, 2, 9]
        )
        #expect(store.ask(request).isDone)
        // Repeated after an answer that was lost it is not given twice.
        #expect(store.ask(request).isDone)
        #expect(try store.queued() == (toMaildrop ? ["1.1", "1.2"] : ["1.1", "1.2", "50.0"]))
        #expect(try store.head(account).count == (toMaildrop ? 1 : 0))
        #expect(try StoreAudit(store.directory).findings() == [])
    }

    @Test("A report that is refused leaves its rows")
    func refused() throws {
        let store = try SQLiteStore()
        let full = try store.addAccount("sender@example.test", quota: 5)
        try store.enqueue(1, for: ["a@far.example"])
        store.settle(1, [(0, self.failed)])
        #expect(store.ask(self.report(50, to: [full], closing: 1, [0])).failure == .overQuota)
        let gone = AccountID(rawValue: 99)
        #expect(store.ask(self.report(51, to: [gone], closing: 1, [0])).failure == .gone)
        #expect(try store.queued() == ["1.0"])
        let closing = QueueReportClosing(message: MessageID(rawValue: 1), numbers: [0])
        #expect(store.ask(.closeReports(closing)).isDone)
        #expect(try store.queued().isEmpty)
        #expect(try StoreAudit(store.directory).findings() == [])
    }

    @Test("A recipient that was delivered at once awaits its report from the beginning")
    func deliveredAtOnce() throws {
        let store = try SQLiteStore()
        let account = try store.addAccount("anna@example.test")
        let queue = QueueSubmission(
            options: EnvelopeOptions(),
            account: account,
            expiresAt: store.now + 100,
            warnAt: nil,
            recipients: [
                QueueRecipient(
                    address: Array("anna@example.test".utf8),
                    destination: Array("example.test".utf8),
                    notify: .success,
                    originalRecipient: Array("rfc822;anna@example.test".utf8),
                    state: .delivered
                )
            ]
        )
        let message = TestMessage(1, "Subject: x\r\n\r\n")
        #expect(store.ask(message.append(to: [account], after: 0, queue: queue)).isDone)
        #expect(try store.dueDestinations(.max).due.isEmpty)
        let reader = try #require(store.reader)
        #expect(try reader.expiring(now: .max, max: 1, excluding: []).messages.isEmpty)
        let due = try #require(try reader.reportsDue(after: nil, max: 1).first)
        #expect(due.recipients.map(\.outcome) == [.delivered])
        #expect(due.recipients[0].status.statusClass == 2)
        #expect(due.recipients[0].attempt == nil)
        #expect(due.message.account == account)
    }
}
