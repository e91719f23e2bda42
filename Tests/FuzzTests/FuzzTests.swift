// SPDX-License-Identifier: Apache-2.0
//
// The properties that the fuzzers look after, held up in every test run: on what fuzzing found
// before, on the conversations of the transcripts, and on random changes of both.

import Foundation
import FuzzProperties
import Testing
import TranscriptSupport

@Suite struct FuzzTests {
    private static let tests = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()

    /// What once broke a property, a file each.
    private static func findings(_ target: String) throws -> [[UInt8]] {
        let folder = self.tests.appendingPathComponent("Fuzz/Corpus/\(target)")
        return try FileManager.default.contentsOfDirectory(
            at: folder,
            includingPropertiesForKeys: nil
        )
        .sorted { $0.path < $1.path }
        .map { Array(try Data(contentsOf: $0)) }
    }

    /// What the other side sends in each transcript.
    ///
    /// The property takes the octet `handshake` for what the transcript calls secured.
    private static func conversations(
        _ module: String,
        handshake: UInt8 = 0xfe,
        ofClient: Bool = false
    ) -> [[UInt8]] {
        let name = ofClient ? "ClientTranscripts" : "Transcripts"
        let folder = self.tests.appendingPathComponent("\(module)Tests/\(name)")
        return Transcript.all(in: folder, ofClient: ofClient).map { transcript in
            transcript.items.flatMap { item -> [UInt8] in
                switch item {
                case .input(let octets): octets
                // What comes after the handshake is another flight.
                case .event(let event): event.hasPrefix("secured") ? [handshake] : []
                case .answer, .expected: []
                }
            }
        }
        // Each is held an octet at a time, many times over; the longest would take minutes.
        .filter { $0.count <= 2048 }
    }

    @Test func pop3() throws {
        let conversations = Self.conversations("POP3Protocol", handshake: 0x16)
        #expect(conversations.count >= 40)
        try self.vary("POP3", conversations, seed: 1939, POP3Property.check)
    }

    @Test func smtp() throws {
        let conversations = Self.conversations("SMTPProtocol")
        #expect(conversations.count >= 40)
        try self.vary("SMTP", conversations, choices: 4, seed: 5321, SMTPProperty.check)
    }

    @Test func smtpClient() throws {
        let conversations = Self.conversations("SMTPProtocol", ofClient: true)
        #expect(conversations.count >= 40)
        let check = SMTPClientProperty.check
        try self.vary("SMTPClient", conversations, choices: 4, rounds: 60, seed: 2821, check)
    }

    @Test func sasl() throws {
        let conversations = Self.conversations("SASL")
        #expect(conversations.count >= 15)
        try self.vary("SASL", conversations, choices: 2, seed: 4422, SASLProperty.check)
    }

    @Test func tokens() throws {
        let texts = [
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"AQAB","y":"AQAB","kid":"\ud83d\ude00"}]}"#,
            #"{"iss":"joe","aud":["mail","b"],"exp":17e8,"nbf":1.5,"sub":"u\u0000","x":[{}]}"#,
            #"{"alg":"ES256","kid":"1"}"#, "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END",
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UifQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6",
        ].map { Array($0.utf8) }
        try self.vary("Token", texts, choices: 0, rounds: 500, seed: 7519, TokenProperty.check)
    }

    @Test func policies() throws {
        let texts = [
            "v=STSv1; id=20160831085700Z;", "v=STSv1;x=y ;\tid=1",
            "version: STSv1\nmode: enforce\nmx: mail.example\nmx: *.b.example\nmax_age: 86400\n",
            "version:STSv1\r\nmode:none \r\nmax_age: 9999999999\r\nfuture: 1\r\n\r\n",
        ].map { Array($0.utf8) }
        try self.vary("STS", texts, choices: 0, rounds: 2000, seed: 8461, STSProperty.check)
    }

    /// Checks findings, then all conversations as they stand and with random changes.
    ///
    /// A conversation begins with so many octets that make choices.
    private func vary(
        _ target: String,
        _ conversations: [[UInt8]],
        choices: Int = 3,
        rounds: Int = 20,
        seed: UInt64,
        _ property: ([UInt8]) throws(BrokenProperty) -> Void
    ) throws {
        var random = Mutation(seed: seed)
        for octets in try Self.findings(target) { self.check(octets, property) }
        for octets in conversations {
            for round in 0..<rounds {
                let head = (0..<choices).map { _ in random.octet() }
                let input = head + (round == 0 ? octets : random.change(octets))
                guard self.check(input, property) else { return }
            }
        }
    }

    @Test func addresses() throws {
        var random = Mutation(seed: 5321)
        let mailboxes = [
            "a@x", "\"a b\\\"\"@x.example", "<@r,@s:a+b@x.example>", "a@[IPv6:2001:db8::1]",
            "\"\"@[127.0.0.1]", "jos\u{e9}@b\u{fc}cher.example", "\"@\"@[tag:@]", "<postmaster>",
            "<>", "\"a.+b c\"@x", "0123456789ABC",
        ].map { Array($0.utf8) }
        for octets in try Self.findings("Address") + mailboxes {
            self.check(octets, AddressProperty.check)
        }
        for _ in 0..<5000 {
            for octets in mailboxes {
                let input = random.change(octets)
                guard self.check(input, AddressProperty.check) else { return }
            }
        }
    }

    @Test func proxyHeaders() throws {
        var random = Mutation(seed: 2)
        let headers = try Self.findings("PROXY")
        #expect(headers.count >= 5)
        for octets in headers {
            for round in 0..<2000 {
                let input = round == 0 ? octets : random.change(octets)
                guard self.check(input, PROXYProperty.check) else { return }
            }
        }
    }

    @Test func dnsMessages() throws {
        var random = Mutation(seed: 1035)
        let messages = try Self.findings("DNS")
        #expect(messages.count >= 7)
        for octets in messages {
            for round in 0..<1000 {
                let input = round == 0 ? octets : random.change(octets)
                guard self.check(input, DNSProperty.check) else { return }
            }
        }
    }

    /// False, and an issue with the input, when the property does not hold.
    @discardableResult
    private func check(
        _ input: [UInt8],
        _ property: ([UInt8]) throws(BrokenProperty) -> Void
    ) -> Bool {
        do {
            try property(input)
            return true
        } catch {
            Issue.record("\(error)\nfor \(String(decoding: input, as: UTF8.self).debugDescription)")
            return false
        }
    }
}

/// Random changes that a seed repeats.
private struct Mutation {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func octet() -> UInt8 { UInt8(truncatingIfNeeded: self.next() >> 32) }

    /// A few octets changed, removed, doubled, or replaced by one of those that protocols turn on.
    mutating func change(_ octets: [UInt8]) -> [UInt8] {
        let telling = Array("\r\n .:<>@\"\\[]+\0\u{e9}0".utf8)
        var octets = octets
        for _ in 0...self.below(4) {
            let place = self.below(octets.count + 1)
            switch self.below(5) {
            case 0: octets.insert(telling[self.below(telling.count)], at: place)
            case 1: octets.insert(self.octet(), at: place)
            case 2 where place < octets.count: octets.remove(at: place)
            case 3 where place < octets.count: octets[place] = telling[self.below(telling.count)]
            default:
                let end = min(place + self.below(20), octets.count)
                octets.insert(contentsOf: octets[place..<end], at: self.below(octets.count + 1))
            }
        }
        return octets
    }

    private mutating func below(_ bound: Int) -> Int { Int(self.next() >> 33) % bound }

    private mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return self.state
    }
}
