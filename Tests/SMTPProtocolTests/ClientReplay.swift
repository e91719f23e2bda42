// SPDX-License-Identifier: Apache-2.0
//
// A driver that only writes down what a client's session says and wants, and what it says became
// of each recipient.

import MailBytes
import MailSyntax
import SASL
import SMTPProtocol
import Testing
import TranscriptSupport

/// A client's session with its input queue and the trace of all it did.
final class ClientReplay {
    private(set) var session: SMTPClientSession
    private let isVerified: Bool
    private var envelope: SMTPClientEnvelope?
    private var input: [UInt8] = []
    private var isSuspended = false
    private var isSecuring = false
    private(set) var trace: [String] = []
    private(set) var isClosed = false

    init(_ settings: SMTPClientSettings, options: [String: Int] = [:]) {
        self.session = SMTPClientSession(settings: settings, saysHELO: options["helo"] != nil)
        self.isVerified = options["verified"] != nil
        if options["implicit"] != nil { self.step(.secured(isVerified: self.isVerified)) }
        self.step(.connected)
    }

    func feed(_ octets: [UInt8]) {
        guard !self.isClosed else { return }
        self.input += octets
        self.pump()
    }

    func answer(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        switch words[0] {
        case "message": self.begin(words.dropFirst())
        case "sent":
            #expect(self.session.awaiting == .contentSent)
            self.step(.contentSent)
        case "quit": self.step(.quit)
        default: self.answerLogin(words)
        }
        self.pump()
    }

    func happen(_ event: String) {
        switch event {
        case "deadline": self.step(.deadlinePassed)
        case "closed": self.step(.peerClosed)
        case "secured":
            self.isSecuring = false
            self.step(.secured(isVerified: self.isVerified))
        default: Issue.record("what event is \(event)?")
        }
        self.pump()
    }

    private func answerLogin(_ words: [String]) {
        guard self.isSuspended else {
            Issue.record("nothing was asked, but there is an answer: \(words)")
            return
        }
        self.isSuspended = false
        let octets = words.map { $0 == "-" ? [] : Array($0.utf8) }
        let first = octets.count > 1 ? octets[1] : []
        let second = octets.count > 2 ? octets[2] : []
        let third = octets.count > 3 ? octets[3] : []
        switch words[0] {
        case "password":
            self.login(.password(identity: first.span, password: second.span))
        case "scram":
            self.login(
                .scram(identity: first.span, nonce: second.span, channelBinding: third.span)
            )
        case "proof":
            let proof = Base64.decode(first) ?? []
            let signature = Base64.decode(second) ?? []
            self.login(.proof(proof.span, serverSignature: signature.span))
        case "digest":
            self.login(.digest(identity: first.span, digest: second.span))
        case "unavailable": self.login(.unavailable)
        default: Issue.record("what answer is \(words)?")
        }
    }

    private func login(_ answer: borrowing SASLClientAnswer) {
        self.step(.authenticationAnswered(copy answer))
    }

    /// Begins a transaction: the sender, the recipients with commas between them, options.
    private func begin(_ words: ArraySlice<String>) {
        let words = Array(words)
        var recipients = words[1].split(separator: ",").map {
            SMTPClientEnvelope.Recipient(mailbox: unescaped(String($0)))
        }
        var options = EnvelopeOptions()
        var octets = 20
        var sendsAUTH = false
        for word in words.dropFirst(2) {
            let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
            let value = parts.count > 1 ? unescaped(parts[1]) : []
            switch parts[0] {
            case "octets": octets = Int(parts[1]) ?? 0
            case "8bit": options.body = .eightBitMIME
            case "utf8": options.needsUTF8 = true
            case "requiretls": options.requiresTLS = true
            case "auth": sendsAUTH = true
            case "ret": options.returnedContent = parts[1] == "full" ? .full : .headers
            case "envid": options.envelopeID = value
            case "orcpt": recipients[0].originalRecipient = value
            case "notify":
                let all: [String: NotifyConditions] = [
                    "never": .never, "success": .success, "failure": .failure, "delay": .delay,
                ]
                for name in parts[1].split(separator: "+") {
                    recipients[0].notify.insert(all[String(name)] ?? [])
                }
            default: Issue.record("what option is \(word)?")
            }
        }
        let envelope = SMTPClientEnvelope(
            reversePath: words[0] == "-" ? [] : unescaped(words[0]),
            recipients: recipients,
            octets: octets,
            options: options,
            sendsAUTH: sendsAUTH
        )
        self.envelope = envelope
        self.step(.transaction(envelope))
    }

