// SPDX-License-Identifier: Apache-2.0

/// What a reply answers, or what an end came in the midst of.
public enum SMTPClientStage: Equatable, Hashable, BitwiseCopyable, CaseIterable, Sendable {
    /// The connection itself.
    case greeting
    /// EHLO, HELO or LHLO.
    case hello
    /// STARTTLS and the handshake.
    case startTLS
    /// AUTH.
    case authentication
    /// Nothing: the session waits for its next transaction.
    case ready
    /// What was looked at before MAIL; the peer was not asked.
    case envelope
    /// RSET.
    case reset
    /// MAIL.
    case mail
    /// RCPT.
    case recipient
    /// DATA, before the content.
    case data
    /// The content, by DATA or BDAT.
    case content
    /// QUIT.
    case quit
}
