// SPDX-License-Identifier: Apache-2.0
//
// The limits that drivers apply, as plain numbers in the form they are used.

/// Every limit of the running server that is not a session's own.
package struct ServerLimits: Sendable {
    /// Connections of all listeners together.
    package var connections = 20_000
    /// Connections of one client: an IPv4 address or an IPv6 /64.
    package var connectionsPerClient = 100
    /// An SMTP or LMTP client may be silent so long (RFC 5321, section 4.5.3.2.7).
    package var idleSeconds: Double = 300
    /// A POP3 client may be silent so long (RFC 1939, section 3: at least ten minutes).
    package var pop3IdleSeconds: Double = 600
    /// A mail transaction must be over within this time, from its first recipient on.
    package var transactionSeconds: Double = 1800
    /// A message that comes slower than this, in octets a second, is given up.
    package var contentOctetsPerSecondMin = 100
    /// Output that a peer has not taken; beyond this, it is read from no more.
    package var outputBacklogOctets = 1 << 18
    /// Content in memory over all sessions: of messages that come in, beyond which it goes ahead to
    /// the store in smaller pieces; and as much of messages read ahead for POP3 clients.
    package var contentMemoryOctets = 1 << 26
    /// Reducer steps for one stream before the others have their turn.
    package var stepsPerTurn = 64
    /// Maildrops that one transaction may deliver to.
    package var deliveriesPerTransaction = 5000
    /// Addresses remembered on the loop, and maildrop counters.
    package var addressCacheEntries = 100_000
    /// Verified passwords remembered on the loop.
    package var credentialCacheEntries = 100_000
    /// A refused login is answered so many seconds after it began.
    package var loginFailureSeconds: Double = 1
    /// A maildrop may be opened again only after so many seconds; nil: at once.
    package var loginDelaySeconds: Double?
    /// Connections that one client may begin in a minute.
    package var connectionsPerClientMinute = 600
    /// So many failed logins within `loginBanSeconds` begin the ban of a client.
    package var loginFailuresPerClient = 20
    /// From so many failed logins of an account on, those who are strangers to it wait.
    package var loginFailuresPerAccount = 50
    /// A ban lasts so long, and so long failed logins are remembered.
    package var loginBanSeconds: Double = 900
    /// What an account may submit in an hour.
    package var messagesPerAccountHour = 1000
    package var recipientsPerAccountHour = 10_000
    /// After so many errors each further one of an SMTP or LMTP session costs a pause.
    package var tarpitAfterErrors = 5
    package var tarpitSeconds: Double = 1
    /// So long an SMTP client must be silent before it is greeted; 0: it is greeted at once.
    package var greetingDelaySeconds: Double = 0
    /// A proxy's header must be there within so many seconds.
    package var proxyHeaderSeconds: Double = 3
    /// Clients, and accounts, that each table about abuse remembers.
    package var abuseTableEntries = 1 << 16
    /// Sessions have this long to end when the server stops.
    package var shutdownGraceSeconds: Double = 10

    package init() {}
}

extension ServerLimits {
    var loginThrottle: LoginThrottle.Limits {
        LoginThrottle.Limits(
            failuresPerClient: self.loginFailuresPerClient,
            failuresPerAccount: self.loginFailuresPerAccount,
            banSeconds: self.loginBanSeconds,
            failureSeconds: self.loginFailureSeconds,
            delaySecondsMax: Self.loginDelaySecondsMax,
            entriesMax: self.abuseTableEntries
        )
    }

    var tarpit: Tarpit.Limits {
        Tarpit.Limits(freeErrors: self.tarpitAfterErrors, pauseSeconds: self.tarpitSeconds)
    }

    /// Longer than this nobody waits for the answer to a login: clients would give up, and whoever
    /// guesses opens one connection more.
    private static let loginDelaySecondsMax: Double = 8
}
