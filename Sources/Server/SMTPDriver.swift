// SPDX-License-Identifier: Apache-2.0
//
// Interprets the effects of one SMTP or LMTP session: feeds it what the stream received, sends its
// replies, asks the directory and the store what it asks, and spools content. It decides nothing
// about the protocol. Recipients and content are in the files beside this one.
//
// The session runs in `received` alone: an answer is kept until the stream, resumed, calls at the
// end of the turn. So no call of the driver is ever made from within another, and the replies to an
// answer and to what is buffered behind it leave together.

internal import Delivery
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

/// The driver of one SMTP or LMTP connection.
final class SMTPDriver: LoginConversation {
    let stream: any ByteStream
    unowned let server: MailServer
    let profile: ServiceProfile
    var session: SMTPServerSession
    var question = PendingQuestion()
    var asked = Question.nothing
    /// The answer that waits for the stream's next call.
    var ready: ReadyAnswer?
    var login: Login?
    /// Who has shown a good proof; the exchange may not be over yet.
    private var provenAccount: LoggedInAccount?
    /// What of the account's rates the transaction has taken.
    var taken = TakenRates()
    /// Where the accepted recipients' copies go, recipient by recipient.
    var targets: [[MailboxTarget]] = []
    /// What of them goes into the queue.
    var queued = QueuedRecipients()
    var deliveryCount = 0
    /// What each of their maildrops with a quota was asked to keep free.
    var reservedOctets = 0
    var spool: ContentSpool?
    /// Octets of the message in memory here, as the server counts them.
    var heldOctets = 0
    var pace = PaceMeter()
    var isWaitingToStage = false
    var isClosing = false
    /// What ATRN has found; the stream goes to those who deliver it.
    var fetched: [Destination] = []
    private var isTurning = false
    var isBlocked = false
    var greeting = GreetingState.due
    var tarpit = Tarpit()
    var isTarpitted = false

    enum Question {
        case nothing
        case exchange
        case adoption
        case sender
        /// The author that is looked up, and those who follow.
        case author(ArraySlice<Address>)
        case recipient(AccountChanges.Moment)
        case mailbox
        case expansion
        case fetching(MailFetch)
        case commit
    }

    /// An answer in the words of the session.
    enum ReadyAnswer {
        case answer(SMTPServerSession.Answer)
        case exchange(LoginOutcome)
        /// LMTP: one answer for each recipient.
        case perRecipient([SMTPServerSession.Answer])
        /// The members of a list, LF between them.
        case members([UInt8])
    }

    /// What became of an effect.
    private enum Outcome {
        case goOn
        case awaitInput
        case suspended
        /// All input is lost until TLS is up.
        case securing
        /// In a call of its own the stream is given away.
        case turning
        case closed
    }

    /// How far the greeting is.
    enum GreetingState {
        case due
        /// The client must be silent for a while.
        case delayed
        case sent
    }

    init(stream: any ByteStream, server: MailServer, profile: ServiceProfile) {
        self.stream = stream
        self.server = server
        self.profile = profile
        self.session = SMTPServerSession(
            settings: profile.smtp,
            peer: stream.client,
            offersXCLIENT: profile.mayXCLIENT(stream.peer)
        )
        self.session.usableMechanisms = server.usableMechanisms(profile)
        self.session.canBeginTLS = profile.tls != nil
    }

    func stop() {
        guard !self.isClosing else { return }
        self.deliver(.stopping)
    }

    /// Who has logged in.
    var account: LoggedInAccount? {
        get { self.session.isAuthenticated ? self.provenAccount : nil }
        set { self.provenAccount = newValue }
    }

