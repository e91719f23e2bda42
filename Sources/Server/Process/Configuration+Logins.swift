// SPDX-License-Identifier: Apache-2.0
//
// What logins need of the files that the configuration names: the keys of those who issue tokens,
// and the server's own secret.

internal import Configuration
internal import Credentials

extension Configuration {
    /// Why logins cannot be set up.
    struct LoginFailure: Error {
        let sentence: String
    }

    /// The settings of logins, from the files as they are now.
    func loginSettings() throws(LoginFailure) -> LoginSettings {
        var settings = LoginSettings()
        let path = "\(self.dataDirectory)/login-secret"
        do throws(SecretFile.Failure) {
            settings.secret = try SecretFile.read(path)
        } catch {
            throw LoginFailure(sentence: "\(path): cannot be used (errno \(error.code))")
        }
        settings.tokens = try self.tokenVerifier()
        return settings
    }

    private func tokenVerifier() throws(LoginFailure) -> TokenVerifier {
        var issuers: [TokenIssuer] = []
        for issuer in self.auth.tokenIssuers {
            let keys: TokenKeys
            do throws(TokenKeysError) {
                keys = try TokenKeys(path: issuer.keysPath)
            } catch {
                throw LoginFailure(sentence: "\(issuer.keysPath): \(error.sentence)")
            }
            issuers.append(
                TokenIssuer(
                    issuer: issuer.issuer,
                    audience: issuer.audience,
                    identityClaim: issuer.identityClaim,
                    keys: keys
                )
            )
        }
        return TokenVerifier(issuers: issuers)
    }
}

extension TokenKeysError {
    fileprivate var sentence: String {
        switch self {
        case .unreadable(let code): "cannot be read (errno \(code))"
        case .tooLarge: "is larger than 1 MiB"
        case .malformed: "is neither a JWK set nor PEM"
        case .noUsableKey: "holds no RSA key of 2048 bits or more, and none on the curve P-256"
        }
    }
}
