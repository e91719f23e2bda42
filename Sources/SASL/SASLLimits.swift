// SPDX-License-Identifier: Apache-2.0

/// What bounds an exchange; in octets.
public enum SASLLimits {
    /// The longest line, in base64 (RFC 4954, section 4).
    public static let lineOctetsMax = 12288
    /// The longest name: 255 characters of at most four octets.
    public static let nameOctetsMax = 1020
    /// The longest password.
    public static let passwordOctetsMax = 1024
    /// The longest token.
    public static let tokenOctetsMax = 8192
    /// How often a server may let a client hash its password (SCRAM).
    ///
    /// RFC 7677, section 4, names 4096 as the least; the most is half a second of a processor.
    public static let iterations = 4096...1_000_000
    /// The longest nonce of a client; those seen are 16 to 64 octets long.
    static let nonceOctetsMax = 512
}
