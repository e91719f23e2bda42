// SPDX-License-Identifier: Apache-2.0

/// Octets as lower-case hexadecimal digits, as APOP and CRAM-MD5 send a digest.
func hexadecimal(_ octets: [UInt8]) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xf)]] }
}
