// SPDX-License-Identifier: Apache-2.0
//
// The words a client's session and its driver talk in: what happened, what to do.

public import SASL

extension SMTPClientSession {
    /// What happened.
    public enum Event: ~Escapable {
        /// The connection stands; the greeting is awaited.
        ///
        /// Where TLS comes first (RFC 8314), `.secured` comes before this.
        case connected
        /// TLS is up: after `.startTLS`, or before `.connected`.
        ///
        /// `isVerified`: who the peer is has been verified, by its domain's own word (DANE,
        /// MTA-STS) or the operator's; messages with REQUIRETLS pass over no other connection.
        case secured(isVerified: Bool)
        /// Everything that can be read now; may be half a line, may be nothing.
        case received(Span<UInt8>)
        /// The answer to `.authenticate`.
        case authenticationAnswered(SASLClientAnswer)
        /// The next message to hand on; only while `isReady`.
        case transaction(SMTPClientEnvelope)
        /// All of the content that `.sendContent` asked for has been given to the stream.
        case contentSent
        /// No message follows; only while `isReady`.
        case quit
        /// The peer was silent too long, or took too long.
        case deadlinePassed
        /// The peer is gone, also when the handshake of TLS failed, and all it sent was received
        /// before.
        case peerClosed
    }

    /// How content goes out.
    public enum ContentForm: Equatable, BitwiseCopyable, Sendable {
        /// With transparency and a lone dot behind it: `ContentEncoder(normalising: true)` encodes
        /// and finishes it.
        case dotStuffed
        /// As it is, exactly this many octets: the count of the envelope.
        case chunk(octets: Int)
    }

    /// What the driver must do.
    public enum Effect: Equatable, BitwiseCopyable, Sendable {
        /// Call again with the rest of the input, also when there is none.
        case proceed
        /// Wait for more input.
        case awaitInput
        /// Begin TLS as a client once the commands have left in clear, and say `.secured`.
        ///
        /// No input is left over. When the handshake fails, or what the peer shows in it is not
        /// what the policy asks for, say `.peerClosed`.
        case startTLS
        /// Find the answer to a question of `exchange`; the answer is `.authenticationAnswered`.
        case authenticate(SASLClientQuestion)
        /// Give the next message or say `.quit`, at any time; what the peer says meanwhile is
        /// given as ever.
        case ready
        /// Send the content of the message behind the commands, then say `.contentSent`.
        ///
        /// Input that comes meanwhile may be given at once. When the answer is then `.finished` or
        /// `.close`, no more of the content may leave, and no end of it: abort the connection.
        case sendContent(ContentForm)
        /// The transaction is over and all its outcomes can be read. If `isReady`, go on as after
        /// `.ready`; else the session is over: end the connection.
        case finished
        /// Send what is to be sent and end the connection; `failure` says why, unless `.quit` did.
        case close
    }

    /// One step of a session.
    public struct Step: Equatable, BitwiseCopyable, Sendable {
        /// How many octets of `.received` are done with.
        public var consumed: Int
        /// What to do now.
        public var effect: Effect

        /// A step.
        public init(consumed: Int, effect: Effect) {
            self.consumed = consumed
            self.effect = effect
        }
    }

    /// What a session waits for; deadlines depend on it (RFC 5321, section 4.5.3.2).
    public enum Awaiting: Equatable, BitwiseCopyable, Sendable {
        /// A reply to this: 5 minutes at least; for `.data` 2, for `.content` 10.
        case reply(SMTPClientStage)
        /// That the driver has sent the content: 3 minutes for each part that goes out.
        case contentSent
        /// Something of the driver.
        case driver
        /// Nothing: the session is over.
        case nothing
    }
}
