// SPDX-License-Identifier: Apache-2.0
//
// What comes out of the queue.

package import MailSyntax

/// A destination for which something waits.
package struct DueDestination: Hashable, Sendable {
    package let destination: [UInt8]
    /// Seconds since 1970.
    package let dueAt: Int64
    /// How often it failed as a whole, one time after the other.
    package let failures: Int
}

/// A message of the queue with some of its recipients.
package struct QueuedMessage: Sendable {
    package let id: MessageID
    /// Empty for the null reverse-path.
    package let reversePath: [UInt8]
    /// The octets of the content.
    package let octets: Int
    package let endsWithCRLF: Bool
    package let options: EnvelopeOptions
    package let account: AccountID?
    /// Seconds since 1970, as are the others.
    package let queuedAt: Int64
    package let expiresAt: Int64
    /// When a delay may be reported; nil: never (again).
    package let warnAt: Int64?
    package var recipients: [QueuedRecipient]
    /// The whole content, where it was asked for and small enough.
    package var content: [UInt8]?
    /// Whether a line of `content` may begin with a dot; true when it was not looked for.
    package var needsStuffing = true

    package init(
        id: MessageID,
        reversePath: [UInt8],
        octets: Int,
        endsWithCRLF: Bool,
        options: EnvelopeOptions,
        account: AccountID?,
        queuedAt: Int64,
        expiresAt: Int64,
        warnAt: Int64?,
        recipients: [QueuedRecipient] = [],
        content: [UInt8]? = nil
    ) {
        self.id = id
        self.reversePath = reversePath
        self.octets = octets
        self.endsWithCRLF = endsWithCRLF
        self.options = options
        self.account = account
        self.queuedAt = queuedAt
        self.expiresAt = expiresAt
        self.warnAt = warnAt
        self.recipients = recipients
        self.content = content
    }
}

/// A recipient as deliveries and reports need it.
package struct QueuedRecipient: Hashable, Sendable {
    package let number: Int
    package let address: [UInt8]
    package let destination: [UInt8]
    package let notify: NotifyConditions
    package let originalRecipient: [UInt8]
    /// How often it has been tried.
    package let attempts: Int

    package init(
        number: Int,
        address: [UInt8],
        destination: [UInt8],
        notify: NotifyConditions,
        originalRecipient: [UInt8],
        attempts: Int
    ) {
        self.number = number
        self.address = address
        self.destination = destination
        self.notify = notify
        self.originalRecipient = originalRecipient
        self.attempts = attempts
    }
}

/// A message with recipients that await a report.
package struct QueueReportDue: Sendable {
    /// One of them.
    package struct Recipient: Sendable {
        package let recipient: QueuedRecipient
        package let outcome: QueueOutcome
        package let status: EnhancedStatus
        /// The last attempt and what was replied, if there was one.
        package let attempt: QueueAttempt?
        package let reply: [UInt8]
    }

    /// The message; it names no recipients and has no content.
    package let message: QueuedMessage
    package let recipients: [Recipient]
    /// The beginning of the content: the header with the line that ends it, or the first 64 KiB.
    package let header: [UInt8]
}

/// Messages whose time has come, and when the next one's will.
package struct QueueWatchFindings: Sendable {
    /// Without content; their recipients are those that wait.
    package let messages: [QueuedMessage]
    /// The next second at which some message expires or a delay may be reported; nil: none.
    package let nextAt: Int64?
}
