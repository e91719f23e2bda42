// SPDX-License-Identifier: Apache-2.0
//
// Interprets the effects of one POP3 session: feeds it what the stream received, sends its replies
// in portions, and asks what it asks. Logins and the maildrop are in the files beside this one.
//
// The session runs in `received` alone, as in the SMTP driver: an answer is kept until the stream,
// resumed, calls at the end of the turn.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import POP3Protocol

/// The driver of one POP3 connection.
final class POP3Driver: LoginConversation {
    let stream: any ByteStream
    unowned let server: MailServer
    let profile: ServiceProfile
    var session: POP3ServerSession
    var question = PendingQuestion()
    var asked = Question.nothing
    /// The answer that waits for the stream's next call.
    private var ready: ReadyAnswer?
    var login: Login?
    /// Who has logged in by AUTH.
    var account: LoggedInAccount?
    var maildrop: OpenMaildrop?
    /// The read that waits until the peer has taken what it was sent.
    private var heldEffect: POP3ServerSession.Effect?
    /// Content that goes out with the replies under way.
    private var insertion: Insertion?
    private var hasGreeted = false
    private(set) var isClosing = false
    private var isBlocked = false

    enum Question {
        case nothing
        case login
        case exchange
        case maildrop(Ticket)
        case listing
        case content
        case deletion(Ticket)
    }

    /// An answer in the words of the session.
    enum ReadyAnswer {
        case answer(POP3ServerSession.Answer)
        case exchange(LoginOutcome)
        case listing(MaildropListing)
        case content([UInt8], ContentPart)
    }

    /// Content that goes out from where it is, between replies.
    private struct Insertion {
        let octets: [UInt8]
        let range: ByteRange
        /// How many octets of the replies go before it.
        let position: Int
    }

    private enum Outcome {
        case goOn
        case awaitInput
        case suspended
        /// All input is lost until TLS is up.
        case securing
        case closed
    }

    init(stream: any ByteStream, server: MailServer, profile: ServiceProfile) {
        self.stream = stream
        self.server = server
        self.profile = profile
        self.session = POP3ServerSession(
            settings: profile.pop3,
            offersXCLIENT: profile.mayXCLIENT(stream.peer)
        )
        self.session.usableMechanisms = server.usableMechanisms(profile)
    }

    func begin() {
        if self.profile.isTLSImplicit { self.startTLS() } else { self.greet() }
    }

    private func greet() {
        self.hasGreeted = true
        self.deliver(
            .accepted(
                // Within TLS it depends on the peer's segments whether its words are there.
                earlyTalk: !self.profile.isTLSImplicit && self.stream.hasReadableInput,
                nonce: self.server.random(),
                clock: UInt64(self.server.time.wallClock)
            )
        )
    }

    func stop() {
        guard !self.isClosing else { return }
        self.deliver(.stopping)
    }

