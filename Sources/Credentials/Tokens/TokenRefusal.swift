// SPDX-License-Identifier: Apache-2.0

/// Why a token is no good; for the log, never for the client.
package enum TokenRefusal: Error, Equatable, Sendable {
    /// It is no signed JSON Web Token in the compact form.
    case malformed
    /// It is signed in a way that is not accepted, or not at all.
    case unsupportedAlgorithm
    /// Nobody of that name is believed.
    case unknownIssuer
    /// It is meant for somebody else.
    case wrongAudience
    /// The issuer has no such key.
    case unknownKey
    /// The signature is not that of the issuer.
    case wrongSignature
    /// It says no time of its end, or one that has passed.
    case expired
    /// Its time has not come.
    case notYetValid
    /// It does not say whose it is, or the issuer says that it does not know.
    case noIdentity
}

/// Whom a token stands for.
package struct TokenIdentity: Equatable, Sendable {
    /// The value of the claim that names the account; not empty, octets as they came.
    package let name: [UInt8]
    /// Who issued the token.
    package let issuer: String
}
