// SPDX-License-Identifier: Apache-2.0
//
// The message that tells a sender what became of his: words for people, a delivery status for
// programs, and the message or its header fields (RFC 3461 to 3464, RFC 6522; RFC 6533 where
// addresses or header fields are beyond ASCII).

package import MailSyntax

/// A report, composed.
package struct DeliveryReport: Sendable {
    /// Who reports.
    package struct Reporter: Hashable, Sendable {
        /// The host's name.
        package var hostname: [UInt8]
        /// The mailbox that a person reads.
        package var postmaster: [UInt8]

        package init(hostname: [UInt8], postmaster: [UInt8]) {
            self.hostname = hostname
            self.postmaster = postmaster
        }
    }

    /// What makes this report this one.
    package struct Identity: Hashable, Sendable {
        package var id: MessageID
        /// A random number that nobody can guess: no message can hold the boundary of its report.
        package var token: UInt64
        /// Seconds since 1970.
        package var now: Int64

        package init(id: MessageID, token: UInt64, now: Int64) {
            self.id = id
            self.token = token
            self.now = now
        }
    }

    /// The message, each line with its CR LF.
    package let content: [UInt8]
    /// The mailbox it goes to, which is the reverse-path of the message that it is about.
    package let recipient: [UInt8]
    /// What its own envelope asks for.
    ///
    /// Its reverse-path is null, and NOTIFY is NEVER (RFC 3461, section 6.1).
    package let options: EnvelopeOptions

    /// Most octets of header fields that a report gives back.
    package static let headerOctetsMax = 64 << 10
    /// Largest message that a report gives back whole.
    package static let wholeOctetsMax = 1 << 20

    /// Whether a report of a failure would give a message back whole, if its content were given
    /// (RET, RFC 3461, section 4.3).
    ///
    /// What may pass over verified TLS only is not given back whole (RFC 8689, section 5).
    package static func givesWhole(_ options: EnvelopeOptions, octets: Int) -> Bool {
        options.returnedContent == .full && !options.requiresTLS && octets <= self.wholeOctetsMax
    }

    /// Composes a report on one message.
    ///
    /// There is at least one recipient, and the reverse-path is not null; both are the caller's
    /// to see to, by a `ReportPlan`.
    package init(
        from reporter: Reporter,
        as identity: Identity,
        about message: ReportedMessage,
        recipients: [ReportedRecipient]
    ) {
        precondition(!message.reversePath.isEmpty, "nobody is told of a report")
        precondition(!recipients.isEmpty, "a report tells of somebody")
        var composer = ReportComposer(reporter, identity, message, recipients)
        self.content = composer.compose()
        self.recipient = message.reversePath
        self.options = composer.options
    }
}
