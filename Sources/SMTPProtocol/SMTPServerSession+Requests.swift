// SPDX-License-Identifier: Apache-2.0
//
// What MAIL and RCPT ask for beside their paths, as far as the answers do not depend on it.

internal import MailBytes
public import MailSyntax

extension SMTPServerSession {
    /// The parameters of MAIL that are for who carries the message on.
    struct Requests: Equatable, BitwiseCopyable {
        var body = BodyType.sevenBit
        var returnedContent = ReturnedContent.unspecified
        var requiresTLS = false

        init() {}

        init(_ parameters: MailParameters) {
            self.body = parameters.body ?? .sevenBit
            self.returnedContent = parameters.returnedContent
            self.requiresTLS = parameters.requiresTLS
        }
    }
}

extension SMTPServerSession {
    /// A recipient with what RCPT asks for, as values that outlive the question.
    public struct Recipient: Hashable, Sendable {
        /// `recipientUnderQuestion`.
        public let mailbox: [UInt8]
        /// `notifyUnderQuestion`.
        public let notify: NotifyConditions
        /// `originalRecipientUnderQuestion`.
        public let originalRecipient: [UInt8]

        /// A recipient that asks for nothing but what is said.
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

    /// The recipient that the outstanding question is about.
    public var recipient: Recipient {
        Recipient(
            mailbox: self.envelope.question.copy(),
            notify: self.notifyUnderQuestion,
            originalRecipient: self.envelope.originalRecipient.copy()
        )
    }

    /// Whether no reports go back.
    public var hasNullReversePath: Bool { self.envelope.reversePath.count == 0 }

    /// What MAIL asks for, for all recipients of the transaction.
    public var options: EnvelopeOptions {
        var options = EnvelopeOptions()
        options.body = self.requests.body
        options.needsUTF8 = self.isUTF8
        options.requiresTLS = self.requests.requiresTLS
        options.returnedContent = self.requests.returnedContent
        options.envelopeID = self.envelope.envelopeID.copy()
        return options
    }
}
