// SPDX-License-Identifier: Apache-2.0
//
// Interprets the effects of one SMTP or LMTP session: feeds it what the stream received, sends its
// replies, asks the directory and the store what it asks, and spools content. It decides nothing
// about the protocol.

package import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

/// The driver of one SMTP or LMTP connection.
final class SMTPDriver: Conversation {
    let stream: any ByteStream
    private unowned let server: MailServer
    private let profile: ServiceProfile
    private var session: SMTPServerSession
    private var question = PendingQuestion()
    private var asked = Question.nothing
    /// Where the accepted recipients' copies go, recipient by recipient.
    private var targets: [[MailboxTarget]] = []
    private var spool: ContentSpool?
    private var heldOctets = 0
    private var reservedOctets = 0
    private var pace = PaceMeter()
    private var isClosing = false
    private var isBlocked = false

    private enum Question {
        case nothing
        case recipient
        case commit
        case mailbox
        case expansion
    }

    /// What became of an effect.
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
        self.session = SMTPServerSession(settings: profile.smtp, peer: stream.peer)
    }

    func begin() {
        let early = self.stream.hasReadableInput
        self.deliver(.accepted(earlyTalk: early), into: &self.server.replies)
    }

    func stop() {
        guard !self.isClosing else { return }
        self.deliver(.stopping, into: &self.server.replies)
    }

    // MARK: - The stream's calls

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        self.run(octets, into: &self.server.replies)
    }

    func inputEnded(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        self.deliver(.peerClosed, into: &self.server.replies)
    }

    func drained(_ stream: any ByteStream) {
        guard self.isBlocked else { return }
        self.isBlocked = false
        self.resumeIfFree()
    }

    func deadlinePassed(_ stream: any ByteStream) {
        guard !self.isClosing else { return }
        let now = self.server.time.now
        if self.session.awaiting == .content {
            let limits = self.server.limits
            if self.pace.hasTime(at: now, limits: limits) {
                let slow = self.pace.isTooSlow(
                    octets: self.session.contentOctets,
                    at: now,
                    limits: limits
                )
                guard slow else { return self.armDeadline() }
                self.deliver(.tooSlow, into: &self.server.replies)
                return
            }
        }
        self.deliver(.deadlinePassed, into: &self.server.replies)
    }

    func ended(_ stream: any ByteStream) {
        self.discardMessage()
        self.question.forget()
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
            let rest = octets.extracting(offset...)
            let step = self.session.reduce(.received(rest), into: &replies)
            let outcome = self.perform(step.effect, of: rest, into: &replies)
            offset += step.consumed
            steps += 1
            switch outcome {
            case .closed:
                return Consumption(count: octets.count, next: .finished)
            case .suspended:
                self.flush(&replies)
                return Consumption(count: offset, next: .suspend)
            case .awaitInput:
                self.flush(&replies)
                self.armDeadline()
                return Consumption(count: offset, next: self.isHeldBack ? .suspend : .awaitMore)
            case .goOn:
                guard steps < self.server.limits.stepsPerTurn else {
                    self.flush(&replies)
                    return Consumption(count: offset, next: self.isHeldBack ? .suspend : .yield)
                }
                if self.isHeldBack {
                    self.flush(&replies)
                    return Consumption(count: offset, next: .suspend)
                }
            }
        }
    }

    /// An event that carries no octets of the stream.
    private func deliver(
        _ event: borrowing SMTPServerSession.Event,
        into replies: inout ReplyBuffer
    ) {
        let step = self.session.reduce(event, into: &replies)
        let outcome = self.perform(step.effect, of: Span<UInt8>(), into: &replies)
        guard outcome != .closed else { return }
        self.flush(&replies)
        self.armDeadline()
    }

    private func perform(
        _ effect: SMTPServerSession.Effect,
        of octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Outcome {
        var effect = effect
        while true {
            var answer: SMTPServerSession.Answer?
            switch effect {
            case .proceed:
                return .goOn
            case .awaitInput:
                return self.asked == .nothing ? .awaitInput : .suspended
            case .appendContent(let range):
                self.append(octets.extracting(range.indices))
                return .goOn
            case .appendLineEnd:
                let lineEnd: [UInt8] = [.cr, .lf]
                self.append(lineEnd.span)
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
                answer = self.openMessage()
            case .commitMessage:
                answer = self.commitMessage()
            case .verifyMailbox:
                answer = self.verifyMailbox()
            case .expandList:
                answer = self.expandList()
            }
            guard let answer else { return .suspended }
            effect = self.session.reduce(.answered(answer), into: &replies).effect
        }
    }

    /// Sends the replies of this turn at once.
    private func flush(_ replies: inout ReplyBuffer) {
        guard !replies.isEmpty else { return }
        self.stream.send(replies.span)
        replies.removeAll()
        if self.stream.pendingOutputCount > self.server.limits.outputBacklogOctets {
            self.isBlocked = true
        }
    }

    /// Whether the peer must wait: it does not read, or the store has not taken its chunks.
    private var isHeldBack: Bool {
        if self.isBlocked { return true }
        guard let congested = self.spool?.isCongested else { return false }
        return congested
    }

    private func resumeIfFree() {
        guard !self.isHeldBack, self.asked == .nothing, !self.isClosing else { return }
        self.armDeadline()
        self.stream.resume()
    }

    private func close() {
        guard !self.isClosing else { return }
        self.isClosing = true
        self.discardMessage()
        self.stream.close()
    }

    private func armDeadline() {
        let limits = self.server.limits
        switch self.session.awaiting {
        case .command:
            self.stream.setDeadline(seconds: limits.idleSeconds)
        case .content:
            self.stream.setDeadline(
                seconds: self.pace.nextCheck(at: self.server.time.now, limits: limits)
            )
        case .answer, .nothing:
            self.stream.setDeadline(seconds: limits.idleSeconds)
        }
    }
}

