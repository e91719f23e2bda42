// SPDX-License-Identifier: Apache-2.0
//
// What became of attempts: judged, written down, told to the scheduler and to the log.

internal import Delivery
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

extension DeliveryEngine {
    /// A connection to an endpoint of a host.
    func connect(to endpoint: RouteEndpoint) throws(EventLoopError) -> any ByteStream {
        switch endpoint {
        case .unix(let path): try self.connector.connect(to: .unix(path: path), from: nil)
        case .address(let address):
            try self.connector.connect(
                to: .ip(address),
                from: address.family == .ipv6
                    ? self.settings.sourceIPv6 : self.settings.sourceIPv4
            )
        }
    }

    /// Reads a part of a content that is not in memory, for the driver that sends it.
    func readContent(
        of message: MessageID,
        offset: Int,
        _ octetsMax: Int,
        for driver: SMTPClientDriver
    ) {
        self.ask(.queuedContent(message, offset: offset, max: octetsMax)) { [weak driver] reply in
            guard case .queuedContent(let octets, let isLast) = reply else {
                driver?.contentFailed()
                return
            }
            driver?.contentRead(octets, isLast: isLast)
        }
    }

    // MARK: - Outcomes

    /// A transaction is over.
    func finished(
        _ transaction: Transaction,
        over connection: any DeliveryConnection,
        _ driver: SMTPClientDriver,
        at host: Next
    ) {
        let message = transaction.message
        let outcomes = driver.session.outcomes.map(RecipientOutcome.init)
        let judgement = self.judgement
        let settled = self.settlement(of: transaction, driver, outcomes, judgement, at: host)
        self.server.journal.attempted(
            message,
            driver.session.outcomes,
            at: host,
            now: self.server.time.wallClock
        )
        self.claims.remove(message.id, of: transaction.destination)
        self.settler.settle(settled, of: transaction.destination)
        self.tell(
            .finished(
                connection.id,
                message.id,
                judgement.consequence(of: outcomes),
                isReusable: driver.isReusable
            )
        )
    }

    private var judgement: AttemptJudgement {
        AttemptJudgement(schedule: self.settings.scheduler.retries)
    }

    private func settlement(
        of transaction: Transaction,
        _ driver: SMTPClientDriver,
        _ outcomes: [RecipientOutcome],
        _ judgement: AttemptJudgement,
        at host: Next
    ) -> QueueSettlement {
        let message = transaction.message
        let now = self.server.time.wallClock
        let isAccepted = outcomes.contains { $0.verdict == .delivered || $0.verdict == .relayed }
        var recipients: [QueueSettlement.Recipient] = []
        recipients.reserveCapacity(message.recipients.count)
        for (index, recipient) in message.recipients.enumerated() {
            var facts = message.facts(of: recipient)
            facts.isFinalDelivery = driver.options.settings.dialect == .lmtp
            facts.othersAccepted = isAccepted
            let disposition = judgement.disposition(
                of: outcomes[index],
                for: facts,
                now: now,
                random: self.random()
            )
            recipients.append(
                QueueSettlement.Recipient(
                    number: recipient.number,
                    disposition: QueueDisposition(disposition),
                    reply: disposition == .removed ? [] : driver.session.outcomes[index].reply
                )
            )
        }
        return QueueSettlement(
            message: message.id,
            recipients: recipients,
            attempt: QueueAttempt(at: now, host: host.host, tls: host.tls)
        )
    }

    // MARK: - Without a transaction

    /// The route says that nobody gets it.
    func discarded(
        _ message: QueuedMessage,
        of destination: Destination,
        by connection: any DeliveryConnection
    ) {
        self.server.journal.discarded(message, of: destination)
        self.settleAll(of: message, of: destination, reply: []) { _ in .removed }
        self.tell(.finished(connection.id, message.id, .none, isReusable: true))
    }

    /// The destination has failed for good.
    func fail(
        _ messages: [MessageID],
        of destination: Destination,
        _ failure: DestinationFailure
    ) {
        let judgement = self.judgement
        let reply = Array(failure.text.utf8)
        for id in messages {
            guard let message = self.claims[id, of: destination] else { continue }
            self.server.journal.failed(message, failure.status, reply)
            self.settleAll(of: message, of: destination, reply: reply) { recipient in
                judgement.disposition(of: failure, for: message.facts(of: recipient))
            }
        }
    }

    private func settleAll(
        of message: QueuedMessage,
        of destination: Destination,
        reply: [UInt8],
        _ disposition: (QueuedRecipient) -> AttemptJudgement.Disposition
    ) {
        let settlement = QueueSettlement(
            message: message.id,
            recipients: message.recipients.map { recipient in
                QueueSettlement.Recipient(
                    number: recipient.number,
                    disposition: QueueDisposition(disposition(recipient)),
                    reply: reply
                )
            },
            attempt: QueueAttempt(at: self.server.time.wallClock, host: [], tls: [])
        )
        self.claims.remove(message.id, of: destination)
        self.settler.settle(settlement, of: destination)
    }
}

extension QueuedMessage {
    /// What is known of a recipient beside what became of it.
    func facts(of recipient: QueuedRecipient) -> RecipientFacts {
        RecipientFacts(
            notify: recipient.notify,
            attempts: recipient.attempts,
            expiresAt: self.expiresAt,
            hasReversePath: !self.reversePath.isEmpty
        )
    }

    /// The envelope of a transaction for the recipients that were claimed.
    var envelope: SMTPClientEnvelope {
        SMTPClientEnvelope(
            reversePath: self.reversePath,
            recipients: self.recipients.map {
                SMTPClientEnvelope.Recipient(
                    mailbox: $0.address,
                    notify: $0.notify,
                    originalRecipient: $0.originalRecipient
                )
            },
            octets: self.outgoingContent.sentCount,
            options: self.options,
            sendsAUTH: true
        )
    }

    /// The content, as far as it is at hand.
    var outgoingContent: OutgoingContent {
        OutgoingContent(
            octets: self.content,
            count: self.octets,
            endsWithCRLF: self.endsWithCRLF,
            needsStuffing: self.needsStuffing
        )
    }
}

extension RecipientOutcome {
    fileprivate init(_ outcome: SMTPClientOutcome) {
        let verdict: Verdict =
            switch outcome.verdict {
            case .delivered: .delivered
            case .relayed: .relayed
            case .deferred: .deferred
            case .failed: .failed
            }
        self.init(
            verdict: verdict,
            code: outcome.code,
            status: outcome.status,
            stage: outcome.code == 0 && outcome.stage != .envelope
                ? .connection : Stage(outcome.stage)
        )
    }
}

extension RecipientOutcome.Stage {
    fileprivate init(_ stage: SMTPClientStage) {
        switch stage {
        case .envelope: self = .envelope
        case .mail: self = .mail
        case .recipient: self = .recipient
        case .data: self = .data
        case .content: self = .content
        case .greeting, .hello, .startTLS, .authentication, .ready, .reset, .quit:
            self = .connection
        }
    }
}

extension QueueDisposition {
    fileprivate init(_ disposition: AttemptJudgement.Disposition) {
        switch disposition {
        case .removed: self = .removed
        case .retry(let at, let status): self = .retry(at: at, status: status)
        case .report(.failed, let status): self = .report(.failed, status)
        case .report(.delivered, let status): self = .report(.delivered, status)
        case .report(.relayed, let status): self = .report(.relayed, status)
        }
    }
}
