// SPDX-License-Identifier: Apache-2.0
//
// Interprets the effects of one POP3 session: checks logins, holds the maildrop's lock, fetches
// listings and messages a chunk at a time, and carries deletions to the store.

package import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import POP3Protocol

/// The driver of one POP3 connection.
final class POP3Driver: Conversation {
    let stream: any ByteStream
    private unowned let server: MailServer
    private let profile: ServiceProfile
    private var session: POP3ServerSession
    private var question = PendingQuestion()
    private var asked = Question.nothing
    private var login: LoginInProgress?
    private var maildrop: OpenMaildrop?
    /// The effect that waits until the peer has read what it was sent.
    private var heldEffect: POP3ServerSession.Effect?
    private var isClosing = false
    private var isBlocked = false

    private enum Question {
        case nothing
        case account
        case password
        case maildrop
        case listing
        case content(sequence: UInt32, offset: Int)
        case deletion
        case delay
    }

    private enum Outcome {
        case goOn
        case awaitInput
        case suspended
        case closed
    }

    init(stream: any ByteStream, server: MailServer, profile: ServiceProfile) {
        self.stream = stream
        self.server = server
        self.profile = profile
        self.session = POP3ServerSession(settings: profile.pop3)
    }

    func begin() {
        self.deliver(
            .accepted(
                earlyTalk: self.stream.hasReadableInput,
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
        self.run(octets, into: &self.server.replies)
    }

    func inputEnded(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.deliver(.peerClosed)
    }

    func drained(_ stream: any ByteStream) {
        guard self.isBlocked, !self.isClosing else { return }
        self.isBlocked = false
        if let effect = self.heldEffect.take() {
            self.continue(with: effect, into: &self.server.replies)
        }
        self.resumeIfFree()
    }

    func deadlinePassed(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.deliver(.deadlinePassed)
    }

    func ended(_ stream: any ByteStream) {
        self.question.forget()
        self.releaseMaildrop()
        self.server.ended(self)
    }

    // MARK: - Running the session

    private func run(
        _ octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Consumption {
        guard !self.isClosing else { return Consumption(count: octets.count, next: .finished) }
        var offset = 0
        var steps = 0
        while true {
            let step = self.session.reduce(.received(octets.extracting(offset...)), into: &replies)
            offset += step.consumed
            steps += 1
            switch self.perform(step.effect, into: &replies) {
            case .closed:
                return Consumption(count: octets.count, next: .finished)
            case .suspended:
                self.flush(&replies)
                self.armDeadline()
                return Consumption(count: offset, next: .suspend)
            case .awaitInput:
                self.flush(&replies)
                self.armDeadline()
                return Consumption(count: offset, next: self.isBlocked ? .suspend : .awaitMore)
            case .goOn:
                if steps >= self.server.limits.stepsPerTurn { self.flush(&replies) }
                if self.isBlocked {
                    self.heldEffect = .proceed
                    return Consumption(count: offset, next: .suspend)
                }
                if steps >= self.server.limits.stepsPerTurn {
                    return Consumption(count: offset, next: .yield)
                }
            }
        }
    }

    /// An event that carries no octets of the stream.
    private func deliver(_ event: borrowing POP3ServerSession.Event) {
        self.deliver(event, into: &self.server.replies)
    }

    private func deliver(
        _ event: borrowing POP3ServerSession.Event,
        into replies: inout ReplyBuffer
    ) {
        let step = self.session.reduce(event, into: &replies)
        self.continue(with: step.effect, into: &replies)
    }

    private func `continue`(
        with effect: POP3ServerSession.Effect,
        into replies: inout ReplyBuffer
    ) {
        guard self.perform(effect, into: &replies) != .closed else { return }
        self.flush(&replies)
        self.armDeadline()
    }

    private func perform(
        _ effect: POP3ServerSession.Effect,
        into replies: inout ReplyBuffer
    ) -> Outcome {
        var effect = effect
        while true {
            // A long answer leaves in portions; the rest waits for the peer.
            if replies.count >= self.server.limits.outputPortionOctets { self.flush(&replies) }
            if self.isBlocked, effect != .close {
                self.heldEffect = effect
                return .suspended
            }
            switch effect {
            case .proceed:
                return .goOn
            case .awaitInput:
                return self.isAsking ? .suspended : .awaitInput
            case .close:
                self.flush(&replies)
                self.close()
                return .closed
            case .logIn(let method):
                self.logIn(method)
                return .suspended
            case .listMaildrop:
                self.askForListing()
                return .suspended
            case .readContent(let message, let offset):
                guard let next = self.read(message, offset, into: &replies) else {
                    return .suspended
                }
                effect = next
            case .commitDeletions:
                self.commitDeletions()
                return .suspended
            }
        }
    }

    private var isAsking: Bool {
        if case .nothing = self.asked { return false }
        return true
    }

    private func flush(_ replies: inout ReplyBuffer) {
        guard !replies.isEmpty else { return }
        self.stream.send(replies.span)
        replies.removeAll()
        if self.stream.pendingOutputCount > self.server.limits.outputBacklogOctets {
            self.isBlocked = true
        }
    }

    private func resumeIfFree() {
        guard !self.isBlocked, !self.isAsking, !self.isClosing else { return }
        self.stream.resume()
    }

    private func close() {
        guard !self.isClosing else { return }
        self.isClosing = true
        self.releaseMaildrop()
        self.stream.close()
    }

    private func armDeadline() {
        self.stream.setDeadline(seconds: self.server.limits.pop3IdleSeconds)
    }
}

// MARK: - Login

extension POP3Driver {
    private func logIn(_ method: POP3ServerSession.LoginMethod) {
        let login = LoginInProgress(
            name: self.session.userName,
            secret: self.session.secret,
            timestamp: self.session.apopTimestamp,
            method: method,
            directory: self.server.directory,
            startedAt: self.server.time.now
        )
        self.login = login
        if case .password(let password) = login.proof, let address = login.address,
            let account = self.server.credentials.account(of: address, ifPasswordIs: password)
        {
            return self.open(account)
        }
        guard let address = login.address else { return self.check(nil) }
        self.asked = .account
        self.server.storage.read(.account(address), for: self.question.next(self.stream.id))
    }

    private func check(_ account: AccountRecord?) {
        guard let login = self.login else { return }
        self.asked = .password
        self.login?.account = account
        let attempt = LoginAttempt(account: account, proof: login.proof)
        let accepted = self.server.passwords.check(
            attempt,
            for: self.question.next(self.stream.id)
        )
        if !accepted {
            self.question.forget()
            self.finishLogin(.temporaryFailure)
        }
    }

    private func judge(_ verdict: PasswordVerdict) {
        guard let login = self.login, let account = login.account, verdict.isValid else {
            return self.refuseLogin()
        }
        if case .password(let password) = login.proof, let address = login.address {
            self.server.credentials.remember(address, password, account.id)
            if let record = verdict.betterRecord {
                self.server.storage.write(
                    .setPassword(address, record),
                    for: Ticket(connection: self.stream.id, serial: .max)
                )
            }
        }
        self.open(account.id)
    }

    /// An unknown user and a wrong password look the same, in words and in time: the answer comes
    /// at a fixed delay after the attempt began.
    private func refuseLogin() {
        self.server.logLoginFailure(of: self.login, from: self.stream)
        let started = self.login?.startedAt ?? 0
        let delay = started + self.server.limits.loginFailureSeconds - self.server.time.now
        guard delay > 0 else { return self.finishLogin(.loginRefused) }
        self.asked = .delay
        self.server.answerLater(
            .delayPassed,
            for: self.question.next(self.stream.id),
            after: delay
        )
    }

    private func open(_ account: AccountID) {
        guard self.server.locks.take(account, for: self.stream.id) else {
            return self.finishLogin(.maildropLocked)
        }
        self.maildrop = OpenMaildrop(account: account)
        self.asked = .maildrop
        self.server.storage.read(.maildrop(account), for: self.question.next(self.stream.id))
    }

    private func finishLogin(_ answer: POP3ServerSession.Answer) {
        self.login = nil
        self.asked = .nothing
        if case .loggedIn = answer {} else { self.releaseMaildrop() }
        self.deliver(.answered(answer))
    }

    private func releaseMaildrop() {
        guard let maildrop = self.maildrop.take() else { return }
        self.server.prefetchedOctets -= maildrop.prefetchedOctets
        self.server.locks.release(maildrop.account, of: self.stream.id)
    }
}

// MARK: - The maildrop

extension POP3Driver {
    private func askForListing() {
        guard let maildrop = self.maildrop, let head = maildrop.head else { return }
        self.asked = .listing
        self.server.storage.read(
            .listing(maildrop.account, head: head),
            for: self.question.next(self.stream.id)
        )
    }

    /// The next effect when the octets are at hand, else nil: the store is asked.
    private func read(
        _ message: Int32,
        _ offset: Int,
        into replies: inout ReplyBuffer
    ) -> POP3ServerSession.Effect? {
        guard let maildrop = self.maildrop, let sequence = maildrop.sequence(of: message) else {
            return self.session.reduce(.answered(.contentMissing), into: &replies).effect
        }
        if offset == 0, let octets = self.maildrop?.takePrefetched(sequence) {
            self.server.prefetchedOctets -= octets.count
            return self.session.reduce(.contentRead(octets.span, isLast: true), into: &replies)
                .effect
        }
        self.asked = .content(sequence: sequence, offset: offset)
        let hasRoom = self.server.prefetchedOctets < self.server.limits.contentMemoryOctets
        let question = ContentQuestion(
            account: maildrop.account,
            sequence: sequence,
            offset: offset,
            octetsMax: self.server.limits.outputPortionOctets,
            following: offset == 0 && hasRoom ? maildrop.following(message) : []
        )
        self.server.storage.read(.content(question), for: self.question.next(self.stream.id))
        return nil
    }

    private func commitDeletions() {
        guard let maildrop = self.maildrop, let head = maildrop.head else { return }
        var sequences: [UInt32] = []
        sequences.reserveCapacity(self.session.deletedCount)
        self.session.forEachDeleted { index in
            if let sequence = maildrop.sequence(of: Int32(index)) { sequences.append(sequence) }
        }
        self.asked = .deletion
        self.server.storage.write(
            .delete(maildrop.account, incarnation: head.incarnation, sequences: sequences),
            for: self.question.next(self.stream.id)
        )
    }
}

// MARK: - Answers

extension POP3Driver {
    func answered(_ reply: StorageReply, serial: UInt32) {
        guard self.question.takes(serial), !self.isClosing else { return }
        let asked = self.asked
        self.asked = .nothing
        switch asked {
        case .nothing:
            return
        case .account:
            guard case .account(let record) = reply else {
                self.finishLogin(.temporaryFailure)
                break
            }
            self.check(record)
        case .password:
            guard case .judged(let verdict) = reply else {
                self.finishLogin(.temporaryFailure)
                break
            }
            self.judge(verdict)
        case .delay:
            self.finishLogin(.loginRefused)
        case .maildrop:
            self.opened(reply)
        case .listing:
            self.listed(reply)
        case .content(let sequence, let offset):
            self.contentRead(reply, sequence, offset)
        case .deletion:
            guard case .written(.deleted) = reply else {
                self.deliver(.answered(.deletionsFailed))
                break
            }
            self.deliver(.answered(.deletionsCommitted))
        }
        self.resumeIfFree()
    }

    private func opened(_ reply: StorageReply) {
        switch reply {
        case .maildrop(let head):
            self.maildrop?.head = head
            self.server.logLogin(of: self.login, head, from: self.stream)
            self.finishLogin(.loggedIn(messages: head.count, octets: head.octets))
        case .failed(.gone):
            // The account went away between the check and now.
            self.refuseLogin()
        default:
            self.finishLogin(.temporaryFailure)
        }
    }

    private func listed(_ reply: StorageReply) {
        guard case .listing(let listing) = reply else {
            return self.deliver(.answered(.temporaryFailure))
        }
        self.maildrop?.listing = listing
        self.deliver(.listed(listing))
    }

    private func contentRead(_ reply: StorageReply, _ sequence: UInt32, _ offset: Int) {
        switch reply {
        case .content(let octets, let isLast, let following):
            let kept = self.maildrop?.prefetch(following) ?? 0
            self.server.prefetchedOctets += kept
            self.deliver(.contentRead(octets.span, isLast: isLast))
        case .failed(.gone):
            self.deliver(.answered(.contentMissing))
        default:
            self.deliver(.answered(.temporaryFailure))
        }
    }
}
