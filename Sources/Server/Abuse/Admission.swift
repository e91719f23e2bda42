// SPDX-License-Identifier: Apache-2.0
//
// Whether a connection is served at all, before a word is said. Everything that judges a client by
// its address alone has its place here: what is counted now, and lists of networks beside it. What
// must be asked of others, as lists in the DNS are, is asked while the greeting waits.

internal import MailBytes

/// Judges clients by their addresses.
struct Admission {
    /// The client of a connection, as it is judged.
    struct Client {
        /// An IPv4 address or an IPv6 /64.
        let key: NetworkAddress
        /// Whether the operator has freed it of everything that is counted by client.
        let isExempt: Bool
        /// Whether too many of its logins have failed.
        let isBanned: Bool
    }

    private var counts = ClientCounts()
    private var rate: ConnectionRate
    private let connectionsMax: Int
    private let connectionsPerMinute: Int

    init(limits: ServerLimits) {
        self.rate = ConnectionRate(entriesMax: limits.abuseTableEntries)
        self.connectionsMax = limits.connectionsPerClient
        self.connectionsPerMinute = limits.connectionsPerClientMinute
    }

    /// Lets a connection in and counts it, or says why not; `needsLogin`: who cannot log in has no
    /// business there.
    mutating func enter(
        _ client: Client,
        needsLogin: Bool,
        at now: Double
    ) -> ServiceProfile.Refusal? {
        guard !client.isExempt else { return nil }
        if client.isBanned, needsLogin { return .banned }
        guard self.counts.hasRoom(client.key, max: self.connectionsMax) else {
            return .connectionsPerClient
        }
        guard self.rate.enter(client.key, max: self.connectionsPerMinute, at: now) else {
            return .connectionRate
        }
        self.counts.enter(client.key)
        return nil
    }

    /// A connection is over that was let in.
    mutating func leave(_ client: Client) {
        guard !client.isExempt else { return }
        self.counts.leave(client.key)
    }

    /// A connection that was let in turns out to be another client's; false, and nothing changes,
    /// when that one has too many or is banned.
    mutating func move(from old: Client, to new: Client, needsLogin: Bool) -> Bool {
        if !new.isExempt {
            if new.isBanned, needsLogin { return false }
            guard self.counts.hasRoom(new.key, max: self.connectionsMax) else { return false }
            self.counts.enter(new.key)
        }
        self.leave(old)
        return true
    }

    /// Whether no connection is counted.
    var isEmpty: Bool { self.counts.isEmpty }

    /// Forgets what is over; false when nothing is left.
    mutating func sweep(at now: Double) -> Bool {
        self.rate.sweep(at: now)
        return !self.rate.isEmpty
    }
}
