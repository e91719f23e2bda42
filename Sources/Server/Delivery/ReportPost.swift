// SPDX-License-Identifier: Apache-2.0
//
// Where a report goes: into the sender's maildrops when he is one of ours, else into the queue.

internal import Delivery
internal import MailBytes
internal import MailStore
internal import MailSyntax

/// Stores reports for those they are for.
final class ReportPost {
    private unowned let engine: DeliveryEngine

    init(engine: DeliveryEngine) { self.engine = engine }

    /// What became of a report.
    enum Result {
        case stored
        /// Nobody will ever take it, and why.
        case undeliverable(StaticString)
        /// It may be taken later, and why not now.
        case notNow(StaticString)
        case storeFailed
    }

    /// Composes a report and stores it, together with what it closes.
    func send(
        _ message: ReportedMessage,
        _ recipients: [ReportedRecipient],
        closing: QueueReportClosing,
        _ done: @escaping (Result) -> Void
    ) {
        let server = self.engine.server
        guard let id = server.messageIDs.next() else { return done(.storeFailed) }
        let report = DeliveryReport(
            from: DeliveryReport.Reporter(
                hostname: self.engine.settings.hostname,
                postmaster: Array(server.directory.policy.postmaster.text.utf8)
            ),
            as: DeliveryReport.Identity(
                id: id,
                token: server.random(),
                now: server.time.wallClock
            ),
            about: message,
            recipients: recipients
        )
        self.route(report, id, closing, done)
    }

    private func route(
        _ report: DeliveryReport,
        _ id: MessageID,
        _ closing: QueueReportClosing,
        _ done: @escaping (Result) -> Void
    ) {
        let server = self.engine.server
        guard let address = server.directory.address(report.recipient.span) else {
            return done(.undeliverable("the sender is no address"))
        }
        guard server.directory.isLocal(address) else {
            let sender = Self.recipient(report.recipient, address)
            return self.store(report, id, closing, [], [sender], done)
        }
        let question = StoreQuestion.resolve(address, server.directory.policy)
        self.engine.ask(question) { [weak self] reply in
            guard let self else { return }
            guard case .resolved(_, let resolution) = reply else { return done(.storeFailed) }
            guard case .targets(let mailboxes, let elsewhere) = resolution else {
                return done(.undeliverable("there is no such sender"))
            }
            let accounts = MailboxTarget.accounts(of: [mailboxes])
            let others = elsewhere.map { Self.recipient($0.octets, $0) }
            self.store(report, id, closing, accounts, others, done)
        }
    }

    /// Stores it for the maildrops of accounts, and in the queue for others.
    private func store(
        _ report: DeliveryReport,
        _ id: MessageID,
        _ closing: QueueReportClosing,
        _ accounts: [AccountID],
        _ others: [QueueRecipient],
        _ done: @escaping (Result) -> Void
    ) {
        let server = self.engine.server
        let submission = others.isEmpty ? nil : self.submission(report, others)
        let append = StoreRequest.Append(
            id: id,
            reversePath: [],
            content: report.content,
            stagedChunks: 0,
            octets: report.content.count,
            endsWithCRLF: true,
            deliveries: accounts,
            perRecipient: true,
            receivedAt: server.time.wallClock,
            queue: submission
        )
        self.engine.write(.appendReport(append, closing: closing)) { [weak self] reply in
            guard let self else { return }
            server.heads.forget(accounts)
            guard case .written(.appended(let results), _) = reply else {
                return done(.storeFailed)
            }
            guard submission != nil || results.contains(.delivered) else {
                return done(.notNow("the sender's maildrop is full"))
            }
            server.journal.reported(id, about: closing.message, to: report.recipient)
            if let submission { self.engine.queued(submission.destinations) }
            done(.stored)
        }
    }

    private func submission(
        _ report: DeliveryReport,
        _ recipients: [QueueRecipient]
    ) -> QueueSubmission {
        QueueSubmission(
            options: report.options,
            account: nil,
            expiresAt: self.engine.server.time.wallClock + self.engine.settings.ageSecondsMax,
            warnAt: nil,
            recipients: recipients
        )
    }

    /// Nobody is told what becomes of a report.
    private static func recipient(_ mailbox: [UInt8], _ address: Address) -> QueueRecipient {
        QueueRecipient(address: mailbox, destination: Array(address.domain), notify: .never)
    }
}
