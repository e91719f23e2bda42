// SPDX-License-Identifier: Apache-2.0
//
// The driver of the client's property: it gives messages with hostile addresses, keeps what goes
// out on the wire, and looks at every step.

import MailBytes
import MailSyntax
import SASL
import SMTPProtocol

/// A driver that keeps what leaves.
struct SMTPClientConversation: ~Copyable {
    private var session: SMTPClientSession
    private var commands = ReplyBuffer()
    private var acts: Int
    private let isLMTP: Bool
    /// What is left to be said by the server.
    private var buffered: [UInt8] = []
    /// The recipients of the message that is under way; none between two of them.
    private var recipientCount = 0
    private var messageCount = 0
    private var isSending = false
    private var isSuspended = false
    private var isOver = false
    /// How often DATA and BDAT were said, and how often content or a lone dot followed.
    private var announcedCount = 0
    private var contentCount = 0

    private static let outputMax = 64 * 1024

    init(choices: (UInt8, UInt8), acts: Int) {
        let (choice, more) = choices
        self.isLMTP = choice & 1 != 0
        self.acts = acts
        let settings = SMTPClientSettings(
            clientName: Array("fuzz.example.test".utf8),
            dialect: self.isLMTP ? .lmtp : .smtp,
            tls: choice & 2 != 0 ? .required : choice & 4 != 0 ? .never : .whenOffered,
            mechanisms: choice & 8 != 0 ? SASLClientExchange.mechanisms : [],
            permitsPlaintextAuth: choice & 16 != 0,
            pipelines: choice & 32 == 0,
            chunkOctetsMax: choice & 64 == 0 ? 0 : 1000,
            pipelinedCommandsMax: more & 1 == 0 ? 200 : 3,
            recipientsMax: more & 2 == 0 ? 1000 : 2,
            replyLineOctetsMax: 512,
            replyLinesMax: more & 4 == 0 ? 100 : 3,
            replyOctetsMax: 2000
        )
        self.session = SMTPClientSession(settings: settings, saysHELO: more & 8 != 0)
        if more & 16 != 0 {
            _ = self.session.reduce(.secured(isVerified: true), into: &self.commands)
        }
    }

    mutating func hold(_ flights: [[UInt8]], segment: Int) throws(BrokenProperty) {
        var wire = Flights(flights, segment: segment)
        var idleSteps = 0
        try self.take(self.session.reduce(.connected, into: &self.commands))
        while !self.isOver {
            if self.isSuspended {
                try self.answer()
                continue
            }
            let before = self.buffered.count
            let input = self.buffered
            let step = self.session.reduce(.received(input.span), into: &self.commands)
            try self.take(step)
            if self.isOver { break }
            if step.effect == .startTLS {
                self.buffered = []
                guard wire.dropFlight() else { break }
                try self.take(
                    self.session.reduce(
                        .secured(isVerified: self.acts % 2 == 0),
                        into: &self.commands
                    )
                )
                continue
            }
            idleSteps = before == self.buffered.count ? idleSteps + 1 : 0
            try require(idleSteps < 1000, "a session makes progress or waits")
            if step.effect == .proceed || before != self.buffered.count && before > 0 { continue }
            if try self.act() { continue }
            guard let octets = wire.next() else { break }
            self.buffered += octets
        }
        try self.end()
    }

    /// The peer falls silent or goes.
    private mutating func end() throws(BrokenProperty) {
        guard !self.isOver else { return }
        let isPatient = self.acts % 3 == 0
        let step =
            isPatient
            ? self.session.reduce(.deadlinePassed, into: &self.commands)
            : self.session.reduce(.peerClosed, into: &self.commands)
        try self.take(step)
        try require(self.isOver, "a session ends with its connection")
    }

    /// What a driver may do by itself; false: nothing now.
    private mutating func act() throws(BrokenProperty) -> Bool {
        if self.isSending {
            // Sometimes the server gets a word in before all has left.
            self.acts += 1
            guard self.acts % 3 != 0 else { return false }
            self.isSending = false
            try self.take(self.session.reduce(.contentSent, into: &self.commands))
            return true
        }
        guard self.session.isReady else { return false }
        self.messageCount += 1
        guard self.messageCount <= 4 else {
            try self.take(self.session.reduce(.quit, into: &self.commands))
            self.isOver = self.isOver || self.messageCount > 5
            return true
        }
        let envelope = self.envelope()
        self.recipientCount = envelope.recipients.count
        self.announcedCount = 0
        self.contentCount = 0
        try self.take(self.session.reduce(.transaction(envelope), into: &self.commands))
        return true
    }

    private mutating func envelope() -> SMTPClientEnvelope {
        let mailboxes = ["a@x", "b@x\r\nDATA", "\u{e9}@x", "", "\"a b\"@x", "c\n@x", "d@x"]
        self.acts = self.acts &* 31 &+ 7 & 0xffff
        var options = EnvelopeOptions()
        options.body = self.acts & 1 != 0 ? .eightBitMIME : .sevenBit
        options.needsUTF8 = self.acts & 2 != 0
        options.requiresTLS = self.acts & 12 == 12
        options.returnedContent = .full
        options.envelopeID = Array((self.acts & 16 != 0 ? "QQ\r\nRSET" : "QQ+20").utf8)
        let count = 1 + self.acts / 32 % 6
        return SMTPClientEnvelope(
            reversePath: Array((self.acts & 448 == 448 ? "a\r\nQUIT" : "s@x").utf8),
            recipients: (0..<count).map { index in
                SMTPClientEnvelope.Recipient(
                    mailbox: Array(mailboxes[(self.acts + index) % mailboxes.count].utf8),
                    notify: NotifyConditions(rawValue: UInt8(index * 2 % 16)),
                    originalRecipient: Array("rfc822;x\(index)".utf8)
                )
            },
            octets: self.acts % 2000,
            options: options,
            sendsAUTH: true
        )
    }

