// SPDX-License-Identifier: Apache-2.0
//
// What operators see of the queue.

package import MailSyntax

/// One recipient of a listing.
package struct QueueRow: Hashable, Sendable {
    package let position: QueuePosition
    package let reversePath: [UInt8]
    package let octets: Int
    package let queuedAt: Int64
    package let expiresAt: Int64
    package let address: [UInt8]
    package let destination: [UInt8]
    package let state: QueueState
    /// When it may be tried again, its destination permitting.
    package let nextAt: Int64
    package let attempts: Int
    /// What the last attempt came to; nil: there was none.
    package let status: EnhancedStatus?
    /// The words of the last attempt.
    package let reply: [UInt8]
    /// Why and until when its destination rests; nil: it does not.
    package let rest: QueueRest?

    package init(
        position: QueuePosition,
        reversePath: [UInt8],
        octets: Int,
        queuedAt: Int64,
        expiresAt: Int64,
        address: [UInt8],
        destination: [UInt8],
        state: QueueState,
        nextAt: Int64,
        attempts: Int,
        status: EnhancedStatus?,
        reply: [UInt8],
        rest: QueueRest?
    ) {
        self.position = position
        self.reversePath = reversePath
        self.octets = octets
        self.queuedAt = queuedAt
        self.expiresAt = expiresAt
        self.address = address
        self.destination = destination
        self.state = state
        self.nextAt = nextAt
        self.attempts = attempts
        self.status = status
        self.reply = reply
        self.rest = rest
    }
}

/// Why and until when a destination rests.
package struct QueueRest: Hashable, Sendable {
    package let until: Int64
    package let failures: Int
    package let reason: [UInt8]

    package init(until: Int64, failures: Int, reason: [UInt8]) {
        self.until = until
        self.failures = failures
        self.reason = reason
    }
}

/// A part of a listing.
package struct QueuePage: Hashable, Sendable {
    package let rows: [QueueRow]
    /// Where to go on; nil: this is the end.
    package let next: QueuePosition?

    package init(rows: [QueueRow], next: QueuePosition?) {
        self.rows = rows
        self.next = next
    }
}

/// All that is known of a message in the queue.
package struct QueueDetail: Sendable {
    /// One attempt for one recipient, or for its destination as a whole.
    package struct Attempt: Hashable, Sendable {
        package let attempt: QueueAttempt
        /// What the recipient was told; nil: the attempt failed before there was a talk of it.
        package let status: EnhancedStatus?
        package let reply: [UInt8]

        package init(attempt: QueueAttempt, status: EnhancedStatus?, reply: [UInt8]) {
            self.attempt = attempt
            self.status = status
            self.reply = reply
        }
    }

    /// One recipient and its last attempts, and those for its destination, the oldest first: ten of
    /// each at the most.
    package struct Recipient: Sendable {
        package let row: QueueRow
        package let notify: NotifyConditions
        package let originalRecipient: [UInt8]
        package let history: [Attempt]

        package init(
            row: QueueRow,
            notify: NotifyConditions,
            originalRecipient: [UInt8],
            history: [Attempt]
        ) {
            self.row = row
            self.notify = notify
            self.originalRecipient = originalRecipient
            self.history = history
        }
    }

    /// Without recipients and content.
    package let message: QueuedMessage
    /// The account that submitted the message, if one did and it is still there.
    package let submitter: Address?
    package let recipients: [Recipient]
    /// The recipient after which to go on; nil: these are the last.
    package let next: Int?

    package init(
        message: QueuedMessage,
        submitter: Address?,
        recipients: [Recipient],
        next: Int?
    ) {
        self.message = message
        self.submitter = submitter
        self.recipients = recipients
        self.next = next
    }
}
