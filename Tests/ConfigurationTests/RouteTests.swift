// SPDX-License-Identifier: Apache-2.0
//
// Routes: what is read, and what cannot be meant.

import MailBytes
import MailSyntax
import Testing

@testable import Configuration

@Suite struct RouteTests {
    private static let odmr = """
        [[listener]]
        service = "odmr"
        address = "127.0.0.1:2366"
        plaintext-auth = true

        """

    /// The errors of a file with these lines at its end, from line 7 on.
    private func errors(_ lines: String) -> [String] { Sample.errors(end: lines) }

    @Test func everyTargetOfARouteIsRead() throws {
        let targets: [(String, Configuration.Route.Target)] = [
            ("mx", .mx),
            ("discard", .discard),
            ("refuse", .refuse(text: "Mail for this domain is not accepted")),
            (
                "smtp:192.0.2.1:25",
                .relay(.init(transport: .smtp, host: .ip(Self.address("192.0.2.1:25"))))
            ),
            (
                "lmtp:[2001:db8::1]:24",
                .relay(.init(transport: .lmtp, host: .ip(Self.address("[2001:db8::1]:24"))))
            ),
            (
                "smtp:Relay.example.org:65535",
                .relay(.init(transport: .smtp, host: .name("relay.example.org", port: 65_535)))
            ),
            (
                "lmtp:unix:run/lmtp.sock",
                .relay(.init(transport: .lmtp, host: .unix(path: "etc/run/lmtp.sock")))
            ),
        ]
        for (text, target) in targets {
            let configuration = try Sample.parse(
                Sample.top + Sample.listener + "[[route]]\ndomain = \"*\"\nto = \"\(text)\"\n"
            )
            #expect(configuration.routes.map(\.target) == [target], "\(text)")
        }
    }

    private static func address(_ text: String) -> NetworkAddress {
        NetworkAddress(parsing: text) ?? .unix
    }

