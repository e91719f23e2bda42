// SPDX-License-Identifier: Apache-2.0

/// Why an exchange failed.
public enum SASLFailure: Equatable, BitwiseCopyable, Sendable {
    /// The credentials are not good, or may not be used for whom they were.
    case rejected
    /// The client gave up, by `*`.
    case cancelled
    /// What the client sent is no base64, or nothing that the mechanism knows, or too long.
    case malformed
    /// The server cannot tell at present.
    case temporary
    /// The mechanism cannot serve this account.
    case weak
    /// There were too many failures lately.
    case throttled
}
