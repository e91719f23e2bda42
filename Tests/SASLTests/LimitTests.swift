// SPDX-License-Identifier: Apache-2.0
//
// What is as long as it may be is taken, and one octet more is not; and what an exchange kept in
// memory is given back.

import MailBytes
import Testing

@testable import SASL

@Suite struct LimitTests {
    private func first(_ message: [UInt8], to mechanism: SASLMechanism) -> SASLExchange.Effect {
        var exchange = SASLExchange()
        let line = Base64.encode(message)
        return exchange.begin(mechanism, initialResponse: line.span)
    }

    private func octets(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x61, count: count) }

    @Test func lines() {
        var exchange = SASLExchange()
        #expect(exchange.begin(.oauthBearer, initialResponse: nil) == .challenge)
        // 12288 octets of base64 whose message is whole: a token of 8192 and filling around it.
        let head = Array("n,,\u{1}auth=Bearer ".utf8) + self.octets(8192) + [1]
        let rest = 12288 / 4 * 3 - head.count - 4
        let message = head + Array("q=".utf8) + self.octets(rest) + [1, 1]
        let line = Base64.encode(message)
        #expect(line.count == SASLLimits.lineOctetsMax)
        #expect(exchange.receive(line.span) == .ask(.verifyToken))
        let tokenCount = exchange.token.count
        #expect(tokenCount == SASLLimits.tokenOctetsMax)
        #expect(exchange.answer(.accepted) == .succeeded)

        #expect(exchange.begin(.oauthBearer, initialResponse: nil) == .challenge)
        let longer = Base64.encode(head + Array("q=".utf8) + self.octets(rest + 3) + [1, 1])
        #expect(longer.count == SASLLimits.lineOctetsMax + 4)
        #expect(exchange.receive(longer.span) == .failed(.malformed))
        #expect(exchange.begin(.oauthBearer, initialResponse: longer.span) == .failed(.malformed))
        let huge = [UInt8](repeating: 0x41, count: 1 << 20)
        #expect(exchange.begin(.plain, initialResponse: huge.span) == .failed(.malformed))
    }

    @Test func names() {
        let name = self.octets(SASLLimits.nameOctetsMax)
        for (count, isTaken) in [(0, true), (1, false)] {
            let name = name + self.octets(count)
            let outcome: (SASLExchange.Effect) -> SASLExchange.Effect = { effect in
                isTaken ? effect : .failed(.malformed)
            }
            #expect(
                self.first([0] + name + [0, 0x78], to: .plain) == outcome(.ask(.verifyPassword))
            )
            #expect(
                self.first(name + [0] + name + [0, 0x78], to: .plain)
                    == outcome(.ask(.verifyPassword))
            )
            #expect(self.first(name, to: .login) == outcome(.challenge))
            #expect(self.first(name, to: .external) == outcome(.ask(.verifyCertificate)))
            #expect(
                self.first(Array("n,,n=".utf8) + name + Array(",r=x".utf8), to: .scramSHA1)
                    == outcome(.ask(.findSCRAMKeys(.sha1, channelBinding: nil)))
            )
            #expect(
                self.first(
                    Array("user=".utf8) + name + Array("\u{1}auth=Bearer x\u{1}\u{1}".utf8),
                    to: .xoauth2
                ) == outcome(.ask(.verifyToken))
            )
            #expect(
                self.first(
                    Array("n,a=".utf8) + name + Array(",\u{1}auth=Bearer x\u{1}\u{1}".utf8),
                    to: .oauthBearer
                ) == outcome(.ask(.verifyToken))
            )
            var exchange = SASLExchange()
            _ = exchange.begin(.cramMD5, initialResponse: nil)
            let challenge = Array("<1@x>".utf8)
            _ = exchange.answer(.challenge(challenge.span))
            let line = Base64.encode(name + [0x20] + [UInt8](repeating: 0x30, count: 32))
            #expect(exchange.receive(line.span) == outcome(.ask(.verifyDigest)))
        }
    }

    @Test func secrets() {
        let password = self.octets(SASLLimits.passwordOctetsMax)
        #expect(self.first([0, 0x78, 0] + password, to: .plain) == .ask(.verifyPassword))
        #expect(self.first([0, 0x78, 0] + password + [0x61], to: .plain) == .failed(.malformed))
        for (count, effect) in [
            (1024, SASLExchange.Effect.ask(.verifyPassword)), (1025, .failed(.malformed)),
        ] {
            var exchange = SASLExchange()
            let name = Array("dGlt".utf8)
            #expect(exchange.begin(.login, initialResponse: name.span) == .challenge)
            let line = Base64.encode(self.octets(count))
            #expect(exchange.receive(line.span) == effect)
        }
        let token = self.octets(SASLLimits.tokenOctetsMax)
        let head = Array("n,,\u{1}auth=Bearer ".utf8)
        #expect(self.first(head + token + [1, 1], to: .oauthBearer) == .ask(.verifyToken))
        #expect(
            self.first(head + token + [0x61, 1, 1], to: .oauthBearer) == .failed(.malformed)
        )
        let nonce = self.octets(512)
        let start = Array("n,,n=u,r=".utf8)
        let asks = SASLExchange.Effect.ask(.findSCRAMKeys(.sha256, channelBinding: nil))
        #expect(self.first(start + nonce, to: .scramSHA256) == asks)
        #expect(self.first(start + nonce + [0x61], to: .scramSHA256) == .failed(.malformed))
    }

    /// What an exchange holds is bounded at each step, and nearly nothing is left at its end.
    @Test func memoryIsGivenBack() {
        var exchange = SASLExchange()
        let long = Base64.encode([0] + self.octets(1000) + [0] + self.octets(1000))
        let token = Base64.encode(
            Array("user=u\u{1}auth=Bearer ".utf8) + self.octets(8192) + [1, 1]
        )
        let scram = Base64.encode(Array("n,,n=u,r=".utf8) + self.octets(500))
        let salt = self.octets(64)
        let none: [UInt8] = []
        for _ in 0..<100 {
            _ = exchange.begin(.scramSHA256, initialResponse: scram.span)
            _ = exchange.answer(
                .scramKeys(
                    salt: salt.span,
                    iterations: 15000,
                    nonce: salt.span,
                    channelBinding: none.span
                )
            )
            #expect((1...8192).contains(exchange.octetsHeld))
            #expect(exchange.receive(long.span) == .failed(.malformed))
            #expect(exchange.octetsHeld < 64, "a name is left")
            _ = exchange.begin(.xoauth2, initialResponse: token.span)
            #expect((8192...12288).contains(exchange.octetsHeld))
            #expect(exchange.answer(.rejected) == .challenge)
            #expect(exchange.octetsHeld < 128)
            #expect(exchange.receive(none.span) == .failed(.rejected))
            #expect(exchange.begin(.plain, initialResponse: long.span) == .ask(.verifyPassword))
            exchange.abandon()
            #expect(exchange.octetsHeld == 0)
        }
    }
}

extension SASLExchange {
    /// The room of all that the exchange keeps.
    fileprivate var octetsHeld: Int {
        [
            self.material.identity, self.material.authorizationIdentity, self.material.secret,
            self.material.message, self.material.challenge, self.material.nonce,
            self.material.binding,
        ].reduce(0) { $0 + $1.capacity }
    }
}
