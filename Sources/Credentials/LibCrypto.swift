// SPDX-License-Identifier: Apache-2.0
//
// The calls into libcrypto: octets in, octets out. Everything unsafe of this module is here, in
// KeyedHash.swift, CryptFunction.swift and Tokens.

internal import COpenSSL

/// The hash functions that mail still asks for.
enum HashFunction {
    case sha256
    case sha1
    /// For APOP (RFC 1939, section 7) and CRAM-MD5 (RFC 2195) alone.
    case md5

    /// Octets of a hash.
    var octetCount: Int {
        switch self {
        case .sha256: 32
        case .sha1: 20
        case .md5: 16
        }
    }

    fileprivate var implementation: OpaquePointer? {
        switch self {
        case .sha256: unsafe EVP_sha256()
        case .sha1: unsafe EVP_sha1()
        case .md5: unsafe EVP_md5()
        }
    }
}

/// libcrypto's functions.
enum LibCrypto {
    /// The hash of a message; nil when the library refuses the function, as FIPS does MD5.
    static func hash(_ function: HashFunction, _ message: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: function.octetCount)
        let code = unsafe message.withUnsafeBytes { input in
            unsafe digest.withUnsafeMutableBufferPointer { output in
                unsafe EVP_Digest(
                    input.baseAddress,
                    input.count,
                    output.baseAddress,
                    nil,
                    function.implementation,
                    nil
                )
            }
        }
        return code == 1 ? digest : nil
    }

    /// HMAC (RFC 2104); nil when the library refuses the function.
    static func hmac(_ function: HashFunction, key: [UInt8], _ message: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: function.octetCount)
        let isDone = unsafe key.withUnsafeBytes { key in
            unsafe message.withUnsafeBufferPointer { input in
                unsafe digest.withUnsafeMutableBufferPointer { output in
                    unsafe HMAC(
                        function.implementation,
                        key.baseAddress,
                        Int32(key.count),
                        input.baseAddress,
                        input.count,
                        output.baseAddress,
                        nil
                    ) != nil
                }
            }
        }
        return isDone ? digest : nil
    }

    /// PBKDF2 (RFC 8018, section 5.2) with HMAC, as long as one hash; nil when the library refuses.
    ///
    /// Takes milliseconds: a third of one per thousand iterations.
    static func pbkdf2(
        _ function: HashFunction,
        password: [UInt8],
        salt: [UInt8],
        iterations: Int
    ) -> [UInt8]? {
        var key = [UInt8](repeating: 0, count: function.octetCount)
        let code = unsafe password.withUnsafeBytes { password in
            unsafe salt.withUnsafeBufferPointer { salt in
                unsafe key.withUnsafeMutableBufferPointer { key in
                    unsafe PKCS5_PBKDF2_HMAC(
                        password.baseAddress?.assumingMemoryBound(to: CChar.self),
                        Int32(password.count),
                        salt.baseAddress,
                        Int32(salt.count),
                        Int32(iterations),
                        function.implementation,
                        Int32(key.count),
                        key.baseAddress
                    )
                }
            }
        }
        return code == 1 ? key : nil
    }

    /// Octets from the library's generator, which the system seeds.
    static func random(_ count: Int) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: count)
        let code = unsafe octets.withUnsafeMutableBufferPointer { buffer in
            unsafe RAND_bytes(buffer.baseAddress, Int32(buffer.count))
        }
        precondition(code == 1, "without random octets no password can be kept safe")
        return octets
    }

    /// Whether two sequences are the same, in a time that tells only their lengths.
    static func areEqual(_ first: [UInt8], _ second: [UInt8]) -> Bool {
        guard first.count == second.count else { return false }
        return unsafe first.withUnsafeBytes { first in
            unsafe second.withUnsafeBytes { second in
                unsafe CRYPTO_memcmp(first.baseAddress, second.baseAddress, first.count) == 0
            }
        }
    }

    /// Overwrites key material that is no longer needed.
    static func wipe(_ octets: inout [UInt8]) {
        unsafe octets.withUnsafeMutableBytes { buffer in
            unsafe OPENSSL_cleanse(buffer.baseAddress, buffer.count)
        }
    }
}

/// Octets from the system's generator, for secrets and salts.
package func randomOctets(_ count: Int) -> [UInt8] { LibCrypto.random(count) }
