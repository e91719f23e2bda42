// SPDX-License-Identifier: Apache-2.0
//
// The client's exchange against the server's, with real keys: each logs in with the right password
// and with no other, and a client believes no server that does not know it.

import MailBytes
import SASL
import Testing

@testable import Credentials

@Suite struct ClientExchangeTests {
    private static let mechanisms = SASLMechanism.allCases.filter {
        SASLClientExchange.mechanisms.contains(SASLMechanismSet($0))
    }

    @Test(arguments: Self.mechanisms, [true, false])
    func bothSidesAgree(mechanism: SASLMechanism, isRight: Bool) throws {
        var meeting = Meeting(clientPassword: isRight ? "p,=\u{e9}" : "wrong")
        #expect(try meeting.hold(mechanism) == isRight)
    }

    @Test func aServerWithoutTheKeysIsNotBelieved() throws {
        for mechanism in [SASLMechanism.scramSHA256Plus, .scramSHA256, .scramSHA1] {
            var meeting = Meeting(clientPassword: "p,=\u{e9}")
            meeting.serverLies = true
            #expect(try meeting.hold(mechanism) == false)
        }
    }

    /// The example of RFC 7677, section 3.
    @Test func proofOfTheRFC() throws {
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let message =
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r=\(nonce),s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,"
            + "r=\(nonce)"
        let proof = SCRAMProof(
            .sha256,
            password: Array("pencil".utf8),
            salt: try #require(Base64.decode(Array("W22ZaJ0SNY7soEsUEjb6gQ==".utf8))),
            iterations: 4096,
            authMessage: Array(message.utf8)
        )
        let text = try #require(proof)
        #expect(
            Base64.encode(text.clientProof)
                == Array("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".utf8)
        )
        #expect(
            Base64.encode(text.serverSignature)
                == Array("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8)
        )
    }

    /// The example of RFC 2195, section 2.
    @Test func digestOfTheRFC() {
        let challenge = Array("<1896.697170952@postoffice.reston.mci.net>".utf8)
        let digest = cramMD5Digest(challenge: challenge, secret: Array("tanstaaftanstaaf".utf8))
        #expect(digest == Array("b913a602c7eda7a495b4e6e7334d3890".utf8))
    }

    @Test func whatIsNoChallengeFails() {
        for text in ["?", "AA=", "====", String(repeating: "A", count: 12292)] {
            var exchange = SASLClientExchange()
            #expect(exchange.begin(.cramMD5) == .listen)
            #expect(exchange.receive(Array(text.utf8).span) == .failed(.malformedChallenge))
            // And can begin again.
            #expect(exchange.begin(.login) == .listen)
        }
    }
}

/// Both sides of an exchange, each with an idea of the password.
private struct Meeting {
    let clientPassword: [UInt8]
    var serverLies = false
    private let password = Array("p,=\u{e9}".utf8)
    private let user = Array("j,o=e@example.org".utf8)
    private let nonce = Array("abcdefghijklmnopqrstuv".utf8)
    private let binding = Array("the channel".utf8)
    private let challenge = Array("<1.2@mail.example>".utf8)
    private let salt = Array("0123456789abcdef".utf8)

    init(clientPassword: String) { self.clientPassword = Array(clientPassword.utf8) }

    /// Whether the server lets the client in, and the client believes the server.
    mutating func hold(_ mechanism: SASLMechanism) throws -> Bool {
        var client = SASLClientExchange()
        var server = SASLExchange()
        server.offersChannelBinding = mechanism == .scramSHA256Plus
        var mine = client.begin(mechanism)
        while case .ask(let question) = mine { mine = try self.answer(question, &client) }
        var theirs: SASLExchange.Effect
        switch mine {
        case .listen: theirs = server.begin(mechanism, initialResponse: nil)
        case .respond:
            let response = self.response(&client)
            theirs = server.begin(mechanism, initialResponse: response.span)
        case .ask, .failed: return false
        }
        for _ in 0..<20 {
            switch theirs {
            case .ask(let question): theirs = try self.answer(question, &server)
            case .succeeded: return client.conclude() == nil
            case .failed: return false
            case .challenge:
                var text = ReplyBuffer()
                server.appendChallenge(to: &text)
                mine = client.receive(text.span)
                while case .ask(let question) = mine { mine = try self.answer(question, &client) }
                guard case .respond = mine else { return false }
                let response = self.response(&client)
                theirs = server.receive(response.span)
            }
        }
        Issue.record("an exchange comes to its end")
        return false
    }

    private func response(_ client: inout SASLClientExchange) -> [UInt8] {
        var text = ReplyBuffer()
        client.appendResponse(to: &text)
        return text.span.copy()
    }

    private func answer(
        _ question: SASLClientQuestion,
        _ client: inout SASLClientExchange
    ) throws -> SASLClientExchange.Effect {
        switch question {
        case .providePassword:
            return client.answer(
                .password(identity: self.user.span, password: self.clientPassword.span)
            )
        case .beginSCRAM(_, let kind):
            let binding = kind == nil ? [] : self.binding
            return client.answer(
                .scram(
                    identity: self.user.span,
                    nonce: self.nonce.span,
                    channelBinding: binding.span
                )
            )
        case .proveSCRAM(let hash):
            let proof = SCRAMProof(
                hash == .sha256 ? .sha256 : .sha1,
                password: self.clientPassword,
                salt: client.salt.copy(),
                iterations: client.iterations,
                authMessage: client.authMessage.copy()
            )
            let known = try #require(proof)
            return client.answer(
                .proof(known.clientProof.span, serverSignature: known.serverSignature.span)
            )
        case .digest:
            let digest = try #require(
                cramMD5Digest(challenge: client.challenge.copy(), secret: self.clientPassword)
            )
            return client.answer(.digest(identity: self.user.span, digest: digest.span))
        }
    }

    private func answer(
        _ question: SASLQuestion,
        _ server: inout SASLExchange
    ) throws -> SASLExchange.Effect {
        #expect(server.identity.isEmpty || server.identity.copy() == self.user)
        switch question {
        case .verifyPassword:
            return server.answer(
                server.password.copy() == self.password ? .accepted : .rejected
            )
        case .findSCRAMKeys(_, let kind):
            let binding = kind == nil ? [] : self.binding
            return server.answer(
                .scramKeys(
                    salt: self.salt.span,
                    iterations: 4096,
                    nonce: self.nonce.span,
                    channelBinding: binding.span
                )
            )
        case .verifySCRAMProof(let hash):
            let keys = try #require(
                SCRAMKeys(
                    deriving: hash == .sha256 ? .sha256 : .sha1,
                    from: self.password,
                    salt: self.salt,
                    iterations: 4096
                )
            )
            let signature = keys.verify(
                clientProof: server.clientProof.copy(),
                authMessage: server.authMessage.copy()
            )
            if self.serverLies {
                let lie = [UInt8](repeating: 7, count: hash.octetCount)
                return server.answer(.scramVerified(serverSignature: lie.span))
            }
            guard let signature else { return server.answer(.rejected) }
            return server.answer(.scramVerified(serverSignature: signature.span))
        case .makeChallenge: return server.answer(.challenge(self.challenge.span))
        case .verifyDigest:
            let isRight = cramMD5Matches(
                challenge: server.serverChallenge.copy(),
                secret: self.password,
                digest: server.digest.copy()
            )
            return server.answer(isRight ? .accepted : .rejected)
        case .verifyCertificate, .verifyToken: return server.answer(.rejected)
        }
    }
}
