// SPDX-License-Identifier: Apache-2.0
//
// The keys of [tls], [auth] and [submission].

extension ConfigurationKey {
    static let tls: [ConfigurationKey] = [
        ConfigurationKey(
            .tls,
            "certificate",
            .file(\.tls.certificatePath),
            "a PEM chain, the server's certificate first"
        ),
        ConfigurationKey(
            .tls,
            "private-key",
            .file(\.tls.privateKeyPath),
            "the PEM key of the certificate"
        ),
        ConfigurationKey(
            .tls,
            "client-authorities",
            .file(\.tls.clientAuthoritiesPath),
            "PEM certificates of those who may issue client certificates"
        ),
        ConfigurationKey(
            .tls,
            "minimum-version",
            .choice(Configuration.TLS.Version.allCases.map(\.rawValue)) { configuration, name in
                Configuration.TLS.Version(rawValue: name)
                    .map { configuration.tls.minimumVersion = $0 }
            },
            "the oldest version of TLS that is spoken"
        ),
        // RFC 8446, section 4.6.1: a ticket lives seven days at most, and a key opens what it
        // sealed as long again as it is used.
        ConfigurationKey(
            .tls,
            "ticket-key-hours",
            .number(1...84, \.tls.ticketKeyHours),
            "hours that a key for session tickets is used"
        ),
        ConfigurationKey(
            .tls,
            "additional",
            .certificates(\.tls.additional),
            "certificates for other names, or with another type of key"
        ),
    ]

    static let auth: [ConfigurationKey] = [
        ConfigurationKey(
            .auth,
            "mechanisms",
            .mechanisms(\.auth.mechanisms),
            "the SASL mechanisms that may be offered"
        ),
        ConfigurationKey(
            .auth,
            "scram",
            .choice(Configuration.Auth.SCRAM.allCases.map(\.rawValue)) { configuration, name in
                Configuration.Auth.SCRAM(rawValue: name).map { configuration.auth.scram = $0 }
            },
            "when SCRAM is offered"
        ),
        ConfigurationKey(
            .auth,
            "token-issuer",
            .tokenIssuers(\.auth.tokenIssuers),
            "whose tokens OAUTHBEARER and XOAUTH2 take"
        ),
    ]

    static let submission: [ConfigurationKey] = [
        ConfigurationKey(
            .submission,
            "check-sender",
            .flag(\.submission.checksSender),
            "whether the reverse-path must belong to the account"
        ),
        ConfigurationKey(
            .submission,
            "check-author",
            .flag(\.submission.checksAuthor),
            "whether the addresses in From must belong to the account"
        ),
        ConfigurationKey(
            .submission,
            "add-missing-fields",
            .flag(\.submission.addsMissingFields),
            "whether missing Date and Message-ID fields are added"
        ),
        ConfigurationKey(
            .submission,
            "hide-client-address",
            .flag(\.submission.hidesClientAddress),
            "whether Received fields leave the client's address out"
        ),
    ]
}
