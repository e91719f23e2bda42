// SPDX-License-Identifier: Apache-2.0
//
// The words a session and its driver talk in: what happened, what to do, what came of it.

public import MailBytes
public import MailSyntax
public import SASL

extension SMTPServerSession {
    /// What happened.
    public enum Event: ~Escapable {
        /// The connection stands and the greeting is due.
        ///
        /// `earlyTalk`: octets could be read already, so the peer does not wait for the greeting.
        case accepted(earlyTalk: Bool)
        /// TLS is up: after `.startTLS`, or before `.accepted` where it comes first (RFC 8314).
        ///
        /// `hasClientCertificate`: the client showed one, and it was verified. `bindsChannel`: the
        /// channel has something that SCRAM can bind itself to.
        case secured(hasClientCertificate: Bool, bindsChannel: Bool)
        /// Everything that can be read now; may be half a line, may be nothing.
        case received(Span<UInt8>)
        /// The outstanding question has this answer.
        case answered(Answer)
        /// The answer to `.authenticate`.
        case authenticationAnswered(SASLAnswer)
        /// The answer to `.expandList`: the members, LF between them, never empty.
        case listed(Span<UInt8>)
        /// The peer was silent too long, or its message took too long.
        case deadlinePassed
        /// Mail data comes below the minimum rate.
        case tooSlow
        /// The server shuts down.
        case stopping
        /// The peer is gone, and all it sent was received before.
        case peerClosed
    }

    /// What came of a question.
    public enum Answer: Equatable, BitwiseCopyable, Sendable {
        /// To `.verifySender`: the client may use the reverse-path.
        case senderPermitted
        /// To `.verifySender`: it belongs to somebody else.
        case senderForbidden
        /// To `.verifyRecipient`: mail for it is taken.
        case recipientAccepted
        /// To `.verifyRecipient`: there is no such mailbox here.
        case recipientUnknown
        /// To `.verifyRecipient`: its domain is not ours, and this client's mail is not relayed.
        case relayingDenied
        /// To `.verifySender` and `.verifyRecipient`: that is more than this client may send for
        /// now. To `.adoptClient`: the client has too many connections.
        case rateExceeded
        /// To `.verifyRecipient` and `.commitMessage`: the maildrop cannot take the message;
        /// permanent when it never will.
        case mailboxFull(permanent: Bool)
        /// To `.verifyMailbox`: the mailbox exists.
        case mailboxVerified
        /// To `.verifyMailbox`: its domain is not ours, and mail for it would be taken.
        case mailboxUnverified
        /// To `.verifyMailbox` and `.expandList`: it does not exist.
        case mailboxUnknown
        /// To `.openMessage`: content may come.
        case messageOpened(MessageID)
        /// To `.openMessage` and `.commitMessage`: there is no room for it.
        case storeFull
        /// To `.completeHeader`: what was missing has been appended, and the authors are the
        /// client's.
        case headerCompleted
        /// To `.completeHeader`: an author is somebody else.
        case authorForbidden
        /// To `.commitMessage`: the message is durable for all its recipients.
        case committed
        /// To `.commitMessage` of LMTP, once for each recipient in order: durable for this one.
        case recipientCommitted
        /// To `.commitMessage`: it could not be stored.
        case commitFailed
        /// To `.adoptClient`: the connection is taken for the client's from now on.
        case xclientAdopted
        /// To `.adoptClient`: it is not.
        case xclientRefused
        /// To `.startQueue`: delivery to so many recipients begins. To `.findMail`: mail for so
        /// many waits, and the client may have it.
        case queueStarted(recipients: Int)
        /// To `.startQueue` and `.findMail`: the client may not.
        case queueForbidden
        /// To any question but `.authenticate`: the server cannot tell at present.
        case temporaryFailure
    }

    /// What the driver must do.
    public enum Effect: Equatable, BitwiseCopyable, Sendable {
        /// Call again with the rest of the input, also when there is none.
        case proceed
        /// Wait for more input.
        case awaitInput
        /// Drop all input that was not consumed, begin TLS once the replies have left in clear, and
        /// say `.secured`; whatever the client was is forgotten.
        case startTLS
        /// Find the answer to a question of `exchange`; the answer is `.authenticationAnswered`.
        case authenticate(SASLQuestion)
        /// Take the connection for that of `proposedClient` (XCLIENT), who is not logged in unless
        /// XCLIENT says so.
        case adoptClient
        /// Find out whether the client may send from `reversePath`.
        case verifySender
        /// Find out whether `recipientUnderQuestion` can be delivered to.
        case verifyRecipient
        /// Find out whether `recipientUnderQuestion` exists (VRFY).
        case verifyMailbox
        /// Find the members of `recipientUnderQuestion` (EXPN); the answer is `.listed`.
        case expandList
        /// Start delivery of what waits for the domain that is `recipientUnderQuestion` (ETRN), if
        /// the client may ask for it.
        case startQueue(QueueScope)
        /// Find out whether the client may take the mail for the domains that are
        /// `recipientUnderQuestion`, commas between them (ATRN; none: for all that it may), and
        /// whether there is any.
        case findMail
        /// Send what is to be sent and turn the connection around: the client is the server from
        /// now on, and gets the mail that was found. The session is over as after `.close`.
        case turnAround
        /// Make room for a message from `reversePath` to the recipients that were accepted.
        case openMessage
        /// Append these octets of the input to the message; then as `.proceed`.
        case appendContent(ByteRange)
        /// Append CRLF to the message; then as `.proceed`.
        case appendLineEnd
        /// Append the fields that the header lacks (`lacksDate`, `lacksMessageID`) to the message,
        /// when the settings want that, and find out whether the client may write as `authors`.
        case completeHeader
        /// Make the message durable for all recipients.
        case commitMessage
        /// Forget the message; then as `.proceed`.
        case discardMessage
        /// Send what is to be sent and end the connection.
        case close
    }

    /// Of which domains the mail is meant.
    public enum QueueScope: Equatable, BitwiseCopyable, Sendable {
        /// The domain alone.
        case domain
        /// The domain and all below it.
        case domainAndBelow
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

    /// What a session waits for; deadlines depend on it.
    public enum Awaiting: Equatable, BitwiseCopyable, Sendable {
        /// A command of the client.
        case command
        /// Mail data, or the payload of BDAT.
        case content
        /// An answer of the driver.
        case answer
        /// Nothing: the session is over.
        case nothing
    }
}
