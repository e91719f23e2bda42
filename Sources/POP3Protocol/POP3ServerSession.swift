// SPDX-License-Identifier: Apache-2.0
//
// One POP3 conversation, server side: RFC 1939 with LAST of RFC 1460, CAPA of RFC 2449, response
// codes of RFC 3206, STLS of RFC 2595, AUTH of RFC 5034, UTF8 and LANG of RFC 6856. Pure: no
// socket, no clock, no store. What the commands do is in the files beside this one.

public import MailBytes
public import SASL

/// One POP3 conversation as a pure state machine.
///
/// The contract with a driver:
/// 1. One event in, one effect out; while the effect is `.proceed`, the driver calls again with
///    `.received` and what is left of the input, also when nothing is left.
/// 2. The `consumed` octets are done with. The rest stays with the driver: that is the queue of
///    pipelined commands.
/// 3. Replies go out before the effect is carried out.
/// 4. A question suspends the session: no `.received` until it is answered. `.deadlinePassed`,
///    `.stopping` and `.peerClosed` may come at any time.
/// 5. Time and randomness come in with events.
/// 6. After `.close` the session is over.
/// 7. Whatever a peer sends gets a reply or an end, never a trap; a driver that breaks the
///    contract is a bug and traps.
///
/// A step appends at most a few hundred lines of a listing, or what one `.contentRead` brought:
/// a driver that holds `.proceed` and `.readContent` back while the peer does not read bounds the
/// memory of any reply.
public struct POP3ServerSession: ~Copyable {
    /// Where the conversation stands.
    enum Phase: Equatable, BitwiseCopyable {
        /// Leaves on `.accepted`.
        case awaitingGreeting
        /// STLS was agreed on. Leaves on `.secured`.
        case securing
        /// AUTHORIZATION. Leaves on USER, APOP, AUTH, STLS, XCLIENT and QUIT.
        case authorization
        /// AUTHORIZATION, directly after USER. Leaves on every command.
        case awaitingPassword
        /// AUTHORIZATION, within an exchange of AUTH. Leaves on the client's next line.
        case authenticating
        /// Leaves on the answer to the question.
        case suspended(Question)
        /// TRANSACTION. Leaves on QUIT, and for the time of questions and listings.
        case transaction
        /// TRANSACTION, within a multi-line response. Leaves after its last line.
        case listing(Listing, next: Int)
        /// TRANSACTION, after a part of a content that the driver sends. Leaves on its next call.
        case sendingContent(message: Int, end: Int, isLast: Bool)
        /// Leaves never.
        case closed
    }

    /// What the driver was asked.
    enum Question: Equatable, BitwiseCopyable {
        case logIn
        case authenticate
        case openMaildrop
        case adoptClient
        case listMaildrop(then: MaildropRequest)
        case readContent(message: Int, offset: Int)
        case commitDeletions
    }

    /// A command that needs to know what is in the maildrop.
    enum MaildropRequest: Equatable, BitwiseCopyable {
        case list(message: Int?)
        case uidl(message: Int?)
        case retr(message: Int)
        case top(message: Int, lines: Int)
        case dele(message: Int)
        case last
    }

    /// What the lines of a listing tell.
    enum Listing: Equatable, BitwiseCopyable {
        case sizes
        case uniqueIDs
    }

    let settings: POP3ServerSettings
    let offersXCLIENT: Bool
    var phase: Phase = .awaitingGreeting
    var language: POP3Language = .standard
    /// Whether the server waits for this session to come to an end of its reply.
    var isStopping = false

    var user: [UInt8] = []
    var password: [UInt8] = []
    var timestamp: [UInt8] = []

    /// The octets skipped so far of a line that is too long; 0 between such lines.
    var skippedOctets = 0
    var commandCount = 0
    var errorCount = 0
    var loginFailureCount = 0

    var maildrop = MaildropListing(incarnation: 0, sequences: [], octets: [])
    var isListed = false
    /// What STAT tells: without the messages marked as deleted.
    var messageCount = 0
    var octetCount = 0
    var marks = DeletionMarks()

