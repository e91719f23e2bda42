// SPDX-License-Identifier: Apache-2.0
//
// The keys of an issuer, as they come in a file: a JSON Web Key Set (RFC 7517), or PEM.

internal import Glibc
internal import MailBytes

/// Why a file of keys cannot be used.
package enum TokenKeysError: Error, Equatable, Sendable {
    /// The file cannot be read; an errno.
    case unreadable(Int32)
    /// The file is larger than 1 MiB.
    case tooLarge
    /// It is neither a key set nor PEM.
    case malformed
    /// There is no RSA key of at least 2048 bits in it, and none on the curve P-256.
    case noUsableKey
}

/// The public keys that an issuer signs with.
package struct TokenKeys: Sendable {
    let keys: [VerificationKey]

    /// Reads a file.
    package init(path: String) throws(TokenKeysError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .unreadable(errno) }
        defer { close(descriptor) }
        var octets: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe read(descriptor, &part, part.count)
            guard count >= 0 else { throw .unreadable(errno) }
            guard count > 0 else { break }
            octets += part[..<count]
            guard octets.count <= Self.octetsMax else { throw .tooLarge }
        }
        try self.init(octets: octets)
    }

    /// The keys in the octets of such a file.
    ///
    /// A key set may hold keys for other purposes and other algorithms, which are passed over: the
    /// issuer publishes it for everybody. In PEM each block must be a key that can be used.
    package init(octets: [UInt8]) throws(TokenKeysError) {
        guard octets.count <= Self.octetsMax else { throw .tooLarge }
        if let value = JSONReader.read(octets) {
            guard case .array(let members)? = value["keys"] else { throw .malformed }
            self.keys = Array(members.compactMap { Self.key(of: $0) }.prefix(Self.keysMax))
        } else {
            guard let keys = VerificationKey.keys(ofPEM: octets), !keys.isEmpty else {
                throw .malformed
            }
            self.keys = keys
        }
        guard !self.keys.isEmpty else { throw .noUsableKey }
    }

    /// A signature key for one of our algorithms; nil for any other (RFC 7517, section 5).
    private static func key(of value: JSONValue) -> VerificationKey? {
        if let use = value["use"] {
            guard use == .string(Array("sig".utf8)) else { return nil }
        }
        let identifier = value["kid"]?.string
        func octets(_ name: String) -> [UInt8]? {
            value[name]?.string.flatMap { Base64.decodeURL($0) }
        }
        let key: VerificationKey?
        switch value["kty"]?.string.map({ String(decoding: $0, as: UTF8.self) }) {
        case "RSA":
            guard let modulus = octets("n"), let exponent = octets("e") else { return nil }
            key = VerificationKey(modulus: modulus, exponent: exponent, identifier: identifier)
        case "EC":
            guard value["crv"] == .string(Array("P-256".utf8)), let x = octets("x"),
                let y = octets("y")
            else { return nil }
            key = VerificationKey(x: x, y: y, identifier: identifier)
        default: return nil
        }
        // A key that is meant for one algorithm is for no other, as PS256.
        guard let key, let algorithm = value["alg"] else { return key }
        return algorithm == .string(Array(key.algorithm.rawValue.utf8)) ? key : nil
    }

    private static let octetsMax = 1 << 20
    private static let keysMax = 64
}