    // MARK: - The stream's calls

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        guard !self.isClosing else { return Consumption(count: octets.count, next: .finished) }
        // Each look at an unowned reference counts it up and down.
        let server = self.server
        var replies = server.takeReplies()
        var offset = 0
        let outcome = self.run(octets, &offset, server, into: &replies)
        self.flush(&replies, server)
        server.putBack(replies)
        guard outcome != .closed else { return Consumption(count: octets.count, next: .finished) }
        if outcome != .securing { self.armDeadline() }
        switch outcome {
        case .goOn: return Consumption(count: offset, next: self.isBlocked ? .suspend : .yield)
        case .awaitInput:
            return Consumption(count: offset, next: self.isBlocked ? .suspend : .awaitMore)
        case .suspended, .closed: return Consumption(count: offset, next: .suspend)
        case .securing: return Consumption(count: octets.count, next: .awaitMore)
        }
    }

    func secured(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        let facts = stream.channelFacts
        self.deliver(
            .secured(
                hasClientCertificate: facts.hasClientCertificate,
                bindsChannel: facts.bindsChannel
            )
        )
        if !self.hasGreeted { self.greet() }
    }

    func inputEnded(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.deliver(.peerClosed)
    }

    func drained(_ stream: any ByteStream) {
        guard self.isBlocked else { return }
        self.isBlocked = false
        guard !self.isAsking, !self.isClosing else { return }
        self.stream.resume()
    }

    func deadlinePassed(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.deliver(.deadlinePassed)
    }

    func ended(_ stream: any ByteStream) {
        self.releaseMaildrop()
        self.question.forget()
        self.server.ended(self)
    }

    // MARK: - Running the session

    private func run(
        _ octets: borrowing Span<UInt8>,
        _ offset: inout Int,
        _ server: MailServer,
        into replies: inout ReplyBuffer
    ) -> Outcome {
        var outcome = Outcome.goOn
        if let effect = self.heldEffect.take() {
            outcome = self.perform(effect, server, into: &replies)
        } else if let ready = self.ready.take() {
            outcome = self.perform(self.answer(ready, into: &replies), server, into: &replies)
        } else if self.isAsking {
            return .suspended
        }
        var steps = 0
        let stepsMax = server.limits.stepsPerTurn
        while outcome == .goOn, !self.isBlocked, steps < stepsMax {
            let rest = octets.extracting(offset...)
            let step = self.session.reduce(.received(rest), into: &replies)
            offset += step.consumed
            outcome = self.perform(step.effect, server, into: &replies)
            steps += 1
        }
        return outcome
    }

    /// An event that comes between the stream's calls for input.
    private func deliver(_ event: borrowing POP3ServerSession.Event) {
        let server = self.server
        var replies = server.takeReplies()
        let step = self.session.reduce(event, into: &replies)
        let outcome = self.perform(step.effect, server, into: &replies)
        self.flush(&replies, server)
        server.putBack(replies)
        if outcome != .closed, outcome != .securing { self.armDeadline() }
    }

    private func perform(
        _ effect: POP3ServerSession.Effect,
        _ server: MailServer,
        into replies: inout ReplyBuffer
    ) -> Outcome {
        var effect = effect
        while true {
            // A long answer leaves in portions; the rest waits for the peer.
            let count = replies.count + (self.insertion?.range.count ?? 0)
            if count >= server.outputPortionOctets { self.flush(&replies, server) }
            let answer: ReadyAnswer?
            switch effect {
            case .proceed:
                return .goOn
            case .awaitInput:
                return self.isAsking ? .suspended : .awaitInput
            case .close:
                self.flush(&replies, server)
                self.close()
                return .closed
            case .startTLS:
                self.flush(&replies, server)
                self.startTLS()
                return .securing
            case .adoptClient(let client):
                let isAdopted = server.adopt(client, on: self.stream, for: self.profile)
                answer = .answer(isAdopted ? .xclientAdopted : .xclientRefused)
            case .logIn(let method):
                answer = self.logIn(method)
            case .authenticate(let question):
                answer = self.authenticate(question)
            case .openMaildrop:
                answer = self.openMaildrop()
            case .listMaildrop:
                answer = self.askForListing()
            case .readContent(let message, let offset):
                guard !self.isBlocked else {
                    self.heldEffect = effect
                    return .suspended
                }
                answer = self.read(message, offset)
            case .commitDeletions:
                self.commitDeletions()
                answer = nil
            case .sendContent:
                preconditionFailure("content is sent where it was read")
            }
            guard let answer else { return .suspended }
            effect = self.answer(answer, into: &replies)
        }
    }

    private func answer(
        _ answer: ReadyAnswer,
        into replies: inout ReplyBuffer
    ) -> POP3ServerSession.Effect {
        switch answer {
        case .answer(let answer):
            self.session.reduce(.answered(answer), into: &replies).effect
        case .exchange(let outcome):
            outcome.answer { answer in
                self.session.reduce(.authenticationAnswered(copy answer), into: &replies).effect
            }
        case .listing(let listing):
            self.session.reduce(.listed(listing), into: &replies).effect
        case .content(let octets, let part):
            self.pass(octets, part, into: &replies)
        }
    }

    private func pass(
        _ octets: [UInt8],
        _ part: ContentPart,
        into replies: inout ReplyBuffer
    ) -> POP3ServerSession.Effect {
        let effect = self.session.reduce(
            .contentRead(
                octets.span.extracting(part.range.indices),
                isLast: part.isLast,
                needsStuffing: part.needsStuffing
            ),
            into: &replies
        ).effect
        guard case .sendContent(let range) = effect else { return effect }
        let found = range.shifted(by: part.range.lowerBound)
        if self.insertion == nil {
            self.insertion = Insertion(octets: octets, range: found, position: replies.count)
        } else {
            // The messages of a client that pipelines are copied together, for fewer sends.
            replies.append(octets.span, found)
        }
        return .proceed
    }

    private func flush(_ replies: inout ReplyBuffer, _ server: MailServer) {
        if let insertion = self.insertion.take() {
            self.stream.send(
                replies.span.extracting(first: insertion.position),
                insertion.octets.span.extracting(insertion.range.indices),
                replies.span.extracting(droppingFirst: insertion.position)
            )
        } else {
            guard !replies.isEmpty else { return }
            self.stream.send(replies.span)
        }
        replies.removeAll()
        let pending = self.stream.pendingOutputCount
        if pending > 0, pending > server.outputBacklogOctets { self.isBlocked = true }
    }

    private func startTLS() {
        guard let tls = self.profile.tls else { return self.stream.abort() }
        self.stream.startTLS(tls)
    }

    private func close() {
        self.isClosing = true
        self.releaseMaildrop()
        // Whoever is turned out may be in the middle of a sentence.
        self.stream.close(lingering: self.session.lastReplyWasError)
    }

    // MARK: - Waiting

    var isAsking: Bool {
        if case .nothing = self.asked { return false }
        return true
    }

    /// The stream calls `received` at the end of this turn.
    func resume(with answer: ReadyAnswer) {
        self.ready = answer
        self.stream.resume()
    }

    private func armDeadline() {
        self.stream.setDeadline(seconds: self.server.limits.pop3IdleSeconds)
    }

    // MARK: - Answers

    func answered(_ reply: StorageReply, serial: UInt32) {
        guard self.question.takes(serial), !self.isClosing else { return }
        let asked = self.asked
        self.asked = .nothing
        let answer: ReadyAnswer? =
            switch asked {
            case .nothing: nil
            case .login: self.goOn(withLogin: reply)
            case .exchange: self.goOn(withExchange: reply)
            case .maildrop(let ticket): self.maildropRead(reply, ticket)
            case .listing: self.listed(reply)
            case .content: self.contentRead(reply)
            case .deletion: .answer(Self.deleted(reply))
            }
        if let answer { self.resume(with: answer) }
    }
}
