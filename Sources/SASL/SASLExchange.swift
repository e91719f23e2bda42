// SPDX-License-Identifier: Apache-2.0
//
// One SASL exchange from the server's side (RFC 4422), in the base64 lines of SMTP (RFC 4954) and
// POP3 (RFC 5034). It knows neither accounts nor keys nor TLS: it asks. The reply that ends an
// exchange, and the prefix of a challenge (`334 `, `+ `), are the session's.

internal import MailBytes

/// A SASL exchange as a pure state machine.
///
/// One effect comes out of each call. `.challenge` awaits `receive`, `.ask` awaits `answer`, and
/// after `.succeeded` or `.failed` the exchange can begin again. Whatever a client sends ends in
/// an effect; a caller that breaks this order is a bug and hits a precondition. One value serves a
/// session for all its attempts.
public struct SASLExchange: ~Copyable {
    /// What is to be done now.
    public enum Effect: Equatable, BitwiseCopyable, Sendable {
        /// Send the challenge (`appendChallenge`), then wait for a line.
        case challenge
        /// Find the answer to a question.
        case ask(SASLQuestion)
        /// The client is `identity`, or whom its certificate or token names.
        case succeeded
        /// The client is nobody.
        case failed(SASLFailure)
    }

    private enum Phase: Equatable, BitwiseCopyable {
        /// Leaves on: `begin`.
        case idle
        /// Leaves on: `receive`.
        case awaitingLine
        /// Leaves on: `answer`.
        case suspended(SASLQuestion)
    }

    /// Whether SCRAM with channel binding was announced to this client.
    ///
    /// A client which could bind and says that the server cannot has been lied to (RFC 5802,
    /// section 6); its exchange fails.
    public var offersChannelBinding = false

    private var phase = Phase.idle
    private var mechanism: any ServerMechanism = PlainMechanism()
    var material = SASLMaterial()

    /// An exchange that has not begun.
    public init() {}

    /// Begins with a mechanism, and with the base64 text of an initial response if there is one.
    ///
    /// `=` stands for a response without octets (RFC 4954, section 4).
    public mutating func begin(
        _ mechanism: SASLMechanism,
        initialResponse: borrowing Span<UInt8>?
    ) -> Effect {
        precondition(self.phase == .idle, "an exchange ends before the next begins")
        self.material = SASLMaterial()
        self.mechanism = self.serverSide(of: mechanism)
        let effect = self.mechanism.begin(&self.material)
        guard let response = copy initialResponse else { return self.take(effect) }
        guard effect == .challenge else { return self.take(.failed(.malformed)) }
        let isEmpty = response.count == 1 && response[0] == UInt8(ascii: "=")
        return self.takeLine(isEmpty ? response.extracting(0..<0) : response)
    }

    /// Takes a line of the client, without its CRLF.
    public mutating func receive(_ line: borrowing Span<UInt8>) -> Effect {
        precondition(self.phase == .awaitingLine, "no line is awaited")
        if line.count == 1, line[0] == UInt8(ascii: "*") { return self.take(.failed(.cancelled)) }
        return self.takeLine(line)
    }

    /// Takes the answer to the outstanding question.
    public mutating func answer(_ answer: borrowing SASLAnswer) -> Effect {
        guard case .suspended = self.phase else {
            preconditionFailure("no question is outstanding")
        }
        return self.take(self.mechanism.answer(answer, &self.material))
    }

    /// Gives up wherever the exchange stands, and forgets who it was.
    public mutating func abandon() {
        self.material.conclude()
        self.material = SASLMaterial()
        self.phase = .idle
    }

    // MARK: -

    private func serverSide(of mechanism: SASLMechanism) -> any ServerMechanism {
        switch mechanism {
        case .plain: PlainMechanism()
        case .login: LoginMechanism()
        case .scramSHA256Plus: self.scram(.sha256, bindsChannel: true)
        case .scramSHA256: self.scram(.sha256, bindsChannel: false)
        case .scramSHA1: self.scram(.sha1, bindsChannel: false)
        case .external: ExternalMechanism()
        case .oauthBearer: BearerMechanism(.oauthBearer)
        case .xoauth2: BearerMechanism(.xoauth2)
        case .cramMD5: CRAMMD5Mechanism()
        }
    }

    private func scram(_ hash: SCRAMHash, bindsChannel: Bool) -> SCRAMMechanism {
        SCRAMMechanism(
            hash,
            bindsChannel: bindsChannel,
            offersChannelBinding: self.offersChannelBinding
        )
    }

    private mutating func takeLine(_ line: borrowing Span<UInt8>) -> Effect {
        guard line.count <= SASLLimits.lineOctetsMax, var message = Base64.decode(line) else {
            return self.take(.failed(.malformed))
        }
        defer { SASLMaterial.wipe(&message) }
        return self.take(self.mechanism.receive(message.span, &self.material))
    }

    private mutating func take(_ effect: Effect) -> Effect {
        switch effect {
        case .challenge: self.phase = .awaitingLine
        case .ask(let question): self.phase = .suspended(question)
        case .succeeded, .failed:
            self.phase = .idle
            self.material.conclude()
        }
        return effect
    }
}