// MARK: - Recipients

extension SMTPDriver {
    private func verifyRecipient() -> SMTPServerSession.Answer? {
        if self.session.recipientCount == 0 { self.targets.removeAll(keepingCapacity: true) }
        guard let address = self.server.directory.address(self.session.recipientUnderQuestion)
        else { return .recipientUnknown }
        guard self.server.directory.isLocal(address) else { return .relayingDenied }
        if let known = self.server.directory.cached(address) {
            return self.accept(known)
        }
        return self.ask(.recipient, .resolve(address, quotaOf: self.server.directory.policy))
    }

    /// The verdict on a recipient whose mailboxes are known.
    private func accept(_ resolution: AddressResolution) -> SMTPServerSession.Answer {
        guard case .mailboxes(let mailboxes) = resolution else { return .recipientUnknown }
        let expected = self.session.declaredOctets ?? 0
        for mailbox in mailboxes {
            guard !self.server.reservations.isOver(mailbox, adding: expected) else {
                // The quota holds for the account, not for this message alone: the sender may try
                // again once mail has been fetched, unless the message can never fit.
                return .mailboxFull(permanent: expected > mailbox.quota ?? .max)
            }
        }
        let total = self.targets.reduce(0) { $0 + $1.count } + mailboxes.count
        guard total <= self.server.limits.deliveriesPerTransaction else { return .temporaryFailure }
        self.targets.append(mailboxes)
        return .recipientAccepted
    }

    private func verifyMailbox() -> SMTPServerSession.Answer? {
        guard let address = self.server.directory.address(self.session.recipientUnderQuestion),
            self.server.directory.isLocal(address)
        else { return .mailboxUnknown }
        if let known = self.server.directory.cached(address) {
            return known.isDeliverable ? .mailboxVerified : .mailboxUnknown
        }
        return self.ask(.mailbox, .resolve(address, quotaOf: self.server.directory.policy))
    }

    private func expandList() -> SMTPServerSession.Answer? {
        guard let address = self.server.directory.address(self.session.recipientUnderQuestion),
            self.server.directory.isLocal(address)
        else { return .mailboxUnknown }
        return self.ask(.expansion, .expand(address, self.server.directory.policy))
    }

    private func ask(_ asked: Question, _ question: StoreQuestion) -> SMTPServerSession.Answer? {
        self.asked = asked
        self.server.storage.read(question, for: self.question.next(self.stream.id))
        return nil
    }
}

// MARK: - Content

extension SMTPDriver {
    private func openMessage() -> SMTPServerSession.Answer {
        guard let id = self.server.messageIDs.next() else { return .storeFull }
        self.spool = ContentSpool(id: id, expecting: self.session.declaredOctets ?? 4096)
        self.pace.start(at: self.server.time.now)
        self.reserveQuota()
        var trace = ReplyBuffer(capacity: 512)
        self.session.appendTrace(
            to: &trace,
            id: id,
            date: MailDate(secondsSince1970: self.server.time.wallClock)
        )
        self.append(trace.span)
        return .messageOpened(id)
    }

    private func append(_ octets: borrowing Span<UInt8>) {
        guard self.spool != nil, let grown = self.spool?.append(octets) else { return }
        self.heldOctets += grown
        self.server.contentOctets += grown
        while let chunk = self.spool?.takeFullChunk(), let spool = self.spool?.id {
            self.releaseHeld(chunk.count)
            let index = (self.spool?.stagedChunks ?? 1) - 1
            self.server.storage.write(
                .stage(spool, index: index, chunk),
                for: Ticket(connection: self.stream.id, serial: Self.stageSerial)
            )
        }
    }

    private func releaseHeld(_ octets: Int) {
        self.heldOctets -= octets
        self.server.contentOctets -= octets
    }

