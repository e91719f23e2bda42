// SPDX-License-Identifier: Apache-2.0
//
// Both sides of SCRAM: the exchange with the keys that an account keeps, and a client.

import MailBytes
import SASL
import Testing

@testable import Credentials

/// A server with one account.
private struct SCRAMServer: ~Copyable {
    var exchange = SASLExchange()
    let user = "tim, the=first"
    let record = PasswordRecord(derivingFrom: Array("tanstaaf".utf8))
    var nonce = Array("3rfcNHYJY1ZVvWVs7j".utf8)
    var channel: [SASLChannelBinding: [UInt8]] = [:]
    private let secret = [UInt8](repeating: 3, count: 32)

    init() {}

    /// The keys of whoever logs in.
    private func keys(_ hash: SCRAMHash) throws -> SCRAMKeys {
        let mechanism: SCRAMKeys.Mechanism = hash == .sha256 ? .sha256 : .sha1
        let identity = self.exchange.identity.copy()
        let keys =
            identity == Array(self.user.utf8)
            ? self.record.scramKeys(mechanism)
            : SCRAMKeys.fake(mechanism, identity: identity, secret: self.secret)
        return try #require(keys)
    }

    /// Answers a question as the server does.
    mutating func answer(_ question: SASLQuestion) throws -> SASLExchange.Effect {
        switch question {
        case .findSCRAMKeys(let hash, let kind):
            let keys = try self.keys(hash)
            let binding = kind.flatMap { self.channel[$0] } ?? []
            let salt = keys.salt
            let nonce = self.nonce
            return self.exchange.answer(
                .scramKeys(
                    salt: salt.span,
                    iterations: keys.iterations,
                    nonce: nonce.span,
                    channelBinding: binding.span
                )
            )
        case .verifySCRAMProof(let hash):
            let keys = try self.keys(hash)
            let proof = self.exchange.clientProof.copy()
            let message = self.exchange.authMessage.copy()
            guard let signature = keys.verify(clientProof: proof, authMessage: message) else {
                return self.exchange.answer(.rejected)
            }
            return self.exchange.answer(.scramVerified(serverSignature: signature.span))
        default:
            Issue.record("SCRAM does not ask \(question)")
            return .failed(.rejected)
        }
    }

    var challenge: [UInt8] {
        get throws {
            var replies = ReplyBuffer()
            self.exchange.appendChallenge(to: &replies)
            let text = replies.span.copy()
            return try #require(Base64.decode(text))
        }
    }

    /// Talks to a client to the end; whether that believes the server is asked for a success.
    mutating func talk(
        to client: inout SCRAMClient,
        _ mechanism: SASLMechanism,
        trusting: Bool = true
    ) throws -> SASLExchange.Effect {
        let first = Base64.encode(client.first)
        var effect = self.exchange.begin(mechanism, initialResponse: first.span)
        guard case .ask(let question) = effect else { return effect }
        effect = try self.answer(question)
        guard effect == .challenge else { return effect }
        let final = Base64.encode(try client.final(after: try self.challenge))
        effect = self.exchange.receive(final.span)
        guard case .ask(let other) = effect else { return effect }
        effect = try self.answer(other)
        guard effect == .challenge else { return effect }
        #expect(client.believes(try self.challenge) == trusting)
        let nothing: [UInt8] = []
        return self.exchange.receive(nothing.span)
    }
}

@Suite struct SCRAMTests {
    private static let mechanisms: [(SASLMechanism, SCRAMKeys.Mechanism)] = [
        (.scramSHA1, .sha1), (.scramSHA256, .sha256),
    ]

    @Test(arguments: mechanisms)
    func passwordsOpenTheirAccount(mechanism: SASLMechanism, keys: SCRAMKeys.Mechanism) throws {
        var server = SCRAMServer()
        let user = server.user
        var right = SCRAMClient(keys, user: user, password: "tanstaaf")
        #expect(try server.talk(to: &right, mechanism) == .succeeded)
        #expect(server.exchange.identity.copy() == Array(user.utf8))
        var again = SCRAMClient(keys, header: "y,,", user: user, password: "tanstaaf")
        #expect(try server.talk(to: &again, mechanism) == .succeeded)
        for password in ["Tanstaaf", "", "tanstaaf "] {
            var wrong = SCRAMClient(keys, user: user, password: password)
            #expect(try server.talk(to: &wrong, mechanism) == .failed(.rejected))
        }
        // Somebody who has no account gets as far as a wrong password does.
        var unknown = SCRAMClient(keys, user: "tom", password: "tanstaaf")
        #expect(try server.talk(to: &unknown, mechanism) == .failed(.rejected))
    }

    @Test(arguments: SASLChannelBinding.allCases)
    func exchangesAreBoundToTheChannel(kind: SASLChannelBinding) throws {
        var server = SCRAMServer()
        let user = server.user
        let data = Array("what both ends see of it".utf8)
        server.channel = [kind: data]
        server.exchange.offersChannelBinding = true
        func client(_ binding: [UInt8], header: String? = nil) -> SCRAMClient {
            SCRAMClient(
                .sha256,
                header: header ?? "p=\(kind.name),,",
                binding: binding,
                user: user,
                password: "tanstaaf"
            )
        }
        var bound = client(data)
        #expect(try server.talk(to: &bound, .scramSHA256Plus) == .succeeded)
        // Somebody in between ends one channel and begins another.
        var elsewhere = client(Array("what another server shows".utf8))
        #expect(try server.talk(to: &elsewhere, .scramSHA256Plus) == .failed(.rejected))
        var withoutData = client([])
        #expect(try server.talk(to: &withoutData, .scramSHA256Plus) == .failed(.rejected))
        // He takes the -PLUS from the list.
        var deceived = client([], header: "y,,")
        #expect(try server.talk(to: &deceived, .scramSHA256) == .failed(.rejected))
        server.exchange.offersChannelBinding = false
        var told = client([], header: "y,,")
        #expect(try server.talk(to: &told, .scramSHA256) == .succeeded)
        server.channel = [:]
        var nowhere = client(data)
        #expect(try server.talk(to: &nowhere, .scramSHA256Plus) == .failed(.malformed))
    }

    /// A recorded exchange is worth nothing: the server's part of the nonce is another.
    @Test func exchangesCannotBeReplayed() throws {
        var server = SCRAMServer()
        var client = SCRAMClient(.sha1, user: server.user, password: "tanstaaf")
        let first = Base64.encode(client.first)
        let question = SASLQuestion.findSCRAMKeys(.sha1, channelBinding: nil)
        let begun = server.exchange.begin(.scramSHA1, initialResponse: first.span)
        #expect(begun == .ask(question))
        #expect(try server.answer(question) == .challenge)
        let final = Base64.encode(try client.final(after: try server.challenge))
        server.exchange.abandon()

        for (nonce, isSame) in [("3rfcNHYJY1ZVvWVs7j", true), ("3rfcNHYJY1ZVvWVs7k", false)] {
            server.nonce = Array(nonce.utf8)
            let effect = server.exchange.begin(.scramSHA1, initialResponse: first.span)
            #expect(effect == .ask(question))
            #expect(try server.answer(question) == .challenge)
            let outcome = server.exchange.receive(final.span)
            #expect(outcome == (isSame ? .ask(.verifySCRAMProof(.sha1)) : .failed(.rejected)))
            server.exchange.abandon()
        }
    }
}
