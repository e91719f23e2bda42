// SPDX-License-Identifier: Apache-2.0
//
// Every kind of error with its exact text.

import Foundation
import Testing

@testable import Configuration

@Suite struct ConfigurationErrorTests {
    @Test func rightFilesHaveNone() {
        #expect(Sample.errors(Sample.top + Sample.listener) == [])
        #expect(
            Sample.errors(
                end: "[limits]\n[tls]\n[auth]\n[submission]\n[smtp]\n[pop3]\n[store]\n[log]"
            ) == []
        )
    }

    @Test(arguments: [
        (
            "[limits]\nidle-second = 5",
            "etc/m.toml:8: limits.idle-second: is unknown; did you mean \"idle-seconds\"?"
        ),
        (
            "[limits]\nmessage_octets = 5",
            "etc/m.toml:8: limits.message_octets: is unknown; did you mean \"message-octets\"?"
        ),
        (
            "[log]\ncolour = 5",
            "etc/m.toml:8: log.colour: is unknown; known here: level, format"
        ),
        (
            "[log]\n\"a b\\u0007\" = 5",
            "etc/m.toml:8: log.\"a b\\u{7}\": is unknown; known here: level, format"
        ),
        ("[limit]", "etc/m.toml:7: limit: is unknown; did you mean \"limits\"?"),
        (
            "[log]\nhostname = \"x\"",
            "etc/m.toml:8: log.hostname: is unknown here; it belongs to the top of the file, "
                + "before the first table"
        ),
        (
            "[smtp]\nmessage-octets = 5",
            "etc/m.toml:8: smtp.message-octets: is unknown here; it belongs into the table [limits]"
        ),
        (
            "[smtp]\naddress = \"127.0.0.1:25\"",
            "etc/m.toml:8: smtp.address: is unknown here; it belongs into a [[listener]] table"
        ),
        (
            "[smtp]\naccounts = []",
            "etc/m.toml:8: smtp.accounts: is unknown here; it belongs into a [[route]] table"
        ),
        ("[[smtp]]", "etc/m.toml:7: smtp: must be a table, [smtp], not an array"),
        (
            "[limits]\nidle-seconds = \"5m\"",
            "etc/m.toml:8: limits.idle-seconds: must be an integer from 1 to 86400 (seconds that "
                + "an SMTP or LMTP client may be silent), not \"5m\""
        ),
        (
            "[limits]\nidle-seconds = 300.5",
            "etc/m.toml:8: limits.idle-seconds: must be an integer from 1 to 86400 (seconds that "
                + "an SMTP or LMTP client may be silent), not the float 300.5"
        ),
        (
            "[limits]\nconnections = 1979-05-27",
            "etc/m.toml:8: limits.connections: must be an integer from 1 to 1000000 (connections "
                + "of all listeners), not a date"
        ),
        (
            "[limits]\nconnections = -1",
            "etc/m.toml:8: limits.connections: must be an integer from 1 to 1000000 (connections "
                + "of all listeners), not -1"
        ),
        (
            "[limits]\nconnections = -9223372036854775808",
            "etc/m.toml:8: limits.connections: must be an integer from 1 to 1000000 (connections "
                + "of all listeners), not -9223372036854775808"
        ),
        (
            "[limits]\npop3-idle-seconds = 599",
            "etc/m.toml:8: limits.pop3-idle-seconds: must be an integer from 600 to 86400 (seconds "
                + "that a POP3 client may be silent; RFC 1939 demands 600 at least), not 599"
        ),
        (
            "[limits]\nrecipients-per-transaction = 99",
            "etc/m.toml:8: limits.recipients-per-transaction: must be an integer from 100 to "
                + "100000 (recipients of one transaction; RFC 5321 demands 100 at least), not 99"
        ),
        (
            "[pop3]\nexpire-days = true",
            "etc/m.toml:8: pop3.expire-days: must be an integer from 0 to 36500 (days that mail "
                + "may stay, as EXPIRE announces it), not true"
        ),
        (
            "[pop3]\nlanguage = \"es\"",
            "etc/m.toml:8: pop3.language: must be one of \"en\" \"de\" \"fr\" (the language of "
                + "replies after LANG *), not \"es\""
        ),
        (
            "[log]\nlevel = \"loud\"",
            "etc/m.toml:8: log.level: must be one of \"debug\" \"info\" \"notice\" \"warning\" "
                + "\"error\" (the least severe lines that are logged), not \"loud\""
        ),
        (
            "[smtp]\nanswer-vrfy = 1",
            "etc/m.toml:8: smtp.answer-vrfy: must be true or false (whether VRFY tells which "
                + "mailboxes exist), not 1"
        ),
        (
            "[limits]\nexempt-networks = [\"10.0.0.0/8\",\n  \"10.0.0.1/8\"]",
            "etc/m.toml:9: limits.exempt-networks[1]: \"10.0.0.1/8\" has bits set beyond its "
                + "length; did you mean \"10.0.0.0/8\"?"
        ),
        (
            "[limits]\nexempt-networks = [\"localhost\"]",
            "etc/m.toml:8: limits.exempt-networks[0]: must be a network, such as \"192.0.2.0/24\", "
                + "not \"localhost\""
        ),
        (
            "[limits]\nexempt-networks = [[]]",
            "etc/m.toml:8: limits.exempt-networks[0]: must be a network, such as \"192.0.2.0/24\", "
                + "not an array"
        ),
        (
            "[limits]\nexempt-networks = \"10.0.0.0/8\"",
            "etc/m.toml:8: limits.exempt-networks: must be an array of networks, such as "
                + "[\"192.0.2.0/24\", \"2001:db8::/32\"] (peers that limits for each client do not "
                + "count), not \"10.0.0.0/8\""
        ),
    ])
    func tables(end: String, expected: String) {
        #expect(Sample.errors(end: end) == [expected])
    }

    @Test(arguments: [
        (
            "limits = 5",
            "etc/m.toml:4: limits: must be a table, [limits], not 5"
        ),
        ("host = 5", "etc/m.toml:4: host: is unknown; did you mean \"hostname\"?"),
        (
            "idle-seconds = 5",
            "etc/m.toml:4: idle-seconds: is unknown here; it belongs into the table [limits]"
        ),
        (
            "tls = \"off\"",
            "etc/m.toml:4: tls: must be a table, [tls], not \"off\"; as a key it belongs into a "
                + "[[listener]] table"
        ),
        (
            "postmaster = \"office\"",
            "etc/m.toml:4: postmaster: must be an address, such as \"office@example.org\" (takes "
                + "mail for postmaster of every local domain), not \"office\""
        ),
        (
            "postmaster = \"office@elsewhere.test\"",
            "etc/m.toml:4: postmaster: \"office@elsewhere.test\" is in no local domain; write an "
                + "address of one of \"example.test\" \"example.org\""
        ),
        (
            "catch-all = \"all@elsewhere.test\"",
            "etc/m.toml:4: catch-all: \"all@elsewhere.test\" is in no local domain; write an "
                + "address of one of \"example.test\" \"example.org\""
        ),
        (
            "subaddress-delimiter = \"a\"",
            "etc/m.toml:4: subaddress-delimiter: must be one of \"+\" \"-\" \"_\" \"=\" \"#\" "
                + "\"~\", or \"\" for none (parts a mailbox from its detail), not \"a\""
        ),
    ])
    func top(lines: String, expected: String) {
        #expect(Sample.errors(top: lines) == [expected])
    }

    @Test func requiredKeys() {
        #expect(
            Sample.errors("# nothing\n") == [
                "etc/m.toml: hostname: is missing; it must be a domain in ASCII, such as "
                    + "\"mail.example.org\" (the name of this server in greetings, replies and "
                    + "Received fields)",
                "etc/m.toml: data-directory: is missing; it must be the path of a directory (where "
                    + "mail and accounts are kept)",
                "etc/m.toml: local-domains: is missing; it must be an array of domains, such as "
                    + "[\"example.org\"] (whose mail is delivered here)",
                "etc/m.toml: listener: is missing; write [[listener]] with a service and an "
                    + "address at least once",
            ]
        )
    }

    @Test(arguments: [
        "", "a..b", "-a.test", "a-.test", ".test", "test.", "192.0.2.1", "[192.0.2.1]",
        "mail@x.test",
        "under_score.test", "mäil.test", "a b.test", "mail.test\\u0000", "mail.test\\r\\n",
        String(repeating: "a", count: 64) + ".test",
    ])
    func hostnames(name: String) {
        let errors = Sample.errors(
            "hostname = \"\(name)\"\ndata-directory = \"d\"\nlocal-domains = [\"x.test\"]\n"
                + Sample.listener
        )
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix("etc/m.toml:1: hostname: must be a domain") ?? false)
    }

    @Test func localDomains() {
        func errors(_ domains: String) -> [String] {
            Sample.errors(
                "hostname = \"m.test\"\ndata-directory = \"d\"\nlocal-domains = \(domains)\n"
                    + Sample.listener
            )
        }
        #expect(errors("[\"bücher.example\", \"under_score.test\", \"localhost\"]") == [])
        #expect(
            errors("[]") == [
                "etc/m.toml:3: local-domains: is empty; name one domain at least (whose mail is "
                    + "delivered here)"
            ]
        )
        #expect(
            errors("[\"a.test\", \"@b\", \"A.Test\", 5]") == [
                "etc/m.toml:3: local-domains[1]: must be a domain, such as \"example.org\", not "
                    + "\"@b\"",
                "etc/m.toml:3: local-domains[2]: names \"a.test\" a second time",
                "etc/m.toml:3: local-domains[3]: must be a domain, such as \"example.org\", not 5",
            ]
        )
    }

    @Test func dataDirectory() {
        func errors(_ path: String) -> [String] {
            Sample.errors(
                "hostname = \"m.test\"\ndata-directory = \"\(path)\"\n"
                    + "local-domains = [\"x.test\"]\n" + Sample.listener
            )
        }
        #expect(
            errors("") == [
                "etc/m.toml:2: data-directory: must be the path of a directory (where mail and "
                    + "accounts are kept), not \"\""
            ]
        )
        let long = "/" + String(repeating: "d", count: 94)
        #expect(errors(String(long.dropLast())) == [])
        #expect(
            errors(long) == [
                "etc/m.toml:2: data-directory: \"/\(String(repeating: "d", count: 59))…\" has 95 "
                    + "octets; 94 at most leave room for the path of the control socket in it"
            ]
        )
    }

    @Test func allErrorsComeInOneRunInOrder() {
        let text = """
            hostname = 5
            data-directory = "d"
            local-domains = ["x.test"]
            colour = "red"
            [[listener]]
            service = "imap"
            address = "127.0.0.1:99999"
            [limits]
            idle-seconds = 0
            connections = -1
            [log]
            level = []
            """
        #expect(
            Sample.errors(text) == [
                "etc/m.toml:1: hostname: must be a domain in ASCII, such as \"mail.example.org\" "
                    + "(the name of this server in greetings, replies and Received fields), not 5",
                "etc/m.toml:4: colour: is unknown; known here: hostname, data-directory, "
                    + "local-domains, postmaster, catch-all, subaddress-delimiter, "
                    + "allow-plaintext-auth-anywhere, trusted-proxies, relay-domains, "
                    + "relay-networks, allow-open-relay, user, confine, tls, auth, submission, "
                    + "smtp, pop3, delivery, store, log, limits, listener, route",
                "etc/m.toml:6: listener[0].service: must be one of \"smtp\" \"submission\" "
                    + "\"lmtp\" \"pop3\" \"odmr\", not \"imap\"",
                "etc/m.toml:7: listener[0].address: must be \"IPv4:port\", \"[IPv6]:port\" or "
                    + "\"unix:PATH\", not \"127.0.0.1:99999\"",
                "etc/m.toml:9: limits.idle-seconds: must be an integer from 1 to 86400 (seconds "
                    + "that an SMTP or LMTP client may be silent), not 0",
                "etc/m.toml:10: limits.connections: must be an integer from 1 to 1000000 "
                    + "(connections of all listeners), not -1",
                "etc/m.toml:12: log.level: must be one of \"debug\" \"info\" \"notice\" "
                    + "\"warning\" \"error\" (the least severe lines that are logged), "
                    + "not an array",
            ]
        )
    }

    @Test(arguments: [
        ("a = 1\nb =\nc = 3\n", "etc/m.toml:2: "),
        ("a = 1\na = 2\n", "etc/m.toml:2: "),
        ("a = 1\n[[[x]]]\n", "etc/m.toml:2: not TOML"),
        ("a = \"x\ny\"\n", "etc/m.toml:1: "),
        ("a = 99999999999999999999\n", "etc/m.toml:1: "),
        ("\n\na = \"\"\"\nx\"\"\"\n", "etc/m.toml:3: strings of several lines are not read"),
        ("a = \"\u{0}\"\n", "etc/m.toml:1: "),
        ("“a” = 1\n", "etc/m.toml:1: "),
        ("x\n" + String(repeating: "a.", count: 200_000), "etc/m.toml:2: a key has too many parts"),
        ("a = " + String(repeating: "[", count: 200_000), "etc/m.toml:1: "),
    ])
    func syntaxErrorsHaveTheirLine(text: String, prefix: String) throws {
        let errors = Sample.errors(text)
        #expect(errors.count == 1)
        let error = try #require(errors.first)
        #expect(error.hasPrefix(prefix) && error.count > "etc/m.toml:1: ".count)
    }

    @Test func octetsThatAreNoUTF8() throws {
        #expect(throws: ConfigurationErrors.self) {
            try Configuration.parse([0x61, 0x3d, 0x22, 0xff, 0x22, 0x0a], path: "m.toml")
        }
    }

    @Test func filesThatCannotBeRead() throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func errors(_ path: String) -> [String] {
            do throws(ConfigurationErrors) {
                _ = try Configuration.load(path: path)
                return []
            } catch {
                return error.errors.map(\.description)
            }
        }
        #expect(errors("\(folder)/none.toml") == ["\(folder)/none.toml: there is no such file"])
        #expect(errors(folder) == ["\(folder): cannot be read: it is a directory"])
        let large = "\(folder)/large.toml"
        try Data(count: (1 << 20) + 1).write(to: URL(fileURLWithPath: large))
        #expect(errors(large) == ["\(large): cannot be read: it has more than 1048576 octets"])
        let right = "\(folder)/right.toml"
        try Data((Sample.top + Sample.listener).utf8).write(to: URL(fileURLWithPath: right))
        #expect(try Configuration.load(path: right).dataDirectory == "\(folder)/data")
    }
}
