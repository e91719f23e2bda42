// SPDX-License-Identifier: Apache-2.0
//
// The words a session and its driver talk in: what happened, what to do, what came of it.

public import MailBytes
public import SASL

extension POP3ServerSession {
    /// What happened.
    public enum Event: ~Escapable {
        /// The connection stands and the greeting is due.
        ///
        /// `earlyTalk`: octets could be read already, so the peer does not speak POP3. `nonce` and
        /// `clock` make the APOP timestamp; together they must never come twice.
        case accepted(earlyTalk: Bool, nonce: UInt64, clock: UInt64)
        /// TLS is up: before `.accepted` where it is implicit, else after `.startTLS`.
        ///
        /// `hasClientCertificate`: the client showed one that was verified. `bindsChannel`: the
        /// driver knows channel bindings of this connection (RFC 5929, RFC 9266).
        case secured(hasClientCertificate: Bool, bindsChannel: Bool)
        /// Everything that can be read now; may be half a line, may be nothing.
        case received(Span<UInt8>)
        /// The outstanding question has this answer.
        case answered(Answer)
        /// The answer to `.authenticate`.
        case authenticationAnswered(SASLAnswer)
        /// The answer to `.listMaildrop`.
        case listed(MaildropListing)
        /// The answer to `.readContent`: octets of the message from the offset asked for.
        ///
        /// Never byte-stuffed, split anywhere; only the last part may be empty. `needsStuffing` is
        /// what `ContentEncoder.mayStuff` says of the part, or true when nobody looked; where it is
        /// false, the session lets the driver send the octets from where they are.
        case contentRead(Span<UInt8>, isLast: Bool, needsStuffing: Bool = true)
        /// The autologout timer ran out (RFC 1939, section 3).
        case deadlinePassed
        /// The server shuts down.
        case stopping
        /// The peer is gone, and all it sent was received before.
        case peerClosed
    }

    /// What came of a question.
    public enum Answer: Equatable, BitwiseCopyable, Sendable {
        /// The credentials are good and the maildrop is locked for this session.
        case loggedIn(messages: Int, octets: Int)
        /// The credentials are not good, for whatever reason.
        case loginRefused
        /// Another session holds the maildrop.
        case maildropLocked
        /// The last login was too short a time ago.
        case loginDelayed
        /// Too many logins failed lately, so that this one was not looked at.
        case loginThrottled
        /// The server cannot tell at present: to any question.
        case temporaryFailure
        /// The message asked for is not there any more.
        case contentMissing
        /// All messages marked as deleted are gone, durably.
        case deletionsCommitted
        /// Not all messages marked as deleted could be removed.
        case deletionsFailed
        /// From now on the driver takes the client for the one that XCLIENT named.
        case xclientAdopted
        /// The driver does not let that client in.
        case xclientRefused
    }

    /// How a client proves who it is.
    public enum LoginMethod: Equatable, BitwiseCopyable, Sendable {
        /// By USER and PASS: `secret` holds the password.
        case password
        /// By APOP: `secret` holds 32 lower-case hexadecimal digits.
        case apop
    }

    /// What the driver must do.
    public enum Effect: Equatable, BitwiseCopyable, Sendable {
        /// Call again with `.received` and the rest of the input, also when nothing is left of it.
        ///
        /// A driver holds this back while the output is over its mark.
        case proceed
        /// Wait for more octets, or for the answer to the outstanding question.
        case awaitInput
        /// Question: may `userName` in with `secret`? Answered by `.answered`.
        case logIn(LoginMethod)
        /// Question of the exchange of AUTH, which holds what belongs to it.
        ///
        /// Answered by `.authenticationAnswered`.
        case authenticate(SASLQuestion)
        /// Question: open the maildrop of who has just proved by AUTH who he is.
        ///
        /// Answered by `.answered`, like `.logIn`.
        case openMaildrop
        /// Secure the stream, then give `.secured`; unread input is lost.
        ///
        /// The step consumed all it was given, so that nothing sent in clear is taken for something
        /// sent under TLS.
        case startTLS
        /// Question: may the proxy speak for this client?
        ///
        /// Answered by `.xclientAdopted`, `.xclientRefused` or `.temporaryFailure`.
        case adoptClient(NetworkAddress)
        /// Question: what is in the maildrop? Answered by `.listed` or `.temporaryFailure`.
        case listMaildrop
        /// Question: the content of a message from an offset on.
        ///
        /// Answered by `.contentRead`, `.contentMissing` or `.temporaryFailure`; a driver holds it
        /// back while the output is over its mark. `message` counts from 0.
        case readContent(message: Int32, offset: Int)
        /// Send these octets of the content just read, as they are, after what was replied; then
        /// call again as after `.proceed`.
        case sendContent(ByteRange)
        /// Question: remove the messages of `forEachDeleted`, durably, all or none.
        case commitDeletions
        /// Send what was replied, then close the connection. No call may follow.
        case close
    }

    /// The outcome of one event.
    public struct Step: Equatable, BitwiseCopyable, Sendable {
        /// How many octets of the span just received are done with.
        public var consumed: Int
        /// What is to be done now, after the replies were sent.
        public var effect: Effect

        /// A step.
        public init(consumed: Int, effect: Effect) {
            self.consumed = consumed
            self.effect = effect
        }
    }

    /// What a session waits for; a driver sets its time limit by it.
    public enum Awaiting: Equatable, BitwiseCopyable, Sendable {
        /// A command, or the rest of one.
        case command
        /// The driver's answer, or its next call.
        case answer
        /// Nothing: the session is over.
        case nothing
    }
}