    var encoder = ContentEncoder()
    /// Set while TOP reads, nil while RETR does.
    var bodyLineLimit: BodyLineLimit?

    /// The exchange of AUTH, and who proved by it who he is.
    public internal(set) var exchange = SASLExchange()
    /// The mechanisms that can be used at all, by what accounts there are.
    public var usableMechanisms = SASLMechanismSet.all
    /// Whether all that is said now is under TLS.
    public internal(set) var isSecured = false
    var hasClientCertificate = false
    var bindsChannel = false
    /// Whether a login succeeded.
    public internal(set) var isAuthenticated = false
    /// Whether the client asked for UTF-8 (RFC 6856); content is the same either way.
    public internal(set) var isUTF8 = false
    /// Whether the newest reply was -ERR.
    public internal(set) var lastReplyWasError = false
    /// What LAST tells: the highest message-number accessed.
    public internal(set) var highestAccessed = 0

    /// A session that waits for `.accepted`, or for `.secured` before it where TLS is implicit.
    ///
    /// `offersXCLIENT`: the peer itself is a proxy that may say for whom it speaks.
    public init(settings: POP3ServerSettings, offersXCLIENT: Bool = false) {
        self.settings = settings
        self.offersXCLIENT = offersXCLIENT
    }

    /// Takes one event in, gives one effect out and appends what is to be sent to `replies`.
    public mutating func reduce(
        _ event: borrowing Event,
        into replies: inout ReplyBuffer
    ) -> Step {
        switch event {
        case .accepted(let earlyTalk, let nonce, let clock):
            return self.effect(self.accept(earlyTalk, nonce, clock, into: &replies))
        case .secured(let hasClientCertificate, let bindsChannel):
            self.hasClientCertificate = hasClientCertificate
            self.bindsChannel = bindsChannel
            return self.effect(self.beginSecured(into: &replies))
        case .received(let octets):
            return self.receive(octets, into: &replies)
        case .answered(let answer):
            return self.effect(self.receiveAnswer(answer, into: &replies))
        case .authenticationAnswered(let answer):
            return self.effect(self.receiveAuthenticationAnswer(answer, into: &replies))
        case .listed(let listing):
            return self.effect(self.receiveListing(listing, into: &replies))
        case .contentRead(let octets, let isLast, let needsStuffing):
            return self.effect(
                self.receiveContent(octets, isLast, needsStuffing, into: &replies)
            )
        case .stopping:
            return self.effect(self.stop(into: &replies))
        case .deadlinePassed, .peerClosed:
            // RFC 1939, section 3: autologout sends nothing and never enters UPDATE.
            return self.effect(self.end())
        }
    }

    private func effect(_ effect: Effect) -> Step {
        Step(consumed: 0, effect: effect)
    }
}

extension POP3ServerSession {
    /// What the session waits for.
    public var awaiting: Awaiting {
        switch self.phase {
        case .authorization, .awaitingPassword, .authenticating, .transaction: .command
        case .awaitingGreeting, .securing, .suspended, .listing, .sendingContent: .answer
        case .closed: .nothing
        }
    }

    /// The name that USER or APOP gave last.
    public var userName: Span<UInt8> { @_lifetime(borrow self) borrowing get { self.user.span } }

    /// The password or the APOP digest while `.logIn` is unanswered, else empty.
    public var secret: Span<UInt8> { @_lifetime(borrow self) borrowing get { self.password.span } }

    /// The timestamp of the greeting with its angle brackets; empty when APOP is not offered.
    public var apopTimestamp: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.timestamp.span }
    }

    /// The snapshot the session works on, once it was asked for.
    public var listing: MaildropListing? { self.isListed ? self.maildrop : nil }

    /// How many messages are marked as deleted.
    public var deletedCount: Int { self.marks.count }

    /// Calls `body` with the index (from 0) of each message marked as deleted, in order.
    public func forEachDeleted(_ body: (Int) -> Void) {
        self.marks.forEach(body)
    }
}
