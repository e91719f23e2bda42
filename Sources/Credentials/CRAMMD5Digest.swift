// SPDX-License-Identifier: Apache-2.0

/// Whether a CRAM-MD5 digest (lower-case hexadecimal) is the HMAC-MD5 of the challenge under the
/// secret, in constant time.
///
/// RFC 2195, section 2. Always false where the library refuses MD5.
package func cramMD5Matches(challenge: [UInt8], secret: [UInt8], digest: [UInt8]) -> Bool {
    guard let hash = LibCrypto.hmac(.md5, key: secret, challenge) else { return false }
    return LibCrypto.areEqual(hexadecimal(hash), digest)
}

/// The CRAM-MD5 digest of a challenge under a secret, in lower-case hexadecimal digits; nil where
/// the library refuses MD5.
package func cramMD5Digest(challenge: [UInt8], secret: [UInt8]) -> [UInt8]? {
    LibCrypto.hmac(.md5, key: secret, challenge).map(hexadecimal)
}
