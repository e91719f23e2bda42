// SPDX-License-Identifier: Apache-2.0
//
// A server that delivers to a world on loopback: names of the test's making, and hosts on
// 127.0.0.2 and so on that do what the test tells them.

import Foundation
import Testing

/// A server under test with the names and the next hops around it.
final class DeliveryWorld {
    let names: NameServer
    let hops: NextHops
    let server: ServerProcess

    static let isPossible = NameServer.isUnpacked
    static let whyNot: Comment = "run `make peers` to unpack NSD and ldns"

    /// Hosts for the records of a test; "ours" is the server itself.
    static let hosts = """
        mx2.hosts A 127.0.0.2
        mx3.hosts A 127.0.0.3
        mx4.hosts A 127.0.0.4
        six.hosts AAAA ::1
        down.hosts A 127.0.0.9

        """

    private static let quickRetries = "retry-seconds-min = 1\nretry-seconds-max = 2"

    /// A world with these records below "example", and further zones; PORT in them is the port of
    /// the hosts.
    init(
        _ records: String = "",
        zones: [NameServer.Zone] = [],
        delivery: String = "",
        routes: String = "",
        top: String = "",
        accounts: [String] = ["anna@example.test"]
    ) throws {
        let hops = try NextHops(["127.0.0.2", "127.0.0.3", "127.0.0.4", "::1"])
        self.hops = hops
        let zone = NameServer.Zone("example", Self.hosts + records)
        self.names = try NameServer(([zone] + zones).map { $0.replacing("PORT", by: hops.port) })
        let anchors = zones.contains { $0.isSigned }
        var settings = ServerProcess.Settings()
        settings.accounts = accounts
        settings.top = "relay-networks = [\"127.0.0.0/8\"]\n\(top)"
        settings.tables = """
            [delivery]
            resolver = ["127.0.0.1@\(self.names.port)"]
            \(anchors ? "trust-anchors = \"\(self.names.trustAnchors)\"" : "")
            smtp-port = \(self.hops.port)
            \(delivery.contains("retry-seconds") ? "" : Self.quickRetries)
            \(delivery)

            \(routes)
            """
        self.server = try ServerProcess(settings)
    }

    /// Lets the server take a message.
    func send(
        _ message: Message = Message(seed: 1),
        to recipients: String...,
        from reversePath: String = "anna@example.test",
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let connection = try self.server.smtp()
        try connection.exchange("MAIL FROM:<\(reversePath)>", 250, at: location)
        for recipient in recipients {
            try connection.exchange("RCPT TO:<\(recipient)>", 250, at: location)
        }
        try connection.exchange("DATA", 354, at: location)
        try connection.send(message.dotStuffed)
        try connection.expect(250, at: location)
        try connection.exchange("QUIT", 221, at: location)
    }

    /// The reports that a local maildrop has got, once there are so many.
    func reports(
        _ count: Int = 1,
        of user: String = "anna@example.test",
        within seconds: Double = 20,
        at location: SourceLocation = #_sourceLocation
    ) throws -> [DeliveryReport] {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while try self.server.pop3(user).stat().count < count, Date() < deadline {
            Thread.sleep(forTimeInterval: 0.05)
        }
        let messages = try self.server.maildrop(of: user, at: location)
        try #require(messages.count == count, "\(self.server.log)", sourceLocation: location)
        return try messages.map { try DeliveryReport($0.content, at: location) }
    }

    /// Whether nothing is left in the queue, within a while.
    func queueIsEmpty(within seconds: Double = 10) throws -> Bool {
        try self.queueHolds(0, within: seconds)
    }

    /// Whether the queue comes to hold so many recipients: outcomes are stored a moment after they
    /// were heard.
    func queueHolds(_ count: Int, within seconds: Double = 10) throws -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        repeat {
            if try self.queue().count == count { return true }
            Thread.sleep(forTimeInterval: 0.05)
        } while Date() < deadline
        return false
    }

    /// What `martlet queue list` tells, a value for each line.
    func queue() throws -> [[String: Any]] {
        let outcome = try self.server.martlet("queue", "list", "--json")
        try #require(outcome.exitCode == 0, "\(outcome)")
        return outcome.text.split(separator: "\n").compactMap {
            (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
        }
    }
}
