// SPDX-License-Identifier: Apache-2.0
//
// TLS, logins and submission: what the operator may choose about them.

extension Configuration {
    /// Certificates and what goes with them.
    package struct TLS: Sendable {
        /// A certificate chain and its key, both PEM; their paths are absolute, or relative to the
        /// working directory.
        package struct Certificate: Sendable, Hashable {
            package var chainPath: String
            package var keyPath: String

            package init(chainPath: String, keyPath: String) {
                self.chainPath = chainPath
                self.keyPath = keyPath
            }
        }

        package enum Version: String, Sendable, CaseIterable {
            case tls12 = "1.2"
            case tls13 = "1.3"
        }

        package var certificatePath: String?
        package var privateKeyPath: String?
        /// For other names, or with another type of key for the same.
        package var additional: [Certificate] = []
        /// Certificates of those who may issue client certificates; nil: none is asked for.
        package var clientAuthoritiesPath: String?
        package var minimumVersion = Version.tls12
        /// How long a key for session tickets is used; it opens tickets as long again.
        package var ticketKeyHours = 12
        package init() {}

        /// All certificates, the default one first; empty when there is no TLS.
        package var certificates: [Certificate] {
            guard let certificatePath, let privateKeyPath else { return [] }
            let first = Certificate(chainPath: certificatePath, keyPath: privateKeyPath)
            return [first] + self.additional
        }
    }

    /// The SASL mechanisms (RFC 4422) by the names that the file and the wire have for them.
    package enum Mechanism: String, Sendable, CaseIterable {
        case scramSHA256Plus = "SCRAM-SHA-256-PLUS"
        case scramSHA256 = "SCRAM-SHA-256"
        case scramSHA1 = "SCRAM-SHA-1"
        case external = "EXTERNAL"
        case oauthBearer = "OAUTHBEARER"
        case xoauth2 = "XOAUTH2"
        case cramMD5 = "CRAM-MD5"
        case plain = "PLAIN"
        case login = "LOGIN"

        package var isSCRAM: Bool {
            switch self {
            case .scramSHA256Plus, .scramSHA256, .scramSHA1: true
            case .external, .oauthBearer, .xoauth2, .cramMD5, .plain, .login: false
            }
        }

        package var takesToken: Bool { self == .oauthBearer || self == .xoauth2 }
    }

    /// How clients log in.
    package struct Auth: Sendable {
        package enum SCRAM: String, Sendable, CaseIterable {
            /// Announced while every account can use it.
            case auto
            /// Announced even where some accounts cannot.
            case always
            case never
        }

        /// Who issues tokens (RFC 7519), and how they are told from others'.
        package struct TokenIssuer: Sendable {
            /// What the claim `iss` must be.
            package var issuer: String
            /// What the claim `aud` must be or contain.
            package var audience: String
            /// The issuer's public keys: a JWK set or PEM.
            package var keysPath: String
            /// The claim that holds the address of the account.
            package var identityClaim: String

            package init(
                issuer: String,
                audience: String,
                keysPath: String,
                identityClaim: String = "email"
            ) {
                self.issuer = issuer
                self.audience = audience
                self.keysPath = keysPath
                self.identityClaim = identityClaim
            }
        }

        /// The mechanisms that may be offered; nil: every one that can work, except CRAM-MD5.
        package var mechanisms: [Mechanism]?
        package var scram = SCRAM.auto
        package var tokenIssuers: [TokenIssuer] = []
        package init() {}
    }

    /// What submission listeners (RFC 6409) do that the operator may choose.
    package struct Submission: Sendable {
        /// Whether the reverse-path must be an address of the account that has logged in.
        package var checksSender = true
        /// Whether every author in From must be.
        package var checksAuthor = true
        /// Whether missing Date and Message-ID fields are added.
        package var addsMissingFields = true
        /// Whether Received fields say nothing of the client's address.
        package var hidesClientAddress = false
        package init() {}
    }

    /// The mechanisms that a listener can offer at all, TLS begun or not: those that are wanted,
    /// and for which the rest of the configuration has what they need.
    package func mechanisms(of listener: Listener) -> [Mechanism] {
        guard listener.service.hasLogins else { return [] }
        return Mechanism.allCases.filter { mechanism in
            let isWanted = self.auth.mechanisms?.contains(mechanism) ?? (mechanism != .cramMD5)
            return isWanted && self.canWork(mechanism, on: listener)
        }
    }

    private func canWork(_ mechanism: Mechanism, on listener: Listener) -> Bool {
        let hasTLS = listener.tls != .off
        return switch mechanism {
        case .scramSHA256Plus: hasTLS && self.auth.scram != .never
        case .scramSHA256, .scramSHA1: self.auth.scram != .never
        case .external: hasTLS && self.tls.clientAuthoritiesPath != nil
        case .oauthBearer, .xoauth2:
            !self.auth.tokenIssuers.isEmpty && (hasTLS || listener.permitsPlaintextAuth)
        case .cramMD5: true
        case .plain, .login: hasTLS || listener.permitsPlaintextAuth
        }
    }
}
