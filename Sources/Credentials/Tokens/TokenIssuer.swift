// SPDX-License-Identifier: Apache-2.0

/// Somebody whose tokens are believed.
package struct TokenIssuer: Sendable {
    /// What the claim `iss` must be.
    package let issuer: String
    /// What the claim `aud` must be or hold.
    package let audience: String
    /// The claim that names the account, as `email`.
    package let identityClaim: String
    let keys: TokenKeys

    /// An issuer with its keys.
    package init(issuer: String, audience: String, identityClaim: String, keys: TokenKeys) {
        self.issuer = issuer
        self.audience = audience
        self.identityClaim = identityClaim
        self.keys = keys
    }
}
