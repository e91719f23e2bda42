// SPDX-License-Identifier: Apache-2.0
//
// HMAC-SHA-256 with a random key that lives as long as the object: hashes that mean nothing outside
// of this process. The context is kept, because making one costs more than a hash.

internal import COpenSSL

/// A keyed hash function of this process.
@safe
final class KeyedHash {
    /// The 32 octets of a hash.
    typealias Value = SIMD4<UInt64>

    private let context: OpaquePointer

    init() {
        var key = LibCrypto.random(32)
        defer { LibCrypto.wipe(&key) }
        let context = unsafe copenssl_hmac_sha256(key, key.count)
        guard let context = unsafe context else {
            preconditionFailure("libcrypto has HMAC-SHA-256")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MAC_CTX_free(self.context) }

    /// The hash of the parts, each with its length, so that no two lists of parts are alike.
    func hash(_ first: [UInt8], _ second: [UInt8]) -> Value {
        var value = Value.zero
        var count = 0
        var length = UInt64(first.count).littleEndian
        // Without a key, the one of the last time is used again.
        var code = unsafe EVP_MAC_init(self.context, nil, 0, nil)
        code &= unsafe withUnsafeBytes(of: &length) { unsafe self.update($0) }
        code &= unsafe first.withUnsafeBytes { unsafe self.update($0) }
        code &= unsafe second.withUnsafeBytes { unsafe self.update($0) }
        code &= unsafe withUnsafeMutableBytes(of: &value) { buffer in
            unsafe EVP_MAC_final(
                self.context,
                buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
                &count,
                buffer.count
            )
        }
        precondition(code == 1 && count == 32, "libcrypto computes HMAC-SHA-256")
        return value
    }

    /// Whether two hashes are the same, in a time that tells nothing.
    static func areEqual(_ first: Value, _ second: Value) -> Bool {
        let difference = first ^ second
        return difference[0] | difference[1] | difference[2] | difference[3] == 0
    }

    private func update(_ octets: UnsafeRawBufferPointer) -> Int32 {
        unsafe EVP_MAC_update(
            self.context,
            octets.baseAddress?.assumingMemoryBound(to: UInt8.self),
            octets.count
        )
    }
}
