// SPDX-License-Identifier: Apache-2.0
//
// What a load run is to do. The same plan, seed included, gives the same sessions.

package import MailBytes

/// The plan of a closed-loop run: each connection begins its next session when the last has ended.
///
/// Latencies of a closed loop are service times: a server that stalls is also asked less.
package struct LoadPlan: Sendable {
    /// What a session does.
    package enum Scenario: String, CaseIterable, Sendable {
        /// EHLO, and messages to one recipient each.
        case smtp
        /// POP3: login, STAT, QUIT.
        case stat
        /// POP3: login, STAT, LIST, UIDL, RETR of every message, QUIT.
        case retr
        /// POP3: QUIT, and no more: what a connection costs.
        case quit
    }

    /// The scenarios, dealt to the connections in turn, and where each is served.
    package var targets: [(scenario: Scenario, address: NetworkAddress)]
    /// How many connections are open at a time.
    package var connections = 20
    /// How many sessions there are in all.
    package var sessions = 1000
    /// The octets of each message's content, at least 128.
    package var messageOctets = 10_240
    package var messagesPerSession = 1
    /// Whether commands are sent in groups (RFC 2920, RFC 2449 section 6.6), not one by one.
    package var isPipelined = false
    /// No session goes on from its greeting before all connections have theirs.
    package var startsTogether = false
    /// The accounts are u0 to u`users - 1` of this domain, with one password.
    package var users = 1000
    package var domain = "example.test"
    package var password = "secret"
    /// Recipients are taken in turn; by default they are random.
    package var takesRecipientsInTurn = false
    package var seed: UInt64 = 1
    /// How many addresses from 127.0.0.1 on the connections come from.
    package var sources = 1
    /// A session that takes longer has failed.
    package var sessionSecondsMax: Double = 60

    package init(targets: [(scenario: Scenario, address: NetworkAddress)]) {
        self.targets = targets
    }

    /// The address that a connection comes from; nil leaves it to the system.
    func source(ofConnection number: Int) -> NetworkAddress? {
        guard self.sources > 1 else { return nil }
        return NetworkAddress(ipv4: 0x7f00_0001 + UInt32(number % self.sources), port: 0)
    }

    func mailbox(_ user: Int) -> String { "u\(user)@\(self.domain)" }
}
