// SPDX-License-Identifier: Apache-2.0
//
// The queue as an operator reads it.

internal import MailStore
internal import MailSyntax

/// Prints recipients under their messages.
struct QueueListing {
    private let now: Int64
    private var message: MessageID?
    private var messages = 0
    private var recipients = 0
    private var octets = 0

    init(now: Int64) {
        self.now = now
    }

    /// Prints one recipient, and its message above it where that is another than the last.
    mutating func print(_ row: QueueRow) {
        if self.message != row.position.message {
            self.message = row.position.message
            self.messages += 1
            self.octets += row.octets
            let age = QueueText.duration(self.now - row.queuedAt)
            let sender = QueueText.sender(row.reversePath)
            Swift.print(
                "\(row.position.message.text)  \(age) old  \(QueueText.size(row.octets))  \(sender)"
            )
        }
        self.recipients += 1
        Swift.print("    \(QueueText.printable(row.address)): \(self.state(of: row))")
        guard let status = row.status else { return }
        let reply = row.reply.isEmpty ? "" : " \(QueueText.printable(row.reply))"
        Swift.print("        \(status)\(reply)")
    }

    func printTotals() {
        guard self.recipients > 0 else { return Swift.print("nothing is queued") }
        let recipients = QueueText.count(self.recipients, "recipient")
        let messages = QueueText.count(self.messages, "message")
        Swift.print("\(recipients) of \(messages), \(QueueText.size(self.octets))")
    }

    /// Prints all that is known of a message.
    func print(_ detail: QueueDetail) {
        let message = detail.message
        Swift.print("Message:   \(message.id.text)")
        Swift.print("Sender:    \(QueueText.sender(message.reversePath))")
        if let submitter = detail.submitter { Swift.print("Account:   \(submitter.text)") }
        Swift.print("Size:      \(QueueText.size(message.octets))")
        let age = QueueText.duration(self.now - message.queuedAt)
        Swift.print("Queued:    \(QueueText.date(message.queuedAt)), \(age) ago")
        Swift.print("Expires:   \(self.moment(message.expiresAt))")
        if let warnAt = message.warnAt { Swift.print("Warning:   \(self.moment(warnAt))") }
        let wishes = message.options.wishes
        if !wishes.isEmpty { Swift.print("Asked for: \(wishes.joined(separator: " "))") }
        for recipient in detail.recipients { self.print(recipient) }
    }

    private func print(_ recipient: QueueDetail.Recipient) {
        let row = recipient.row
        Swift.print("Recipient: \(QueueText.printable(row.address))")
        Swift.print("    State:       \(self.state(of: row))")
        Swift.print("    Destination: \(QueueText.printable(row.destination))")
        var wishes: [String] = []
        if !recipient.notify.isEmpty { wishes.append("NOTIFY=\(recipient.notify.words)") }
        if !recipient.originalRecipient.isEmpty {
            wishes.append("ORCPT=\(QueueText.printable(recipient.originalRecipient))")
        }
        if !wishes.isEmpty { Swift.print("    Asked for:   \(wishes.joined(separator: " "))") }
        recipient.history.forEach(self.print)
    }

    private func print(_ entry: QueueDetail.Attempt) {
        let date = QueueText.date(entry.attempt.at)
        let reply = QueueText.printable(entry.reply)
        guard let status = entry.status else { return Swift.print("    \(date): \(reply)") }
        let words = [entry.attempt.host, entry.attempt.tls].filter { !$0.isEmpty }
        let place = words.map(QueueText.printable).joined(separator: ", ")
        Swift.print("    \(date): \(place.isEmpty ? "no host" : place)")
        Swift.print("        \(status) \(reply)")
    }

    private func moment(_ seconds: Int64) -> String {
        seconds > self.now
            ? "\(QueueText.date(seconds)), in \(QueueText.duration(seconds - self.now))"
            : "\(QueueText.date(seconds)), now"
    }

    private func state(of row: QueueRow) -> String {
        var words: [String]
        switch row.state {
        case .waiting:
            let due = max(row.nextAt, row.rest?.until ?? 0)
            words = [due > self.now ? "due in \(QueueText.duration(due - self.now))" : "due now"]
        case .held: words = ["held"]
        case .failed: words = ["failed, a report is due"]
        case .delivered, .relayed, .expanded: words = ["\(row.state), a report is due"]
        }
        if row.attempts > 0 { words.append(QueueText.count(row.attempts, "attempt")) }
        if row.state == .waiting, let rest = row.rest, rest.until > self.now {
            let reason = rest.reason.isEmpty ? "" : " (\(QueueText.printable(rest.reason)))"
            let failures =
                rest.failures > 0 ? " after \(QueueText.count(rest.failures, "failure"))" : ""
            words.append("\(QueueText.printable(row.destination)) rests\(failures)\(reason)")
        }
        return words.joined(separator: ", ")
    }
}

extension EnvelopeOptions {
    /// What was asked for, as it stands in MAIL.
    var wishes: [String] {
        var wishes: [String] = []
        if self.body == .eightBitMIME { wishes.append("BODY=8BITMIME") }
        if self.needsUTF8 { wishes.append("SMTPUTF8") }
        if self.requiresTLS { wishes.append("REQUIRETLS") }
        switch self.returnedContent {
        case .unspecified: break
        case .headers: wishes.append("RET=HDRS")
        case .full: wishes.append("RET=FULL")
        }
        if !self.envelopeID.isEmpty {
            wishes.append("ENVID=\(QueueText.printable(self.envelopeID))")
        }
        return wishes
    }
}

extension NotifyConditions {
    /// The conditions as they stand in RCPT.
    var words: String {
        let all: [(NotifyConditions, String)] = [
            (.never, "NEVER"), (.success, "SUCCESS"), (.failure, "FAILURE"), (.delay, "DELAY"),
        ]
        return all.filter { self.contains($0.0) }.map(\.1).joined(separator: ",")
    }
}
