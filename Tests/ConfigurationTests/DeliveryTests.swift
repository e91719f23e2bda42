// SPDX-License-Identifier: Apache-2.0
//
// Mail on its way out, and who may send it: what is read, and what cannot be meant.

import MailBytes
import MailSyntax
import Testing

@testable import Configuration

@Suite struct DeliveryTests {
    /// The errors of a file with these lines at its end, from line 7 on.
    private func errors(_ lines: String) -> [String] { Sample.errors(end: lines) }

    @Test func everythingOfDeliveryIsRead() throws {
        let configuration = try Sample.parse(
            Sample.top + """
                relay-domains = ["Example.NET", "*.example.com"]
                relay-networks = ["10.0.0.0/8", "fc00::/7", "2001:db8::/32"]
                """ + "\n" + Sample.listener + """
                    [delivery]
                    resolver = ["127.0.0.1@5353", "2001:db8::1"]
                    trust-anchors = "keys/root.key"
                    smtp-port = 2525
                    tls = "encrypted"
                    authorities = "keys/ca.pem"
                    source-addresses = ["192.0.2.9", "2001:db8::9"]
                    fallback-relay = "smtps:Relay.example.org:465"
                    fallback-login = "me"
                    fallback-password-file = "keys/relay"
                    retry-seconds-min = 2
                    retry-seconds-max = 3
                    age-hours-max = 5
                    warn-hours = 4
                    connect-seconds = 6
                    reply-seconds = 7
                    connections = 8
                    connections-per-destination = 9
                    messages-per-connection = 10
                    messages-per-destination-second = 11
                    """
        )
        #expect(configuration.relayDomains == [.domain("example.net"), .below("example.com")])
        #expect(
            configuration.relayNetworks.map(\.description) == [
                "10.0.0.0/8", "fc00::/7", "2001:db8::/32",
            ]
        )
        let delivery = configuration.delivery
        #expect(delivery.resolvers.map(\.description) == ["127.0.0.1:5353", "[2001:db8::1]:53"])
        #expect(delivery.trustAnchorsPath == "etc/keys/root.key")
        #expect(delivery.authoritiesPath == "etc/keys/ca.pem")
        #expect(delivery.smtpPort == 2525 && delivery.tls == .encrypted)
        #expect(delivery.sourceAddresses.map(\.host) == ["192.0.2.9", "2001:db8::9"])
        let relay = Configuration.Relay(
            transport: .smtps,
            host: .name("relay.example.org", port: 465),
            credentials: .init(login: "me", passwordPath: "etc/keys/relay"),
            tls: .verified
        )
        #expect(delivery.fallbackRelay == relay)
        #expect(delivery.retrySecondsMin == 2 && delivery.retrySecondsMax == 3)
        #expect(delivery.ageHoursMax == 5 && delivery.warnHours == 4)
        #expect(delivery.connectSeconds == 6 && delivery.replySeconds == 7)
        #expect(delivery.connections == 8 && delivery.connectionsPerDestination == 9)
        #expect(delivery.messagesPerConnection == 10)
        #expect(delivery.messagesPerDestinationSecond == 11)
    }

    private static let wrongDelivery: [(String, String)] = [
        (
            "resolver = [\"127.0.0.1:53\"]",
            "resolver[0]: must be an address, such as \"192.0.2.1\" or \"2001:db8::1@53\", not "
                + "\"127.0.0.1:53\""
        ),
        (
            "resolver = [\"127.0.0.1@\"]",
            "resolver[0]: must be an address, such as \"192.0.2.1\" or \"2001:db8::1@53\", not "
                + "\"127.0.0.1@\""
        ),
        (
            "resolver = \"127.0.0.1\"",
            "resolver: must be an array of addresses with ports, such as [\"127.0.0.1@53\"] "
                + "(servers of the domain name system), not \"127.0.0.1\""
        ),
        (
            "source-addresses = [\"192.0.2.1\", \"192.0.2.2\"]",
            "source-addresses[1]: is the second address of its family; connections come from one"
        ),
        (
            "source-addresses = [\"192.0.2.1:25\"]",
            "source-addresses[0]: must be an address without a port, such as \"192.0.2.1\", not "
                + "\"192.0.2.1:25\""
        ),
        (
            "fallback-relay = \"relay\"",
            "fallback-relay: must be \"smtp:HOST:PORT\", \"smtps:HOST:PORT\", \"lmtp:HOST:PORT\" "
                + "or \"lmtp:unix:PATH\", not \"relay\""
        ),
        (
            "fallback-relay = \"smtp:127.0.0.1:2525\"",
            "fallback-relay: mail would come back here: this is listener[0] of this server"
        ),
        (
            "retry-seconds-min = 20000",
            "retry-seconds-min: 20000 is more than retry-seconds-max, 14400"
        ),
        (
            "warn-hours = 120",
            "warn-hours: 120 is not less than age-hours-max, 120; 0 is for no warning"
        ),
        (
            "smtp-port = 0",
            "smtp-port: must be an integer from 1 to 65535 (the port of servers found by MX), not 0"
        ),
        ("conections = 1", "conections: is unknown; did you mean \"connections\"?"),
    ]

    @Test(arguments: wrongDelivery)
    func deliveryThatIsWrong(line: String, expected: String) {
        #expect(self.errors("[delivery]\n\(line)") == ["etc/m.toml:8: delivery.\(expected)"])
    }

    @Test func aFallbackLoginIsWhole() {
        let relay = "[delivery]\nfallback-relay = \"smtp:a.example:25\"\n"
        #expect(
            self.errors("\(relay)fallback-login = \"a\"") == [
                "etc/m.toml:9: delivery.fallback-login: needs fallback-password-file beside it"
            ]
        )
        #expect(
            self.errors("\(relay)fallback-password-file = \"a\"") == [
                "etc/m.toml:9: delivery.fallback-password-file: needs fallback-login beside it"
            ]
        )
        #expect(
            self.errors("[delivery]\nfallback-login = \"a\"\nfallback-password-file = \"b\"") == [
                "etc/m.toml:8: delivery.fallback-login: has no use without fallback-relay",
                "etc/m.toml:9: delivery.fallback-password-file: has no use without fallback-relay",
            ]
        )
    }

    private static let openRelays: [(String, String)] = [
        ("relay-networks = [\"0.0.0.0/0\"]", "relay-networks[0]: \"0.0.0.0/0\""),
        (
            "relay-networks = [\"10.0.0.0/8\", \"128.0.0.0/1\"]",
            "relay-networks[1]: \"128.0.0.0/1\""
        ),
        ("relay-networks = [\"::/0\"]", "relay-networks[0]: \"::/0\""),
        ("relay-networks = [\"2000::/3\"]", "relay-networks[0]: \"2000::/3\""),
        ("relay-networks = [\"::ffff:0:0/96\"]", "relay-networks[0]: \"0.0.0.0/0\""),
        ("relay-domains = [\"*\"]", "relay-domains[0]: \"*\""),
    ]

    @Test(arguments: openRelays)
    func anOpenRelayMustBeMeant(line: String, expected: String) {
        #expect(
            Sample.errors(top: line) == [
                "etc/m.toml:4: \(expected) is an open relay, which spammers find within hours; "
                    + "name your own, or write allow-open-relay = true"
            ]
        )
        #expect(Sample.errors(top: "\(line)\nallow-open-relay = true") == [])
    }

    @Test func domainsToRelayAreOthers() {
        #expect(
            Sample.errors(top: "relay-domains = [\"a@b\", \"c.example\", \"C.example\"]") == [
                "etc/m.toml:4: relay-domains[0]: must be a domain, such as \"example.org\" or "
                    + "\"*.example.org\", not \"a@b\"",
                "etc/m.toml:4: relay-domains[2]: names \"c.example\" a second time",
            ]
        )
        #expect(
            Sample.errors(top: "relay-domains = [\"*.example.org\", \"example.org\"]") == [
                "etc/m.toml:4: relay-domains[1]: \"example.org\" is a local domain, whose mail is "
                    + "delivered here"
            ]
        )
    }
}
