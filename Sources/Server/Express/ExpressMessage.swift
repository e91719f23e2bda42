// SPDX-License-Identifier: Apache-2.0
//
// A message that is handed to its next hosts at once, and what became of it.

package import Delivery
package import MailSyntax
package import SMTPProtocol

/// A message with its envelope.
package struct ExpressMessage: Sendable {
    /// Whom it is for.
    package struct Recipient: Hashable, Sendable {
        /// As written: the case of letters in a local-part is its owner's affair.
        package let mailbox: [UInt8]
        /// What its mail is routed by.
        package let destination: Destination

        /// A mailbox with its domain, perhaps in angle brackets; nil when it is none.
        package init?(_ text: [UInt8]) {
            let isBracketed = text.first == UInt8(ascii: "<") && text.last == UInt8(ascii: ">")
            let mailbox = isBracketed ? Array(text.dropFirst().dropLast()) : text
            guard let address = Address(octets: mailbox.span) else { return nil }
            self.mailbox = mailbox
            self.destination = Destination(Array(address.domain))
        }
    }

    /// Whole lines, each with CRLF.
    package let content: [UInt8]
    /// Empty: the null reverse-path.
    package let reversePath: [UInt8]
    package let recipients: [Recipient]
    package let options: EnvelopeOptions

    package init(
        content: [UInt8],
        reversePath: [UInt8],
        recipients: [Recipient],
        options: EnvelopeOptions
    ) {
        self.content = content
        self.reversePath = reversePath
        self.recipients = recipients
        self.options = options
    }
}

/// What became of one recipient.
package enum ExpressResult: Sendable {
    /// A host has spoken: its name with its address, and what it said.
    case answered(host: String, SMTPClientOutcome)
    /// No host could be asked.
    case unreachable(DestinationFailure)
    /// A route throws its mail away.
    case discarded

    /// Whether a host has taken the message.
    package var isDelivered: Bool {
        switch self {
        case .answered(_, let outcome):
            outcome.verdict == .delivered || outcome.verdict == .relayed
        case .unreachable: false
        case .discarded: true
        }
    }

    /// Whether another try is of no use.
    package var isPermanent: Bool {
        switch self {
        case .answered(_, let outcome): outcome.verdict == .failed
        case .unreachable(let failure): failure.isPermanent
        case .discarded: false
        }
    }

    /// What was said, on one line.
    package var text: String {
        switch self {
        case .answered(let host, let outcome):
            "\(host) said: \(String(decoding: outcome.reply, as: UTF8.self))"
        case .unreachable(let failure): "\(failure.text) (\(failure.status))"
        case .discarded: "discarded by a route"
        }
    }
}

/// What can be watched while a message is handed on.
package enum ExpressNote: Sendable {
    /// A step was done, or is being done.
    case progress(String)
    /// A line that went over a connection, without its end.
    case line(String, isOurs: Bool)
}
