// SPDX-License-Identifier: Apache-2.0
//
// A signed JSON Web Token (RFC 7519) in the compact form of RFC 7515, section 7.1, taken apart.
// Keys that a token brings along, or says where to fetch, are not looked at.

internal import MailBytes

/// A token whose signature is still to be verified.
struct JSONWebToken {
    let algorithm: VerificationKey.Algorithm
    /// The name of the key it was signed with (`kid`), where the token says it.
    let keyIdentifier: [UInt8]?
    let claims: JSONValue
    let signature: [UInt8]
    /// What the signature is over.
    let signedOctets: [UInt8]

    /// Takes a token apart.
    init(_ token: [UInt8]) throws(TokenRefusal) {
        guard token.count <= Self.octetsMax else { throw .malformed }
        let parts = token.split(separator: .dot, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]),
            let claims = Self.object(parts[1]), let signature = Base64.decodeURL(parts[2]),
            let name = header["alg"]?.string
        else { throw .malformed }
        guard
            let algorithm = VerificationKey.Algorithm(
                rawValue: String(decoding: name, as: UTF8.self)
            )
        else { throw .unsupportedAlgorithm }
        // RFC 7515, section 4.1.11: an extension that must be understood, and none is.
        guard header["crit"] == nil else { throw .malformed }
        if let identifier = header["kid"] {
            guard let identifier = identifier.string else { throw .malformed }
            self.keyIdentifier = identifier
        } else {
            self.keyIdentifier = nil
        }
        self.algorithm = algorithm
        self.claims = claims
        self.signature = signature
        self.signedOctets = Array(token[..<(parts[2].startIndex - 1)])
    }

    private static func object(_ text: ArraySlice<UInt8>) -> JSONValue? {
        guard let octets = Base64.decodeURL(text), let value = JSONReader.read(octets),
            case .object = value
        else { return nil }
        return value
    }

    private static let octetsMax = 8192
}
