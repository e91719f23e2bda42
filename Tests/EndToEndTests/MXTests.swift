// SPDX-License-Identifier: Apache-2.0

import DNSSupport
import Foundation
import Testing

extension EndToEnd {
    /// `martlet mx` against a name server of the test's own.
    @Suite struct MXTests {
        private static let zones = DNSZones(
            [
                .mx("example.test", 20, "backup.example.test"),
                .mx("example.test", 10, "mail.example.test"),
                .ns("example.test", "ns.example.test"),
                .address("mail.example.test", "192.0.2.10"),
                .address("mail.example.test", "2001:db8::10"),
                .address("backup.example.test", "192.0.2.20"),
                .address("ns.example.test", "192.0.2.53"), .mx("null.test", 0, "."),
                .address("implicit.test", "192.0.2.30"), .cname("alias.test", "example.test"),
                .mx("own.test", 10, "better.own.test"), .mx("own.test", 20, "mx.here.test"),
                .mx("own.test", 30, "worse.own.test"), .address("better.own.test", "192.0.2.40"),
                .address("mx.here.test", "192.0.2.41"), .address("worse.own.test", "192.0.2.42"),
                .mx("xn--bcher-kva.test", 5, "mail.example.test"),
                .mx("nobody.test", 5, "nowhere.test"),
                .txt("nothing.test", "no addresses either"),
            ],
            behaviours: ["broken.test": .serverFailure]
        )

        /// Runs the command with the server's address, away from any configuration.
        private static func mx(
            _ server: DNSServer,
            _ arguments: String...,
            environment: [String: String] = [:]
        ) throws -> CommandOutcome {
            let port = server.port
            let scratch = try ScratchDirectory()
            return try Command.run(
                "/bin/sh",
                ["-c", "cd \"$0\" && exec \"$@\"", scratch.path, ServerProcess.binary, "mx"]
                    + ["--server", "127.0.0.1@\(port)"] + arguments,
                environment: environment,
                seconds: 30
            )
        }

        private static func withServer(_ body: (DNSServer) throws -> Void) throws {
            let server = try DNSServer(self.zones)
            defer { server.stop() }
            try body(server)
        }

        @Test("The three lists and the order are printed as a whole")
        func listing() throws {
            try Self.withServer { server in
                let outcome = try Self.mx(server, "Example.TEST.")
                #expect(outcome.exitCode == 0, "\(outcome)")
                #expect(outcome.errorText.isEmpty)
                #expect(
                    outcome.text == """
                        example.test: the answer has 2 MX

                        Answer list
                          Resource name  Type  Class  MX Priority  MX Server
                          example.test   MX    IN     10           mail.example.test
                          example.test   MX    IN     20           backup.example.test

                        Authority list
                          Resource name  Type  Class  Domain name
                          example.test   NS    IN     ns.example.test *

                        Additional list
                          Resource name        Type  Class  IP Address
                          backup.example.test  A     IN     192.0.2.20
                          mail.example.test    A     IN     192.0.2.10
                          mail.example.test    AAAA  IN     2001:db8::10
                          ns.example.test      A     IN     192.0.2.53 *

                        * not in the answer: looked up in addition

                        Order of delivery
                          example.test has 2 mail exchangers
                          10 mail.example.test: 2001:db8::10, 192.0.2.10
                          20 backup.example.test: 192.0.2.20
                          try 1: mail.example.test at [2001:db8::10]:25, 192.0.2.10:25
                          try 2: backup.example.test at 192.0.2.20:25

                        """
                )
                let readme = Client.repository.appending(path: "README.md")
                let text = try String(contentsOf: readme, encoding: .utf8)
                #expect(text.contains("$ martlet mx example.test\n\(outcome.text)```\n"))
            }
        }