    @Test func theMostExactRouteCounts() throws {
        let configuration = try Sample.parse(
            Sample.top + Sample.listener + Self.odmr + """
                [[route]]
                domain = "*"
                to = "discard"
                [[route]]
                domain = "*.example.net"
                to = "refuse"
                text = "closed"
                [[route]]
                domain = "*.b.example.net"
                to = "mx"
                tls = "verified"
                [[route]]
                domain = "Kept.b.example.net"
                to = "on-demand"
                accounts = ["Office@example.test", "office@example.org"]
                """
        )
        func target(_ domain: String) -> Configuration.Route.Target? {
            configuration.route(of: domain)?.target
        }
        #expect(target("example.net") == .discard)
        #expect(target("notexample.net") == .discard)
        #expect(target("a.example.net") == .refuse(text: "closed"))
        #expect(target("b.example.net") == .refuse(text: "closed"))
        #expect(target("a.b.example.net") == .mx)
        #expect(configuration.route(of: "a.b.example.net")?.tls == .verified)
        #expect(target("kept.b.example.net") == .onDemand)
        #expect(
            configuration.route(of: "kept.b.example.net")?.accounts.map(\.text) == [
                "office@example.test", "office@example.org",
            ]
        )
        #expect(try Sample.parse(Sample.top + Sample.listener).route(of: "a.example") == nil)
    }

    @Test func aLoginBringsVerifiedTLSUnlessTheServerIsHere() throws {
        func relay(_ host: String, _ tls: String) throws -> Configuration.Relay? {
            let configuration = try Sample.parse(
                Sample.top + Sample.listener + """
                    [[route]]
                    domain = "*"
                    to = "smtp:\(host)"
                    login = "me"
                    password-file = "/etc/relay"
                    \(tls)
                    """
            )
            guard case .relay(let relay)? = configuration.routes.first?.target else { return nil }
            return relay
        }
        #expect(try relay("relay.example:587", "")?.tls == .verified)
        #expect(try relay("relay.example:587", "tls = \"encrypted\"")?.tls == .encrypted)
        let here = try relay("127.0.0.1:587", "")
        #expect(here?.tls == nil && here?.credentials?.passwordPath == "/etc/relay")
    }

    private static let wrongRoutes: [(String, String)] = [
        (
            "to = \"mx\"",
            "7: route[0].domain: is missing; it must be \"example.org\", \"*.example.org\" for "
                + "all below it, or \"*\" for all"
        ),
        (
            "domain = \"a.*\"\nto = \"mx\"",
            "8: route[0].domain: must be \"example.org\", \"*.example.org\" for all below it, or "
                + "\"*\" for all, not \"a.*\""
        ),
        (
            "domain = \"*\"",
            "7: route[0].to: is missing; it must be one of \"mx\" \"discard\" \"refuse\" "
                + "\"on-demand\", or \"smtp:HOST:PORT\", \"smtps:HOST:PORT\", \"lmtp:HOST:PORT\" "
                + "or \"lmtp:unix:PATH\""
        ),
        (
            "domain = \"*\"\nto = \"mxx\"",
            "9: route[0].to: must be one of \"mx\" \"discard\" \"refuse\" \"on-demand\", or "
                + "\"smtp:HOST:PORT\", \"smtps:HOST:PORT\", \"lmtp:HOST:PORT\" or "
                + "\"lmtp:unix:PATH\", not \"mxx\""
        ),
        (
            "domain = \"*\"\nto = \"smpt:a.example:25\"",
            "9: route[0].to: must be \"smtp:HOST:PORT\", \"smtps:HOST:PORT\", \"lmtp:HOST:PORT\" "
                + "or \"lmtp:unix:PATH\", not \"smpt:a.example:25\""
        ),
        (
            "domain = \"*\"\nto = \"smtp:a.example\"",
            "9: route[0].to: \"smtp:a.example\" has no port; write \"smtp:a.example:25\""
        ),
        (
            "domain = \"*\"\nto = \"smtp:[2001:db8::1]\"",
            "9: route[0].to: \"smtp:[2001:db8::1]\" has no port; write \"smtp:[2001:db8::1]:25\""
        ),
        (
            "domain = \"*\"\nto = \"smtp:a.example:0\"",
            "9: route[0].to: \"smtp:a.example:0\" has no port from 1 to 65535 at its end"
        ),
        (
            "domain = \"*\"\nto = \"smtp:a.example:65536\"",
            "9: route[0].to: \"smtp:a.example:65536\" has no port from 1 to 65535 at its end"
        ),
        (
            "domain = \"*\"\nto = \"smtp:2001:db8::1:25\"",
            "9: route[0].to: \"2001:db8::1\" is neither the name of a host nor an address (IPv6 "
                + "addresses stand in brackets)"
        ),
        (
            "domain = \"*\"\nto = \"smtp:a_b:25\"",
            "9: route[0].to: \"a_b\" is neither the name of a host nor an address (IPv6 "
                + "addresses stand in brackets)"
        ),
        (
            "domain = \"*\"\nto = \"smtp:unix:a\"",
            "9: route[0].to: only LMTP is spoken over Unix sockets; write \"lmtp:unix:a\""
        ),
        (
            "domain = \"*\"\nto = \"lmtp:unix:\"",
            "9: route[0].to: \"unix:\" must be followed by the path of a socket"
        ),
        (
            "domain = \"*\"\nto = \"smtp:127.0.0.1:2525\"",
            "9: route[0].to: mail would come back here: this is listener[0] of this server"
        ),
        (
            "domain = \"*\"\nto = \"smtp:mail.example.test:2525\"",
            "9: route[0].to: mail would come back here: this is listener[0] of this server"
        ),
        (
            "domain = \"example.test\"\nto = \"mx\"",
            "8: route[0].domain: \"example.test\" is a local domain, whose mail is delivered here"
        ),
        (
            "domain = \"*\"\nto = \"mx\"\n[[route]]\ndomain = \"*\"\nto = \"discard\"",
            "11: route[1].domain: \"*\" has a route on line 8"
        ),
        (
            "domain = \"*\"\nto = \"mx\"\ntls = \"on\"",
            "10: route[0].tls: must be one of \"dane-and-sts\" \"opportunistic\" \"encrypted\" "
                + "\"verified\", not \"on\""
        ),
        (
            "domain = \"*\"\nto = \"mx\"\ntext = \"no\"",
            "10: route[0].text: has no use with this \"to\""
        ),
        (
            "domain = \"*\"\nto = \"discard\"\ntls = \"verified\"",
            "10: route[0].tls: has no use with this \"to\""
        ),
        (
            "domain = \"*\"\nto = \"refuse\"\ntext = \"\"",
            "10: route[0].text: must be a text of 1 to 200 printable ASCII characters (what "
                + "senders are told), not \"\""
        ),
        (
            "domain = \"*\"\nto = \"smtp:a.example:25\"\nlogin = \"me\"",
            "10: route[0].login: needs password-file beside it"
        ),
        (
            "domain = \"*\"\nto = \"smtp:a.example:25\"\npassword-file = \"p\"",
            "10: route[0].password-file: needs login beside it"
        ),
        (
            "domain = \"*\"\nto = \"smtp:a.example:25\"\nlogin = \"me\"\npassword-file = "
                + "\"p\"\ntls = \"opportunistic\"",
            "12: route[0].tls: the password could cross the network in clear; write \"verified\" "
                + "or \"encrypted\""
        ),
        (
            "domain = \"*\"\nto = \"lmtp:unix:a\"\ntls = \"verified\"",
            "10: route[0].tls: has no use: nothing listens in on a Unix socket"
        ),
        (
            "domain = \"*\"\nto = \"mx\"\ndomian = 1",
            "10: route[0].domian: is unknown; did you mean \"domain\"?"
        ),
    ]

    @Test(arguments: wrongRoutes)
    func routesThatAreWrong(lines: String, expected: String) {
        #expect(self.errors("[[route]]\n\(lines)") == ["etc/m.toml:\(expected)"])
    }

    private static let wrongFetching: [(String, String)] = [
        (
            odmr + "[[route]]\ndomain = \"*\"\nto = \"on-demand\"",
            "11: route[0].accounts: is missing: nobody could fetch the mail; name those who may, "
                + "such as [\"office@example.org\"]"
        ),
        (
            odmr + "[[route]]\ndomain = \"*\"\nto = \"on-demand\"\naccounts = []",
            "14: route[0].accounts: is empty: nobody could fetch the mail"
        ),
        (
            odmr + "[[route]]\ndomain = \"*\"\nto = \"on-demand\"\naccounts = [\"a@b.example\"]",
            "14: route[0].accounts[0]: \"a@b.example\" is in no local domain, and has no account "
                + "here"
        ),
        (
            odmr + "[[route]]\ndomain = \"*\"\nto = \"on-demand\"\naccounts = [1]",
            "14: route[0].accounts[0]: must be an address, such as \"office@example.org\", not 1"
        ),
        (
            "[[route]]\ndomain = \"*\"\nto = \"on-demand\"\naccounts = [\"a@example.org\"]",
            "9: route[0].to: nobody could fetch the mail; write a [[listener]] with service = "
                + "\"odmr\", or offer-etrn = true in [smtp]"
        ),
        (
            odmr,
            "8: listener[1].service: has no mail to give: write a [[route]] with to = \"on-demand\""
        ),
    ]

    @Test(arguments: wrongFetching)
    func mailThatNobodyCouldFetch(lines: String, expected: String) {
        #expect(self.errors(lines) == ["etc/m.toml:\(expected)"])
    }
}
