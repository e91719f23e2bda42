// SPDX-License-Identifier: Apache-2.0
//
// One SASL exchange from the client's side (RFC 4422), in the base64 lines of SMTP (RFC 4954). It
// knows neither secret nor cryptography: it asks, and forgets a password once it is sent. What
// stands before a response (`AUTH PLAIN `) and what ends an exchange (`235`) are the session's.

public import MailBytes

/// A client's SASL exchange as a pure state machine.
///
/// One effect comes out of each call. `.respond` and `.listen` await `receive` or `conclude`,
/// `.ask` awaits `answer`, and after `.failed` the exchange can begin again. Whatever a server
/// sends ends in an effect; a caller that breaks this order is a bug and hits a precondition.
public struct SASLClientExchange: ~Copyable {
    /// What is to be done now.
    public enum Effect: Equatable, BitwiseCopyable, Sendable {
        /// Send the response (`appendResponse`), then wait for a challenge or the end.
        case respond
        /// Name the mechanism without a response: the server speaks first.
        case listen
        /// Find the answer to a question.
        case ask(SASLClientQuestion)
        /// The exchange cannot go on; the server is to be told `*` if it waits.
        case failed(SASLClientFailure)
    }

    private enum Phase: Equatable, BitwiseCopyable {
        /// Leaves on: `begin`.
        case idle
        /// Leaves on: `receive`, `conclude`.
        case awaitingChallenge
        /// Leaves on: `answer`.
        case suspended(SASLClientQuestion)
    }

    /// The mechanisms that a client can use here.
    public static let mechanisms: SASLMechanismSet = [
        .scramSHA256Plus, .scramSHA256, .scramSHA1, .cramMD5, .plain, .login,
    ]

    private var phase = Phase.idle
    private var mechanism: any ClientMechanism = PlainClient()
    var material = SASLClientMaterial()

    /// An exchange that has not begun.
    public init() {}

    /// Begins with one of `mechanisms`.
    ///
    /// `couldBind`: the channel has something that SCRAM could bind itself to, which the server is
    /// told where the mechanism does not do so (RFC 5802, section 6).
    public mutating func begin(_ mechanism: SASLMechanism, couldBind: Bool = false) -> Effect {
        precondition(self.phase == .idle, "an exchange ends before the next begins")
        self.material = SASLClientMaterial()
        switch mechanism {
        case .plain: self.mechanism = PlainClient()
        case .login: self.mechanism = LoginClient()
        case .cramMD5: self.mechanism = CRAMMD5Client()
        case .scramSHA256Plus: self.mechanism = SCRAMClient(.sha256, flag: .bound)
        case .scramSHA256: self.mechanism = SCRAMClient(.sha256, flag: couldBind ? .could : .none)
        case .scramSHA1: self.mechanism = SCRAMClient(.sha1, flag: couldBind ? .could : .none)
        case .external, .oauthBearer, .xoauth2:
            preconditionFailure("a client has no such mechanism")
        }
        return self.take(self.mechanism.begin(&self.material))
    }

    /// Takes the base64 text of a challenge.
    public mutating func receive(_ challenge: borrowing Span<UInt8>) -> Effect {
        precondition(self.phase == .awaitingChallenge, "no challenge is awaited")
        guard challenge.count <= SASLLimits.lineOctetsMax, let message = Base64.decode(challenge)
        else { return self.take(.failed(.malformedChallenge)) }
        return self.take(self.mechanism.receive(message.span, &self.material))
    }

    /// Takes the answer to the outstanding question.
    public mutating func answer(_ answer: borrowing SASLClientAnswer) -> Effect {
        guard case .suspended = self.phase else {
            preconditionFailure("no question is outstanding")
        }
        if case .unavailable = copy answer { return self.take(.failed(.unavailable)) }
        return self.take(self.mechanism.answer(answer, &self.material))
    }

    /// Takes the server's word that the client has logged in; nil: all is well.
    ///
    /// A server that has to show that it knows the secret, and has not, is somebody else.
    public mutating func conclude() -> SASLClientFailure? {
        precondition(self.phase == .awaitingChallenge, "an exchange is under way")
        let isDone = self.mechanism.isDone
        self.abandon()
        return isDone ? nil : .serverUnproven
    }

    /// Gives up wherever the exchange stands, and forgets what it was about.
    public mutating func abandon() {
        self.material.wipe()
        self.phase = .idle
    }

    private mutating func take(_ effect: Effect) -> Effect {
        switch effect {
        case .respond, .listen: self.phase = .awaitingChallenge
        case .ask(let question): self.phase = .suspended(question)
        case .failed: self.abandon()
        }
        return effect
    }
}

extension SASLClientExchange {
    /// Appends the base64 text of the response, nothing around it; it may be empty.
    public func appendResponse(to commands: inout ReplyBuffer) {
        commands.append(Base64.encode(self.material.response))
    }

    /// The octets of the response as base64.
    public var responseCount: Int { (self.material.response.count + 2) / 3 * 4 }

    /// What CRAM-MD5 was challenged with, while `.digest` is unanswered.
    public var challenge: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.message.span }
    }

    /// What the proof is made over (RFC 5802, section 3, AuthMessage), while `.proveSCRAM` is
    /// unanswered.
    public var authMessage: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.message.span }
    }

    /// The salt, while `.proveSCRAM` is unanswered.
    public var salt: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.material.salt.span }
    }

    /// How often the password is to be hashed, while `.proveSCRAM` is unanswered; within
    /// `SASLLimits.iterations`.
    public var iterations: Int { self.material.iterations }
}

/// Why a client's exchange cannot go on.
public enum SASLClientFailure: Equatable, BitwiseCopyable, Sendable {
    /// What the server sent is no base64, or nothing that the mechanism knows.
    case malformedChallenge
    /// There is nothing to answer with.
    case unavailable
    /// The server has not shown that it knows the secret.
    case serverUnproven
    /// The server asks for too few iterations, with which an eavesdropper could guess the password
    /// soon, or for so many that it is an attack itself.
    case unreasonableCost
}
