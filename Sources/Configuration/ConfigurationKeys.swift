// SPDX-License-Identifier: Apache-2.0
//
// All keys of the file with their ranges and purposes, in the order of conf/martlet.reference.toml.

extension ConfigurationKey {
    /// Every key outside of [[listener]] and [[route]].
    static let all: [ConfigurationKey] =
        top + tls + auth + submission + smtp + pop3 + delivery + store + log + limits

    private static let top: [ConfigurationKey] = [
        ConfigurationKey(
            .top,
            "hostname",
            .domain(\.hostname),
            "the name of this server in greetings, replies and Received fields",
            isRequired: true
        ),
        ConfigurationKey(
            .top,
            "data-directory",
            .directory(\.dataDirectory),
            "where mail and accounts are kept",
            isRequired: true
        ),
        ConfigurationKey(
            .top,
            "local-domains",
            .domains(\.localDomains),
            "whose mail is delivered here",
            isRequired: true
        ),
        ConfigurationKey(
            .top,
            "postmaster",
            .mailbox(\.postmaster),
            "takes mail for postmaster of every local domain"
        ),
        ConfigurationKey(
            .top,
            "catch-all",
            .mailbox(\.catchAll),
            "takes mail for unknown local-parts of its domain"
        ),
        ConfigurationKey(
            .top,
            "subaddress-delimiter",
            .delimiter(\.subaddressDelimiter),
            "parts a mailbox from its detail"
        ),
        ConfigurationKey(
            .top,
            "allow-plaintext-auth-anywhere",
            .flag(\.allowsPlaintextAuthAnywhere),
            "whether plaintext-auth is allowed on addresses that are not loopback"
        ),
        ConfigurationKey(
            .top,
            "trusted-proxies",
            .networks(\.trustedProxies),
            "whose PROXY headers are believed"
        ),
        ConfigurationKey(
            .top,
            "relay-domains",
            .patterns(\.relayDomains),
            "whose mail is taken from anybody and passed on"
        ),
        ConfigurationKey(
            .top,
            "relay-networks",
            .networks(\.relayNetworks),
            "whose clients may send to any domain without a login"
        ),
        ConfigurationKey(
            .top,
            "allow-open-relay",
            .flag(\.allowsOpenRelay),
            "whether relay-networks may hold most of the internet"
        ),
        ConfigurationKey(
            .top,
            "user",
            .user(\.user),
            "whom a server started by root becomes once its ports are open"
        ),
        ConfigurationKey(
            .top,
            "confine",
            .choice(Configuration.Confinement.allCases.map(\.rawValue)) { configuration, name in
                Configuration.Confinement(rawValue: name).map { configuration.confinement = $0 }
            },
            "whether the server gives up what it does not need of the system"
        ),
    ]

    private static let smtp: [ConfigurationKey] = [
        ConfigurationKey(
            .smtp,
            "normalise-bare-newlines",
            .flag(\.smtp.normalisesBareNewlines),
            "whether bare CR and LF become CRLF instead of being refused"
        ),
        ConfigurationKey(
            .smtp,
            "answer-vrfy",
            .flag(\.smtp.answersVRFY),
            "whether VRFY tells which mailboxes exist"
        ),
        ConfigurationKey(
            .smtp,
            "answer-expn",
            .flag(\.smtp.answersEXPN),
            "whether EXPN lists the members of aliases"
        ),
        ConfigurationKey(
            .smtp,
            "offer-etrn",
            .flag(\.smtp.offersETRN),
            "whether mail may be fetched by ETRN"
        ),
        ConfigurationKey(
            .smtp,
            "accept-soml",
            .flag(\.smtp.acceptsSOML),
            "whether SOML and SAML are taken as MAIL"
        ),
    ]

    private static let pop3: [ConfigurationKey] = [
        ConfigurationKey(
            .pop3,
            "expire-days",
            .optionalNumber(0...36_500, \.pop3.expireDays),
            "days that mail may stay, as EXPIRE announces it"
        ),
        ConfigurationKey(
            .pop3,
            "login-delay-seconds",
            .optionalNumber(1...86_400, \.pop3.loginDelaySeconds),
            "seconds between two logins, as LOGIN-DELAY announces it"
        ),
        ConfigurationKey(
            .pop3,
            "language",
            .choice(["en", "de", "fr"]) { $0.pop3.language = $1 },
            "the language of replies after LANG *"
        ),
        ConfigurationKey(
            .pop3,
            "offer-apop",
            .flag(\.pop3.offersAPOP),
            "whether the greeting offers APOP"
        ),
    ]

    private static let store: [ConfigurationKey] = [
        ConfigurationKey(
            .store,
            "reserve-octets",
            .number(0...1 << 40, \.store.reserveOctets),
            "octets of the disk that new mail does not get"
        )
    ]

    private static let log: [ConfigurationKey] = [
        ConfigurationKey(
            .log,
            "level",
            .choice(Configuration.Log.Level.allCases.map(\.rawValue)) { configuration, name in
                Configuration.Log.Level(rawValue: name).map { configuration.log.level = $0 }
            },
            "the least severe lines that are logged"
        ),
        ConfigurationKey(
            .log,
            "format",
            .choice(Configuration.Log.Format.allCases.map(\.rawValue)) { configuration, name in
                Configuration.Log.Format(rawValue: name).map { configuration.log.format = $0 }
            },
            "how log lines are written"
        ),
    ]
}
