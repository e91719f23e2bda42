// SPDX-License-Identifier: Apache-2.0
//
// What a client's exchange must be told: who logs in, and all that needs the secret or
// cryptography.

/// A question that suspends a client's exchange until `answer` is called.
///
/// Each may also be answered `.unavailable`, which ends the exchange.
public enum SASLClientQuestion: Equatable, BitwiseCopyable, Sendable {
    /// PLAIN, LOGIN: who logs in, and the password. Answered `.password`.
    case providePassword
    /// SCRAM: who logs in, a nonce and, if asked for, the data of the channel. Answered `.scram`.
    case beginSCRAM(SCRAMHash, channelBinding: SASLChannelBinding?)
    /// SCRAM: the proof over `authMessage` with `salt` and `iterations`, and what the server will
    /// sign with; takes milliseconds. Answered `.proof`.
    case proveSCRAM(SCRAMHash)
    /// CRAM-MD5: who logs in, and the HMAC-MD5 of `challenge`. Answered `.digest`.
    case digest
}

/// The answer to a `SASLClientQuestion`; the octets are borrowed from whoever answers.
public enum SASLClientAnswer: ~Escapable {
    /// To `.providePassword`.
    case password(identity: Span<UInt8>, password: Span<UInt8>)
    /// To `.beginSCRAM`: `nonce` is printable ASCII without a comma, at least 18 random characters;
    /// `channelBinding` is empty when none was asked for.
    case scram(identity: Span<UInt8>, nonce: Span<UInt8>, channelBinding: Span<UInt8>)
    /// To `.proveSCRAM`: the client's proof, and the signature that the server must show.
    case proof(Span<UInt8>, serverSignature: Span<UInt8>)
    /// To `.digest`: 32 lower-case hexadecimal digits.
    case digest(identity: Span<UInt8>, digest: Span<UInt8>)
    /// To any: there is no secret, or the library refuses the hash function.
    case unavailable
}
