// SPDX-License-Identifier: Apache-2.0
//
// An exchange replayed from a transcript. Here `C:` lines are messages before base64, and `R:`
// lines are sent as they stand; either begins an exchange when its first word is AUTH.

import Foundation
import MailBytes
import SASL
import Testing
import TranscriptSupport

extension Transcript {
    static let ofSASL = Transcript.all(
        in: Bundle.module.bundleURL.appendingPathComponent("Transcripts")
    )
}

/// An exchange and the trace of all it said and asked.
final class Replay: ReplayedSession {
    private var exchange = SASLExchange()
    private(set) var trace: [String] = []
    private(set) var isClosed = true

    init(offersChannelBinding: Bool) {
        self.exchange.offersChannelBinding = offersChannelBinding
    }

    func feed(_ octets: [UInt8]) {
        let isMessage = octets.suffix(2) == [0x0d, 0x0a]
        let line = isMessage ? Array(octets.dropLast(2)) : octets
        let parts = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count > 1, parts[0].elementsEqual("AUTH".utf8) else {
            let text = isMessage ? Base64.encode(line) : line
            return self.take(self.exchange.receive(text.span))
        }
        let name = Array(parts[1])
        guard let mechanism = SASLMechanism(name: name.span) else {
            Issue.record("there is no mechanism \(String(decoding: parts[1], as: UTF8.self))")
            return
        }
        self.isClosed = false
        guard parts.count > 2 else {
            return self.take(self.exchange.begin(mechanism, initialResponse: nil))
        }
        let text = isMessage ? Base64.encode(Array(parts[2])) : Array(parts[2])
        self.take(self.exchange.begin(mechanism, initialResponse: text.span))
    }

    func answer(_ text: String) {
        let words = text.split(separator: " ").map { unescaped(String($0)) }
        func decoded(_ index: Int) -> [UInt8] {
            words.count > index ? Base64.decode(words[index]) ?? [] : []
        }
        switch text.split(separator: " ").first {
        case "accepted": self.take(self.exchange.answer(.accepted))
        case "rejected": self.take(self.exchange.answer(.rejected))
        case "temporaryFailure": self.take(self.exchange.answer(.temporaryFailure))
        case "throttled": self.take(self.exchange.answer(.throttled))
        case "unusable": self.take(self.exchange.answer(.unusable))
        case "challenge":
            let challenge = words[1]
            self.take(self.exchange.answer(.challenge(challenge.span)))
        case "scramVerified":
            let signature = decoded(1)
            self.take(self.exchange.answer(.scramVerified(serverSignature: signature.span)))
        case "scramKeys":
            let salt = decoded(1)
            let nonce = words[3]
            let binding = decoded(4)
            let iterations = Int(String(decoding: words[2], as: UTF8.self)) ?? 0
            self.take(
                self.exchange.answer(
                    .scramKeys(
                        salt: salt.span,
                        iterations: iterations,
                        nonce: nonce.span,
                        channelBinding: binding.span
                    )
                )
            )
        default: Issue.record("what answer is \(text)?")
        }
    }

    func happen(_ event: String) {
        #expect(event == "closed")
        self.exchange.abandon()
        self.isClosed = true
    }

    private func take(_ effect: SASLExchange.Effect) {
        switch effect {
        case .challenge:
            var replies = ReplyBuffer()
            self.exchange.appendChallenge(to: &replies)
            let challenge = Base64.decode(replies.span)
            self.trace.append("S: \(challenge.map { escaped($0) } ?? "no base64")")
        case .ask(let question):
            self.trace.append("!: \(Self.description(of: question, to: self.exchange))")
        case .succeeded:
            let identity = self.exchange.identity.copy()
            self.trace.append("!: succeeded \"\(escaped(identity))\"")
            self.end()
        case .failed(let failure):
            self.trace.append("!: failed \(failure)")
            self.end()
        }
    }

    private func end() {
        let secretCount = self.exchange.password.count
        #expect(secretCount == 0, "the secret is gone when it has served")
        self.isClosed = true
    }

    private static func description(
        of question: SASLQuestion,
        to exchange: borrowing SASLExchange
    ) -> String {
        let name = exchange.identity.copy()
        let identity = "\"\(escaped(name))\""
        switch question {
        case .verifyPassword:
            let password = exchange.password.copy()
            return "verifyPassword \(identity) \"\(escaped(password))\""
        case .findSCRAMKeys(let hash, nil): return "findSCRAMKeys \(hash) \(identity)"
        case .findSCRAMKeys(let hash, let binding?):
            return "findSCRAMKeys \(hash) \(identity) \(binding.name)"
        case .verifySCRAMProof(let hash):
            let proof = exchange.clientProof.copy()
            let message = exchange.authMessage.copy()
            return "verifySCRAMProof \(hash) \(escaped(Base64.encode(proof))) "
                + "\"\(escaped(message))\""
        case .makeChallenge: return "makeChallenge"
        case .verifyDigest:
            let challenge = exchange.serverChallenge.copy()
            let digest = exchange.digest.copy()
            return "verifyDigest \(identity) \"\(escaped(challenge))\" \(escaped(digest))"
        case .verifyCertificate:
            let other = exchange.authorizationIdentity.copy()
            return "verifyCertificate \"\(escaped(other))\""
        case .verifyToken:
            let token = exchange.token.copy()
            return "verifyToken \(identity) \"\(escaped(token))\""
        }
    }
}
