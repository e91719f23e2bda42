// SPDX-License-Identifier: Apache-2.0
//
// A driver that only writes down what a session says and wants.

import MailBytes
import POP3Protocol
import SASL
import Testing
import TranscriptSupport

/// A session with its input queue and the trace of all it did.
final class Replay: ReplayedSession {
    private var session: POP3ServerSession
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private(set) var trace: [String] = []
    private var isSuspended = false
    private var isSecuring = false
    private var isAuthenticating = false
    private(set) var isClosed = false
    /// Whether somebody looks whether content needs stuffing, so that it need not be copied.
    private let looksForDots: Bool
    private var content: [UInt8] = []

    init(_ transcript: Transcript, looksForDots: Bool) {
        self.looksForDots = looksForDots
        self.session = POP3ServerSession(
            settings: transcript.settings,
            offersXCLIENT: transcript.options["xclient"] != nil
        )
        if transcript.options["implicit-tls"] != nil {
            self.step(.secured(hasClientCertificate: false, bindsChannel: true))
        }
        let isEarly = transcript.options["early-talk"] != nil
        self.step(.accepted(earlyTalk: isEarly, nonce: 0x1234_abcd, clock: 0x5678))
    }

    func feed(_ octets: [UInt8]) {
        // What comes between STLS and the handshake never reaches a session.
        guard !self.isSecuring else { return }
        self.input += octets
        self.pump()
    }

    func answer(_ text: String) {
        guard self.isSuspended else {
            Issue.record("nothing was asked, but there is an answer: \(text)")
            return
        }
        self.isSuspended = false
        guard !self.isAuthenticating else {
            self.isAuthenticating = false
            return self.answerExchange(text.split(separator: " ").map(String.init))
        }
        let words = text.split(separator: " ", maxSplits: 1).map(String.init)
        let numbers = text.split(separator: " ").compactMap { Int($0) }
        switch words[0] {
        case "loggedIn": self.step(.answered(.loggedIn(messages: numbers[0], octets: numbers[1])))
        case "loginRefused": self.step(.answered(.loginRefused))
        case "maildropLocked": self.step(.answered(.maildropLocked))
        case "loginThrottled": self.step(.answered(.loginThrottled))
        case "xclientAdopted": self.step(.answered(.xclientAdopted))
        case "xclientRefused": self.step(.answered(.xclientRefused))
        case "loginDelayed": self.step(.answered(.loginDelayed))
        case "temporaryFailure": self.step(.answered(.temporaryFailure))
        case "contentMissing": self.step(.answered(.contentMissing))
        case "deletionsCommitted": self.step(.answered(.deletionsCommitted))
        case "deletionsFailed": self.step(.answered(.deletionsFailed))
        case "listed", "listed-after":
            let accessed = words[0] == "listed" ? 0 : numbers[0]
            let octets = Array(words[0] == "listed" ? numbers : Array(numbers.dropFirst()))
            let listing = MaildropListing(
                incarnation: 0x65f1_c2a9,
                sequences: octets.indices.map { UInt32($0 * 3 + 1) },
                octets: octets,
                accessedBefore: accessed
            )
            self.step(.listed(listing))
        case "content", "last":
            self.content = words.count > 1 ? unescaped(String(words[1].dropFirst().dropLast())) : []
            let content = self.content
            self.step(
                .contentRead(
                    content.span,
                    isLast: words[0] == "last",
                    needsStuffing: !self.looksForDots || ContentEncoder.mayStuff(content.span)
                )
            )
        default: Issue.record("what answer is \(text)?")
        }
        self.pump()
    }

    private func answerExchange(_ words: [String]) {
        switch words[0] {
        case "accepted": self.step(.authenticationAnswered(.accepted))
        case "rejected": self.step(.authenticationAnswered(.rejected))
        case "throttled": self.step(.authenticationAnswered(.throttled))
        case "unusable": self.step(.authenticationAnswered(.unusable))
        case "temporaryFailure": self.step(.authenticationAnswered(.temporaryFailure))
        case "challenge":
            self.step(.authenticationAnswered(.challenge(Array(words[1].utf8).span)))
        case "scramKeys":
            let salt = Base64.decode(Array(words[1].utf8)) ?? []
            let binding = words.count > 4 ? Array(words[4].utf8) : []
            let keys = SASLAnswer.scramKeys(
                salt: salt.span,
                iterations: Int(words[2]) ?? 0,
                nonce: Array(words[3].utf8).span,
                channelBinding: binding.span
            )
            self.step(.authenticationAnswered(keys))
        case "scramVerified":
            let signature = Base64.decode(Array(words[1].utf8)) ?? []
            self.step(.authenticationAnswered(.scramVerified(serverSignature: signature.span)))
        default: Issue.record("what answer is \(words)?")
        }
        self.pump()
    }