    private func pump() {
        var idleSteps = 0
        while !self.isClosed, !self.isSuspended, !self.isSecuring {
            let before = self.input.count
            let input = self.input
            let effect = self.step(.received(input.span))
            guard effect == .proceed || before != self.input.count && !self.input.isEmpty else {
                return
            }
            idleSteps = before == self.input.count ? idleSteps + 1 : 0
            guard idleSteps < 3 else {
                Issue.record("the session proceeds without progress")
                return
            }
        }
    }

    @discardableResult
    private func step(_ event: borrowing SMTPClientSession.Event) -> SMTPClientSession.Effect {
        var commands = ReplyBuffer()
        let wasReady = self.session.isReady
        let step = self.session.reduce(event, into: &commands)
        self.takeLines(commands.span.copy())
        #expect(step.consumed >= 0 && step.consumed <= self.input.count)
        self.input.removeFirst(step.consumed)
        self.perform(step.effect, wasReady: wasReady)
        return step.effect
    }

    private func perform(_ effect: SMTPClientSession.Effect, wasReady: Bool) {
        switch effect {
        case .proceed, .awaitInput: break
        case .ready:
            let isReady = self.session.isReady
            #expect(isReady)
            if !wasReady { self.trace.append("!: ready") }
        case .startTLS:
            self.trace.append("!: startTLS")
            self.isSecuring = true
            #expect(self.input.isEmpty)
        case .authenticate(let question):
            self.trace.append("!: \(Self.text(question, self.session.exchange))")
            self.isSuspended = true
        case .sendContent(.dotStuffed): self.trace.append("!: sendContent")
        case .sendContent(.chunk(let octets)): self.trace.append("!: sendChunk \(octets)")
        case .finished:
            self.trace += self.outcomes
            self.isClosed = !self.session.isReady
            self.trace.append(self.isClosed ? "!: finished" : "!: ready")
            self.appendFailure()
        case .close:
            self.trace.append("!: close")
            self.isClosed = true
            self.appendFailure()
        }
    }

    private func appendFailure() {
        if self.isClosed { #expect(self.session.awaiting == .nothing) }
        guard let failure = self.session.failure else { return }
        #expect(self.isClosed)
        let reply = String(decoding: failure.reply, as: UTF8.self)
        let wait = failure.isPermanent ? "permanent" : "temporary"
        let helo = failure.suggestsHELO ? " saysHELO" : ""
        self.trace.append("!: \(failure.kind) at \(failure.stage) \(wait)\(helo) \"\(reply)\"")
    }

    private var outcomes: [String] {
        let recipients = self.envelope?.recipients ?? []
        #expect(self.session.outcomes.count == recipients.count)
        return zip(recipients, self.session.outcomes).map { recipient, outcome in
            #expect(outcome.text.count <= SMTPClientOutcome.textOctetsMax)
            let reply = String(decoding: outcome.reply, as: UTF8.self)
            let name = escaped(recipient.mailbox)
            let dsn = outcome.passedOnDSN ? " with DSN" : ""
            return "!: \(name) \(outcome.verdict)\(dsn) \(outcome.status) at \(outcome.stage)"
                + " \"\(reply)\""
        }
    }

    private func takeLines(_ octets: [UInt8]) {
        guard !octets.isEmpty else { return }
        #expect(octets.suffix(2) == [0x0d, 0x0a], "a command ends with CRLF")
        var start = 0
        for index in octets.indices.dropFirst()
        where octets[index] == 0x0a && octets[index - 1] == 0x0d {
            self.trace.append("C: " + escaped(octets[start..<(index - 1)]))
            start = index + 1
        }
    }

    private static func text(
        _ question: SASLClientQuestion,
        _ exchange: borrowing SASLClientExchange
    ) -> String {
        switch question {
        case .providePassword: "providePassword"
        case .beginSCRAM(let hash, let binding):
            "beginSCRAM \(hash)" + (binding.map { " \($0)" } ?? "")
        case .proveSCRAM(let hash):
            "proveSCRAM \(hash) \"\(escaped(exchange.authMessage.copy()))\""
                + " \(exchange.iterations)"
        case .digest: "digest \"\(escaped(exchange.challenge.copy()))\""
        }
    }
}
