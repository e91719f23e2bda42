// SPDX-License-Identifier: Apache-2.0
//
// What one mail transaction is about, as far as the client's session knows it: the content stays
// with the driver.

public import MailSyntax

/// The envelope of a message that is to be handed on.
///
/// Nothing in it can end a command line: a mailbox with a control character fails by itself, and
/// an ENVID or ORCPT that is no xtext is left out.
public struct SMTPClientEnvelope: Sendable {
    /// A recipient of the transaction.
    public struct Recipient: Sendable {
        /// The mailbox, without angle brackets.
        public var mailbox: [UInt8]
        /// NOTIFY (RFC 3461, section 4.1).
        public var notify: NotifyConditions
        /// ORCPT as it came: `rfc822;` and xtext; empty: none.
        public var originalRecipient: [UInt8]

        /// A recipient.
        public init(
            mailbox: [UInt8],
            notify: NotifyConditions = [],
            originalRecipient: [UInt8] = []
        ) {
            self.mailbox = mailbox
            self.notify = notify
            self.originalRecipient = originalRecipient
        }
    }

    /// The mailbox that reports go to, without angle brackets; empty: the null reverse-path.
    public var reversePath: [UInt8]
    /// Whom the message is for; never empty.
    public var recipients: [Recipient]
    /// The octets of the content, before dot-stuffing, exactly: a chunk has as many.
    public var octets: Int
    /// What the sender asked for.
    public var options: EnvelopeOptions
    /// Whether MAIL says `AUTH=<>` (RFC 4954, section 5) where the session has logged in: that who
    /// submitted the message is not told.
    public var sendsAUTH: Bool

    /// An envelope.
    public init(
        reversePath: [UInt8],
        recipients: [Recipient],
        octets: Int,
        options: EnvelopeOptions = EnvelopeOptions(),
        sendsAUTH: Bool = false
    ) {
        precondition(!recipients.isEmpty && octets >= 0, "a message is for somebody")
        self.reversePath = reversePath
        self.recipients = recipients
        self.octets = octets
        self.options = options
        self.sendsAUTH = sendsAUTH
    }
}