    func happen(_ event: String) {
        self.isSecuring = self.isSecuring && !event.hasPrefix("secured")
        switch event {
        case "secured": self.step(.secured(hasClientCertificate: false, bindsChannel: true))
        case "secured-unbound":
            self.step(.secured(hasClientCertificate: false, bindsChannel: false))
        case "secured-with-certificate":
            self.step(.secured(hasClientCertificate: true, bindsChannel: true))
        case "stopping": self.step(.stopping)
        case "deadline": self.step(.deadlinePassed)
        case "closed": self.step(.peerClosed)
        default: Issue.record("what event is \(event)?")
        }
        self.pump()
    }

    private func pump() {
        var idleSteps = 0
        while !self.isClosed, !self.isSuspended, !self.isSecuring {
            let before = self.input.count
            let outputBefore = self.output.count + self.trace.count
            let input = self.input
            guard self.step(.received(input.span)) == .proceed else { return }
            let isIdle =
                before == self.input.count
                && outputBefore == self.output.count + self.trace.count
            idleSteps = isIdle ? idleSteps + 1 : 0
            guard idleSteps < 2 else {
                Issue.record("the session proceeds without progress")
                return
            }
        }
    }

    @discardableResult
    private func step(_ event: borrowing POP3ServerSession.Event) -> POP3ServerSession.Effect {
        var replies = ReplyBuffer()
        let step = self.session.reduce(event, into: &replies)
        #expect(step.consumed <= self.input.count)
        self.input.removeFirst(step.consumed)
        self.output += replies.span.copy()
        if case .sendContent(let range) = step.effect {
            #expect(self.looksForDots && !range.isEmpty)
            #expect(self.session.awaiting == .answer)
            self.output += self.content[range.indices]
        }
        self.takeLines()
        switch step.effect {
        case .proceed, .awaitInput, .sendContent: break
        case .logIn(let method):
            let user = escaped(self.session.userName.copy())
            let secret = escaped(self.session.secret.copy())
            self.ask("logIn \(method) \"\(user)\" \"\(secret)\"")
            let timestamp = self.session.apopTimestamp.count
            #expect(method == .password || timestamp > 0)
        case .startTLS:
            self.trace.append("!: startTLS")
            self.isSecuring = true
            #expect(self.input.isEmpty)
            #expect(self.session.awaiting == .answer)
        case .authenticate(let question):
            self.ask("authenticate " + Self.described(question, self.session.exchange))
            self.isAuthenticating = true
        case .openMaildrop:
            self.ask("openMaildrop \"\(escaped(self.session.exchange.identity.copy()))\"")
        case .adoptClient(let client):
            var text = ReplyBuffer()
            client.appendHost(to: &text)
            let host = String(decoding: text.span.copy(), as: UTF8.self)
            self.ask("adoptClient \(host) \(client.port)")
        case .listMaildrop: self.ask("listMaildrop")
        case .readContent(let message, let offset): self.ask("readContent \(message) @\(offset)")
        case .commitDeletions:
            var marked: [Int] = []
            self.session.forEachDeleted { marked.append($0) }
            #expect(marked.count == self.session.deletedCount)
            self.ask("commitDeletions " + marked.map(String.init).joined(separator: " "))
        case .close:
            self.trace.append("!: close")
            self.isClosed = true
            #expect(self.session.awaiting == .nothing)
        }
        let secret = self.session.secret.count
        #expect(self.isSuspended || secret == 0)
        return step.effect
    }

    /// The question with what belongs to it.
    private static func described(
        _ question: SASLQuestion,
        _ exchange: borrowing SASLExchange
    ) -> String {
        let name = "\"\(escaped(exchange.identity.copy()))\""
        switch question {
        case .verifyPassword:
            return "verifyPassword \(name) \"\(escaped(exchange.password.copy()))\""
        case .findSCRAMKeys(let hash, let binding):
            let bound = binding.map { " \($0.name)" } ?? ""
            return "findSCRAMKeys \(hash)\(bound) \(name)"
        case .verifySCRAMProof(let hash):
            return "verifySCRAMProof \(hash) \(name) "
                + escaped(Base64.encode(exchange.clientProof.copy()))
        case .makeChallenge: return "makeChallenge"
        case .verifyDigest:
            return "verifyDigest \(name) " + escaped(exchange.digest.copy())
        case .verifyCertificate:
            let acting = escaped(exchange.authorizationIdentity.copy())
            return "verifyCertificate \"\(acting)\""
        case .verifyToken:
            return "verifyToken \(name) \"\(escaped(exchange.token.copy()))\""
        }
    }

    private func ask(_ question: String) {
        self.trace.append("!: \(question)")
        self.isSuspended = true
        #expect(self.session.awaiting == .answer)
    }

    private func takeLines() {
        var start = 0
        for index in self.output.indices.dropFirst()
        where self.output[index] == 0x0a && self.output[index - 1] == 0x0d {
            self.trace.append("S: " + escaped(self.output[start..<(index - 1)]))
            start = index + 1
        }
        self.output.removeFirst(start)
    }
}
