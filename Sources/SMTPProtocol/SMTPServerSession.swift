// SPDX-License-Identifier: Apache-2.0
//
// One SMTP or LMTP conversation, server side: RFC 5321 and RFC 2033. Pure: no socket, no clock, no
// store.

public import MailBytes
public import MailSyntax

/// One SMTP or LMTP conversation as a pure state machine.
public struct SMTPServerSession: ~Copyable {
    let settings: SMTPServerSettings
    let peer: NetworkAddress
    var recipient: [UInt8] = []
    var sender: [UInt8] = []

    /// What the session waits for.
    public internal(set) var awaiting = Awaiting.answer
    /// How many recipients the transaction has.
    public internal(set) var recipientCount = 0
    /// The SIZE that MAIL declared (RFC 1870).
    public internal(set) var declaredOctets: Int?
    /// The octets of the message so far.
    public internal(set) var contentOctets = 0
    /// Whether a reply of 4yz or 5yz was the newest.
    public internal(set) var lastReplyWasError = false

    /// A session that waits for `.accepted`.
    public init(settings: SMTPServerSettings, peer: NetworkAddress) {
        self.settings = settings
        self.peer = peer
    }

    /// Takes one event in, gives one effect out and appends what is to be sent to `replies`.
    public mutating func reduce(_ event: borrowing Event, into replies: inout ReplyBuffer) -> Step {
        Step(consumed: 0, effect: .close)
    }

    /// The mailbox that the outstanding question is about, without source route.
    public var recipientUnderQuestion: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.recipient.span }
    }

    /// The mailbox that reports go to; empty for the null reverse-path.
    public var reversePath: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.sender.span }
    }

    /// The argument of the last HELO, EHLO or LHLO.
    public var clientName: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.sender.span }
    }

    /// Appends the Received field of the message that is being received.
    public func appendTrace(to trace: inout ReplyBuffer, id: MessageID, date: MailDate) {}
}
