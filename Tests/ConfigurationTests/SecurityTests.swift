// SPDX-License-Identifier: Apache-2.0
//
// TLS, logins, proxies: what is read, and what contradicts itself.

import Testing

@testable import Configuration

@Suite struct SecurityTests {
    private static let tls = """
        [tls]
        certificate = "tls/a.pem"
        private-key = "/etc/tls/a.key"

        """

    /// The errors of a file with one listener, its lines from 5 on, and these lines after it.
    private func errors(
        _ listener: String,
        end: String = "",
        top: String = ""
    ) -> [String] {
        Sample.errors("\(Sample.top)\(top)[[listener]]\n\(listener)\n\(end)\n")
    }

    @Test func everythingIsRead() throws {
        let configuration = try Sample.parse(
            Sample.top + """
                trusted-proxies = ["10.0.0.0/8"]
                user = "_martlet-1.x"
                confine = "off"
                [[listener]]
                service = "submission"
                address = "[::]:587"
                tls = "starttls"
                proxy-protocol = true
                xclient-networks = ["10.0.0.0/24", "::1"]
                xclient-login = true
                [tls]
                certificate = "tls/a.pem"
                private-key = "/etc/tls/a.key"
                client-authorities = "tls/clients.pem"
                minimum-version = "1.3"
                ticket-key-hours = 1
                [[tls.additional]]
                certificate = "tls/b.pem"
                private-key = "tls/b.key"
                [auth]
                mechanisms = ["PLAIN", "OAUTHBEARER"]
                scram = "never"
                [[auth.token-issuer]]
                issuer = "https://login.example.org"
                audience = "mail"
                keys = "issuer.json"
                identity-claim = "sub"
                [submission]
                check-sender = false
                check-author = false
                add-missing-fields = false
                hide-client-address = true
                """
        )
        let listener = try #require(configuration.listeners.first)
        #expect(listener.service == .submission && listener.tls == .starttls)
        #expect(listener.expectsProxyHeader && listener.permitsXCLIENTLogin)
        #expect(listener.xclientNetworks.map(\.description) == ["10.0.0.0/24", "::1/128"])
        #expect(configuration.trustedProxies.map(\.description) == ["10.0.0.0/8"])
        #expect(configuration.user == "_martlet-1.x" && configuration.confinement == .off)
        #expect(
            configuration.tls.certificates == [
                .init(chainPath: "etc/tls/a.pem", keyPath: "/etc/tls/a.key"),
                .init(chainPath: "etc/tls/b.pem", keyPath: "etc/tls/b.key"),
            ]
        )
        #expect(configuration.tls.clientAuthoritiesPath == "etc/tls/clients.pem")
        #expect(configuration.tls.minimumVersion == .tls13)
        #expect(configuration.auth.mechanisms == [.plain, .oauthBearer])
        #expect(configuration.auth.scram == .never)
        let issuer = try #require(configuration.auth.tokenIssuers.first)
        #expect(issuer.issuer == "https://login.example.org" && issuer.audience == "mail")
        #expect(issuer.keysPath == "etc/issuer.json" && issuer.identityClaim == "sub")
        let submission = configuration.submission
        #expect(!submission.checksSender && !submission.checksAuthor)
        #expect(!submission.addsMissingFields && submission.hidesClientAddress)
        #expect(configuration.mechanisms(of: listener) == [.oauthBearer, .plain])
    }

    private static let wrongCertificates: [(String, String)] = [
        (
            "[tls]\ncertificate = \"a.pem\"",
            "etc/m.toml:8: tls.certificate: needs private-key, the PEM key of the certificate"
        ),
        (
            "[tls]\nprivate-key = \"a.key\"",
            "etc/m.toml:8: tls.private-key: needs certificate, the PEM chain that the key belongs "
                + "to"
        ),
        (
            "[[tls.additional]]\ncertificate = \"a.pem\"\nprivate-key = \"a.key\"",
            "etc/m.toml:7: tls.additional: needs certificate and private-key of [tls] before it"
        ),
        (
            tls + "[[tls.additional]]\ncertificate = \"a.pem\"",
            "etc/m.toml:10: tls.additional[0].private-key: is missing; it must be the path of a "
                + "file (the PEM key of the certificate)"
        ),
        (
            tls + "[[tls.additional]]\ncertificate = \"a.pem\"\nprivate-key = \"b\"\nkey = 1",
            "etc/m.toml:13: tls.additional[0].key: is unknown; known here: certificate, private-key"
        ),
        (
            "[tls]\nadditional = [1]",
            "etc/m.toml:8: tls.additional[0]: must be a table, [[tls.additional]], not 1"
        ),
        (
            "[tls]\nadditional = 1",
            "etc/m.toml:8: tls.additional: must be one or more tables, [[tls.additional]] "
                + "(certificates for other names, or with another type of key), not 1"
        ),
        (
            "[tls]\ncertificate = \"\"",
            "etc/m.toml:8: tls.certificate: must be the path of a file (a PEM chain, the server's "
                + "certificate first), not \"\""
        ),
        (
            "[tls]\nminimum-version = \"1.1\"",
            "etc/m.toml:8: tls.minimum-version: must be one of \"1.2\" \"1.3\" (the oldest version "
                + "of TLS that is spoken), not \"1.1\""
        ),
    ]

    @Test(arguments: wrongCertificates)
    func certificatesThatAreWrong(end: String, expected: String) {
        #expect(Sample.errors(end: end) == [expected])
    }

    private static let wrongLogins: [(String, String)] = [
        (
            "[auth]\nmechanisms = []",
            "etc/m.toml:8: auth.mechanisms: is empty; name one mechanism at least, or leave it out "
                + "for all that can work"
        ),
        (
            "[auth]\nmechanisms = \"PLAIN\"",
            "etc/m.toml:8: auth.mechanisms: must be an array of mechanisms, such as "
                + "[\"SCRAM-SHA-256\", \"PLAIN\"] (the SASL mechanisms that may be offered), not "
                + "\"PLAIN\""
        ),
        (
            "[auth]\nmechanisms = [\"PLAIN\", \"DIGEST-MD5\"]",
            "etc/m.toml:8: auth.mechanisms[1]: must be one of \"SCRAM-SHA-256-PLUS\" "
                + "\"SCRAM-SHA-256\" \"SCRAM-SHA-1\" \"EXTERNAL\" \"OAUTHBEARER\" \"XOAUTH2\" "
                + "\"CRAM-MD5\" \"PLAIN\" \"LOGIN\", not \"DIGEST-MD5\""
        ),
        (
            "[auth]\nmechanisms = [\"PLAIN\", \"PLAIN\"]",
            "etc/m.toml:8: auth.mechanisms[1]: names \"PLAIN\" a second time"
        ),
        (
            "[auth]\nmechanisms = [\"EXTERNAL\"]",
            "etc/m.toml:8: auth.mechanisms: \"EXTERNAL\" needs client certificates; name "
                + "client-authorities in [tls]"
        ),
        (
            tls + "client-authorities = \"c.pem\"\n[auth]\nmechanisms = [\"EXTERNAL\"]",
            "etc/m.toml:12: auth.mechanisms: \"EXTERNAL\" needs TLS, and no listener has it"
        ),
        (
            "[auth]\nmechanisms = [\"SCRAM-SHA-256-PLUS\"]",
            "etc/m.toml:8: auth.mechanisms: \"SCRAM-SHA-256-PLUS\" is bound to TLS, and no "
                + "listener has it"
        ),
        (
            "[auth]\nmechanisms = [\"XOAUTH2\"]",
            "etc/m.toml:8: auth.mechanisms: \"XOAUTH2\" needs tokens; write [[auth.token-issuer]]"
        ),
        (
            "[auth]\nmechanisms = [\"SCRAM-SHA-256\"]\nscram = \"never\"",
            "etc/m.toml:8: auth.mechanisms: \"SCRAM-SHA-256\" contradicts scram = \"never\"; take "
                + "one of the two out"
        ),
        (
            "[auth]\nscram = \"always\"\nmechanisms = [\"PLAIN\"]",
            "etc/m.toml:8: auth.scram: \"always\" contradicts mechanisms, which names none of SCRAM"
        ),
        (
            "[auth]\nmechanisms = [\"PLAIN\"]\n[[auth.token-issuer]]\nissuer = \"i\"\n"
                + "audience = \"a\"\nkeys = \"k\"",
            "etc/m.toml:9: auth.token-issuer: has no use: mechanisms names neither "
                + "\"OAUTHBEARER\" nor \"XOAUTH2\""
        ),
        (
            "[auth]\nmechanisms = [\"XOAUTH2\"]\n[[auth.token-issuer]]\nissuer = \"i\"\n"
                + "audience = \"\"\nkeys = \"k\"",
            "etc/m.toml:11: auth.token-issuer[0].audience: must be a text (what the claim aud of a "
                + "token must contain), not \"\""
        ),
        (
            "[auth]\nscram = true",
            "etc/m.toml:8: auth.scram: must be one of \"auto\" \"always\" \"never\" (when SCRAM is "
                + "offered), not true"
        ),
    ]

    @Test(arguments: wrongLogins)
    func loginsThatAreWrong(end: String, expected: String) {
        #expect(Sample.errors(end: end) == [expected])
    }

    private static let wrongTops: [(String, String)] = [
        (
            "user = \"no body\"",
            "etc/m.toml:4: user: must be the name of a user, or \"\" for none (whom a server "
                + "started by root becomes once its ports are open), not \"no body\""
        ),
        (
            "confine = true",
            "etc/m.toml:4: confine: must be one of \"auto\" \"off\" (whether the server gives up "
                + "what it does not need of the system), not true"
        ),
        (
            "trusted-proxies = [\"10.0.0.1/8\"]",
            "etc/m.toml:4: trusted-proxies[0]: \"10.0.0.1/8\" has bits set beyond its length; did "
                + "you mean \"10.0.0.0/8\"?"
        ),
    ]

    @Test(arguments: wrongTops)
    func keysOfTheTop(lines: String, expected: String) {
        #expect(Sample.errors(top: lines) == [expected])
    }

    @Test func usersAreNamesOrNobody() throws {
        #expect(Sample.errors(top: "user = \"\"") == [])
        #expect(Sample.errors(top: "user = \"0\"").count == 1)
        #expect(Sample.errors(top: "user = \"\(String(repeating: "u", count: 33))\"").count == 1)
    }

    private static let wrongListeners: [(String, String)] = [
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:25\"\nplaintext-auth = true",
            "etc/m.toml:7: listener[0].plaintext-auth: has no use: nobody logs in on \"smtp\"; "
                + "\"submission\", \"pop3\" and \"odmr\" take it"
        ),
        (
            "service = \"submission\"\naddress = \"192.0.2.1:587\"\nplaintext-auth = true",
            "etc/m.toml:7: listener[0].plaintext-auth: passwords would cross the network in clear "
                + "on 192.0.2.1:587; use a loopback address, or write "
                + "allow-plaintext-auth-anywhere = true at the top"
        ),
        (
            "service = \"submission\"\naddress = \"127.0.0.1:587\"\nproxy-protocol = true",
            "etc/m.toml:7: listener[0].proxy-protocol: nobody could connect; name the networks of "
                + "the proxies in trusted-proxies at the top"
        ),
        (
            "service = \"smtp\"\naddress = \"unix:s\"\nproxy-protocol = true",
            "etc/m.toml:7: listener[0].proxy-protocol: cannot work on a Unix socket: no network is "
                + "its peer"
        ),
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:25\"\nproxy-protocol = \"v2\"",
            "etc/m.toml:7: listener[0].proxy-protocol: must be true or false (whether connections "
                + "begin with a PROXY header), not \"v2\""
        ),
        (
            "service = \"lmtp\"\naddress = \"127.0.0.1:24\"\nxclient-networks = [\"10.0.0.0/8\"]",
            "etc/m.toml:7: listener[0].xclient-networks: LMTP has no XCLIENT; \"smtp\", "
                + "\"submission\" and \"pop3\" have it"
        ),
        (
            "service = \"pop3\"\naddress = \"unix:s\"\nxclient-networks = [\"10.0.0.0/8\"]",
            "etc/m.toml:7: listener[0].xclient-networks: cannot work on a Unix socket: no network "
                + "is its peer"
        ),
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:25\"\nxclient-networks = \"10.0.0.0/8\"",
            "etc/m.toml:7: listener[0].xclient-networks: must be an array of networks, such as "
                + "[\"192.0.2.0/24\"] (peers that may send XCLIENT), not \"10.0.0.0/8\""
        ),
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:25\"\nxclient-networks = [\"x\"]\n"
                + "xclient-login = true",
            "etc/m.toml:7: listener[0].xclient-networks[0]: must be a network, such as "
                + "\"192.0.2.0/24\", not \"x\""
        ),
        (
            "service = \"smtp\"\naddress = \"127.0.0.1:25\"\nxclient-login = true",
            "etc/m.toml:7: listener[0].xclient-login: has no use without xclient-networks, the "
                + "peers that may send XCLIENT"
        ),
    ]

    @Test(arguments: wrongListeners)
    func listenersThatAreWrong(lines: String, expected: String) {
        #expect(self.errors(lines) == [expected])
    }

    @Test func underTLSNothingComesInClear() {
        let lines = "service = \"pop3\"\naddress = \"127.0.0.1:995\"\ntls = \"implicit\"\n"
        #expect(self.errors(lines, end: Self.tls) == [])
        #expect(
            self.errors(lines + "plaintext-auth = true", end: Self.tls) == [
                "etc/m.toml:8: listener[0].plaintext-auth: has no use with tls = \"implicit\": "
                    + "nothing comes without TLS"
            ]
        )
    }

    @Test func aListenerWithoutUsableMechanismIsRefused() {
        let plainOnly = "[auth]\nmechanisms = [\"PLAIN\"]"
        let submission = "service = \"submission\"\naddress = \"127.0.0.1:587\"\n"
        let pop3 = "service = \"pop3\"\naddress = \"127.0.0.1:110\"\n"
        let cure =
            "etc/m.toml:4: listener[0]: nobody can log in: no mechanism of [auth] works here; "
            + "write tls = \"starttls\", or on loopback plaintext-auth = true"
        #expect(self.errors(submission, end: plainOnly) == [cure])
        #expect(self.errors(submission, end: "[auth]\nscram = \"never\"") == [cure])
        #expect(self.errors(submission) == [])
        #expect(self.errors(submission + "plaintext-auth = true", end: plainOnly) == [])
        #expect(self.errors(submission + "tls = \"starttls\"", end: Self.tls + plainOnly) == [])
        #expect(self.errors(pop3, end: plainOnly) == [cure])
        #expect(self.errors(pop3, end: plainOnly + "\n[pop3]\noffer-apop = true") == [])
        // One complaint is enough for one mistake.
        #expect(self.errors(submission, end: "[auth]\nmechanisms = [\"EXTERNAL\"]").count == 1)
        #expect(self.errors(submission + "tls = \"starttls\"", end: "[tls]\nx = 1").count == 1)
    }

    @Test func mechanismsFollowTheListener() throws {
        func mechanisms(_ lines: String, end: String = "") throws -> [String] {
            let configuration = try Sample.parse("\(Sample.top)[[listener]]\n\(lines)\n\(end)\n")
            return try configuration.mechanisms(of: #require(configuration.listeners.first))
                .map(\.rawValue)
        }
        let submission = "service = \"submission\"\naddress = \"127.0.0.1:587\"\n"
        let issuer = "[[auth.token-issuer]]\nissuer = \"i\"\naudience = \"a\"\nkeys = \"k\"\n"
        #expect(try mechanisms(submission) == ["SCRAM-SHA-256", "SCRAM-SHA-1"])
        #expect(
            try mechanisms(submission + "plaintext-auth = true", end: issuer) == [
                "SCRAM-SHA-256", "SCRAM-SHA-1", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN",
            ]
        )
        #expect(
            try mechanisms(
                submission + "tls = \"implicit\"",
                end: Self.tls + "client-authorities = \"c.pem\""
            ) == [
                "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "EXTERNAL", "PLAIN", "LOGIN",
            ]
        )
        #expect(
            try mechanisms(submission, end: "[auth]\nmechanisms = [\"CRAM-MD5\"]") == ["CRAM-MD5"]
        )
        #expect(try mechanisms("service = \"smtp\"\naddress = \"127.0.0.1:25\"") == [])
    }
}
