// SPDX-License-Identifier: Apache-2.0
//
// What became of recipients after an attempt, on its way back into the queue.

package import MailSyntax

/// The end of one attempt for one message.
///
/// Settling is idempotent: a recipient whose row is gone is passed over without an error, as is one
/// that awaits the report of a failure, unless it was delivered after all.
package struct QueueSettlement: Sendable {
    /// What became of one recipient.
    package struct Recipient: Sendable {
        package let number: Int
        package let disposition: QueueDisposition
        /// The words of the next hop for this recipient, or why it was not asked.
        ///
        /// Kept up to 512 octets, with control characters replaced; not kept for what is removed.
        package let reply: [UInt8]

        package init(number: Int, disposition: QueueDisposition, reply: [UInt8] = []) {
            self.number = number
            self.disposition = disposition
            self.reply = reply
        }
    }

    package let message: MessageID
    package let recipients: [Recipient]
    /// The attempt that led to this; nil: there was none, as when a message expires, and the
    /// history and the count of attempts stay as they are.
    package let attempt: QueueAttempt?

    package init(message: MessageID, recipients: [Recipient], attempt: QueueAttempt?) {
        self.message = message
        self.recipients = recipients
        self.attempt = attempt
    }
}

/// What becomes of a recipient's row.
package enum QueueDisposition: Hashable, Sendable {
    /// It is done with, and nobody wants to know: the row goes.
    case removed
    /// Tried again, not before that second since 1970.
    case retry(at: Int64, status: EnhancedStatus)
    /// The row stays until its report is stored.
    case report(QueueOutcome, EnhancedStatus)
}

/// What there is to report of a recipient (the Action field of RFC 3464, section 2.3.3).
package enum QueueOutcome: UInt8, Hashable, Sendable {
    case failed = 2
    case delivered = 3
    /// Handed to a host that sends no reports.
    case relayed = 4
    case expanded = 5
}

/// Where and when it was tried.
package struct QueueAttempt: Hashable, Sendable {
    /// Seconds since 1970.
    package let at: Int64
    /// The host that was spoken to, and its address; empty: none was reached.
    ///
    /// Kept up to 255 octets.
    package let host: [UInt8]
    /// How the session was secured, in words; empty: it was not.
    ///
    /// Kept up to 255 octets.
    package let tls: [UInt8]

    package init(at: Int64, host: [UInt8], tls: [UInt8]) {
        self.at = at
        self.host = host
        self.tls = tls
    }
}

/// What a report, or the decision against one, does to the rows that it tells of.
package struct QueueReportClosing: Sendable {
    /// What becomes of the warning about a delay.
    package enum Warning: Hashable, Sendable {
        case unchanged
        /// It has been given; the next at that second since 1970, or never.
        case given(next: Int64?)
    }

    package let message: MessageID
    /// The recipients whose rows go; those that do not await a report stay.
    package let numbers: [Int]
    package let warning: Warning

    package init(message: MessageID, numbers: [Int], warning: Warning = .unchanged) {
        self.message = message
        self.numbers = numbers
        self.warning = warning
    }
}
