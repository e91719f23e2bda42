// SPDX-License-Identifier: Apache-2.0
//
// What holds for a SASL exchange, whatever the client sends: no trap, few rounds, bounded octets of
// the kinds that the questions promise, nobody in for whom nobody vouched, and nothing left of one
// exchange that the next could notice.

import MailBytes
import SASL

/// Holds a conversation twice, with one exchange for all attempts and with one for each.
///
/// The first octet of the input chooses settings, the second what is answered; the rest are lines
/// of the client, each ended by LF. A line that begins with AUTH begins an exchange when none is
/// under way; all others are messages.
public enum SASLProperty {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        guard input.count > 2 else { return }
        var reused = SASLConversation(choice: input[0], answers: Int(input[1]), isReused: true)
        var fresh = SASLConversation(choice: input[0], answers: Int(input[1]), isReused: false)
        for line in input[2...].split(separator: .lf, omittingEmptySubsequences: false) {
            var line = Array(line)
            if line.last == .cr { line.removeLast() }
            try reused.take(line)
            try fresh.take(line)
        }
        try require(reused.transcript == fresh.transcript, "an exchange forgets the one before")
    }
}

/// A session around exchanges.
private struct SASLConversation: ~Copyable {
    private var exchange = SASLExchange()
    private(set) var transcript: [UInt8] = []
    private var isUnderWay = false
    private var mechanism = SASLMechanism.plain
    private var rounds = 0
    /// Whether an answer has said that the client is who it says.
    private var isVouchedFor = false
    private var questions: Int
    private let isReused: Bool
    private let offersBinding: Bool
    /// Whether lines are sent as they are; else they are messages, sent in base64.
    private let isRaw: Bool

    init(choice: UInt8, answers: Int, isReused: Bool) {
        self.questions = answers
        self.isReused = isReused
        self.offersBinding = choice & 1 != 0
        self.isRaw = choice & 2 != 0
        self.exchange.offersChannelBinding = self.offersBinding
    }

    mutating func take(_ line: [UInt8]) throws(BrokenProperty) {
        guard !self.isUnderWay else {
            let text = self.encoded(line)
            let effect = self.exchange.receive(text.span)
            let isCancelled = effect == .failed(.cancelled)
            try require(isCancelled == (text == [0x2a]), "an asterisk cancels, and nothing else")
            return try self.follow(effect)
        }
        let parts = line.split(separator: .space, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count > 1, parts[0].elementsEqual("AUTH".utf8) else { return }
        let name = Array(parts[1])
        guard let mechanism = SASLMechanism(name: name.span) else { return }
        if !self.isReused {
            self.exchange = SASLExchange()
            self.exchange.offersChannelBinding = self.offersBinding
        }
        self.mechanism = mechanism
        self.isUnderWay = true
        self.isVouchedFor = false
        self.rounds = 0
        guard parts.count > 2 else {
            return try self.follow(self.exchange.begin(mechanism, initialResponse: nil))
        }
        let text = self.encoded(Array(parts[2]))
        try self.follow(self.exchange.begin(mechanism, initialResponse: text.span))
    }

    private func encoded(_ line: [UInt8]) -> [UInt8] {
        self.isRaw || line == [0x2a] ? line : Base64.encode(line)
    }

    private mutating func follow(_ effect: SASLExchange.Effect) throws(BrokenProperty) {
        var effect = effect
        while true {
            self.transcript += Array("\(effect)\n".utf8)
            switch effect {
            case .challenge:
                self.rounds += 1
                try require(self.rounds <= 4, "an exchange has few rounds")
                return try self.takeChallenge()
            case .ask(let question):
                try self.check(question)
                self.questions += 1
                effect = self.answer(question)
            case .succeeded, .failed:
                if effect == .succeeded {
                    try require(self.isVouchedFor, "nobody is in whom nobody vouched for")
                }
                try require(self.exchange.password.count == 0, "the secret is forgotten")
                try require(self.exchange.authMessage.count == 0, "so is the rest")
                self.isUnderWay = false
                return
            }
        }
    }

    private mutating func takeChallenge() throws(BrokenProperty) {
        var replies = ReplyBuffer()
        self.exchange.appendChallenge(to: &replies)
        try require(replies.count <= 2048, "a challenge is bounded")
        let challenge = Base64.decode(replies.span)
        try require(challenge != nil, "a challenge is base64")
        self.transcript += challenge ?? []
    }

    private mutating func check(_ question: SASLQuestion) throws(BrokenProperty) {
        let identity = self.exchange.identity.copy()
        let other = self.exchange.authorizationIdentity.copy()
        // All secrets are the same octets under different names.
        let secret = self.exchange.password.copy()
        self.transcript += identity + other + secret + self.exchange.authMessage.copy()
        try require(max(identity.count, other.count) <= 1020, "names are bounded")
        try require(!identity.contains(0) && !other.contains(0), "no NUL is in a name")
        if self.mechanism != .external {
            try require(other.isEmpty || other == identity, "nobody acts as somebody else")
        }
        switch question {
        case .verifyPassword:
            try require(!identity.isEmpty && (1...1024).contains(secret.count), "both are there")
            try require(!secret.contains(0), "no NUL is in a password")
        case .findSCRAMKeys(_, let binding):
            try require(!identity.isEmpty, "keys are somebody's")
            let isPlus = self.mechanism == .scramSHA256Plus
            try require((binding != nil) == isPlus, "-PLUS binds, and nothing else")
        case .verifySCRAMProof(let hash):
            try require(secret.count == hash.octetCount, "a proof is as long as its hash")
            try require(self.exchange.authMessage.copy().starts(with: "n=".utf8), "n= is first")
        case .makeChallenge: try require(self.mechanism == .cramMD5, "only CRAM-MD5 asks for it")
        case .verifyDigest:
            let isDigest =
                secret.count == 32
                && secret.allSatisfy { $0.isASCIIDigit || (0x61...0x66).contains($0) }
            try require(isDigest && !identity.isEmpty, "a digest is 32 digits and somebody's")
        case .verifyCertificate: try require(identity.isEmpty, "a certificate says who it is")
        case .verifyToken:
            try require((1...8192).contains(secret.count), "a token is there")
            try require(self.mechanism != .xoauth2 || !identity.isEmpty, "XOAUTH2 says whose")
        }
    }

    private mutating func answer(_ question: SASLQuestion) -> SASLExchange.Effect {
        switch self.questions % 9 {
        case 0: return self.exchange.answer(.temporaryFailure)
        case 1: return self.exchange.answer(.throttled)
        case 2: return self.exchange.answer(.unusable)
        case 3: return self.exchange.answer(.rejected)
        default: break
        }
        switch question {
        case .verifyPassword, .verifyDigest, .verifyCertificate, .verifyToken:
            self.isVouchedFor = true
            return self.exchange.answer(.accepted)
        case .makeChallenge:
            let text = Array("<1@fuzz.example.test>".utf8)
            return self.exchange.answer(.challenge(text.span))
        case .verifySCRAMProof:
            self.isVouchedFor = true
            let signature = [UInt8](repeating: 5, count: 20)
            return self.exchange.answer(.scramVerified(serverSignature: signature.span))
        case .findSCRAMKeys(_, let binding):
            let salt: [UInt8] = [1, 2, 3]
            let data: [UInt8] = binding == nil || self.questions % 9 == 8 ? [] : [4]
            let nonce = Array("S".utf8)
            return self.exchange.answer(
                .scramKeys(
                    salt: salt.span,
                    iterations: 4096,
                    nonce: nonce.span,
                    channelBinding: data.span
                )
            )
        }
    }
}
