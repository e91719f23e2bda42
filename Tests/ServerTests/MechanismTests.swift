// SPDX-License-Identifier: Apache-2.0
//
// Every mechanism from the wire to the account, in both protocols, and which of them are offered.

import EventLoop
import MailBytes
import MailStore
import MailSyntax
import SASL
import SMTPProtocol
import Simulation
import Testing

@testable import Credentials
@testable import Server

/// The client's side of SCRAM (RFC 5802).
private struct SCRAMClient {
    let mechanism: SCRAMKeys.Mechanism
    let user: String
    let password: String
    var header = "n,,"
    var binding: [UInt8] = []
    private let nonce = "rOprNGfwEbeRWgbNEkqO"

    init(
        _ mechanism: SCRAMKeys.Mechanism,
        user: String,
        password: String,
        header: String = "n,,",
        binding: [UInt8] = []
    ) {
        self.mechanism = mechanism
        self.user = user
        self.password = password
        self.header = header
        self.binding = binding
    }

    private var bare: String { "n=\(self.user),r=\(self.nonce)" }

    var first: String { base64(Array("\(self.header)\(self.bare)".utf8)) }

    /// The last message, and what the server's must be.
    func last(after challenge: String) throws -> (message: String, server: String) {
        let decoded = try #require(Base64.decode(Array(challenge.utf8)))
        let text = String(decoding: decoded, as: UTF8.self)
        let parts = text.split(separator: ",").map { String($0.dropFirst(2)) }
        let salt = try #require(Base64.decode(Array(parts[1].utf8)))
        let iterations = try #require(Int(parts[2]))
        let function = self.mechanism.function
        func hmac(_ key: [UInt8], _ text: String) throws -> [UInt8] {
            try #require(LibCrypto.hmac(function, key: key, Array(text.utf8)))
        }
        let salted = try #require(
            LibCrypto.pbkdf2(
                function,
                password: Array(self.password.utf8),
                salt: salt,
                iterations: iterations
            )
        )
        let clientKey = try hmac(salted, "Client Key")
        let storedKey = try #require(LibCrypto.hash(function, clientKey))
        let channel = base64(Array(self.header.utf8) + self.binding)
        let withoutProof = "c=\(channel),r=\(parts[0])"
        let message = "\(self.bare),\(text),\(withoutProof)"
        let proof = zip(clientKey, try hmac(storedKey, message)).map { $0 ^ $1 }
        let signature = try hmac(hmac(salted, "Server Key"), message)
        return (
            base64(Array("\(withoutProof),p=\(base64(proof))".utf8)),
            base64(Array("v=\(base64(signature))".utf8))
        )
    }
}

private func base64(_ octets: [UInt8]) -> String {
    String(decoding: Base64.encode(octets), as: UTF8.self)
}

@Suite("Mechanisms")
struct MechanismTests {
    /// A token of anna's, good until the year 2100, and the key that it is signed with.
    private static let token = """
        eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUudGVzdCIsImF1Z\
        CI6Im1haWwiLCJleHAiOjQxMDI0NDQ4MDAsImVtYWlsIjoiYW5uYUBleGFtcGxlLnRlc3QifQ.eBpL-Yf6nBpQH7En\
        _0u73BOhVOdz-zXxR4WsDp5t4F0UExhJPUxn1qJc6afAzWAj7hGqJ3BfPet8JHkQomZRRg
        """
    private static let key = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/aSInLmAp3+5tdzUEzmjuHmIqZEx
        5AV2xlx/KegiHd1JEhksoz0dEVTMxeX9VPE3FqM88rgAiCM1s+VETCdzNw==
        -----END PUBLIC KEY-----

