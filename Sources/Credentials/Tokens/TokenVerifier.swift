// SPDX-License-Identifier: Apache-2.0
//
// Bearer tokens (RFC 6750) that are signed JSON Web Tokens (RFC 7519), checked with what was
// configured alone: nothing is fetched, and nobody is asked.

/// Verifies tokens of the issuers it was given.
package struct TokenVerifier: Sendable {
    private let issuers: [TokenIssuer]

    /// How far the clocks of issuer and server may be apart, in seconds.
    private static let leewaySeconds = 60.0
    private static let identityOctetsMax = 1020
    /// A token without the name of its key may try so many keys.
    private static let attemptsMax = 8

    /// A verifier for tokens of these issuers.
    package init(issuers: [TokenIssuer]) {
        self.issuers = issuers
    }

    /// Whose a token is; `now` in seconds since 1970.
    ///
    /// Takes about two tenths of a millisecond for each key of the issuer that may be meant, and
    /// eight may be.
    package func verify(_ token: [UInt8], now: Int) -> Result<TokenIdentity, TokenRefusal> {
        do throws(TokenRefusal) {
            return .success(try self.identity(of: token, now: Double(now)))
        } catch {
            return .failure(error)
        }
    }

    private func identity(of token: [UInt8], now: Double) throws(TokenRefusal) -> TokenIdentity {
        let token = try JSONWebToken(token)
        let issuer = try self.issuer(of: token.claims)
        try self.verifySignature(of: token, by: issuer)
        guard let end = token.claims["exp"]?.number, now < end + Self.leewaySeconds else {
            throw .expired
        }
        if let start = token.claims["nbf"] {
            guard let start = start.number else { throw .malformed }
            guard now >= start - Self.leewaySeconds else { throw .notYetValid }
        }
        guard let name = token.claims[issuer.identityClaim]?.string,
            (1...Self.identityOctetsMax).contains(name.count), !name.contains(0)
        else { throw .noIdentity }
        // OpenID Connect Core, section 5.1: anybody may claim an address that is not verified.
        if issuer.identityClaim == "email", let isVerified = token.claims["email_verified"] {
            guard isVerified == .boolean(true) || isVerified == .string(Array("true".utf8)) else {
                throw .noIdentity
            }
        }
        return TokenIdentity(name: name, issuer: issuer.issuer)
    }

    /// The issuer that the claims name, if it speaks to us (RFC 7519, sections 4.1.1 and 4.1.3).
    private func issuer(of claims: JSONValue) throws(TokenRefusal) -> TokenIssuer {
        guard let name = claims["iss"]?.string else { throw .unknownIssuer }
        let named = self.issuers.filter { name.elementsEqual($0.issuer.utf8) }
        guard !named.isEmpty else { throw .unknownIssuer }
        let audiences: [JSONValue]
        switch claims["aud"] {
        case .string(let one): audiences = [.string(one)]
        case .array(let several): audiences = several
        default: throw .wrongAudience
        }
        let issuer = named.first { issuer in
            audiences.contains(.string(Array(issuer.audience.utf8)))
        }
        guard let issuer else { throw .wrongAudience }
        return issuer
    }

    private func verifySignature(
        of token: JSONWebToken,
        by issuer: TokenIssuer
    ) throws(TokenRefusal) {
        // A key without a name may be the one that a token names: PEM has no names.
        let candidates = issuer.keys.keys.filter { key in
            key.algorithm == token.algorithm
                && (key.identifier == nil || token.keyIdentifier == nil
                    || key.identifier == token.keyIdentifier)
        }
        guard !candidates.isEmpty else { throw .unknownKey }
        let isSigned = candidates.prefix(Self.attemptsMax).contains {
            $0.verify(token.signature, of: token.signedOctets)
        }
        guard isSigned else { throw .wrongSignature }
    }
}
