// SPDX-License-Identifier: Apache-2.0
//
// Recipients whose outcome is to be reported: finds them, has the report composed, and stores it for
// the sender in the one transaction that ends their rows. One message at a time, in their order.

internal import Delivery
internal import MailBytes
internal import MailStore
internal import MailSyntax

/// Writes what there is to report.
final class ReportWriter {
    private unowned let engine: DeliveryEngine
    let post: ReportPost
    private var due: ArraySlice<QueueReportDue> = []
    private var after: MessageID?
    private var isRunning = false
    private var isWanted = false
    /// Reports that no maildrop took, and when they are tried again.
    private var postponed: [MessageID: Postponement] = [:]

    private struct Postponement {
        var tries: Int
        var until: Double
    }

    private static let messagesMax = 8
    /// A report that is not taken is tried so often, and then given up.
    private static let triesMax = 6
    private static let pauseSeconds: Double = 600
    private static let postponedMax = 1000
    /// After the store failed.
    private static let retrySeconds: Double = 10

    init(engine: DeliveryEngine) {
        self.engine = engine
        self.post = ReportPost(engine: engine)
    }

    /// Whether nothing is being written.
    var isIdle: Bool { !self.isRunning }

    /// There may be something to report.
    func wake() {
        self.isWanted = true
        guard !self.isRunning, !self.engine.isStopping else { return }
        self.isRunning = true
        self.begin()
    }

    private func begin() {
        self.isWanted = false
        self.after = nil
        self.findMore()
    }

    private func findMore() {
        let question = StoreQuestion.reportsDue(after: self.after, max: Self.messagesMax)
        self.engine.ask(question) { [weak self] reply in
            guard let self else { return }
            guard case .reportsDue(let due) = reply else { return self.pause() }
            self.due = due[...]
            self.after = due.last?.message.id
            guard !due.isEmpty else { return self.end() }
            self.goOn()
        }
    }

    private func end() {
        self.isRunning = false
        if self.isWanted { self.wake() }
    }

    /// The store has trouble of its own.
    private func pause() {
        self.isRunning = false
        self.wakeLater(Self.retrySeconds)
    }

    private func wakeLater(_ seconds: Double) {
        self.engine.server.time.after(seconds: seconds) { [weak self] in self?.wake() }
    }

    private func goOn() {
        guard !self.engine.isStopping else { return self.end() }
        while let due = self.due.popFirst() {
            if let postponed = self.postponed[due.message.id],
                self.engine.server.time.now < postponed.until
            {
                continue
            }
            return self.report(due)
        }
        self.findMore()
    }

    // MARK: - One message

    private func report(_ due: QueueReportDue) {
        let plan = ReportPlan(
            rows: due.recipients.map { row in
                ReportPlan.Row(
                    number: row.recipient.number,
                    notify: row.recipient.notify,
                    outcome: ReportPlan.Outcome(row.outcome)
                )
            },
            reversePath: due.message.reversePath
        )
        if !plan.postponed.isEmpty { self.isWanted = true }
        guard !plan.reported.isEmpty else { return self.close(due.message.id, plan.silent) }
        let isFailure = plan.reported.contains { $0.action == .failed }
        guard isFailure,
            DeliveryReport.givesWhole(due.message.options, octets: due.message.octets)
        else { return self.write(due, plan, content: due.header, isWhole: false) }
        let question = StoreQuestion.queuedContent(
            due.message.id,
            offset: 0,
            max: DeliveryReport.wholeOctetsMax
        )
        self.engine.ask(question) { [weak self] reply in
            guard case .queuedContent(let octets, let isLast) = reply, isLast else {
                self?.write(due, plan, content: due.header, isWhole: false)
                return
            }
            self?.write(due, plan, content: octets, isWhole: true)
        }
    }

    private func write(
        _ due: QueueReportDue,
        _ plan: ReportPlan,
        content: [UInt8],
        isWhole: Bool
    ) {
        let rows = Dictionary(
            due.recipients.map { ($0.recipient.number, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let recipients = plan.reported.compactMap { told in
            rows[told.number].map { ReportedRecipient($0, told.action) }
        }
        let closing = QueueReportClosing(
            message: due.message.id,
            numbers: plan.reported.map(\.number) + plan.silent
        )
        let message = ReportedMessage(due.message, content: content, isWhole: isWhole)
        self.post.send(message, recipients, closing: closing) { [weak self] result in
            self?.sent(result, due, closing)
        }
    }

    private func sent(
        _ result: ReportPost.Result,
        _ due: QueueReportDue,
        _ closing: QueueReportClosing
    ) {
        let id = due.message.id
        switch result {
        case .stored:
            self.postponed[id] = nil
            self.goOn()
        case .storeFailed:
            self.pause()
        case .undeliverable(let why):
            self.engine.server.journal.reportLost(due.message, why)
            self.postponed[id] = nil
            self.close(id, closing.numbers)
        case .notNow(let why):
            let tries = (self.postponed[id]?.tries ?? 0) + 1
            guard tries < Self.triesMax, self.postponed.count < Self.postponedMax else {
                return self.sent(.undeliverable(why), due, closing)
            }
            let until = self.engine.server.time.now + Self.pauseSeconds
            self.postponed[id] = Postponement(tries: tries, until: until)
            self.wakeLater(Self.pauseSeconds)
            self.goOn()
        }
    }

    /// Nobody is told.
    private func close(_ message: MessageID, _ numbers: [Int]) {
        let closing = QueueReportClosing(message: message, numbers: numbers)
        self.engine.write(.closeReports(closing)) { [weak self] reply in
            if reply.hasFailed { self?.pause() } else { self?.goOn() }
        }
    }
}

extension ReportPlan.Outcome {
    fileprivate init(_ outcome: QueueOutcome) {
        switch outcome {
        case .failed: self = .failed
        case .delivered, .expanded: self = .delivered
        case .relayed: self = .relayed
        }
    }
}

extension ReportedRecipient {
    fileprivate init(_ row: QueueReportDue.Recipient, _ action: ReportedAction) {
        self.init(
            address: row.recipient.address,
            originalRecipient: row.recipient.originalRecipient,
            action: action,
            status: row.status,
            host: row.attempt?.host ?? [],
            reply: row.reply,
            lastAttemptAt: row.attempt?.at
        )
    }
}

extension ReportedMessage {
    init(_ message: QueuedMessage, content: [UInt8], isWhole: Bool) {
        self.init(
            reversePath: message.reversePath,
            options: message.options,
            arrivedAt: message.queuedAt,
            expiresAt: message.expiresAt,
            content: content,
            isWhole: isWhole
        )
    }
}
