// SPDX-License-Identifier: Apache-2.0
//
// Why a whole session came to nothing, or came to its end before its time.

public import MailSyntax

/// Why a session ended before it was told to.
public struct SMTPClientFailure: Error, Equatable, Sendable {
    /// What happened.
    public enum Kind: Equatable, BitwiseCopyable, Sendable {
        /// The peer wants no mail from us, or does not know us: the greeting, EHLO or RSET.
        case refused
        /// 421: the peer goes away.
        case peerClosing
        /// The connection ended without a word.
        case closed
        /// The peer was silent for too long.
        case timedOut
        /// What came is no reply.
        case malformedReply
        /// What came is a reply that makes no sense here, or before it was due.
        case unexpectedReply
        /// TLS is required, and the peer does not offer it or refuses to begin.
        case tlsUnavailable
        /// The handshake failed, or what it showed was not accepted: the connection ended in it.
        case tlsFailed
        /// Octets came behind the reply to STARTTLS, in clear (CVE-2021-38371).
        case injectedPlaintext
        /// A login is required, and the peer offers no mechanism that may be used.
        case authenticationUnavailable
        /// The peer refused the login, or could not show that it knows the secret.
        case authenticationFailed
    }

    /// What happened.
    public var kind: Kind
    /// In the midst of what.
    public var stage: SMTPClientStage
    /// The code of the reply; 0 when there was none.
    public var code: Int
    /// The enhanced status, of class 4 or 5.
    public var status: EnhancedStatus
    /// As in an outcome: printable, on one line, bounded.
    public var text: [UInt8]

    /// A failure.
    public init(
        kind: Kind,
        stage: SMTPClientStage,
        code: Int,
        status: EnhancedStatus,
        text: [UInt8]
    ) {
        self.kind = kind
        self.stage = stage
        self.code = code
        self.status = status
        self.text = text
    }

    /// The reply on one line, with its code where there was one.
    public var reply: [UInt8] {
        self.code == 0 ? self.text : Array("\(self.code) ".utf8) + self.text
    }

    /// Whether this host will say the same another time (RFC 5321, section 4.2.1; 521: RFC 7504).
    ///
    /// Only when all hosts of a domain say so has the mail failed.
    public var isPermanent: Bool { self.status.statusClass == 5 }

    /// Whether another host of the same domain is worth trying now.
    ///
    /// All failures are those of a host, but for a login: its secret is no better elsewhere, and
    /// should not be shown around.
    public var triesAnotherHost: Bool {
        self.kind != .authenticationFailed
    }

    /// Whether a new connection to the same host may fare better with HELO at once
    /// (`SMTPClientSession.init(…, saysHELO: true)`): old peers hang up on EHLO.
    ///
    /// Not where TLS or a login is required, which HELO knows nothing of.
    public var suggestsHELO: Bool { self.kind == .closed && self.stage == .hello }
}
