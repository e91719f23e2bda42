// SPDX-License-Identifier: Apache-2.0
//
// Time as it passes over the queue: what is too old is given up, whatever its destination does, and
// senders hear of delays. One timer for all messages.

internal import Delivery
internal import MailStore
internal import MailSyntax

/// Watches over the age of what is queued.
final class QueueWatch {
    private unowned let engine: DeliveryEngine
    private var isRunning = false
    private var delayed: ArraySlice<QueuedMessage> = []
    private var timer = 0
    /// Messages that are given up, until that is durable: none of them is claimed any more.
    private(set) var expiring: Set<MessageID> = []

    private static let messagesMax = 64
    /// It is looked at least so often, because what is queued meanwhile sets no timer.
    private static let lookSecondsMax: Double = 300
    private static let lookSecondsMin: Double = 1
    private static let headerOctetsMax = DeliveryReport.headerOctetsMax

    init(engine: DeliveryEngine) { self.engine = engine }

    /// Looks for the first time.
    func start() { self.look() }

    private func look() {
        guard !self.isRunning, !self.engine.isStopping else { return }
        self.isRunning = true
        let question = StoreQuestion.expiring(
            now: self.engine.server.time.wallClock,
            max: Self.messagesMax,
            excluding: self.engine.claims.ids.union(self.expiring)
        )
        self.engine.ask(question) { [weak self] reply in
            guard let self else { return }
            guard case .queueWatch(let found) = reply else { return self.end(nextAt: nil) }
            let isWhole = self.expire(found.messages)
            if !isWhole || found.messages.count == Self.messagesMax { return self.lookAgain() }
            self.warn()
        }
    }

    /// There is more than was asked for; what was found must be settled before.
    private func lookAgain() {
        self.isRunning = false
        self.lookLater(Self.lookSecondsMin)
    }

    private func lookLater(_ seconds: Double) {
        self.timer += 1
        let timer = self.timer
        self.engine.server.time.after(seconds: seconds) { [weak self] in
            guard let self, self.timer == timer else { return }
            self.look()
        }
    }

    private func end(nextAt: Int64?) {
        self.isRunning = false
        let seconds = nextAt.map { Double($0 - self.engine.server.time.wallClock) }
        let bounded = min(seconds ?? Self.lookSecondsMax, Self.lookSecondsMax)
        self.lookLater(max(bounded, Self.lookSecondsMin))
    }

    // MARK: - Expiry

    /// Gives up what nobody is delivering.
    ///
    /// - Returns: whether that was all; the store may have answered while messages were claimed.
    private func expire(_ messages: [QueuedMessage]) -> Bool {
        var isWhole = true
        for message in messages {
            guard !self.isWanted(message) else {
                isWhole = false
                continue
            }
            self.expiring.insert(message.id)
            self.engine.server.journal.expired(message)
            let recipients = message.recipients.map { recipient in
                let isTold =
                    !message.reversePath.isEmpty
                    && ReportPlan.isDue(.failed, notify: recipient.notify)
                return QueueSettlement.Recipient(
                    number: recipient.number,
                    disposition: isTold ? .report(.failed, Self.expired) : .removed
                )
            }
            let settlement = QueueSettlement(
                message: message.id,
                recipients: recipients,
                attempt: nil
            )
            self.engine.settler.settle(settlement, of: nil)
        }
        return isWhole
    }

    /// Whether a message is claimed, or may be by a question that is not answered yet.
    private func isWanted(_ message: QueuedMessage) -> Bool {
        self.engine.claims.contains(message.id)
            || message.recipients.contains {
                self.engine.claiming.contains(Destination($0.destination))
            }
    }

    /// That these were given up is durable.
    func expired(_ messages: [MessageID]) { self.expiring.subtract(messages) }

    /// Delivery time expired (RFC 3463, section 3.5).
    private static let expired = EnhancedStatus(4, 4, 7)

    // MARK: - Delays

    private func warn() {
        let question = StoreQuestion.warnable(
            now: self.engine.server.time.wallClock,
            max: Self.messagesMax,
            excluding: []
        )
        self.engine.ask(question) { [weak self] reply in
            guard let self else { return }
            guard case .queueWatch(let found) = reply else { return self.end(nextAt: nil) }
            self.delayed = found.messages[...]
            self.warnNext(isMore: found.messages.count == Self.messagesMax, found.nextAt)
        }
    }

    private func warnNext(isMore: Bool, _ nextAt: Int64?) {
        guard let message = self.delayed.popFirst(), !self.engine.isStopping else {
            return isMore ? self.lookAgain() : self.end(nextAt: nextAt)
        }
        self.warn(of: message) { [weak self] in self?.warnNext(isMore: isMore, nextAt) }
    }

    private func warn(of message: QueuedMessage, _ done: @escaping () -> Void) {
        let plan = ReportPlan(
            rows: message.recipients.map {
                ReportPlan.Row(number: $0.number, notify: $0.notify, outcome: .delayed)
            },
            reversePath: message.reversePath
        )
        let closing = QueueReportClosing(
            message: message.id,
            numbers: [],
            warning: .given(next: nil)
        )
        guard !plan.reported.isEmpty else { return self.close(closing, done) }
        let numbers = Set(plan.reported.map(\.number))
        let detail = StoreQuestion.queueMessage(
            message.id,
            after: nil,
            count: ReportPlan.recipientsMax
        )
        self.engine.ask(detail) { [weak self] reply in
            guard let self, case .queueMessage(let detail?) = reply else { return done() }
            let recipients = detail.recipients.compactMap { recipient in
                numbers.contains(recipient.row.position.number)
                    ? ReportedRecipient(delayed: recipient) : nil
            }
            guard !recipients.isEmpty else { return self.close(closing, done) }
            self.report(message, recipients, closing, done)
        }
    }

    private func report(
        _ message: QueuedMessage,
        _ recipients: [ReportedRecipient],
        _ closing: QueueReportClosing,
        _ done: @escaping () -> Void
    ) {
        let question = StoreQuestion.queuedContent(
            message.id,
            offset: 0,
            max: Self.headerOctetsMax
        )
        self.engine.ask(question) { [weak self] reply in
            guard let self, case .queuedContent(let octets, _) = reply else { return done() }
            let reported = ReportedMessage(message, content: octets, isWhole: false)
            self.engine.reports.post.send(reported, recipients, closing: closing) { result in
                switch result {
                case .stored, .storeFailed: done()
                // Another warning would fare no better.
                case .undeliverable, .notNow: self.close(closing, done)
                }
            }
        }
    }

    private func close(_ closing: QueueReportClosing, _ done: @escaping () -> Void) {
        self.engine.write(.closeReports(closing)) { _ in done() }
    }
}

extension ReportedRecipient {
    /// A recipient that still waits, and what its last attempt came to, or its destination's.
    fileprivate init(delayed recipient: QueueDetail.Recipient) {
        let row = recipient.row
        let last = recipient.history.last
        self.init(
            address: row.address,
            originalRecipient: recipient.originalRecipient,
            action: .delayed,
            status: last?.status ?? EnhancedStatus(4, 4, 7),
            host: last?.attempt.host ?? [],
            reply: last?.reply ?? row.rest?.reason ?? [],
            lastAttemptAt: last?.attempt.at
        )
    }
}
