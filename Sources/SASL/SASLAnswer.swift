// SPDX-License-Identifier: Apache-2.0
//
// What came of a question. The octets are borrowed from whoever answers.

/// The answer to a `SASLQuestion`.
public enum SASLAnswer: ~Escapable {
    /// The credentials are good.
    case accepted
    /// The credentials are not good, for whatever reason.
    case rejected
    /// The server cannot tell at present.
    case temporaryFailure
    /// There were too many failures lately; nothing was looked at.
    case throttled
    /// The account has nothing that this mechanism could be checked against.
    case unusable
    /// The keys of a SCRAM exchange.
    ///
    /// `salt` is not empty, `iterations` are at least 1; `nonce` is the server's part: printable
    /// ASCII without a comma, at least 18 random characters. `channelBinding` is the data of the
    /// channel that the question named; empty when none was, or when the channel has no such data.
    case scramKeys(
        salt: Span<UInt8>,
        iterations: Int,
        nonce: Span<UInt8>,
        channelBinding: Span<UInt8>
    )
    /// The client's proof is right, and this is the server's.
    case scramVerified(serverSignature: Span<UInt8>)
    /// The text of a CRAM-MD5 challenge, with its angle brackets.
    case challenge(Span<UInt8>)

    /// How the exchange ends by this answer; nil when it is a good one.
    var failure: SASLFailure? {
        switch self {
        case .rejected: .rejected
        case .temporaryFailure: .temporary
        case .throttled: .throttled
        case .unusable: .weak
        case .accepted, .scramKeys, .scramVerified, .challenge: nil
        }
    }
}
