// SPDX-License-Identifier: Apache-2.0
//
// One SMTP or LMTP conversation, server side: RFC 5321 with the commands of RFC 821, RFC 2033
// (LMTP), and the extensions of RFC 1870, 2034, 2920, 3030 (CHUNKING), 6152, 6531 and 9422. Pure:
// no socket, no clock, no store. What the commands do is in the files beside this one.

public import MailBytes
public import MailSyntax

/// One SMTP or LMTP conversation as a pure state machine.
///
/// The contract with a driver:
/// 1. One event in, one effect out; while the effect is `.proceed`, `.appendContent`,
///    `.appendLineEnd` or `.discardMessage`, the driver carries it out and calls again with
///    `.received` and what is left of the input, also when nothing is left.
/// 2. The `consumed` octets are done with, once the effect is carried out. The rest stays with the
///    driver: that is the queue of pipelined commands.
/// 3. Replies go out before a question is asked.
/// 4. A question suspends the session: no `.received` until it is answered. `.deadlinePassed`,
///    `.stopping` and `.peerClosed` may come at any time. To `.commitMessage` LMTP expects one
///    answer for each recipient; until the last, the effect is `.awaitInput`.
/// 5. Time and ids come in with events.
/// 6. After `.close` the session is over, and a message that is open is to be forgotten.
/// 7. Whatever a peer sends gets a reply or an end, never a trap; a driver that breaks the
///    contract is a bug and traps.
public struct SMTPServerSession: ~Copyable {
    /// Where the conversation stands.
    enum Phase: Equatable, BitwiseCopyable {
        /// Leaves on `.accepted`.
        case awaitingGreeting
        /// Leaves on DATA, BDAT, QUIT, and for the time of questions.
        case awaitingCommand(Stage)
        /// Leaves on the answer to the question.
        case suspended(Question)
        /// DATA. Leaves after the end of the mail data, or when the message is refused.
        case receivingContent
        /// DATA, refused with this reply. Leaves after the end of the mail data.
        case refusingContent(SMTPReply)
        /// BDAT. Leaves after the payload, or when the message is refused.
        case receivingChunk(SMTPCommand.Chunk)
        /// BDAT, refused with this reply. Leaves after the payload.
        case refusingChunk(SMTPReply, SMTPCommand.Chunk, then: Stage)
        /// Leaves never.
        case closed
    }

    /// Which commands make sense.
    enum Stage: Equatable, BitwiseCopyable, CaseIterable {
        /// The client has not said hello.
        case greeted
        /// No mail transaction is under way.
        case ready
        /// After MAIL. Recipients are named.
        case transaction
        /// Between the chunks of a message.
        case chunking
    }

    /// What the driver was asked.
    enum Question: Equatable, BitwiseCopyable {
        case verifyRecipient
        case verifyMailbox(then: Stage)
        case expandList(then: Stage)
        /// DATA when `chunk` is nil, BDAT otherwise.
        case openMessage(chunk: SMTPCommand.Chunk?)
        /// In LMTP, for the recipient that begins at this offset, and those after it.
        case commitMessage(recipient: Int, remaining: Int)
    }

    let settings: SMTPServerSettings
    let peer: NetworkAddress
    var phase = Phase.awaitingGreeting
    /// Whether the server waits for this session to come to the end of its transaction.
    var isStopping = false

    /// The octets skipped so far of a line that is too long; 0 between such lines.
    var skippedOctets = 0
    var commandCount = 0
    var transactionCount = 0
    var errorCount = 0

    var envelope = Envelope()
    /// Whether the client said EHLO or LHLO.
    var isExtended = false
    var hasRefusedRecipients = false
    var decoder = ContentDecoder(transparency: true, normalising: false)
    var receivedFields = ReceivedFieldCounter()
    var messageID = MessageID(rawValue: 0)

    /// Whether MAIL asked for SMTPUTF8 (RFC 6531).
    public internal(set) var isUTF8 = false
    /// How many recipients the transaction has.
    public internal(set) var recipientCount = 0
    /// The SIZE that MAIL declared (RFC 1870).
    public internal(set) var declaredOctets: Int?
    /// The octets of the message so far, also of one that is refused already.
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
        switch event {
        case .accepted(let earlyTalk):
            return Self.step(self.accept(earlyTalk: earlyTalk, into: &replies))
        case .received(let octets):
            return self.receive(octets, into: &replies)
        case .answered(let answer):
            return Self.step(self.receiveAnswer(answer, into: &replies))
        case .listed(let members):
            return Self.step(self.receiveList(members, into: &replies))
        case .deadlinePassed:
            return Self.step(self.timeOut(saying: .timedOut, into: &replies))
        case .tooSlow:
            return Self.step(self.timeOut(saying: .tooSlow, into: &replies))
        case .stopping:
            return Self.step(self.stop(into: &replies))
        case .peerClosed:
            return Self.step(self.end())
        }
    }

    private static func step(_ effect: Effect) -> Step {
        Step(consumed: 0, effect: effect)
    }
}

extension SMTPServerSession {
    /// What the session waits for.
    public var awaiting: Awaiting {
        switch self.phase {
        case .awaitingGreeting, .suspended: .answer
        case .awaitingCommand: .command
        case .receivingContent, .refusingContent, .receivingChunk, .refusingChunk: .content
        case .closed: .nothing
        }
    }

    /// The mailbox that the outstanding question is about, without source route.
    public var recipientUnderQuestion: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.envelope.question }
    }

    /// The mailbox that reports go to; empty for the null reverse-path.
    public var reversePath: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.envelope.reversePath }
    }

    /// The argument of the last HELO, EHLO or LHLO.
    public var clientName: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.envelope.clientName }
    }

    /// Appends the Received field of the message that is being received.
    public func appendTrace(to trace: inout ReplyBuffer, id: MessageID, date: MailDate) {
        // Recipients must not learn of each other (RFC 5321, section 7.2).
        let isOnly = self.recipientCount == 1
        let recipient = self.envelope.firstRecipient
        TraceHeader.appendReceived(
            to: &trace,
            from: self.envelope.clientName,
            peer: self.peer,
            by: self.settings.hostname,
            with: self.transmissionType,
            id: id,
            for: recipient.extracting(0..<(isOnly ? recipient.count : 0)),
            date: date
        )
    }

    /// RFC 3848, and RFC 6531, section 4.3.
    private var transmissionType: StaticString {
        switch (self.settings.dialect, self.isUTF8) {
        case (.smtp, false): self.isExtended ? "ESMTP" : "SMTP"
        case (.smtp, true): "UTF8SMTP"
        case (.lmtp, false): "LMTP"
        case (.lmtp, true): "UTF8LMTP"
        }
    }
}
