// SPDX-License-Identifier: Apache-2.0
//
// What became of one recipient in one transaction.

public import MailSyntax

/// What became of one recipient.
public struct SMTPClientOutcome: Equatable, Sendable {
    /// The short of it.
    public enum Verdict: Equatable, BitwiseCopyable, Sendable {
        /// The peer has taken the message for this recipient.
        case delivered
        /// As `delivered`; but the sender wants to know of success, and the peer does not know how
        /// to tell him (no DSN, RFC 3461, section 6.2.3): a report of relaying is due.
        case relayed
        /// Not now. Another host, or another time.
        case deferred
        /// Never.
        case failed
    }

    /// The short of it.
    public var verdict: Verdict
    /// The code of the reply; 0 when there was none.
    public var code: Int
    /// The enhanced status: the peer's where it gave one that fits its code, else ours.
    public var status: EnhancedStatus
    /// What the reply answers.
    public var stage: SMTPClientStage
    /// The text of the reply without its code, or what happened instead: printable ASCII on one
    /// line, at most `textOctetsMax` octets.
    public var text: [UInt8]
    /// Whether the peer got NOTIFY and the like, so that reports of success are its business.
    public var passedOnDSN: Bool

    /// The longest text that is kept of a reply.
    public static let textOctetsMax = 512

    /// An outcome.
    public init(
        verdict: Verdict,
        code: Int,
        status: EnhancedStatus,
        stage: SMTPClientStage,
        text: [UInt8],
        passedOnDSN: Bool = false
    ) {
        self.verdict = verdict
        self.code = code
        self.status = status
        self.stage = stage
        self.text = text
        self.passedOnDSN = passedOnDSN
    }

    /// The reply on one line, with its code where there was one.
    public var reply: [UInt8] {
        self.code == 0 ? self.text : Array("\(self.code) ".utf8) + self.text
    }
}
