// SPDX-License-Identifier: Apache-2.0
//
// The public keys of those who issue tokens. A key is kept as octets and becomes an object of the
// library for each verification: so it may be used on any thread.

internal import COpenSSL

/// A public key and the one algorithm it serves.
struct VerificationKey: Equatable, Sendable {
    /// How a token is signed (RFC 7518, section 3.1).
    ///
    /// The key decides, never the token: nothing signed with a public key as a shared secret, or
    /// not signed at all, can be taken for what it is not.
    enum Algorithm: String, Sendable {
        case es256 = "ES256"
        case rs256 = "RS256"
    }

    let algorithm: Algorithm
    /// The name of the key, where it has one.
    let identifier: [UInt8]?
    /// A SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7).
    private let octets: [UInt8]

    /// An RSA key of 2048 to 8192 bits; nil for anything else.
    init?(modulus: [UInt8], exponent: [UInt8], identifier: [UInt8]?) {
        guard !modulus.isEmpty, modulus.count <= Self.modulusOctetsMax, !exponent.isEmpty,
            exponent.count <= 8
        else { return nil }
        let key = unsafe copenssl_rsa_public_key(
            modulus,
            modulus.count,
            exponent,
            exponent.count
        )
        unsafe self.init(owning: key, identifier: identifier)
    }

    /// A key on the curve P-256; nil when the coordinates are no point of it.
    init?(x: [UInt8], y: [UInt8], identifier: [UInt8]?) {
        guard x.count == 32, y.count == 32 else { return nil }
        let point = [0x04] + x + y
        let key = unsafe copenssl_p256_public_key(point, point.count)
        unsafe self.init(owning: key, identifier: identifier)
    }

    /// All keys and the keys of all certificates in a PEM text; nil when something else is in it,
    /// or a key that cannot be used.
    static func keys(ofPEM text: [UInt8]) -> [VerificationKey]? {
        unsafe text.withUnsafeBytes { text -> [VerificationKey]? in
            let source = unsafe BIO_new_mem_buf(text.baseAddress, Int32(text.count))
            defer { unsafe BIO_free(source) }
            var keys: [VerificationKey] = []
            while true {
                var pointer: OpaquePointer?
                switch unsafe copenssl_read_pem_public_key(source, &pointer) {
                case 0: return keys
                case 1:
                    guard let key = unsafe VerificationKey(owning: pointer, identifier: nil),
                        keys.count < self.pemKeysMax
                    else { return nil }
                    keys.append(key)
                default: return nil
                }
            }
        }
    }

    /// Takes the object over.
    private init?(owning key: OpaquePointer?, identifier: [UInt8]?) {
        defer { unsafe EVP_PKEY_free(key) }
        guard let key = unsafe key else { return nil }
        switch unsafe copenssl_key_kind(key) {
        case Int32(COPENSSL_KEY_RSA):
            guard (2048...8 * Self.modulusOctetsMax).contains(unsafe Int(EVP_PKEY_get_bits(key)))
            else { return nil }
            self.algorithm = .rs256
        case Int32(COPENSSL_KEY_P256): self.algorithm = .es256
        default: return nil
        }
        let count = unsafe i2d_PUBKEY(key, nil)
        guard count > 0 else { return nil }
        var octets = [UInt8](repeating: 0, count: Int(count))
        let written = unsafe octets.withUnsafeMutableBufferPointer { buffer in
            var end = buffer.baseAddress
            return unsafe i2d_PUBKEY(key, &end)
        }
        guard written == count else { return nil }
        self.octets = octets
        self.identifier = identifier
    }

    /// Whether the key's owner has signed the message.
    ///
    /// Takes about two tenths of a millisecond.
    func verify(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        let key = unsafe self.octets.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            return unsafe d2i_PUBKEY(nil, &start, buffer.count)
        }
        guard let key = unsafe key else { return false }
        defer { unsafe EVP_PKEY_free(key) }
        switch self.algorithm {
        case .rs256:
            return unsafe copenssl_verify_sha256(
                key,
                signature,
                signature.count,
                message,
                message.count
            ) == 1
        case .es256:
            guard signature.count == 64 else { return false }
            return unsafe copenssl_verify_p256(key, signature, message, message.count) == 1
        }
    }

    private static let modulusOctetsMax = 1024
    private static let pemKeysMax = 16
}
