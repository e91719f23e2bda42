// SPDX-License-Identifier: Apache-2.0
//
// What goes into the queue with a message: for whom it is, what the sender asked for, and until
// when it is to be tried.

package import MailSyntax

/// The part of a message that is for recipients elsewhere, or awaits a report.
package struct QueueSubmission: Sendable {
    package let options: EnvelopeOptions
    /// The account that submitted the message, if one did.
    package let account: AccountID?
    /// Until then it is tried; seconds since 1970.
    package let expiresAt: Int64
    /// Then a delay may be reported; nil: never.
    package let warnAt: Int64?
    /// Numbered from 0 in this order.
    ///
    /// Without any the message is not queued.
    package let recipients: [QueueRecipient]

    package init(
        options: EnvelopeOptions,
        account: AccountID?,
        expiresAt: Int64,
        warnAt: Int64?,
        recipients: [QueueRecipient]
    ) {
        self.options = options
        self.account = account
        self.expiresAt = expiresAt
        self.warnAt = warnAt
        self.recipients = recipients
    }
}

/// One recipient on the way into the queue.
package struct QueueRecipient: Hashable, Sendable {
    /// How a recipient enters the queue.
    package enum State: Sendable {
        /// To be delivered, from the time on at which the message was received.
        case waiting
        /// Delivered in the same transaction to a maildrop; the success is to be reported.
        case delivered
    }

    /// The mailbox, as it goes into RCPT.
    package let address: [UInt8]
    /// What it is queued by: a domain in lower case, or an address literal with its brackets.
    package let destination: [UInt8]
    package let notify: NotifyConditions
    /// ORCPT as it came (`rfc822;` and xtext); empty: none.
    package let originalRecipient: [UInt8]
    package let state: State

    package init(
        address: [UInt8],
        destination: [UInt8],
        notify: NotifyConditions = [],
        originalRecipient: [UInt8] = [],
        state: State = .waiting
    ) {
        self.address = address
        self.destination = destination
        self.notify = notify
        self.originalRecipient = originalRecipient
        self.state = state
    }
}
