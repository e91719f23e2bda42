// SPDX-License-Identifier: Apache-2.0

/// Whether an APOP digest (lower-case hexadecimal) is MD5(timestamp + secret), in constant time.
///
/// RFC 1939, section 7. Always false where the library refuses MD5.
package func apopDigestMatches(timestamp: [UInt8], secret: [UInt8], digest: [UInt8]) -> Bool {
    var message = timestamp + secret
    defer { LibCrypto.wipe(&message) }
    guard let hash = LibCrypto.hash(.md5, message) else { return false }
    let digits = Array("0123456789abcdef".utf8)
    let expected = hash.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }
    return LibCrypto.areEqual(expected, digest)
}
