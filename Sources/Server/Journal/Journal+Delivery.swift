// SPDX-License-Identifier: Apache-2.0
//
// The events of mail on its way out: a line for each attempt and each kind of outcome, and for what
// holds mail up.

internal import Delivery
internal import Logging
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

extension Journal {
    /// What one transaction came to: a line for each kind of outcome there is.
    func attempted(
        _ message: QueuedMessage,
        _ outcomes: [SMTPClientOutcome],
        at host: Next,
        now: Int64
    ) {
        for verdict in Verdict.allCases {
            guard let first = outcomes.firstIndex(where: { Verdict($0.verdict) == verdict }) else {
                continue
            }
            guard self.begin(verdict.level, verdict.word) else { continue }
            let outcome = outcomes[first]
            self.line.field("id") { message.id.append(to: &$0) }
            let address = message.recipients[first].address
            self.line.field("to", address.span)
            let count = outcomes.count { Verdict($0.verdict) == verdict }
            if count > 1 { self.line.field("recipients", count) }
            self.line.field("host", host.host.span)
            if !host.tls.isEmpty { self.line.field("tls", host.tls.span) }
            self.line.field("status") { $0.append(string: outcome.status.description) }
            let reply = outcome.reply
            self.line.field("reply", reply.span)
            self.line.field("delay", Int(max(now - message.queuedAt, 0)))
            self.end()
        }
    }

    /// The three things an operator looks for.
    private enum Verdict: CaseIterable {
        case delivered
        case deferred
        case bounced

        init(_ verdict: SMTPClientOutcome.Verdict) {
            switch verdict {
            case .delivered, .relayed: self = .delivered
            case .deferred: self = .deferred
            case .failed: self = .bounced
            }
        }

        var word: StaticString {
            switch self {
            case .delivered: "delivered"
            case .deferred: "deferred"
            case .bounced: "bounced"
            }
        }

        var level: Logger.Level { self == .delivered ? .info : .notice }
    }

    /// A message failed without a transaction, because its destination did.
    func failed(_ message: QueuedMessage, _ status: EnhancedStatus, _ why: [UInt8]) {
        guard self.begin(.notice, "bounced") else { return }
        self.describe(message)
        self.line.field("status") { $0.append(string: status.description) }
        self.line.field("reason", why.span)
        self.end()
    }

    func expired(_ message: QueuedMessage) {
        guard self.begin(.notice, "expired") else { return }
        self.describe(message)
        self.end()
    }

    /// The route says that nobody gets it.
    func discarded(_ message: QueuedMessage, of destination: Destination) {
        guard self.begin(.info, "discarded") else { return }
        self.describe(message)
        self.line.field("destination", destination.octets.span)
        self.end()
    }

    func destinationRests(_ destination: Destination, seconds: Int64, _ why: String) {
        guard self.begin(.notice, "destination rests") else { return }
        self.line.field("destination", destination.octets.span)
        self.line.field("seconds", Int(seconds))
        self.line.field(string: "reason", why)
        self.end()
    }

    /// A report is on its way to the sender of a message.
    func reported(_ report: MessageID, about message: MessageID, to sender: [UInt8]) {
        guard self.begin(.info, "reported") else { return }
        self.line.field("id") { report.append(to: &$0) }
        self.line.field("about") { message.append(to: &$0) }
        self.line.field("to", sender.span)
        self.end()
    }

    func reportLost(_ message: QueuedMessage, _ why: StaticString) {
        guard self.begin(.warning, "report not delivered") else { return }
        self.line.field("about") { message.id.append(to: &$0) }
        self.line.field("to", message.reversePath.span)
        self.line.field("reason", why)
        self.end()
    }

    /// What became of deliveries could not be written down.
    func outcomesNotStored(seconds: Double) {
        guard self.begin(.warning, "outcomes not stored") else { return }
        self.line.field("retry", Int(seconds))
        self.end()
    }

    private func describe(_ message: QueuedMessage) {
        self.line.field("id") { message.id.append(to: &$0) }
        if let first = message.recipients.first {
            self.line.field("to", first.address.span)
        }
        if message.recipients.count > 1 {
            self.line.field("recipients", message.recipients.count)
        }
    }
}
