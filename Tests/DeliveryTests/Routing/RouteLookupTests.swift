// SPDX-License-Identifier: Apache-2.0

import DNSProtocol
import MailBytes
import MailSyntax
import Testing

@testable import Delivery

/// One line of the table of zones and plans.
struct ZoneCase: Sendable, CustomTestStringConvertible {
    let title: String
    let destination: String
    let zone: String
    let plan: String
    var route = Route.mx

    init(
        _ title: String,
        _ destination: String,
        _ zone: String,
        plan: String,
        by route: Route = .mx
    ) {
        self.title = title
        self.destination = destination
        self.zone = zone
        self.plan = plan
        self.route = route
    }

    init(_ title: String, _ zone: String, plan: String, by route: Route = .mx) {
        self.init(title, "d.test", zone, plan: plan, by: route)
    }

    var testDescription: String { self.title }

    static let exchangers = [
        ZoneCase(
            "preferred hosts come first, whatever the order of records",
            """
            d.test MX 20 b.test
            d.test MX 10 a.test
            d.test MX 30 c.test
            a.test A 192.0.2.1
            b.test A 192.0.2.2
            c.test A 192.0.2.3
            """,
            plan: "10 a.test: 192.0.2.1; 20 b.test: 192.0.2.2; 30 c.test: 192.0.2.3"
        ),
        ZoneCase(
            "addresses of both families alternate, IPv6 first",
            """
            d.test MX 10 a.test
            a.test A 192.0.2.1
            a.test A 192.0.2.2
            a.test A 192.0.2.3
            a.test AAAA 2001:db8::1
            a.test AAAA 2001:db8::2
            """,
            plan: "10 a.test: 2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 192.0.2.3"
        ),
        ZoneCase(
            "a host that stands twice counts once, at its better preference",
            """
            d.test MX 30 a.test
            d.test MX 10 a.test
            a.test A 192.0.2.1
            a.test A 192.0.2.1
            """,
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase(
            "without MX the domain itself is the host",
            "d.test A 192.0.2.9\nd.test AAAA 2001:db8::9",
            plan: "0 d.test: 2001:db8::9 192.0.2.9"
        ),
        ZoneCase("IPv6 alone will do", "d.test AAAA 2001:db8::9", plan: "0 d.test: 2001:db8::9"),
        ZoneCase(
            "without MX and address there is no way",
            "d.test empty",
            plan: "5.4.4 noAddress"
        ),
        ZoneCase("no such domain", "other.test empty", plan: "5.1.2 noSuchDomain"),
        ZoneCase("null MX", "d.test MX 0 .\nd.test A 192.0.2.1", plan: "5.1.10 acceptsNoMail"),
        ZoneCase(
            "null MX with an odd preference, twice",
            "d.test MX 10 .\nd.test MX 20 .",
            plan: "5.1.10 acceptsNoMail"
        ),
        ZoneCase(
            "the root among other hosts is ignored",
            "d.test MX 0 .\nd.test MX 10 a.test\na.test A 192.0.2.1",
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase("no answer for MX", "d.test MX fails", plan: "4.4.3 lookUpFailed"),
        ZoneCase(
            "with MX the domain's own address does not count",
            "d.test MX 10 a.test\na.test empty\nd.test A 192.0.2.1",
            plan: "5.4.4 noAddress"
        ),
        ZoneCase(
            "a domain that is an alias",
            "d.test CNAME e.test\ne.test MX 10 a.test\na.test A 192.0.2.1",
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase(
            "a host that is an alias",
            "d.test MX 10 a.test\na.test CNAME b.test\nb.test A 192.0.2.1",
            plan: "10 a.test: 192.0.2.1"
        ),
    ]

    static let addresses = [
        ZoneCase(
            "a host whose addresses are not known now is passed over",
            """
            d.test MX 10 a.test
            d.test MX 20 b.test
            a.test A fails
            a.test AAAA fails
            b.test A 192.0.2.2
            """,
            plan: "20 b.test: 192.0.2.2"
        ),
        ZoneCase(
            "one family is enough",
            "d.test MX 10 a.test\na.test A 192.0.2.1\na.test AAAA fails",
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase(
            "unknown and none: temporary",
            """
            d.test MX 10 a.test
            d.test MX 20 b.test
            a.test A fails
            b.test empty
            """,
            plan: "4.4.3 lookUpFailed"
        ),
        ZoneCase(
            "none at all: permanent",
            "d.test MX 10 a.test\nd.test MX 20 b.test\na.test empty",
            plan: "5.4.4 noAddress"
        ),
        ZoneCase(
            "addresses that are nobody's, or many's, do not count",
            """
            d.test MX 10 a.test
            a.test A 0.0.0.0
            a.test A 224.0.0.1
            a.test A 255.255.255.255
            a.test AAAA ::
            a.test AAAA ff02::1
            a.test A 192.0.2.1
            """,
            plan: "10 a.test: 192.0.2.1"
        ),
    ]

    static let literals = [
        ZoneCase("IPv4", "[192.0.2.1]", "", plan: "0 [192.0.2.1]: 192.0.2.1"),
        ZoneCase("IPv6", "[ipv6:2001:db8::1]", "", plan: "0 [ipv6:2001:db8::1]: 2001:db8::1"),
        ZoneCase("IPv6 without its tag", "[2001:db8::1]", "", plan: "5.1.2 noSuchDomain"),
        ZoneCase("IPv4 with that tag", "[ipv6:192.0.2.1]", "", plan: "5.1.2 noSuchDomain"),
        ZoneCase("with a port", "[192.0.2.1:25]", "", plan: "5.1.2 noSuchDomain"),
        ZoneCase("with two brackets", "[[2001:db8::1]]", "", plan: "5.1.2 noSuchDomain"),
        ZoneCase("empty", "[]", "", plan: "5.1.2 noSuchDomain"),
        ZoneCase("half", "[192.0.2.1", "", plan: "5.1.2 noSuchDomain"),
        ZoneCase("of another kind", "[x-tag:content]", "", plan: "5.1.2 noSuchDomain"),
        ZoneCase("nobody's address", "[0.0.0.0]", "", plan: "5.1.2 noSuchDomain"),
        ZoneCase("our own", "[192.0.2.99]", "", plan: "5.4.6 loopsBack"),
    ]

    static let names = [
        ZoneCase("empty", "", "d.test empty", plan: "5.1.2 noSuchDomain"),
        ZoneCase("empty label", "a..test", "d.test empty", plan: "5.1.2 noSuchDomain"),
        ZoneCase("a space", "a b.test", "d.test empty", plan: "5.1.2 noSuchDomain"),
        ZoneCase("not ASCII", "bücher.test", "d.test empty", plan: "5.1.2 noSuchDomain"),
        ZoneCase(
            "a label of 64 octets",
            String(repeating: "a", count: 64) + ".test",
            "d.test empty",
            plan: "5.1.2 noSuchDomain"
        ),
        ZoneCase(
            "254 octets",
            String(repeating: "a.", count: 126) + "bb",
            "d.test empty",
            plan: "5.1.2 noSuchDomain"
        ),
        ZoneCase(
            "an underscore",
            "a_b.test",
            "a_b.test A 192.0.2.1",
            plan: "0 a_b.test: 192.0.2.1"
        ),
    ]

    /// This server is us.test and listens at 192.0.2.99:25.
    static let loops = [
        ZoneCase(
            "our name cuts what is not preferred to us",
            """
            d.test MX 10 a.test
            d.test MX 20 us.test
            d.test MX 20 b.test
            d.test MX 30 c.test
            a.test A 192.0.2.1
            b.test A 192.0.2.2
            c.test A 192.0.2.3
            us.test A 198.51.100.1
            """,
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase(
            "so does our address under another name",
            """
            d.test MX 10 a.test
            d.test MX 20 alias.test
            d.test MX 30 c.test
            a.test A 192.0.2.1
            alias.test A 198.51.100.7
            alias.test A 192.0.2.99
            c.test A 192.0.2.3
            """,
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase(
            "so does an alias of our name",
            """
            d.test MX 10 a.test
            d.test MX 20 alias.test
            alias.test CNAME us.test
            us.test A 198.51.100.1
            a.test A 192.0.2.1
            """,
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase(
            "our name counts without any address",
            "d.test MX 20 US.test\nd.test MX 30 c.test\nc.test A 192.0.2.3",
            plan: "5.4.6 loopsBack"
        ),
        ZoneCase(
            "we alone are the best",
            "d.test MX 10 us.test\nd.test MX 20 b.test\nb.test A 192.0.2.2\nus.test empty",
            plan: "5.4.6 loopsBack"
        ),
        ZoneCase("implicit MX", "d.test A 192.0.2.99", plan: "5.4.6 loopsBack"),
        ZoneCase(
            "a better host that is not known now may still be there",
            "d.test MX 10 a.test\nd.test MX 20 us.test\na.test A fails\nus.test empty",
            plan: "4.4.3 lookUpFailed"
        ),
    ]

    static let relayHost = RelayTarget(.smtps, .host("Relay.test", port: 465))

    static let routes = [
        ZoneCase("discard", "d.test empty", plan: "discard", by: .discard),
        ZoneCase("on demand", "d.test empty", plan: "on demand", by: .onDemand),
        ZoneCase("refuse", "d.test empty", plan: "5.7.1 refusedByRoute", by: .refuse("no more")),
        ZoneCase(
            "a relay has addresses and no MX",
            "relay.test A 192.0.2.8\nrelay.test MX 10 other.test\nd.test MX 0 .",
            plan: "relay relay.test: 192.0.2.8:465",
            by: .relay(relayHost)
        ),
        ZoneCase(
            "a relay by address",
            "d.test MX fails",
            plan: "relay [127.0.0.1]: 127.0.0.1:24",
            by: .relay(RelayTarget(.lmtp, .address(NetworkAddress(ipv4: 0x7f00_0001, port: 24))))
        ),
        ZoneCase(
            "a relay on a Unix socket",
            "d.test MX fails",
            plan: "relay unix:/run/lmtp: unix:/run/lmtp",
            by: .relay(RelayTarget(.lmtp, .unix("/run/lmtp")))
        ),
        ZoneCase(
            "even for what is no domain",
            "[x:y]",
            "relay.test A 192.0.2.8",
            plan: "relay relay.test: 192.0.2.8:465",
            by: .relay(relayHost)
        ),
        ZoneCase(
            "a relay that is not there",
            "x.test empty",
            plan: "4.4.4 noAddress",
            by: .relay(relayHost)
        ),
        ZoneCase(
            "a relay that is not known now",
            "relay.test A fails",
            plan: "4.4.3 lookUpFailed",
            by: .relay(relayHost)
        ),
        ZoneCase(
            "a relay that is this server",
            "d.test empty",
            plan: "4.4.6 loopsBack",
            by: .relay(RelayTarget(.smtp, .address(NetworkAddress(ipv4: 0xc000_0263, port: 25))))
        ),
        ZoneCase(
            "direct, else relay: the relay comes last",
            "d.test MX 10 a.test\na.test A 192.0.2.1\nrelay.test A 192.0.2.8",
            plan: "10 a.test: 192.0.2.1; relay relay.test: 192.0.2.8:465",
            by: .mxElse(relayHost)
        ),
        ZoneCase(
            "direct, else relay: DNS does not know now",
            "d.test MX fails\nrelay.test A 192.0.2.8",
            plan: "relay relay.test: 192.0.2.8:465",
            by: .mxElse(relayHost)
        ),
        ZoneCase(
            "direct, else relay: addresses not known now",
            "d.test MX 10 a.test\na.test A fails\nrelay.test A 192.0.2.8",
            plan: "relay relay.test: 192.0.2.8:465",
            by: .mxElse(relayHost)
        ),
        ZoneCase(
            "direct, else relay: what is refused for good is no better there",
            "d.test MX 0 .\nrelay.test A 192.0.2.8",
            plan: "5.1.10 acceptsNoMail",
            by: .mxElse(relayHost)
        ),
        ZoneCase(
            "direct, else relay: no relay is no harm",
            "d.test MX 10 a.test\na.test A 192.0.2.1",
            plan: "10 a.test: 192.0.2.1",
            by: .mxElse(relayHost)
        ),
        ZoneCase(
            "direct, else relay: neither",
            "d.test MX fails",
            plan: "4.4.3 lookUpFailed",
            by: .mxElse(relayHost)
        ),
        ZoneCase(
            "direct, else relay: a literal",
            "[192.0.2.1]",
            "relay.test A 192.0.2.8",
            plan: "0 [192.0.2.1]: 192.0.2.1; relay relay.test: 192.0.2.8:465",
            by: .mxElse(relayHost)
        ),
    ]

    static let security = [
        ZoneCase(
            "records count when DNSSEC proves all that leads there",
            """
            d.test MX 10 a.test secure
            a.test A 192.0.2.1 secure
            _25._tcp.a.test TLSA 1 secure
            """,
            plan: "10 a.test: 192.0.2.1 dane=[1]"
        ),
        ZoneCase(
            "an unproved MX",
            """
            d.test MX 10 a.test
            a.test A 192.0.2.1 secure
            _25._tcp.a.test TLSA 1 secure
            """,
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase(
            "an unproved address of two",
            """
            d.test MX 10 a.test secure
            a.test A 192.0.2.1 secure
            a.test AAAA 2001:db8::1
            _25._tcp.a.test TLSA 1 secure
            """,
            plan: "10 a.test: 2001:db8::1 192.0.2.1"
        ),
        ZoneCase(
            "unproved records",
            """
            d.test MX 10 a.test secure
            a.test A 192.0.2.1 secure
            _25._tcp.a.test TLSA 1
            """,
            plan: "10 a.test: 192.0.2.1"
        ),
        ZoneCase(
            "records nobody can tell of",
            """
            d.test MX 10 a.test secure
            a.test A 192.0.2.1 secure
            _25._tcp.a.test TLSA fails
            """,
            plan: "10 a.test: 192.0.2.1 dane?"
        ),
        ZoneCase(
            "implicit MX",
            "d.test A 192.0.2.1 secure\n_25._tcp.d.test TLSA 2 secure",
            plan: "0 d.test: 192.0.2.1 dane=[2]"
        ),
        ZoneCase(
            "behind an alias: the name it leads to",
            """
            d.test MX 10 a.test secure
            a.test CNAME b.test secure
            b.test A 192.0.2.1 secure
            _25._tcp.a.test TLSA 1 secure
            _25._tcp.b.test TLSA 2 secure
            """,
            plan: "10 a.test: 192.0.2.1 dane=[2]"
        ),
        ZoneCase(
            "behind an alias: or else its own",
            """
            d.test MX 10 a.test secure
            a.test CNAME b.test secure
            b.test A 192.0.2.1 secure
            _25._tcp.a.test TLSA 1 secure
            """,
            plan: "10 a.test: 192.0.2.1 dane=[1]"
        ),
        ZoneCase(
            "behind an alias: an unknown one hides its own",
            """
            d.test MX 10 a.test secure
            a.test CNAME b.test secure
            b.test A 192.0.2.1 secure
            _25._tcp.a.test TLSA 1 secure
            _25._tcp.b.test TLSA fails
            """,
            plan: "10 a.test: 192.0.2.1 dane?"
        ),
        ZoneCase(
            "a relay, at its port",
            "relay.test A 192.0.2.8 secure\n_465._tcp.relay.test TLSA 3 secure",
            plan: "relay relay.test: 192.0.2.8:465 dane=[3]",
            by: .relay(relayHost)
        ),
    ]
}

@Suite struct RouteLookupTests {
    private static var settings: RouteSettings {
        var settings = RouteSettings()
        settings.ownNames = ["us.test"]
        settings.ownAddresses = [NetworkAddress(ipv4: 0xc000_0263, port: 25)]
        return settings
    }

    @Test(
        arguments: [
            ZoneCase.exchangers, ZoneCase.addresses, ZoneCase.literals, ZoneCase.names,
            ZoneCase.loops, ZoneCase.routes, ZoneCase.security,
        ].joined()
    )
    func zoneGivesPlan(_ item: ZoneCase) {
        let zone = Zone(item.zone)
        for isReversed in [false, true] {
            let run = LookupRun(
                item.destination,
                in: zone,
                by: item.route,
                Self.settings,
                isReversed: isReversed
            )
            #expect(run.summary == item.plan, "\(run.explanation)")
            #expect(Set(run.asked).count == run.asked.count)
            #expect(!run.explanation.isEmpty)
        }
    }

    /// RFC 5321, section 5.1: hosts that are alike come in random order, to spread the load.
    @Test func hostsAlikeAreShuffled() {
        let zone = Zone(
            """
            d.test MX 10 a.test
            d.test MX 10 b.test
            d.test MX 10 c.test
            d.test MX 5 first.test
            a.test A 192.0.2.1
            b.test A 192.0.2.2
            c.test A 192.0.2.3
            first.test A 192.0.2.4
            """
        )
        var orders: [String: Int] = [:]
        for seed in 0..<600 {
            let run = LookupRun("d.test", in: zone, seed: UInt64(seed))
            guard case .plan(let plan) = run.outcome else {
                Issue.record("no plan")
                return
            }
            #expect(plan.hosts[0].name == "first.test")
            orders[plan.hosts.map(\.name).joined(separator: " "), default: 0] += 1
        }
        #expect(orders.count == 6)
        #expect(orders.values.allSatisfy { (50...160).contains($0) }, "\(orders)")
    }

    @Test func thereIsAnEndToHostsAndAddresses() {
        var text = ""
        for host in 0..<300 {
            text += "d.test MX 10 h\(host).test\n"
            for address in 0..<30 {
                text += "h\(host).test A 198.51.\(address).\(host % 250 + 1)\n"
            }
        }
        let run = LookupRun("d.test", in: Zone(text))
        guard case .plan(let plan) = run.outcome else {
            Issue.record("no plan")
            return
        }
        #expect(plan.hosts.count == 20)
        #expect(plan.hosts.allSatisfy { $0.endpoints.count == 8 })
        #expect(run.asked.count == 41)
    }

    @Test func onlyTheFamiliesOfTheSettingsAreUsed() {
        var settings = RouteSettings()
        settings.families = [.ipv4]
        let zone = Zone("d.test A 192.0.2.1\nd.test AAAA 2001:db8::1")
        let run = LookupRun("d.test", in: zone, settings)
        #expect(run.summary == "0 d.test: 192.0.2.1")
        #expect(!run.asked.contains(DNSQuestion("d.test", .aaaa)))
        settings.families = [.ipv4, .ipv6]
        let both = LookupRun("d.test", in: zone, settings)
        #expect(both.summary == "0 d.test: 192.0.2.1 2001:db8::1")
    }

    /// Whoever listens on all interfaces at a port has every loopback address with that port.
    @Test func ownAddressesKnowPorts() {
        let zone = Zone("d.test A 127.0.0.2")
        var settings = RouteSettings()
        settings.ownAddresses = [NetworkAddress(ipv4: 0, port: 25)]
        #expect(LookupRun("d.test", in: zone, settings).summary == "5.4.6 loopsBack")
        settings.ownAddresses = [NetworkAddress(ipv4: 0, port: 2525)]
        #expect(LookupRun("d.test", in: zone, settings).summary == "0 d.test: 127.0.0.2")
        settings.ownAddresses = [NetworkAddress(ipv4: 0x7f00_0002, port: 0)]
        #expect(LookupRun("d.test", in: zone, settings).summary == "5.4.6 loopsBack")
    }

    @Test func noTLSARecordsAreAskedForWhenNobodyLooksAtThem() {
        let text = """
            d.test MX 10 a.test secure
            a.test A 192.0.2.1 secure
            _25._tcp.a.test TLSA 1 secure
            """
        var settings = RouteSettings()
        settings.asksTLSA = false
        let run = LookupRun("d.test", in: Zone(text), settings)
        #expect(run.summary == "10 a.test: 192.0.2.1")
        #expect(!run.asked.contains { $0.type == .tlsa })
        // An unsigned zone is not asked either.
        let unsigned = LookupRun("d.test", in: Zone("d.test A 192.0.2.1"))
        #expect(!unsigned.asked.contains { $0.type == .tlsa })
    }

    @Test func planTellsWhatTLSNeedsToKnow() throws {
        let zone = Zone(
            """
            d.test CNAME e.test secure
            e.test MX 10 a.test secure
            a.test A 192.0.2.1 secure
            relay.test A 192.0.2.8
            """
        )
        let run = LookupRun("d.test", in: zone, by: .mxElse(ZoneCase.relayHost))
        guard case .plan(let plan) = run.outcome else {
            Issue.record("no plan")
            return
        }
        #expect(plan.nextHops == ["d.test", "e.test"])
        #expect(plan.timeToLive == 300)
        let direct = plan.policyHost(plan.hosts[0])
        #expect(direct.isNameSecure)
        #expect(direct.nextHops == ["d.test", "e.test"])
        #expect(plan.hosts[0].areAddressesSecure)
        let relay = plan.policyHost(plan.hosts[1])
        #expect(relay.isNameSecure)
        #expect(relay.nextHops.isEmpty)
        #expect(!plan.hosts[1].areAddressesSecure)
        #expect(plan.hosts[1].transport == .smtps)
    }

    // MARK: - Time and disorder

    private static func lookup(_ route: Route = .mx) -> RouteLookup {
        RouteLookup(
            Destination("d.test"),
            by: RouteRule("*", route),
            settings: RouteSettings(),
            seed: 1
        )
    }

    @Test func deadlineTakesWhatThereIs() {
        let zone = Zone("d.test MX 10 a.test\nd.test MX 20 b.test\nb.test A 192.0.2.2")
        var lookup = Self.lookup()
        _ = lookup.reduce(.started)
        _ = lookup.reduce(.answered(zone.answer(DNSQuestion("d.test", .mx))))
        _ = lookup.reduce(.answered(zone.answer(DNSQuestion("b.test", .a))))
        guard case .finished(.plan(let plan)) = lookup.reduce(.deadlinePassed) else {
            Issue.record("no plan")
            return
        }
        #expect(plan.hosts.map(\.name) == ["b.test"])
        // What comes late changes nothing.
        #expect(
            lookup.reduce(.answered(zone.answer(DNSQuestion("a.test", .a)))) == .awaitAnswers
        )
        #expect(lookup.reduce(.deadlinePassed) == .awaitAnswers)
        #expect(lookup.reduce(.started) == .awaitAnswers)
    }

    @Test func deadlineWithoutAnyAnswerIsTemporary() {
        for route in [Route.mx, .relay(ZoneCase.relayHost), .mxElse(ZoneCase.relayHost)] {
            var lookup = Self.lookup(route)
            _ = lookup.reduce(.started)
            guard case .finished(.failure(let failure)) = lookup.reduce(.deadlinePassed) else {
                Issue.record("no end for \(route)")
                continue
            }
            #expect(failure.status.description == "4.4.3")
            #expect(!failure.isPermanent)
        }
    }

    /// A deadline before the TLSA records came must not make a protected host an open one.
    @Test func deadlineHidesNoTLSA() {
        let zone = Zone("d.test MX 10 a.test secure\na.test A 192.0.2.1 secure")
        var lookup = Self.lookup()
        _ = lookup.reduce(.started)
        _ = lookup.reduce(.answered(zone.answer(DNSQuestion("d.test", .mx))))
        _ = lookup.reduce(.answered(zone.answer(DNSQuestion("a.test", .a))))
        guard case .finished(.plan(let plan)) = lookup.reduce(.deadlinePassed),
            case .unknown = plan.hosts[0].dane
        else {
            Issue.record("the host is not held back")
            return
        }
    }

    @Test func answersNobodyAskedForAreIgnored() {
        let zone = Zone("d.test MX 10 a.test\na.test A 192.0.2.1\nevil.test MX 0 x.test")
        var lookup = Self.lookup()
        #expect(
            lookup.reduce(.answered(zone.answer(DNSQuestion("d.test", .mx)))) == .awaitAnswers
        )
        #expect(lookup.reduce(.deadlinePassed) == .awaitAnswers)
        #expect(lookup.reduce(.started) == .ask([DNSQuestion("d.test", .mx)]))
        #expect(
            lookup.reduce(.answered(zone.answer(DNSQuestion("evil.test", .mx)))) == .awaitAnswers
        )
        let answer = zone.answer(DNSQuestion("d.test", .mx))
        #expect(
            lookup.reduce(.answered(answer))
                == .ask([DNSQuestion("a.test", .aaaa), DNSQuestion("a.test", .a)])
        )
        #expect(lookup.reduce(.answered(answer)) == .awaitAnswers)
    }

    @Test func namesHaveNoCase() {
        var lookup = RouteLookup(
            Destination(Array("D.Test".utf8)),
            by: RouteRule("*", .mx),
            settings: RouteSettings(),
            seed: 1
        )
        #expect(lookup.reduce(.started) == .ask([DNSQuestion("d.test", .mx)]))
        let answer = DNSAnswer(name: "D.TEST", type: .mx, outcome: .noSuchName)
        guard case .finished(.failure(let failure)) = lookup.reduce(.answered(answer)) else {
            Issue.record("no end")
            return
        }
        #expect(failure.reason == .noSuchDomain)
    }

    // MARK: - Words

    @Test func explanationTellsTheWholeStory() {
        let zone = Zone(
            """
            d.test MX 10 a.test
            d.test MX 15 c.test
            d.test MX 17 e.test
            d.test MX 20 us.test
            d.test MX 30 b.test
            a.test A 192.0.2.1
            a.test AAAA 2001:db8::1
            b.test A 192.0.2.2
            c.test A fails
            e.test empty
            us.test A 192.0.2.99
            """
        )
        let run = LookupRun("d.test", in: zone, Self.settings)
        #expect(
            run.explanation == [
                "d.test has 5 mail exchangers",
                "10 a.test: 2001:db8::1, 192.0.2.1",
                "15 c.test: DNS does not tell: SERVFAIL",
                "17 e.test: no address",
                "20 us.test: this server; what is not preferred to it is left out",
                "30 b.test: left out",
                "try 1: a.test at [2001:db8::1]:25, 192.0.2.1:25",
            ]
        )
    }

    @Test(arguments: ZoneCase.routes)
    func explanationOfRoutesHasWords(_ item: ZoneCase) {
        let run = LookupRun(item.destination, in: Zone(item.zone), by: item.route, Self.settings)
        #expect(run.explanation.allSatisfy { !$0.isEmpty && $0.utf8.count <= 512 })
    }

    /// Names come from strangers, and lines go to terminals.
    @Test func wordsArePrintable() {
        let name = "a\u{1b}[2J\u{7}\n\(String(repeating: "x", count: 2000)).test"
        let answer = DNSAnswer(
            name: "d.test",
            type: .mx,
            outcome: .found,
            records: [
                DNSRecord(
                    name: "d.test",
                    type: .mx,
                    timeToLive: 1,
                    content: .mx(preference: 1, exchange: name)
                )
            ],
            canonicalName: "e\u{1b}.test"
        )
        var lookup = Self.lookup()
        _ = lookup.reduce(.started)
        _ = lookup.reduce(.answered(answer))
        guard case .finished(.failure(let failure)) = lookup.reduce(.deadlinePassed) else {
            Issue.record("no end")
            return
        }
        for line in lookup.explanation + [failure.text] {
            #expect(line.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
            #expect(line.utf8.count <= 512)
        }
    }
}
