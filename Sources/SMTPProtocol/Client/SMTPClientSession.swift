// SPDX-License-Identifier: Apache-2.0
//
// One SMTP or LMTP conversation, client side: RFC 5321, RFC 2033 (LMTP), and the extensions of
// RFC 1870, 2034, 2920, 3030, 3207, 3461, 4954, 6152, 6531, 8689 and 9422. Pure: no socket, no
// clock, no content. What the replies do is in the files beside this one.

public import MailBytes
public import SASL

/// One SMTP or LMTP conversation with a server, for any number of messages; a pure state machine.
///
/// The contract with a driver:
/// 1. One event in, one effect out; while the effect is `.proceed`, the driver calls again with
///    `.received` and what is left of the input, also when nothing is left.
/// 2. The `consumed` octets are done with. The rest stays with the driver.
/// 3. Commands go out before the effect is carried out.
/// 4. After `.authenticate` no `.received` comes until it is answered, and none after `.startTLS`
///    until `.secured`. `.deadlinePassed` and `.peerClosed` may come at any time.
/// 5. Each `.transaction` ends in exactly one `.finished`, with an outcome for each recipient,
///    whatever the peer does or does not.
/// 6. After `.close`, and after `.finished` without `isReady`, the session is over.
/// 7. Whatever a peer sends ends in an effect, never a trap; a driver that breaks the contract is
///    a bug and traps.
///
/// Replies are bounded in lines and octets; their time is the driver's affair.
public struct SMTPClientSession: ~Copyable {
    /// Where the conversation stands.
    enum Phase: Equatable, BitwiseCopyable {
        /// Leaves on `.connected`.
        case idle
        /// Leaves on the greeting.
        case awaitingGreeting
        /// Leaves on the reply to EHLO, HELO or LHLO.
        case awaitingHello(Hello)
        /// Leaves on the reply to STARTTLS.
        case awaitingSTARTTLS
        /// Leaves on `.secured`.
        case securing
        /// AUTH. Leaves on a reply.
        case awaitingChallenge
        /// AUTH. Leaves on the answer to the question.
        case suspended
        /// Leaves on `.transaction`, `.quit`, and on anything the peer says.
        case ready
        /// Leaves on the last reply to a transaction.
        case inTransaction
        /// Leaves on the reply to QUIT.
        case quitting
        /// Leaves never.
        case closed
    }

    /// How the client says hello.
    enum Hello: Equatable, BitwiseCopyable {
        case ehlo
        case helo
        case lhlo
    }

    let settings: SMTPClientSettings
    let saysHELO: Bool
    var phase = Phase.idle
    var reader = SMTPReplyReader()

    /// What the reply to EHLO has said so far.
    var offered = SMTPExtensions()
    /// Whether the peer offered STARTTLS and then refused it.
    var hasDeclinedTLS = false
    /// The mechanisms of AUTH that the peer would not take after all.
    var refusedMechanisms: SASLMechanismSet = []
    var login = Login.none
    /// Whether the last transaction has left something at the peer that RSET has to clear away.
    var needsReset = false
    var transaction = SMTPClientTransaction()

    /// What the peer calls itself in its greeting: printable, perhaps empty.
    public internal(set) var peerName: [UInt8] = []
    /// What the peer announced, after TLS when there is TLS.
    public internal(set) var extensions = SMTPExtensions()
    /// Whether TLS is up.
    public internal(set) var isSecured = false
    /// Whether TLS is up and who the peer is has been verified.
    public internal(set) var isVerified = false
    /// Whether the session has logged in.
    public internal(set) var isAuthenticated = false
    /// The exchange of AUTH: what its questions are about.
    public internal(set) var exchange = SASLClientExchange()
    /// How many transactions were begun.
    public internal(set) var transactionCount = 0
    /// Why the session ended before it was told to.
    public internal(set) var failure: SMTPClientFailure?

    /// A session that waits for `.connected`.
    ///
    /// `saysHELO`: EHLO is not tried (see `SMTPClientFailure.suggestsHELO`).
    public init(settings: SMTPClientSettings, saysHELO: Bool = false) {
        self.settings = settings
        self.saysHELO = saysHELO
    }

    /// Takes one event in, gives one effect out and appends what is to be sent to `commands`.
    public mutating func reduce(_ event: borrowing Event, into commands: inout ReplyBuffer) -> Step
    {
        switch event {
        case .connected:
            precondition(self.phase == .idle, "a session connects once")
            self.phase = .awaitingGreeting
            return Self.step(.awaitInput)
        case .secured(let isVerified):
            return Self.step(self.secure(isVerified: isVerified, into: &commands))
        case .received(let octets):
            return self.receive(octets, into: &commands)
        case .authenticationAnswered(let answer):
            return Self.step(self.receiveAuthentication(answer, into: &commands))
        case .transaction(let envelope):
            return Self.step(self.begin(envelope, into: &commands))
        case .contentSent:
            self.transaction.finishContent()
            return Self.step(.proceed)
        case .quit:
            precondition(self.phase == .ready, "a session quits between transactions")
            commands.append("QUIT\r\n")
            self.phase = .quitting
            return Self.step(.awaitInput)
        case .deadlinePassed:
            return Self.step(self.end(.timedOut))
        case .peerClosed:
            return Self.step(self.end(.closed))
        }
    }

    private static func step(_ effect: Effect) -> Step {
        Step(consumed: 0, effect: effect)
    }
}

extension SMTPClientSession {
    /// Whether `.transaction` and `.quit` may come.
    public var isReady: Bool { self.phase == .ready }

    /// The outcomes of the last transaction, one for each recipient; after `.finished`.
    public var outcomes: [SMTPClientOutcome] { self.transaction.outcomes }

    /// What became of a recipient, by its index in the envelope; after `.finished`.
    public func outcome(at index: Int) -> SMTPClientOutcome { self.transaction.outcomes[index] }

    /// What the session waits for.
    public var awaiting: Awaiting {
        switch self.phase {
        case .idle, .suspended, .ready: .driver
        case .inTransaction where self.transaction.isSendingContent: .contentSent
        case .awaitingGreeting, .awaitingHello, .awaitingSTARTTLS, .securing, .awaitingChallenge,
            .inTransaction, .quitting:
            .reply(self.stage)
        case .closed: .nothing
        }
    }

    /// What the next reply answers.
    var stage: SMTPClientStage {
        switch self.phase {
        case .idle, .awaitingGreeting: .greeting
        case .awaitingHello: .hello
        case .awaitingSTARTTLS, .securing: .startTLS
        case .awaitingChallenge, .suspended: .authentication
        case .ready, .closed: .ready
        case .inTransaction: self.transaction.stage
        case .quitting: .quit
        }
    }
}