    // MARK: - The stream's calls

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        if self.isTurning { return self.turnAround() }
        guard !self.isClosing else { return Consumption(count: octets.count, next: .finished) }
        if self.greeting == .delayed, octets.count > 0 { self.greet() }
        guard !self.isClosing, self.greeting == .sent else {
            return Consumption(count: 0, next: .awaitMore)
        }
        var replies = self.server.takeReplies()
        var offset = 0
        let outcome = self.run(octets, &offset, into: &replies)
        self.flush(&replies)
        self.server.putBack(replies)
        guard outcome != .closed else { return Consumption(count: octets.count, next: .finished) }
        guard outcome != .securing else {
            return Consumption(count: octets.count, next: .awaitMore)
        }
        guard outcome != .turning else { return Consumption(count: offset, next: .yield) }
        self.endTransactionIfOver()
        self.slowDown()
        self.armDeadline()
        switch outcome {
        case .goOn: return Consumption(count: offset, next: self.isHeldBack ? .suspend : .yield)
        case .awaitInput:
            return Consumption(count: offset, next: self.isHeldBack ? .suspend : .awaitMore)
        case .suspended, .securing, .turning, .closed:
            return Consumption(count: offset, next: .suspend)
        }
    }

    func inputEnded(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.deliver(.peerClosed)
    }

    func drained(_ stream: any ByteStream) {
        guard self.isBlocked else { return }
        self.isBlocked = false
        self.resumeIfFree()
    }

    func deadlinePassed(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        if self.greeting == .delayed { return self.greet() }
        let now = self.server.time.now
        guard self.pace.isRunning, !self.isAsking else { return self.deliver(.deadlinePassed) }
        if self.isHeldBack { self.pace.excuse(at: now) }
        let octets = self.session.contentOctets
        switch self.pace.check(octets: octets, at: now, limits: self.server.limits) {
        case .goOn: self.armDeadline()
        case .late: self.deliver(.deadlinePassed)
        case .tooSlow: self.deliver(.tooSlow)
        }
    }

    func ended(_ stream: any ByteStream) {
        self.endTransaction()
        self.question.forget()
        self.server.ended(self)
    }

    // MARK: - Running the session

    private func run(
        _ octets: borrowing Span<UInt8>,
        _ offset: inout Int,
        into replies: inout ReplyBuffer
    ) -> Outcome {
        var outcome = Outcome.goOn
        if let ready = self.ready.take() {
            let effect = self.answer(ready, into: &replies)
            outcome = self.perform(effect, of: octets, into: &replies)
        } else if self.isAsking {
            return .suspended
        }
        var steps = 0
        while outcome == .goOn, !self.isHeldBack, steps < self.server.limits.stepsPerTurn {
            let rest = octets.extracting(offset...)
            let step = self.session.reduce(.received(rest), into: &replies)
            outcome = self.perform(step.effect, of: rest, into: &replies)
            offset += step.consumed
            steps += 1
        }
        return outcome
    }

    /// An event that comes between the stream's calls for input.
    func deliver(_ event: borrowing SMTPServerSession.Event) {
        var replies = self.server.takeReplies()
        let step = self.session.reduce(event, into: &replies)
        let outcome = self.perform(step.effect, of: Span(), into: &replies)
        self.flush(&replies)
        self.server.putBack(replies)
        if outcome != .closed, outcome != .securing, outcome != .turning { self.armDeadline() }
    }

    private func perform(
        _ effect: SMTPServerSession.Effect,
        of octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Outcome {
        var effect = effect
        while true {
            let answer: ReadyAnswer?
            switch effect {
            case .proceed:
                return .goOn
            case .awaitInput:
                return self.isAsking ? .suspended : .awaitInput
            case .appendContent(let range):
                self.append(octets.extracting(range.indices))
                return .goOn
            case .appendLineEnd:
                self.append(Self.lineEnd.span)
                return .goOn
            case .discardMessage:
                self.discardMessage()
                return .goOn
            case .close:
                self.flush(&replies)
                self.close()
                return .closed
            case .verifyRecipient:
                answer = self.verifyRecipient()
            case .openMessage:
                answer = .answer(self.openMessage(scratch: &replies))
            case .commitMessage:
                answer = self.commitMessage()
            case .verifyMailbox:
                answer = self.verifyMailbox()
            case .expandList:
                answer = self.expandList()
            case .startQueue(let scope):
                answer = self.startQueue(scope)
            case .findMail:
                answer = self.findMail()
            case .turnAround:
                self.isTurning = true
                self.isClosing = true
                return .turning
            case .verifySender:
                answer = self.verifySender()
            case .completeHeader:
                answer = self.completeHeader(scratch: &replies)
            case .adoptClient:
                answer = self.adoptClient()
            case .authenticate(let question):
                answer = self.authenticate(question)
            case .startTLS:
                self.flush(&replies)
                self.startTLS()
                return .securing
            }
            guard let answer else { return .suspended }
            effect = self.answer(answer, into: &replies)
        }
    }

    private static let lineEnd: [UInt8] = [.cr, .lf]

    private func answer(
        _ answer: ReadyAnswer,
        into replies: inout ReplyBuffer
    ) -> SMTPServerSession.Effect {
        switch answer {
        case .answer(let answer):
            return self.session.reduce(.answered(answer), into: &replies).effect
        case .exchange(let outcome):
            return outcome.answer { answer in
                self.session.reduce(.authenticationAnswered(copy answer), into: &replies).effect
            }
        case .perRecipient(let answers):
            var effect = SMTPServerSession.Effect.awaitInput
            for answer in answers {
                effect = self.session.reduce(.answered(answer), into: &replies).effect
            }
            return effect
        case .members(let members):
            return self.session.reduce(.listed(members.span), into: &replies).effect
        }
    }

    /// Sends the replies of this call at once.
    private func flush(_ replies: inout ReplyBuffer) {
        guard !replies.isEmpty else { return }
        self.stream.send(replies.span)
        replies.removeAll()
        if self.stream.pendingOutputCount > self.server.outputBacklogOctets {
            self.isBlocked = true
        }
    }

    private func close() {
        self.isClosing = true
        self.endTransaction()
        // Whoever is turned out may be in the middle of a sentence.
        self.stream.close(lingering: self.session.lastReplyWasError)
    }
}