    private func discardMessage() {
        guard let spool = self.spool.take() else { return }
        if spool.stagedChunks > 0 {
            self.server.storage.write(
                .unstage(spool.id),
                for: Ticket(connection: self.stream.id, serial: Self.discardSerial)
            )
        }
        self.releaseMessage()
    }

    /// Gives back what an open message holds.
    private func releaseMessage() {
        self.releaseHeld(self.heldOctets)
        self.releaseQuota()
        self.targets.removeAll(keepingCapacity: true)
    }

    private func reserveQuota() {
        self.reservedOctets = self.session.declaredOctets ?? 0
        self.server.reservations.add(self.reservedOctets, to: self.targets)
    }

    private func releaseQuota() {
        self.server.reservations.remove(self.reservedOctets, from: self.targets)
        self.reservedOctets = 0
    }

    private func commitMessage() -> SMTPServerSession.Answer? {
        self.asked = .commit
        self.commitIfStaged()
        return nil
    }

    /// The append waits for the chunks before it, because one that failed must not be referred to.
    private func commitIfStaged() {
        guard let unanswered = self.spool?.unansweredChunks, unanswered == 0 else { return }
        guard let spool = self.spool.take() else { return }
        if let failure = spool.failure {
            if spool.stagedChunks > 0 {
                self.server.storage.write(
                    .unstage(spool.id),
                    for: Ticket(connection: self.stream.id, serial: Self.discardSerial)
                )
            }
            self.server.answerLater(
                .written(.failed(failure == .full ? .full : .retryable("staging"))),
                for: self.question.next(self.stream.id)
            )
            return
        }
        let id = spool.id
        let staged = spool.stagedChunks
        let octets = spool.octets
        let endsWithCRLF = spool.endsWithCRLF
        let message = StoreRequest.Append(
            id: id,
            reversePath: self.session.reversePath.copy(),
            content: spool.takeTail(),
            stagedChunks: staged,
            octets: octets,
            endsWithCRLF: endsWithCRLF,
            deliveries: MailboxTarget.accounts(of: self.targets),
            perRecipient: self.profile.isLMTP,
            receivedAt: self.server.time.wallClock
        )
        self.server.storage.write(.append(message), for: self.question.next(self.stream.id))
    }

    private static let stageSerial: UInt32 = .max
    private static let discardSerial: UInt32 = .max - 1
}

// MARK: - Answers

extension SMTPDriver {
    func answered(_ reply: StorageReply, serial: UInt32) {
        if serial == Self.stageSerial { return self.chunkAnswered(reply) }
        guard self.question.takes(serial) else { return }
        let asked = self.asked
        self.asked = .nothing
        switch asked {
        case .nothing:
            return
        case .recipient:
            self.answer(self.judge(recipient: reply))
        case .mailbox:
            self.answer(Self.judge(mailbox: reply))
        case .expansion:
            self.answerExpansion(reply)
        case .commit:
            self.answerCommit(reply)
        }
        self.resumeIfFree()
    }

    private func chunkAnswered(_ reply: StorageReply) {
        switch reply {
        case .written(.failed(.full)): self.spool?.chunkAnswered(.full)
        case .written(.failed), .failed: self.spool?.chunkAnswered(.failed)
        default: self.spool?.chunkAnswered(nil)
        }
        if self.asked == .commit {
            self.commitIfStaged()
        } else {
            self.resumeIfFree()
        }
    }

    private func answer(_ answer: SMTPServerSession.Answer) {
        self.deliver(.answered(answer), into: &self.server.replies)
    }

    private func judge(recipient reply: StorageReply) -> SMTPServerSession.Answer {
        guard case .resolved(let address, let resolution) = reply else { return .temporaryFailure }
        self.server.directory.remember(resolution, for: address)
        return self.accept(resolution)
    }

    private static func judge(mailbox reply: StorageReply) -> SMTPServerSession.Answer {
        guard case .resolved(_, let resolution) = reply else { return .temporaryFailure }
        return resolution.isDeliverable ? .mailboxVerified : .mailboxUnknown
    }

    private func answerExpansion(_ reply: StorageReply) {
        guard case .expanded(let members) = reply else { return self.answer(.temporaryFailure) }
        guard let members, !members.isEmpty else { return self.answer(.mailboxUnknown) }
        self.deliver(.listed(members.span), into: &self.server.replies)
    }

    private func answerCommit(_ reply: StorageReply) {
        let outcome = CommitOutcome(reply, of: self.targets)
        self.server.logMessage(self.session, outcome, from: self)
        self.releaseMessage()
        if self.profile.isLMTP {
            for answer in outcome.answersPerRecipient {
                self.asked = .nothing
                self.answer(answer)
            }
        } else {
            self.answer(outcome.answer)
        }
    }
}
