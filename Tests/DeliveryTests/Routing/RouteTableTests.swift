// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Delivery

@Suite struct RouteTableTests {
    private static let relay = RelayTarget(.smtp, .host("relay.test", port: 25))

    private static let table = RouteTable([
        RouteRule("example.test", .discard),
        RouteRule("*.example.test", .refuse("below")),
        RouteRule("*.deep.example.test", .onDemand),
        RouteRule("[192.0.2.1]", .refuse("literal")),
        RouteRule("Twice.test", .discard),
        RouteRule("twice.test", .mx, tls: .encrypted),
    ])

    @Test(
        arguments: [
            ("example.test", Route.discard),
            ("EXAMPLE.test", .discard),
            ("a.example.test", .refuse("below")),
            ("a.b.example.test", .refuse("below")),
            ("deep.example.test", .refuse("below")),
            ("a.deep.example.test", .onDemand),
            ("notexample.test", .mx),
            ("test", .mx),
            ("[192.0.2.1]", .refuse("literal")),
            ("[192.0.2.2]", .mx),
            ("twice.test", .mx),
            ("", .mx),
        ]
    )
    func mostSpecialRuleWins(destination: String, route: Route) {
        #expect(Self.table.rule(for: Destination(destination)).route == route)
    }

    @Test func ruleBringsItsTLS() {
        #expect(Self.table.rule(for: Destination("twice.test")).tls == .encrypted)
        #expect(Self.table.rule(for: Destination("other.test")).tls == nil)
    }

    @Test func starIsForAllOthers() {
        let table = RouteTable(
            [RouteRule("*", .relay(Self.relay)), RouteRule("direct.test", .mx)],
            fallback: RelayTarget(.smtp, .host("never.test", port: 25))
        )
        #expect(table.rule(for: Destination("any.test")).route == .relay(Self.relay))
        #expect(table.rule(for: Destination("[192.0.2.1]")).route == .relay(Self.relay))
        #expect(table.rule(for: Destination("direct.test")).route == .mx)
    }

    @Test func fallbackIsForWhatNoRuleNames() {
        let table = RouteTable([RouteRule("direct.test", .mx)], fallback: Self.relay)
        #expect(table.rule(for: Destination("any.test")).route == .mxElse(Self.relay))
        #expect(table.rule(for: Destination("direct.test")).route == .mx)
    }

    @Test func onDemandIsTold() {
        #expect(Self.table.isOnDemand(Destination("a.deep.example.test")))
        #expect(!Self.table.isOnDemand(Destination("example.test")))
    }
}
