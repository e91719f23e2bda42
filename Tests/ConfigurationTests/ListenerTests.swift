// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Configuration

@Suite struct ListenerTests {
    private func errors(_ lines: String, top: String = "") -> [String] {
        Sample.errors(Sample.top + top + "[[listener]]\n" + lines + "\n")
    }

    @Test func listenersAreRead() throws {
        let configuration = try Sample.parse(
            Sample.top + """
                listener = [
                  { service = "smtp", address = "0.0.0.0:25" },
                  { service = "smtp", address = "[::]:25", tls = "off" },
                  { service = "lmtp", address = "unix:run/lmtp.sock", optional = true },
                  { service = "pop3", address = "unix:/run/pop3.sock", plaintext-auth = true },
                  { service = "pop3", address = "[::1]:110", plaintext-auth = true },
                  { service = "pop3", address = "192.0.2.1:110", plaintext-auth = false },
                ]
                """
        )
        #expect(
            configuration.listeners.map { "\($0.service) \($0.address) \($0.permitsPlaintextAuth)" }
                == [
                    "smtp 0.0.0.0:25 false", "smtp [::]:25 false",
                    "lmtp unix:etc/run/lmtp.sock false", "pop3 unix:/run/pop3.sock true",
                    "pop3 [::1]:110 true", "pop3 192.0.2.1:110 false",
                ]
        )
        #expect(configuration.listeners.filter(\.isOptional).map(\.service) == [.lmtp])
    }

    @Test(arguments: [
        (
            "address = \"127.0.0.1:25\"",
            "etc/m.toml:4: listener[0].service: is missing; it must be one of \"smtp\" "
                + "\"submission\" \"lmtp\" \"pop3\" \"odmr\""
        ),
        (
            "service = \"smtp\"",
            "etc/m.toml:4: listener[0].address: is missing; it must be \"IPv4:port\", "
                + "\"[IPv6]:port\" or \"unix:PATH\""
        ),
        (
            "service = \"admin\"\naddress = \"127.0.0.1:8025\"",
            "etc/m.toml:5: listener[0].service: the service \"admin\" is not built yet; write one "
                + "of \"smtp\" \"submission\" \"lmtp\" \"pop3\" \"odmr\""
        ),
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:25\"\ntls = \"starttls\"",
            "etc/m.toml:7: listener[0].tls: \"starttls\" needs a certificate; write [tls] with "
                + "certificate and private-key, or tls = \"off\""
        ),
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:25\"\ntls = false",
            "etc/m.toml:7: listener[0].tls: must be one of \"off\" \"starttls\" \"implicit\", not "
                + "false"
        ),
        (
            "service = \"smtp\"\naddress = 25",
            "etc/m.toml:6: listener[0].address: must be \"IPv4:port\", \"[IPv6]:port\" or "
                + "\"unix:PATH\", not 25"
        ),
        (
            "service = \"smtp\"\naddress = \"localhost:25\"",
            "etc/m.toml:6: listener[0].address: must be \"IPv4:port\", \"[IPv6]:port\" or "
                + "\"unix:PATH\", not \"localhost:25\""
        ),
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:65536\"",
            "etc/m.toml:6: listener[0].address: must be \"IPv4:port\", \"[IPv6]:port\" or "
                + "\"unix:PATH\", not \"127.0.0.1:65536\""
        ),
        (
            "service = \"smtp\"\naddress = \"::1\"",
            "etc/m.toml:6: listener[0].address: \"::1\" has no port; write one from 1 to 65535, "
                + "such as \"[::1]:2525\""
        ),
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:0\"",
            "etc/m.toml:6: listener[0].address: \"127.0.0.1:0\" has no port; write one from 1 to "
                + "65535, such as \"127.0.0.1:2525\""
        ),
        (
            "service = \"smtp\"\naddress = \"unix:\"",
            "etc/m.toml:6: listener[0].address: \"unix:\" must be followed by the path of a socket"
        ),
        (
            "service = \"lmtp\"\naddress = \"192.0.2.1:25\"",
            "etc/m.toml:6: listener[0].address: LMTP must not be spoken on port 25 (RFC 2033, "
                + "section 5); 24 is its own"
        ),
        (
            "service = \"lmtp\"\naddress = \"unix:data/control.sock\"",
            "etc/m.toml:6: listener[0].address: this is the server's own control socket"
        ),
        (
            "service = \"pop3\"\naddress = \"0.0.0.0:110\"\nplaintext-auth = true",
            "etc/m.toml:7: listener[0].plaintext-auth: passwords would cross the network in clear "
                + "on 0.0.0.0:110; use a loopback address, or write "
                + "allow-plaintext-auth-anywhere = true at the top"
        ),
        (
            "service = \"pop3\"\naddress = \"127.0.0.1:110\"\nplaintext-auth = \"yes\"",
            "etc/m.toml:7: listener[0].plaintext-auth: must be true or false (whether passwords "
                + "may come without TLS), not \"yes\""
        ),
        (
            "service = \"pop3\"\naddress = \"127.0.0.1:110\"\nplain-auth = true",
            "etc/m.toml:7: listener[0].plain-auth: is unknown; did you mean \"plaintext-auth\"?"
        ),
        (
            "service = \"pop3\"\naddress = \"127.0.0.1:110\"\nport = 110",
            "etc/m.toml:7: listener[0].port: is unknown; known here: service, address, tls, "
                + "plaintext-auth, proxy-protocol, xclient-networks, xclient-login, optional"
        ),
        (
            "service = \"pop3\"\naddress = \"127.0.0.1:110\"\noptional = 1",
            "etc/m.toml:7: listener[0].optional: must be true or false (whether to start without "
                + "it when the address is in use), not 1"
        ),
        (
            "service = \"pop3\"\naddress = \"127.0.0.1:110\"\nidle-seconds = 900",
            "etc/m.toml:7: listener[0].idle-seconds: is unknown here; it belongs into the table "
                + "[limits]"
        ),
    ])
    func mistakesAreNamed(lines: String, expected: String) {
        #expect(self.errors(lines) == [expected])
    }

    @Test func plaintextAnywhereMustBeAskedFor() {
        let lines = "service = \"pop3\"\naddress = \"0.0.0.0:110\"\nplaintext-auth = true"
        #expect(self.errors(lines, top: "allow-plaintext-auth-anywhere = true\n") == [])
        #expect(self.errors(lines, top: "allow-plaintext-auth-anywhere = false\n").count == 1)
    }

    @Test func pathsOfSocketsFit() {
        let path = "/" + String(repeating: "s", count: 106)
        #expect(self.errors("service = \"lmtp\"\naddress = \"unix:\(path)\"") == [])
        #expect(
            self.errors("service = \"lmtp\"\naddress = \"unix:\(path)s\"") == [
                "etc/m.toml:6: listener[0].address: the path of a Unix socket has 107 octets at "
                    + "most; \"/\(String(repeating: "s", count: 59))…\" has 108"
            ]
        )
    }

    @Test(arguments: [
        ("127.0.0.1:25", "127.0.0.1:25", true),
        ("127.0.0.1:25", "127.0.0.1:26", false),
        ("127.0.0.1:25", "127.0.0.2:25", false),
        ("0.0.0.0:25", "127.0.0.2:25", true),
        ("127.0.0.2:25", "0.0.0.0:25", true),
        ("0.0.0.0:25", "[::]:25", false),
        ("[::]:25", "[::1]:25", true),
        ("127.0.0.1:25", "[::ffff:127.0.0.1]:25", true),
        ("unix:a", "unix:a", true),
        ("unix:a", "unix:b", false),
    ])
    func addressesServeOnce(first: String, second: String, collide: Bool) {
        let errors = Sample.errors(
            Sample.top + "[[listener]]\nservice = \"smtp\"\naddress = \"\(first)\"\n"
                + "[[listener]]\nservice = \"pop3\"\naddress = \"\(second)\"\n"
        )
        #expect(errors.count == (collide ? 1 : 0))
        if collide {
            #expect(errors.first?.hasPrefix("etc/m.toml:9: listener[1].address: ") ?? false)
            #expect(errors.first?.hasSuffix("is taken by listener[0] on line 6") ?? false)
        }
    }

    @Test func emptyAndWrongLists() {
        #expect(
            Sample.errors(Sample.top + "listener = []\n") == [
                "etc/m.toml:4: listener: must be one or more tables, [[listener]], not an array"
            ]
        )
        #expect(
            Sample.errors(Sample.top + "listener = [5]\n") == [
                "etc/m.toml:4: listener[0]: must be a table, [[listener]], not 5"
            ]
        )
        #expect(
            Sample.errors(Sample.top + "[listener]\nservice = \"smtp\"\n") == [
                "etc/m.toml:4: listener: must be one or more tables, [[listener]], not a table"
            ]
        )
    }
}