    private mutating func answer() throws(BrokenProperty) {
        self.isSuspended = false
        self.acts += 1
        let name = Array("j=o,e".utf8)
        let nonce = Array("abcdefghijklmnopqrst".utf8)
        let binding = Array("channel".utf8)
        let step: SMTPClientSession.Step
        switch self.question {
        case _ where self.acts % 7 == 0:
            step = self.session.reduce(
                .authenticationAnswered(.unavailable),
                into: &self.commands
            )
        case .providePassword:
            step = self.session.reduce(
                .authenticationAnswered(.password(identity: name.span, password: nonce.span)),
                into: &self.commands
            )
        case .beginSCRAM(_, let kind):
            let bound = kind == nil ? [] : binding
            step = self.session.reduce(
                .authenticationAnswered(
                    .scram(identity: name.span, nonce: nonce.span, channelBinding: bound.span)
                ),
                into: &self.commands
            )
        case .proveSCRAM(let hash):
            let proof = [UInt8](repeating: 7, count: hash.octetCount)
            step = self.session.reduce(
                .authenticationAnswered(.proof(proof.span, serverSignature: proof.span)),
                into: &self.commands
            )
        case .digest:
            step = self.session.reduce(
                .authenticationAnswered(.digest(identity: name.span, digest: nonce.span)),
                into: &self.commands
            )
        }
        try self.take(step)
    }

    private var question = SASLClientQuestion.providePassword

    // MARK: - What a step must be

    private mutating func take(_ step: SMTPClientSession.Step) throws(BrokenProperty) {
        try require(0...self.buffered.count ~= step.consumed, "no more is consumed than given")
        self.buffered.removeFirst(step.consumed)
        try self.takeCommands()
        switch step.effect {
        case .proceed, .awaitInput: break
        case .ready: try require(self.session.isReady, "a session that is ready says so")
        case .startTLS: try require(!self.session.isSecured, "TLS begins once")
        case .authenticate(let question):
            self.question = question
            self.isSuspended = true
        case .sendContent:
            self.contentCount += 1
            try require(self.contentCount == self.announcedCount, "content was announced")
            try require(self.session.awaiting == .contentSent, "content is awaited")
            self.isSending = true
        case .finished: try self.finish()
        case .close:
            try require(self.recipientCount == 0, "a transaction ends in outcomes")
            self.isOver = true
        }
        if self.isOver {
            try require(self.session.awaiting == .nothing, "a closed session awaits nothing")
            try require(!self.session.isReady, "a closed session is not ready")
        }
    }

    private mutating func finish() throws(BrokenProperty) {
        try require(self.recipientCount > 0, "a transaction ends once")
        let outcomes = self.session.outcomes
        try require(outcomes.count == self.recipientCount, "each recipient has an outcome")
        for outcome in outcomes {
            let isText = outcome.text.allSatisfy { (0x20...0x7e).contains($0) }
            try require(isText, "texts are printable")
            try require(
                outcome.text.count <= SMTPClientOutcome.textOctetsMax,
                "texts are bounded"
            )
            let isTaken = outcome.verdict == .delivered || outcome.verdict == .relayed
            try require(!isTaken || self.contentCount == 1, "nothing is delivered without content")
            try require(!isTaken || outcome.code / 100 == 2, "a delivery has its reply")
        }
        self.recipientCount = 0
        // What has not left by now never does.
        try require(!self.isSending || !self.session.isReady, "unsent content ends the session")
        self.isSending = false
        self.isOver = !self.session.isReady
    }

    private static let verbs = [
        "EHLO ", "HELO ", "LHLO ", "STARTTLS\r\n", "AUTH ", "MAIL FROM:<", "RCPT TO:<", "DATA\r\n",
        "BDAT ", "RSET\r\n", "QUIT\r\n",
    ].map { Array($0.utf8) }

    /// Every line that leaves is a command, a lone dot, or a response within AUTH.
    private mutating func takeCommands() throws(BrokenProperty) {
        try require(self.commands.count <= Self.outputMax, "what is said at once is bounded")
        let octets = self.commands.span.copy()
        self.commands.removeAll()
        var start = 0
        for index in octets.indices {
            let isEnd = octets[index] == .lf
            try require(!isEnd || index > 0 && octets[index - 1] == .cr, "lines end with CRLF")
            guard isEnd else { continue }
            let line = octets[start...index]
            start = index + 1
            let isDot = line.elementsEqual(".\r\n".utf8)
            let isCommand = Self.verbs.contains { line.starts(with: $0) }
            try require(
                isCommand || isDot || self.session.awaiting == .reply(.authentication)
                    || line.elementsEqual("*\r\n".utf8),
                "only commands leave"
            )
            if line.starts(with: "DATA".utf8) || line.starts(with: "BDAT".utf8) {
                self.announcedCount += 1
                try require(self.announcedCount == 1, "content is announced once")
            }
            if isDot {
                self.contentCount += 1
                try require(self.contentCount == self.announcedCount, "a lone dot was announced")
            }
        }
        try require(start == octets.count, "no command is cut")
    }
}
