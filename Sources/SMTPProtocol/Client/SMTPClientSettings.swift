// SPDX-License-Identifier: Apache-2.0
//
// What is decided about outgoing SMTP and LMTP sessions before one begins: names, TLS, logins and
// limits. One value serves all sessions to hosts that are treated alike.

public import SASL

/// The settings of outgoing SMTP or LMTP sessions, shared by them.
public final class SMTPClientSettings: Sendable {
    /// Which protocol is spoken.
    public enum Dialect: Equatable, Sendable {
        /// RFC 5321.
        case smtp
        /// RFC 2033.
        case lmtp
    }

    /// When a session that is not secured from its beginning says STARTTLS (RFC 3207).
    public enum TLS: Equatable, Sendable {
        /// Never.
        case never
        /// When the peer offers it; when it then refuses, all goes on in clear.
        case whenOffered
        /// Always: a peer without it gets no mail.
        case required
    }

    /// The argument of EHLO, HELO and LHLO: a domain name, or an address literal.
    public let clientName: [UInt8]
    /// Which protocol is spoken.
    public let dialect: Dialect
    /// When STARTTLS is said.
    public let tls: TLS
    /// The mechanisms that may be used to log in (RFC 4954); empty: no login at all.
    ///
    /// With any, a peer that offers none of them gets no mail.
    public let mechanisms: SASLMechanismSet
    /// Whether mechanisms that show the secret may be used without TLS.
    public let permitsPlaintextAuth: Bool
    /// Whether commands go out in groups to a peer with PIPELINING (RFC 2920).
    public let pipelines: Bool
    /// The largest message that goes out as one chunk (BDAT, RFC 3030) behind its envelope, to a
    /// peer with PIPELINING and CHUNKING; 0: none.
    ///
    /// That is one round trip for a message where DATA needs two; but the content of a message
    /// whose recipients are all refused goes out in vain, so only small ones do.
    public let chunkOctetsMax: Int
    /// How many commands may be without reply at once.
    public let pipelinedCommandsMax: Int
    /// How many recipients of an envelope are tried; the others are deferred.
    public let recipientsMax: Int
    /// The longest line of a reply, with its line end (RFC 5321, section 4.5.3.1.5, asks for 512).
    public let replyLineOctetsMax: Int
    /// How many lines one reply may have.
    public let replyLinesMax: Int
    /// How many octets one reply may have.
    public let replyOctetsMax: Int

    /// Settings with defaults for all but the name.
    public init(
        clientName: [UInt8],
        dialect: Dialect = .smtp,
        tls: TLS = .whenOffered,
        mechanisms: SASLMechanismSet = [],
        permitsPlaintextAuth: Bool = false,
        pipelines: Bool = true,
        chunkOctetsMax: Int = 65536,
        pipelinedCommandsMax: Int = 200,
        recipientsMax: Int = 1000,
        replyLineOctetsMax: Int = 4096,
        replyLinesMax: Int = 100,
        replyOctetsMax: Int = 16384
    ) {
        precondition(
            !clientName.isEmpty && clientName.allSatisfy { (0x21...0x7e).contains($0) },
            "a client has a name that fits into a command"
        )
        precondition(
            chunkOctetsMax >= 0 && pipelinedCommandsMax > 0 && recipientsMax > 0
                && replyLineOctetsMax >= 512 && replyLinesMax > 0
                && replyOctetsMax >= replyLineOctetsMax,
            "limits leave room for what every peer sends"
        )
        self.clientName = clientName
        self.dialect = dialect
        self.tls = tls
        self.mechanisms = mechanisms
        self.permitsPlaintextAuth = permitsPlaintextAuth
        self.pipelines = pipelines
        self.chunkOctetsMax = chunkOctetsMax
        self.pipelinedCommandsMax = pipelinedCommandsMax
        self.recipientsMax = recipientsMax
        self.replyLineOctetsMax = replyLineOctetsMax
        self.replyLinesMax = replyLinesMax
        self.replyOctetsMax = replyOctetsMax
    }
}
