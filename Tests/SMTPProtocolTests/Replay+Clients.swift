// SPDX-License-Identifier: Apache-2.0
//
// Who the client is, in transcripts: questions and answers about logins, and what XCLIENT says.

import MailBytes
import SASL
import SMTPProtocol
import Testing
import TranscriptSupport

extension Replay {
    /// Answers a question about a login.
    func answerLogin(_ words: [String]) {
        switch words[0] {
        case "good": self.step(.authenticationAnswered(.accepted))
        case "bad": self.step(.authenticationAnswered(.rejected))
        case "throttled": self.step(.authenticationAnswered(.throttled))
        case "unusable": self.step(.authenticationAnswered(.unusable))
        case "unavailable": self.step(.authenticationAnswered(.temporaryFailure))
        case "challenge":
            let text = Array(words[1].utf8)
            self.step(.authenticationAnswered(.challenge(text.span)))
        case "keys":
            let salt = Base64.decode(Array(words[1].utf8)) ?? []
            let nonce = Array(words[3].utf8)
            let binding = Array((words.count > 4 ? words[4] : "").utf8)
            let answer = SASLAnswer.scramKeys(
                salt: salt.span,
                iterations: Int(words[2]) ?? 0,
                nonce: nonce.span,
                channelBinding: binding.span
            )
            self.step(.authenticationAnswered(answer))
        case "verified":
            let signature = Base64.decode(Array(words[1].utf8)) ?? []
            self.step(.authenticationAnswered(.scramVerified(serverSignature: signature.span)))
        default: Issue.record("what answer is \(words)?")
        }
    }

    /// A question about a login, with all that it is about.
    static func text(
        _ question: SASLQuestion,
        _ exchange: borrowing SASLExchange
    ) -> String {
        let identity = "<\(escaped(exchange.identity.copy()))>"
        let other = escaped(exchange.authorizationIdentity.copy())
        let whom = other.isEmpty ? identity : "\(identity) as <\(other)>"
        switch question {
        case .verifyPassword:
            return "verifyPassword \(whom) \(escaped(exchange.password.copy()))"
        case .findSCRAMKeys(let hash, let binding):
            return "findSCRAMKeys \(hash)\(binding.map { " \($0)" } ?? "") \(whom)"
        case .verifySCRAMProof(let hash):
            let proof = Base64.encode(exchange.clientProof)
            let message = escaped(exchange.authMessage.copy())
            return "verifySCRAMProof \(hash) \(escaped(proof)) \(message)"
        case .makeChallenge:
            return "makeChallenge"
        case .verifyDigest:
            let challenge = escaped(exchange.serverChallenge.copy())
            let digest = escaped(exchange.digest.copy())
            return "verifyDigest \(whom) \(challenge) \(digest)"
        case .verifyCertificate:
            return "verifyCertificate <\(other)>"
        case .verifyToken:
            return "verifyToken \(whom) \(escaped(exchange.token.copy()))"
        }
    }

    /// What XCLIENT says.
    var proposal: String {
        guard let client = self.session.proposedClient else { return "nobody" }
        var text = client.address.map { "\($0)" } ?? "unavailable"
        if let destination = client.destination { text += " to \(destination)" }
        let texts = [("name", client.name), ("helo", client.helloName), ("login", client.login)]
        for (label, value) in texts where !value.isEmpty { text += " \(label) \(escaped(value))" }
        if let isExtended = client.isExtended { text += isExtended ? " ESMTP" : " SMTP" }
        return text
    }
}