        @Test("JSON says the same")
        func json() throws {
            try Self.withServer { server in
                let outcome = try Self.mx(server, "--json", "example.test")
                #expect(outcome.exitCode == 0)
                let survey = try JSONDecoder().decode(Survey.self, from: outcome.output)
                #expect(survey.outcome == "found" && !survey.secure && survey.failure == nil)
                #expect(
                    survey.answer.map(\.server) == ["mail.example.test", "backup.example.test"]
                )
                #expect(survey.answer.map(\.priority) == [10, 20])
                #expect(survey.authority.map(\.lookedUp) == [true])
                #expect(survey.additional.count == 4)
                #expect(survey.order.map(\.name) == ["mail.example.test", "backup.example.test"])
                #expect(survey.order[0].endpoints == ["[2001:db8::10]:25", "192.0.2.10:25"])
                #expect(survey.explanation.count == 5)
                let failed = try Self.mx(server, "--json", "null.test")
                let failure = try JSONDecoder().decode(Survey.self, from: failed.output).failure
                #expect(failure?.status == "5.1.10")
            }
        }

        @Test(
            "The exit code says what is wrong",
            arguments: [
                ("nowhere.test", 68, "there is no domain nowhere.test"),
                ("null.test", 69, "null.test takes no mail (null MX)"),
                ("nobody.test", 69, "no host that takes mail for nobody.test has an address"),
                ("nothing.test", 69, "no host that takes mail for nothing.test has an address"),
                ("broken.test", 75, "DNS does not tell of broken.test: "),
            ]
        )
        func exitCodes(domain: String, code: Int32, why: String) throws {
            try Self.withServer { server in
                let outcome = try Self.mx(server, domain)
                #expect(outcome.exitCode == code, "\(outcome)")
                #expect(outcome.errorText.hasPrefix("martlet: \(why)"), "\(outcome)")
                #expect(outcome.text.contains("\n  \(why)"), "\(outcome)")
            }
        }

        @Test("Aliases, hosts without MX and U-labels are understood")
        func otherForms() throws {
            try Self.withServer { server in
                let implicit = try Self.mx(server, "implicit.test")
                #expect(implicit.exitCode == 0)
                #expect(implicit.text.contains("(implicit MX)"), "\(implicit)")
                #expect(implicit.text.contains("try 1: implicit.test at 192.0.2.30:25"))
                let alias = try Self.mx(server, "alias.test")
                #expect(alias.exitCode == 0)
                #expect(
                    alias.text.contains("alias.test     CNAME  IN     -            example.test")
                )
                #expect(alias.text.contains("alias.test is an alias of example.test"))
                let unicode = try Self.mx(server, "B\u{dc}CHER.test")
                #expect(unicode.exitCode == 0)
                #expect(unicode.text.contains("xn--bcher-kva.test has 1 mail exchanger"))
                let literal = try Self.mx(server, "[192.0.2.99]")
                #expect(literal.exitCode == 0)
                #expect(literal.text.contains("try 1: [192.0.2.99] at 192.0.2.99:25"))
            }
        }

        @Test("The configuration says who we are, whom to ask and which routes there are")
        func configured() throws {
            try Self.withServer { server in
                let scratch = try ScratchDirectory()
                let path = scratch.path + "/martlet.toml"
                let text = """
                    hostname = "mx.here.test"
                    data-directory = "data"
                    local-domains = ["here.test"]

                    [delivery]
                    resolver = ["127.0.0.1@\(server.port)"]
                    smtp-port = 2525

                    [[route]]
                    domain = "relayed.test"
                    to = "smtp:mail.example.test:587"

                    [[listener]]
                    service = "smtp"
                    address = "127.0.0.1:2599"
                    """
                try Data(text.utf8).write(to: URL(filePath: path))
                func mx(_ domain: String) throws -> CommandOutcome {
                    try Command.run(ServerProcess.binary, ["mx", "--config", path, domain])
                }
                let own = try mx("own.test")
                #expect(own.exitCode == 0, "\(own)")
                #expect(own.text.contains("20 mx.here.test: this server"))
                #expect(own.text.contains("30 worse.own.test: left out"))
                #expect(own.text.hasSuffix("try 1: better.own.test at 192.0.2.40:2525\n"))
                let local = try mx("here.test")
                #expect(local.text.contains("here.test is local"))
                let relayed = try mx("relayed.test")
                #expect(relayed.exitCode == 0)
                #expect(
                    relayed.text.contains(
                        "try 1: mail.example.test at [2001:db8::10]:587, 192.0.2.10:587"
                    ),
                    "\(relayed)"
                )
            }
        }

        @Test(
            "What is no argument is told of",
            arguments: [
                ["mx"], ["mx", "a b"], ["mx", "user@example.test"], ["mx", "a..test"], ["mx", ""],
                ["mx", "example.test", "other.test"],
                ["mx", "--server", "localhost", "example.test"],
                ["mx", "--server", "127.0.0.1:53", "example.test"],
            ]
        )
        func usage(arguments: [String]) throws {
            let outcome = try Command.run(ServerProcess.binary, arguments)
            #expect(outcome.exitCode == 64, "\(outcome)")
            #expect(outcome.errorText.contains("Error: "), "\(outcome)")
            #expect(outcome.text.isEmpty)
        }

        /// It asks for the fat libevent, whose functions know nothing of the loop's base.
        @Test("libunbound calls the libevent that the loop calls")
        func oneLibevent() throws {
            try Self.withServer { server in
                let environment = ["LD_DEBUG": "bindings"]
                let outcome = try Self.mx(server, "example.test", environment: environment)
                #expect(outcome.exitCode == 0)
                let bindings = outcome.errorText.split(separator: "\n").filter {
                    $0.contains("libunbound") && $0.contains("symbol `event_")
                }
                // A program that is one file has none.
                if outcome.errorText.contains("libunbound") { #expect(bindings.count >= 4) }
                for binding in bindings {
                    #expect(binding.contains(" to /") && binding.contains("/libevent_core"))
                }
            }
        }

        @Test("A configuration that is named must be there")
        func missingConfiguration() throws {
            let outcome = try Command.run(
                ServerProcess.binary,
                ["mx", "--config", "/nowhere/martlet.toml", "example.test"]
            )
            #expect(outcome.exitCode == 78, "\(outcome)")
        }
    }
}

private struct Survey: Decodable {
    struct Row: Decodable {
        let name: String
        let type: String
        let priority: Int?
        let server: String?
        let lookedUp: Bool
    }

    struct Host: Decodable {
        let name: String
        let endpoints: [String]
    }

    struct Failure: Decodable {
        let status: String
    }

    let outcome: String
    let secure: Bool
    let answer: [Row]
    let authority: [Row]
    let additional: [Row]
    let order: [Host]
    let explanation: [String]
    let failure: Failure?
}
