// SPDX-License-Identifier: Apache-2.0
//
// The keys of [delivery].

extension ConfigurationKey {
    static let delivery: [ConfigurationKey] = ways + times + amounts

    private static func number(
        _ name: String,
        _ range: ClosedRange<Int>,
        _ place: Place<Int>,
        _ purpose: String
    ) -> ConfigurationKey {
        ConfigurationKey(.delivery, name, .number(range, place), purpose)
    }

    private static let ways: [ConfigurationKey] = [
        ConfigurationKey(
            .delivery,
            "resolver",
            .nameservers(\.delivery.resolvers),
            "servers of the domain name system"
        ),
        ConfigurationKey(
            .delivery,
            "trust-anchors",
            .file(\.delivery.trustAnchorsPath),
            "the keys that DNSSEC begins with"
        ),
        number("smtp-port", 1...65_535, \.delivery.smtpPort, "the port of servers found by MX"),
        ConfigurationKey(
            .delivery,
            "tls",
            .choice(Configuration.Delivery.TLS.allCases.map(\.rawValue)) { configuration, name in
                Configuration.Delivery.TLS(rawValue: name)
                    .map { configuration.delivery.tls = $0 }
            },
            "what TLS is demanded of the servers that mail goes to"
        ),
        ConfigurationKey(
            .delivery,
            "authorities",
            .file(\.delivery.authoritiesPath),
            "PEM certificates of those who may issue certificates of servers"
        ),
        ConfigurationKey(
            .delivery,
            "source-addresses",
            .sources(\.delivery.sourceAddresses),
            "where connections to other servers come from"
        ),
        ConfigurationKey(
            .delivery,
            "fallback-relay",
            .relay(\.delivery.fallbackRelay),
            "takes what cannot be delivered straight"
        ),
        ConfigurationKey(
            .delivery,
            "fallback-login",
            .login(\.delivery.fallbackLogin),
            "who logs in at fallback-relay"
        ),
        ConfigurationKey(
            .delivery,
            "fallback-password-file",
            .file(\.delivery.fallbackPasswordPath),
            "holds the password of fallback-login"
        ),
    ]

    private static let times: [ConfigurationKey] = [
        number(
            "retry-seconds-min",
            1...86_400,
            \.delivery.retrySecondsMin,
            "seconds before the second attempt"
        ),
        number(
            "retry-seconds-max",
            1...604_800,
            \.delivery.retrySecondsMax,
            "seconds between two attempts at the most"
        ),
        number(
            "age-hours-max",
            1...8760,
            \.delivery.ageHoursMax,
            "hours after which mail that could not be delivered goes back"
        ),
        number(
            "warn-hours",
            0...8759,
            \.delivery.warnHours,
            "hours after which the sender is told of a delay; 0: never"
        ),
        number(
            "connect-seconds",
            1...600,
            \.delivery.connectSeconds,
            "seconds within which a connection must be there"
        ),
        number(
            "reply-seconds",
            1...3600,
            \.delivery.replySeconds,
            "seconds within which a reply must be there"
        ),
    ]

    private static let amounts: [ConfigurationKey] = [
        number(
            "connections",
            1...100_000,
            \.delivery.connections,
            "connections to other servers"
        ),
        number(
            "connections-per-destination",
            1...1000,
            \.delivery.connectionsPerDestination,
            "connections to the servers of one destination"
        ),
        number(
            "messages-per-connection",
            1...100_000,
            \.delivery.messagesPerConnection,
            "messages of one connection"
        ),
        number(
            "messages-per-destination-second",
            0...100_000,
            \.delivery.messagesPerDestinationSecond,
            "messages to one destination in a second; 0: any number"
        ),
    ]
}
