// SPDX-License-Identifier: Apache-2.0
//
// What an exchange must know of the world. The data that belong to a question are read from the
// exchange, as spans.

/// A question that suspends an exchange until `answer` is called.
///
/// Each may also be answered `.rejected`, `.temporaryFailure`, `.throttled` or `.unusable`.
public enum SASLQuestion: Equatable, BitwiseCopyable, Sendable {
    /// PLAIN, LOGIN: is `password` that of `identity`? Answered `.accepted`.
    case verifyPassword
    /// The keys of `identity` for SCRAM, a nonce, and what the channel is bound to.
    ///
    /// Answered `.scramKeys`, for an unknown identity with keys that look like any other's.
    case findSCRAMKeys(SCRAMHash, channelBinding: SASLChannelBinding?)
    /// Does `clientProof` fit `authMessage` and the keys of `identity`? Answered `.scramVerified`.
    case verifySCRAMProof(SCRAMHash)
    /// CRAM-MD5: a text that never came before, as `<number.clock@host>`. Answered `.challenge`.
    case makeChallenge
    /// Is `digest` the HMAC-MD5 of `serverChallenge` under the secret of `identity`?
    ///
    /// Answered `.accepted`.
    case verifyDigest
    /// EXTERNAL: may the client's certificate act as `authorizationIdentity`?
    ///
    /// When that is empty: whom does it name? Answered `.accepted`.
    case verifyCertificate
    /// OAUTHBEARER, XOAUTH2: does `token` open the account of `identity`?
    ///
    /// The identity may be empty for OAUTHBEARER: the token alone says whose it is. Answered
    /// `.accepted`.
    case verifyToken
}

/// The hash function of a SCRAM mechanism.
public enum SCRAMHash: Equatable, BitwiseCopyable, Sendable {
    /// RFC 7677.
    case sha256
    /// RFC 5802.
    case sha1

    /// Octets of a hash, so of a proof and of a signature.
    public var octetCount: Int {
        switch self {
        case .sha256: 32
        case .sha1: 20
        }
    }
}

/// What of the TLS channel an exchange is bound to.
public enum SASLChannelBinding: Equatable, BitwiseCopyable, Sendable, CaseIterable {
    /// The hash of the server's certificate (RFC 5929, section 4).
    case tlsServerEndPoint
    /// Keying material exported from the session (RFC 9266).
    case tlsExporter

    /// The registered name.
    public var name: StaticString {
        switch self {
        case .tlsServerEndPoint: "tls-server-end-point"
        case .tlsExporter: "tls-exporter"
        }
    }
}
