// SPDX-License-Identifier: Apache-2.0
//
// Every limit of the program: [limits] in the configuration, the unit last in each name.

extension Configuration {
    /// The limits with their defaults.
    package struct Limits: Sendable {
        package var connections = 20_000
        package var connectionsPerClient = 100
        package var exemptNetworks: [NetworkPrefix] = []
        package var idleSeconds = 300
        package var pop3IdleSeconds = 600
        package var transactionSeconds = 1800
        package var contentOctetsPerSecondMin = 100
        package var messageOctets = 52_428_800
        package var recipientsPerTransaction = 1000
        package var transactionsPerSession = 1000
        package var commandsPerSession = 100_000
        package var errorsPerSession = 20
        package var loginFailuresPerSession = 5
        package var commandLineOctets = 2048
        package var receivedFields = 100
        package var deliveriesPerTransaction = 5000
        package var outputBacklogOctets = 1 << 18
        package var contentMemoryOctets = 1 << 26
        package var stepsPerTurn = 64
        package var addressCacheEntries = 100_000
        package var credentialCacheEntries = 100_000
        package var loginFailureMilliseconds = 1000
        package var shutdownGraceSeconds = 10
        package var handshakesPerTurn = 2
        package var handshakeSeconds = 20
        package var proxyHeaderSeconds = 3
        package var connectionsPerClientMinute = 600
        package var greetingDelayMilliseconds = 0
        package var tarpitAfterErrors = 5
        package var tarpitMilliseconds = 1000
        package var loginFailuresPerClient = 20
        package var loginFailuresPerAccount = 50
        package var loginBanSeconds = 900
        package var messagesPerAccountHour = 1000
        package var recipientsPerAccountHour = 10_000
        package init() {}
    }
}
