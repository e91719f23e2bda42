// SPDX-License-Identifier: Apache-2.0
//
// Interprets the effects of one client's session of SMTP or LMTP: feeds it what the stream
// received, sends its commands and the content behind them, speaks TLS, logs in. It decides nothing
// about the protocol, and nothing about what is sent: that is its owner's. Content is in the file
// beside this one.

package import EventLoop
internal import MailBytes
internal import SASL
package import SMTPProtocol

/// The driver of one connection to another server, for any number of messages.
///
/// The stream is connected already, by whoever had it connected, or accepted when a peer has turned
/// its connection round (RFC 2645).
package final class SMTPClientDriver: StreamHandler {
    package let stream: any ByteStream
    package private(set) var session: SMTPClientSession
    package let options: Options
    weak let owner: (any SMTPClientOwner)?
    /// The content of the message under way.
    var feed: ContentFeed?
    private var next: (envelope: SMTPClientEnvelope, content: OutgoingContent)?
    private var wantsQuit = false
    /// Whether the owner knows that the peer takes a message, and has not given one.
    private var isOwnerAsked = false
    /// Whether an answer for the exchange is being made.
    private var isLoginAsked = false
    private var isRunning = false
    private var isClosing = false
    private var isInTransaction = false
    private var commands = ReplyBuffer(capacity: 512)

    /// How one connection is to be used.
    package struct Options {
        package var settings: SMTPClientSettings
        /// Whether EHLO is not tried.
        package var saysHELO = false
        /// What TLS is spoken with, where the settings say that it is spoken.
        package var tls: TLSService?
        /// Whether TLS comes first (RFC 8314).
        package var isTLSImplicit = false
        /// Whether a verified certificate shows that the peer is the one whom the mail is for.
        package var provesPeer = false
        package var login: (any ClientLogin)?
        package var pace = Pace()

        package init(settings: SMTPClientSettings) { self.settings = settings }
    }

    /// How long a peer may take, in seconds (RFC 5321, section 4.5.3.2).
    package struct Pace {
        /// For each reply, and for each part of the content.
        package var replySeconds: Double = 300
        /// For the reply to the end of the content.
        package var finalReplySeconds: Double = 600
        /// For the reply to QUIT, which changes nothing any more.
        package var quitSeconds: Double = 5

        package init() {}
    }

    /// What became of an effect.
    private enum Outcome {
        case goOn
        case awaitInput
        /// The owner has nothing for the peer yet, who may all the same have something to say.
        case idle
        /// Nothing is heard until the login has its answer.
        case suspended
        /// All input is lost until TLS is up.
        case securing
        case closed
    }

    /// Reducer steps before other streams have their turn.
    private static let stepsMax = 64

    package init(stream: any ByteStream, options: Options, owner: any SMTPClientOwner) {
        self.stream = stream
        self.options = options
        self.session = SMTPClientSession(settings: options.settings, saysHELO: options.saysHELO)
        self.owner = owner
    }

    /// Whether the peer can take another message, now that one is over.
    package private(set) var isReusable = false

    /// Why the connection got nowhere, or ended before its time.
    package var failure: SMTPClientFailure? { self.session.failure }

    // MARK: - What the owner does

    /// Speaks from now on.
    package func begin() {
        self.stream.handler = self
        guard self.options.isTLSImplicit else { return self.deliver(.connected) }
        guard let tls = self.options.tls else { return self.stream.abort() }
        self.stream.startTLS(tls)
    }

    /// Hands a message on; only after `isReady`, and once.
    package func deliver(_ envelope: SMTPClientEnvelope, _ content: OutgoingContent) {
        precondition(self.next == nil && !self.isInTransaction, "one message at a time")
        self.next = (envelope, content)
        if !self.isRunning { self.goOn() }
    }

    /// Says goodbye; only after `isReady`.
    package func quit() {
        self.wantsQuit = true
        if !self.isRunning { self.goOn() }
    }

    // MARK: - The stream's calls

    package func received(
        _ octets: borrowing Span<UInt8>,
        from stream: any ByteStream
    ) -> Consumption {
        guard !self.isClosing else { return Consumption(count: octets.count, next: .finished) }
        var offset = 0
        var steps = 0
        var outcome = Outcome.goOn
        self.isRunning = true
        while outcome == .goOn, steps < Self.stepsMax {
            let rest = octets.extracting(offset...)
            let step = self.session.reduce(.received(rest), into: &self.commands)
            self.owner?.overheard(
                rest.extracting(0..<step.consumed),
                isOurs: false,
                on: self
            )
            offset += step.consumed
            outcome = self.perform(step.effect)
            if outcome == .idle, step.consumed > 0 { outcome = .goOn }
            steps += 1
        }
        self.isRunning = false
        self.flush()
        switch outcome {
        case .closed: return Consumption(count: octets.count, next: .finished)
        case .securing: return Consumption(count: octets.count, next: .awaitMore)
        case .goOn:
            self.armDeadline()
            return Consumption(count: offset, next: .yield)
        case .suspended:
            self.armDeadline()
            return Consumption(count: offset, next: .suspend)
        case .awaitInput, .idle:
            self.armDeadline()
            return Consumption(count: offset, next: .awaitMore)
        }
    }

    package func secured(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        let isVerified = stream.tls?.serverVerification == .verified
        self.deliver(.secured(isVerified: isVerified && self.options.provesPeer))
        if self.options.isTLSImplicit, !self.isClosing { self.deliver(.connected) }
    }

    package func inputEnded(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.deliver(.peerClosed)
        if !self.isClosing { self.close() }
    }

    package func drained(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.armDeadline()
        self.feedMore()
    }

    package func deadlinePassed(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.deliver(.deadlinePassed)
    }

    package func ended(_ stream: any ByteStream) {
        if !self.isClosing { self.deliver(.peerClosed) }
        self.isClosing = true
        self.feed = nil
        self.owner?.connectionEnded(self)
    }

    // MARK: - Running the session

    /// What the owner wants, when nothing else runs.
    private func goOn() {
        guard !self.isClosing else { return }
        self.isRunning = true
        self.finish(self.perform(.ready))
    }

    /// An event that comes between the stream's calls for input.
    private func deliver(_ event: borrowing SMTPClientSession.Event) {
        self.isRunning = true
        let step = self.session.reduce(event, into: &self.commands)
        self.finish(self.perform(step.effect))
    }

    /// What was left of the input is half a line at the most: the session can go on without it.
    private func finish(_ outcome: Outcome) {
        var outcome = outcome
        while outcome == .goOn {
            let step = self.session.reduce(.received(Span()), into: &self.commands)
            outcome = self.perform(step.effect)
        }
        self.isRunning = false
        self.flush()
        self.armDeadline()
    }

    private func perform(_ effect: SMTPClientSession.Effect) -> Outcome {
        var effect = effect
        while true {
            switch effect {
            case .proceed: return .goOn
            case .awaitInput: return .awaitInput
            case .startTLS: return self.startTLS()
            case .authenticate(let question):
                guard let answered = self.answer(question) else {
                    self.isLoginAsked = true
                    return .suspended
                }
                effect = answered
            case .sendContent(let form):
                guard self.send(form) else { return .awaitInput }
                effect = self.contentSent()
            case .finished:
                guard let following = self.messageFinished() else { return .closed }
                effect = following
            case .ready:
                if !self.isOwnerAsked {
                    self.isOwnerAsked = true
                    self.owner?.isReady(self)
                }
                guard let wanted = self.takeWanted() else { return .idle }
                effect = wanted
            case .close:
                self.flush()
                self.close()
                return .closed
            }
        }
    }

    private func startTLS() -> Outcome {
        self.flush()
        guard let tls = self.options.tls else {
            self.stream.abort()
            return .closed
        }
        self.stream.startTLS(tls)
        return .securing
    }

    /// What the owner has asked for since it was told that the session is ready.
    private func takeWanted() -> SMTPClientSession.Effect? {
        if let (envelope, content) = self.next.take() {
            self.isOwnerAsked = false
            self.isInTransaction = true
            self.feed = ContentFeed(content)
            return self.session.reduce(.transaction(envelope), into: &self.commands).effect
        }
        guard self.wantsQuit else { return nil }
        self.wantsQuit = false
        return self.session.reduce(.quit, into: &self.commands).effect
    }

    /// Nil: the session is over.
    private func messageFinished() -> SMTPClientSession.Effect? {
        let isHalfSent = self.feed?.isUnderWay ?? false
        self.feed = nil
        self.isInTransaction = false
        self.isReusable = self.session.isReady && !isHalfSent
        self.owner?.messageFinished(self)
        guard !isHalfSent else {
            // Nothing may leave that could end what the peer has of the content.
            self.abort()
            return nil
        }
        if self.isReusable { return .ready }
        self.flush()
        self.close()
        return nil
    }

    /// Nil: the answer takes its time.
    private func answer(_ question: SASLClientQuestion) -> SMTPClientSession.Effect? {
        self.flush()
        let stream = self.stream
        let answer = self.options.login?.answer(
            question,
            of: self.session.exchange,
            channelBinding: { stream.channelBinding(ChannelBinding($0)) },
            for: self
        )
        if case .later = answer { return nil }
        return self.tell(answer ?? .unavailable)
    }

    private func tell(_ answer: ClientLoginAnswer) -> SMTPClientSession.Effect {
        answer.give { answer in
            self.session.reduce(.authenticationAnswered(copy answer), into: &self.commands).effect
        }
    }

    /// The answer that takes its time is here.
    package func loginAnswered(_ answer: ClientLoginAnswer) {
        guard !self.isClosing, self.isLoginAsked else { return }
        self.isLoginAsked = false
        self.isRunning = true
        self.finish(self.perform(self.tell(answer)))
        if !self.isClosing { self.stream.resume() }
    }

    func noteContentSent() -> SMTPClientSession.Effect {
        self.session.reduce(.contentSent, into: &self.commands).effect
    }

    /// The last part of a content that went out in parts is with the stream.
    func endContent() {
        self.feed = nil
        self.deliver(.contentSent)
    }

    // MARK: - Output

    /// Sends the commands and what follows them, of which nobody is shown anything.
    func sendWhole(_ octets: [UInt8], end: [UInt8]) {
        if !self.commands.isEmpty {
            self.owner?.overheard(self.commands.span, isOurs: true, on: self)
        }
        self.stream.send(self.commands.span, octets.span, end.span)
        self.commands.removeAll(retaining: Self.commandsRetained)
    }

    func flush() {
        guard !self.commands.isEmpty else { return }
        self.owner?.overheard(self.commands.span, isOurs: true, on: self)
        self.stream.send(self.commands.span)
        self.commands.removeAll(retaining: Self.commandsRetained)
    }

    private static let commandsRetained = 1 << 13

    private func armDeadline() {
        guard !self.isClosing else { return }
        let pace = self.options.pace
        switch self.session.awaiting {
        case .reply(.content): self.stream.setDeadline(seconds: pace.finalReplySeconds)
        case .reply(.quit): self.stream.setDeadline(seconds: pace.quitSeconds)
        case .reply, .contentSent: self.stream.setDeadline(seconds: pace.replySeconds)
        case .driver, .nothing: self.stream.setDeadline(seconds: nil)
        }
    }

    private func close() {
        self.isClosing = true
        self.stream.close()
    }

    private func abort() {
        self.isClosing = true
        self.stream.abort()
    }
}
