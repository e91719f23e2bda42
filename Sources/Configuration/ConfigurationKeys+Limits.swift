// SPDX-License-Identifier: Apache-2.0
//
// The keys of [limits]. Lower bounds that an RFC sets are named; the others keep the server usable,
// upper bounds keep its arithmetic and memory sane.

extension ConfigurationKey {
    static let limits: [ConfigurationKey] =
        connectionLimits + sessionLimits + abuseLimits + serverLimits

    private static func limit(
        _ name: String,
        _ range: ClosedRange<Int>,
        _ place: Place<Int>,
        _ purpose: String
    ) -> ConfigurationKey {
        ConfigurationKey(.limits, name, .number(range, place), purpose)
    }

    private static let connectionLimits: [ConfigurationKey] = [
        limit("connections", 1...1_000_000, \.limits.connections, "connections of all listeners"),
        limit(
            "connections-per-client",
            1...1_000_000,
            \.limits.connectionsPerClient,
            "connections of one IPv4 address or IPv6 /64"
        ),
        ConfigurationKey(
            .limits,
            "exempt-networks",
            .networks(\.limits.exemptNetworks),
            "peers that limits for each client do not count"
        ),
        limit(
            "idle-seconds",
            1...86_400,
            \.limits.idleSeconds,
            "seconds that an SMTP or LMTP client may be silent"
        ),
        // RFC 1939, section 3.
        limit(
            "pop3-idle-seconds",
            600...86_400,
            \.limits.pop3IdleSeconds,
            "seconds that a POP3 client may be silent; RFC 1939 demands 600 at least"
        ),
        limit(
            "transaction-seconds",
            1...86_400,
            \.limits.transactionSeconds,
            "seconds within which a mail transaction must be over"
        ),
        limit(
            "content-octets-per-second-min",
            0...1 << 30,
            \.limits.contentOctetsPerSecondMin,
            "octets a second below which a message is given up"
        ),
        limit(
            "shutdown-grace-seconds",
            0...3600,
            \.limits.shutdownGraceSeconds,
            "seconds that sessions have to end when the server stops"
        ),
        limit(
            "handshake-seconds",
            1...3600,
            \.limits.handshakeSeconds,
            "seconds within which a TLS handshake must be over, its wait for a turn included"
        ),
        limit(
            "proxy-header-seconds",
            1...60,
            \.limits.proxyHeaderSeconds,
            "seconds within which a PROXY header must be there"
        ),
    ]

    private static let sessionLimits: [ConfigurationKey] = [
        // RFC 5321, section 4.5.3.1.7.
        limit(
            "message-octets",
            65_536...Int(Int32.max),
            \.limits.messageOctets,
            "octets of a message; RFC 5321 demands 65536 at least"
        ),
        // RFC 5321, section 4.5.3.1.8.
        limit(
            "recipients-per-transaction",
            100...100_000,
            \.limits.recipientsPerTransaction,
            "recipients of one transaction; RFC 5321 demands 100 at least"
        ),
        limit(
            "transactions-per-session",
            1...1_000_000_000,
            \.limits.transactionsPerSession,
            "messages that one SMTP or LMTP session may bring"
        ),
        limit(
            "commands-per-session",
            10...1_000_000_000,
            \.limits.commandsPerSession,
            "commands of one session"
        ),
        limit(
            "errors-per-session",
            1...1_000_000,
            \.limits.errorsPerSession,
            "refused commands of one session"
        ),
        limit(
            "login-failures-per-session",
            1...1000,
            \.limits.loginFailuresPerSession,
            "failed logins of one session"
        ),
        // RFC 5321, section 4.5.3.1.4, asks for 512, and its extensions for more.
        limit(
            "command-line-octets",
            1024...16_384,
            \.limits.commandLineOctets,
            "octets of a command line with its CRLF"
        ),
        limit(
            "received-fields",
            25...10_000,
            \.limits.receivedFields,
            "Received fields beyond which a message is taken to loop"
        ),
        limit(
            "deliveries-per-transaction",
            100...1_000_000,
            \.limits.deliveriesPerTransaction,
            "maildrops that one transaction may deliver to"
        ),
        limit(
            "output-backlog-octets",
            65_536...1 << 30,
            \.limits.outputBacklogOctets,
            "octets that a peer may leave unread at the most before it is read from no more"
        ),
        limit(
            "login-failure-milliseconds",
            0...60_000,
            \.limits.loginFailureMilliseconds,
            "milliseconds after which a failed login is answered"
        ),
    ]

    private static let abuseLimits: [ConfigurationKey] = [
        limit(
            "connections-per-client-minute",
            1...1_000_000,
            \.limits.connectionsPerClientMinute,
            "connections that one client may begin in a minute"
        ),
        limit(
            "greeting-delay-milliseconds",
            0...60_000,
            \.limits.greetingDelayMilliseconds,
            "milliseconds before an SMTP greeting, in which a client must be silent"
        ),
        limit(
            "tarpit-after-errors",
            0...1_000_000,
            \.limits.tarpitAfterErrors,
            "refused commands of one session after which further refusals come late"
        ),
        limit(
            "tarpit-milliseconds",
            0...60_000,
            \.limits.tarpitMilliseconds,
            "milliseconds by which they come late"
        ),
        limit(
            "login-failures-per-client",
            1...1_000_000,
            \.limits.loginFailuresPerClient,
            "failed logins after which a client is banned"
        ),
        limit(
            "login-failures-per-account",
            1...1_000_000,
            \.limits.loginFailuresPerAccount,
            "failed logins after which those of an account are slowed down, wherever from"
        ),
        limit(
            "login-ban-seconds",
            1...86_400,
            \.limits.loginBanSeconds,
            "seconds that a ban lasts, and that failed logins are remembered"
        ),
        limit(
            "messages-per-account-hour",
            1...1_000_000_000,
            \.limits.messagesPerAccountHour,
            "messages that one account may submit in an hour"
        ),
        limit(
            "recipients-per-account-hour",
            1...1_000_000_000,
            \.limits.recipientsPerAccountHour,
            "recipients to whom one account may submit in an hour"
        ),
    ]

    private static let serverLimits: [ConfigurationKey] = [
        limit(
            "content-memory-octets",
            1 << 20...1 << 40,
            \.limits.contentMemoryOctets,
            "octets of unfinished messages in memory; more of them go to the store at once"
        ),
        limit(
            "steps-per-turn",
            1...100_000,
            \.limits.stepsPerTurn,
            "commands of one session that are done before the others have their turn"
        ),
        limit(
            "handshakes-per-turn",
            1...1000,
            \.limits.handshakesPerTurn,
            "TLS handshakes that begin before other sessions have their turn"
        ),
        limit(
            "address-cache-entries",
            1...100_000_000,
            \.limits.addressCacheEntries,
            "addresses remembered in memory"
        ),
        limit(
            "credential-cache-entries",
            0...100_000_000,
            \.limits.credentialCacheEntries,
            "verified passwords remembered in memory, as keyed hashes"
        ),
    ]
}