        """

    private static func logins() throws -> LoginSettings {
        var settings = LoginSettings()
        settings.secret = Array("a secret that stays".utf8)
        let issuer = TokenIssuer(
            issuer: "https://login.example.test",
            audience: "mail",
            identityClaim: "email",
            keys: try TokenKeys(octets: Array(self.key.utf8))
        )
        settings.tokens = TokenVerifier(issuers: [issuer])
        return settings
    }

    private static func settings(_ mechanisms: SASLMechanismSet = .all) -> SMTPServerSettings {
        SMTPServerSettings(
            hostname: Array("mail.example.test".utf8),
            mechanisms: mechanisms,
            permitsPlaintextAuth: true,
            requiresAuthentication: true,
            purpose: .submission
        )
    }

    /// A client of submission that has said EHLO, under TLS when there is a certificate.
    private func connect(
        _ test: ServerUnderTest,
        certificate: TLSFacts.ClientCertificate? = nil,
        overTLS: Bool = false
    ) throws -> Client {
        let isSecured = overTLS || certificate != nil
        let tls = isSecured ? try TLSService(TLSOptions(certificates: [])) : nil
        let profile = test.profile(
            .submission,
            smtp: Self.settings(),
            tls: tls,
            isTLSImplicit: isSecured
        )
        for _ in 0..<9 {
            let client = test.connect(profile, certificate: certificate)
            client.say("EHLO a\r\n")
            if !isSecured || client.stream.tls != nil { return client }
        }
        throw Unconnected()
    }

    private struct Unconnected: Error {}

    /// The text behind `334 ` or `+ `.
    private func challenge(_ client: Client) throws -> String {
        let line = client.lastLine
        let prefix = line.hasPrefix("334 ") ? 4 : 2
        try #require(line.hasPrefix("334 ") || line.hasPrefix("+ "), "\(line)")
        return String(line.dropFirst(prefix))
    }

    // MARK: - SCRAM

    @Test("SCRAM in SMTP, with both hashes", arguments: ["SCRAM-SHA-256", "SCRAM-SHA-1"])
    func scram(name: String) throws {
        let test = try ServerUnderTest(logins: try Self.logins())
        let mechanism = try #require(SCRAMKeys.Mechanism(rawValue: name))
        for (password, expected) in [("wrong", "535 5.7.8 "), ("secret", "235 2.7.0 ")] {
            let client = try self.connect(test)
            #expect(client.text.contains(" \(name) "))
            let scram = SCRAMClient(mechanism, user: "anna", password: password)
            client.say("AUTH \(name) \(scram.first)\r\n")
            let last = try scram.last(after: try self.challenge(client))
            client.say("\(last.message)\r\n", for: 2)
            if password == "secret" {
                #expect(try self.challenge(client) == last.server)
                client.say("\r\n")
            }
            #expect(client.lastLine.hasPrefix(expected))
        }
        #expect(test.storage.checkCount == 0)
    }

    @Test("SCRAM in POP3 opens the maildrop")
    func scramPOP3() throws {
        let test = try ServerUnderTest()
        test.deliver("Subject: x\r\n\r\n")
        let client = test.connect(test.profile(.pop3, mechanisms: .all))
        let scram = SCRAMClient(.sha256, user: "anna@example.test", password: "secret")
        client.say("AUTH SCRAM-SHA-256\r\n")
        client.say("\(scram.first)\r\n")
        let last = try scram.last(after: try self.challenge(client))
        client.say("\(last.message)\r\n")
        #expect(try self.challenge(client) == last.server)
        client.say("\r\n")
        #expect(client.lastLine.hasPrefix("+OK maildrop has 1 message"))
    }

    @Test("With -PLUS the client is bound to its channel")
    func plus() throws {
        let test = try ServerUnderTest()
        let client = try self.connect(test, overTLS: true)
        #expect(client.text.contains("AUTH SCRAM-SHA-256-PLUS "))
        let channel = try #require(client.stream.channelBinding(.exporter))
        for (octets, isRight) in [(channel.map { $0 ^ 1 }, false), (channel, true)] {
            let scram = SCRAMClient(
                .sha256,
                user: "anna",
                password: "secret",
                header: "p=tls-exporter,,",
                binding: octets
            )
            client.say("AUTH SCRAM-SHA-256-PLUS \(scram.first)\r\n")
            let last = try scram.last(after: try self.challenge(client))
            client.say("\(last.message)\r\n", for: 2)
            guard isRight else {
                #expect(client.lastLine.hasPrefix("535 "))
                continue
            }
            #expect(try self.challenge(client) == last.server)
            client.say("\r\n")
            #expect(client.lastLine.hasPrefix("235 "))
        }
    }

    @Test("Who does not exist has a salt that stays the same, and fails like everybody")
    func fakeSalt() throws {
        var salts: [String: Set<String>] = [:]
        for _ in 0..<2 {
            // Another process with the same secret.
            let test = try ServerUnderTest(logins: try Self.logins())
            for user in ["nobody", "nobody@example.test", "postmaster"] {
                let client = try self.connect(test)
                let scram = SCRAMClient(.sha256, user: user, password: "secret")
                client.say("AUTH SCRAM-SHA-256 \(scram.first)\r\n")
                let text = try self.challenge(client)
                let decoded = try #require(Base64.decode(Array(text.utf8)))
                let parts = String(decoding: decoded, as: UTF8.self).split(separator: ",")
                salts[user, default: []].insert(String(parts[1]))
                #expect(parts[2] == "i=15000")
                let start = test.world.now
                client.stream.arrive(Array("\(try scram.last(after: text).message)\r\n".utf8))
                while !client.lastLine.hasPrefix("535 5.7.8 "), test.world.now < start + 9 {
                    test.world.run(for: 0.01)
                }
                #expect((0.99...1.5).contains(test.world.now - start))
            }
        }
        #expect(salts.values.allSatisfy { $0.count == 1 })
        #expect(salts["nobody"] == salts["nobody@example.test"])
        #expect(Set(salts.values).count == 2)
    }

    @Test("A proof made with the keys of a password that has changed is worth nothing")
    func changed() throws {
        let test = try ServerUnderTest()
        let client = try self.connect(test)
        let scram = SCRAMClient(.sha256, user: "anna", password: "secret")
        client.say("AUTH SCRAM-SHA-256 \(scram.first)\r\n")
        let last = try scram.last(after: try self.challenge(client))
        let control = test.connectControl()
        control.say("user-remove\tanna@example.test\n")
        client.say("\(last.message)\r\n", for: 3)
        #expect(client.lastLine.hasPrefix("454 4.7.0 "))
    }

    @Test("A client that gives up after its proof has not logged in")
    func cancelled() throws {
        let test = try ServerUnderTest()
        let client = try self.connect(test)
        let scram = SCRAMClient(.sha256, user: "anna", password: "secret")
        client.say("AUTH SCRAM-SHA-256 \(scram.first)\r\n")
        let last = try scram.last(after: try self.challenge(client))
        client.say("\(last.message)\r\n")
        #expect(try self.challenge(client) == last.server)
        client.say("*\r\n")
        #expect(client.lastLine.hasPrefix("501 "))
        client.say("MAIL FROM:<anna@example.test>\r\n")
        #expect(client.lastLine.hasPrefix("530 "))
    }

    // MARK: - The others

    @Test("CRAM-MD5 is for accounts with a recoverable secret, and offered when there are any")
    func cramMD5() throws {
        let test = try ServerUnderTest()
        let before = try self.connect(test)
        #expect(!before.text.contains("CRAM-MD5"))
        before.say("AUTH CRAM-MD5\r\n")
        #expect(before.lastLine.hasPrefix("504 "))
        let control = test.connectControl()
        try test.addAccount("apop@example.test", apop: true)
        control.say("alias-add\tx@example.test\tanna@example.test\n")
        for (user, expected) in [("anna", "535 "), ("nobody", "535 "), ("apop", "235 ")] {
            let client = try self.connect(test)
            #expect(client.text.contains(" CRAM-MD5"))
            client.say("AUTH CRAM-MD5\r\n")
            let text = try self.challenge(client)
            let challenge = try #require(Base64.decode(Array(text.utf8)))
            #expect(String(decoding: challenge, as: UTF8.self).hasSuffix("@mail.example.test>"))
            let secret = Array(ServerUnderTest.secret.utf8)
            let digest = try #require(LibCrypto.hmac(.md5, key: secret, challenge))
            let response = Array("\(user) ".utf8) + hexadecimal(digest)
            client.say("\(base64(response))\r\n", for: 2)
            #expect(client.lastLine.hasPrefix(expected))
        }
    }

    @Test("EXTERNAL: the mailboxes of a verified certificate, and only accounts that exist")
    func external() throws {
        let test = try ServerUnderTest()
        #expect(!(try self.connect(test, overTLS: true).text.contains("EXTERNAL")))
        let names = ["nobody@example.test", "anna@example.test"]
        for (mailboxes, response, expected) in [
            (names, base64(Array("anna@EXAMPLE.test".utf8)), "235 "), (names, "=", "535 "),
            (["anna@example.test"], "=", "235 "),
            (["anna@example.test"], base64(Array("postmaster@example.test".utf8)), "535 "),
            ([], "=", "535 "),
        ] {
            let certificate = TLSFacts.ClientCertificate(commonName: "x", mailboxes: mailboxes)
            let client = try self.connect(test, certificate: certificate)
            #expect(client.text.contains(" EXTERNAL "))
            client.say("AUTH EXTERNAL \(response)\r\n", for: 3)
            #expect(client.lastLine.hasPrefix(expected))
        }
    }

    @Test("Tokens: whose they are, signed by whom is believed")
    func tokens() throws {
        let test = try ServerUnderTest(logins: try Self.logins())
        let forged = Self.token.replacing("eBpL", with: "eBpM")
        for (user, token, isGood) in [
            ("anna@example.test", Self.token, true), ("", Self.token, true),
            ("postmaster@example.test", Self.token, false), ("anna@example.test", forged, false),
        ] {
            let client = try self.connect(test)
            let header = user.isEmpty ? "n,," : "n,a=\(user),"
            let message = "\(header)\u{1}auth=Bearer \(token)\u{1}\u{1}"
            client.say("AUTH OAUTHBEARER \(base64(Array(message.utf8)))\r\n", for: 3)
            // The client answers the reason before it is refused (RFC 7628, section 3.2.3).
            if client.lastLine.hasPrefix("334 ") { client.say("AQ==\r\n", for: 3) }
            #expect(client.lastLine.hasPrefix(isGood ? "235 " : "535 "))
        }
        let client = try self.connect(test)
        let message = "user=anna@example.test\u{1}auth=Bearer \(Self.token)\u{1}\u{1}"
        client.say("AUTH XOAUTH2 \(base64(Array(message.utf8)))\r\n", for: 3)
        #expect(client.lastLine.hasPrefix("235 "))
    }

    @Test("SCRAM is offered while every account can use it, or where the operator wants it")
    func offers() throws {
        let test = try ServerUnderTest()
        #expect(try self.connect(test).text.contains("250-AUTH SCRAM-SHA-256 "))
        let hash =
            "$6$rounds=1000$saltsalt$"
            + "jDcmvYh0GZ5gOJpUwLxVDYtW2rRgMVHRYAWm0tyWKQ"
            + "pFbAHwN0oWdhx6pVLBY.5fJvQHCkUQwK3CCj7yNZ7Cx."
        let record = try #require(PasswordRecord(cryptHash: Array(hash.utf8)))
        let bert = try #require(Address(parsing: "bert@example.test"))
        let control = test.connectControl()
        func add(_ verifier: [UInt8]) {
            let request = AdministrationRequest.addAccount(
                bert,
                verifier: verifier,
                secret: nil,
                quota: nil
            )
            control.say(String(decoding: request.line, as: UTF8.self) + "\n")
        }
        add(record.text)
        #expect(try self.connect(test).text.contains("250-AUTH OAUTHBEARER "))
        let always = test.profile(.submission, smtp: Self.settings(), alwaysOffersSCRAM: true)
        let client = test.connect(always)
        client.say("EHLO a\r\n")
        #expect(client.text.contains("250-AUTH SCRAM-SHA-256 "))
        control.say("user-remove\tbert@example.test\n")
        #expect(try self.connect(test).text.contains("250-AUTH SCRAM-SHA-256 "))
    }
}
