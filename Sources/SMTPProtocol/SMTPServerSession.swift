// SPDX-License-Identifier: Apache-2.0
//
// One SMTP or LMTP conversation, server side: RFC 5321 with the commands of RFC 821, RFC 2033
// (LMTP), and the extensions of RFC 1870, 1985 (ETRN), 2034, 2645 (ATRN), 2920, 3030 (CHUNKING),
// 3207 (STARTTLS), 3461 (DSN), 4954 (AUTH), 6152, 6531, 8689 (REQUIRETLS) and 9422; submission (RFC
// 6409), and Postfix's XCLIENT. Pure: no socket, no clock, no store. What the commands do is in the
// files beside this one.

public import MailBytes
public import MailSyntax
public import SASL

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
///    `.stopping` and `.peerClosed` may come at any time. After `.startTLS` the input is dropped,
///    and no `.received` comes before `.secured`. To `.commitMessage` LMTP expects one
///    answer for each recipient; until the last, the effect is `.awaitInput`.
/// 5. Time and ids come in with events.
/// 6. After `.close` and `.turnAround` the session is over, and a message that is open is to be
///    forgotten.
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
        /// STARTTLS. Leaves on `.secured`.
        case securing
        /// AUTH. Leaves on the next line of the exchange.
        case authenticating
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
        case authenticate
        case adoptClient(then: Stage)
        case verifySender
        case verifyRecipient
        case verifyMailbox(then: Stage)
        case expandList(then: Stage)
        /// ETRN.
        case startQueue
        /// ATRN.
        case findMail
        /// DATA when `chunk` is nil, BDAT otherwise.
        case openMessage(chunk: SMTPCommand.Chunk?)
        /// Within DATA when `chunk` is nil, within BDAT otherwise.
        case completeHeader(chunk: SMTPCommand.Chunk?)
        /// In LMTP, for the recipient that begins at this offset, and those after it.
        case commitMessage(recipient: Int, remaining: Int)
    }

    let settings: SMTPServerSettings
    let peer: NetworkAddress
    let offersXCLIENT: Bool
    var phase = Phase.awaitingGreeting
    /// Whether the server waits for this session to come to the end of its transaction.
    var isStopping = false

    /// The octets skipped so far of a line that is too long; 0 between such lines.
    var skippedOctets = 0
    var commandCount = 0
    var transactionCount = 0
    var loginFailureCount = 0

    var hasClientCertificate = false
    var bindsChannel = false
    /// What XCLIENT has said, and what it says while that is being asked about.
    var adopted = Claim.none
    var proposed = Claim.none

    var envelope = Envelope()
    /// Whether the client said EHLO or LHLO.
    var isExtended = false
    var hasRefusedRecipients = false
    var requests = Requests()
    var decoder = ContentDecoder(transparency: true, normalising: false)
    var receivedFields = ReceivedFieldCounter()
    var header = HeaderScanner()
    var messageID = MessageID(rawValue: 0)

    /// How many commands were refused for reasons that are the client's.
    public internal(set) var errorCount = 0
    /// Whether the driver can begin TLS at present, where the settings offer it at all.
    public var canBeginTLS = true
    /// Whether TLS is up.
    public internal(set) var isSecured = false
    /// Whether the client has logged in, by AUTH or, before its proxy, by XCLIENT.
    public internal(set) var isAuthenticated = false
    /// The exchange of AUTH: what its questions are about, and who has logged in by it.
    public internal(set) var exchange = SASLExchange()
    /// The mechanisms that can be used at all, by what accounts there are.
    public var usableMechanisms = SASLMechanismSet.all
    /// Whether MAIL asked for SMTPUTF8 (RFC 6531).
    public internal(set) var isUTF8 = false
    /// What NOTIFY (RFC 3461, section 4.1) says of `recipientUnderQuestion`.
    public internal(set) var notifyUnderQuestion: NotifyConditions = []
    /// How many recipients the transaction has.
    public internal(set) var recipientCount = 0
    /// The SIZE that MAIL declared (RFC 1870).
    public internal(set) var declaredOctets: Int?
    /// The octets of the message so far, also of one that is refused already.
    public internal(set) var contentOctets = 0
    /// Whether a reply of 4yz or 5yz was the newest.
    public internal(set) var lastReplyWasError = false

    /// A session that waits for `.accepted`.
    ///
    /// `offersXCLIENT`: the peer is a proxy that may say for whom it speaks.
    public init(
        settings: SMTPServerSettings,
        peer: NetworkAddress,
        offersXCLIENT: Bool = false
    ) {
        self.settings = settings
        self.peer = peer
        self.offersXCLIENT = offersXCLIENT
    }

    /// Takes one event in, gives one effect out and appends what is to be sent to `replies`.
    public mutating func reduce(_ event: borrowing Event, into replies: inout ReplyBuffer) -> Step {
        switch event {
        case .accepted(let earlyTalk):
            return Self.step(self.accept(earlyTalk: earlyTalk, into: &replies))
        case .secured(let hasClientCertificate, let bindsChannel):
            return Self.step(
                self.secure(
                    hasClientCertificate: hasClientCertificate,
                    bindsChannel: bindsChannel,
                    into: &replies
                )
            )
        case .authenticationAnswered(let answer):
            return Self.step(self.receiveAuthentication(answer, into: &replies))
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
        case .awaitingGreeting, .suspended, .securing: .answer
        case .awaitingCommand, .authenticating: .command
        case .receivingContent, .refusingContent, .receivingChunk, .refusingChunk: .content
        case .closed: .nothing
        }
    }

    /// The mailbox that the outstanding question is about, without source route; of ETRN and ATRN,
    /// the domains.
    public var recipientUnderQuestion: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.envelope.question }
    }

    /// What ORCPT (RFC 3461, section 4.2) says of `recipientUnderQuestion`, as it came: an address
    /// type, a semicolon and xtext; empty when there is none.
    public var originalRecipientUnderQuestion: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.envelope.originalRecipient }
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
        let isHidden = self.isSubmitting && self.settings.hidesClientAddress
        let claimed = self.adopted.attributes?.helloName ?? []
        TraceHeader.appendReceived(
            to: &trace,
            from: claimed.isEmpty ? self.envelope.clientName : claimed.span,
            client: isHidden ? nil : self.client,
            by: self.settings.hostname,
            with: self.transmissionType,
            id: id,
            for: recipient.extracting(0..<(isOnly ? recipient.count : 0)),
            date: date
        )
    }

    /// RFC 3848, and RFC 6531, section 4.3.
    private var transmissionType: StaticString {
        let isLMTP = self.settings.dialect == .lmtp
        let isExtended = self.adopted.attributes?.isExtended ?? self.isExtended
        guard isLMTP || isExtended || self.isUTF8 else { return "SMTP" }
        return switch (self.isSecured, self.isAuthenticated) {
        case (false, false): self.transmissionType("ESMTP", "UTF8SMTP", "LMTP", "UTF8LMTP")
        case (true, false): self.transmissionType("ESMTPS", "UTF8SMTPS", "LMTPS", "UTF8LMTPS")
        case (false, true): self.transmissionType("ESMTPA", "UTF8SMTPA", "LMTPA", "UTF8LMTPA")
        case (true, true): self.transmissionType("ESMTPSA", "UTF8SMTPSA", "LMTPSA", "UTF8LMTPSA")
        }
    }

    private func transmissionType(
        _ smtp: StaticString,
        _ utf8SMTP: StaticString,
        _ lmtp: StaticString,
        _ utf8LMTP: StaticString
    ) -> StaticString {
        switch (self.settings.dialect, self.isUTF8) {
        case (.smtp, false): smtp
        case (.smtp, true): utf8SMTP
        case (.lmtp, false): lmtp
        case (.lmtp, true): utf8LMTP
        }
    }
}
