// SPDX-License-Identifier: Apache-2.0

/// Whether an APOP digest (lower-case hexadecimal) is MD5(timestamp + secret), in constant time.
///
/// RFC 1939, section 7. Always false where the library refuses MD5.
package func apopDigestMatches(timestamp: [UInt8], secret: [UInt8], digest: [UInt8]) -> Bool {
    var message = timestamp + secret
    defer { LibCrypto.wipe(&message) }
    guard let hash = LibCrypto.hash(.md5, message) else { return false }
    return LibCrypto.areEqual(hexadecimal(hash), digest)
}
