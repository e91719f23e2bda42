// SPDX-License-Identifier: Apache-2.0
//
// Content: spooled while it comes in, handed to the store ahead when it is large or memory is
// short, and made durable at its end.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

extension SMTPDriver {
    /// Serial numbers of requests whose answers wait for nobody's question.
    private static let stageSerial: UInt32 = .max
    private static let unstageSerial: UInt32 = .max - 1

    func openMessage(scratch: inout ReplyBuffer) -> SMTPServerSession.Answer {
        guard self.server.hasRoomForMessage, let id = self.server.messageIDs.next() else {
            return .storeFull
        }
        self.spool = ContentSpool(
            id: id,
            expecting: self.session.declaredOctets ?? 4096,
            looksForEightBit: !self.queued.isEmpty
        )
        self.pace.startContent(at: self.server.time.now, limits: self.server.limits)
        // The trace is written behind the replies, copied from there, and taken away again.
        let start = scratch.count
        self.session.appendTrace(
            to: &scratch,
            id: id,
            date: MailDate(secondsSince1970: self.server.time.wallClock)
        )
        self.append(scratch.span.extracting(start...))
        scratch.truncate(to: start)
        return .messageOpened(id)
    }

    func append(_ octets: borrowing Span<UInt8>) {
        guard let grown = self.spool?.append(octets) else { return }
        self.heldOctets += grown
        self.server.contentOctets += grown
        self.stage()
    }

    /// Lets full chunks, and smaller pieces when memory is short, go ahead to the store.
    private func stage() {
        while self.spool?.holdsFullChunk ?? false || self.shouldStagePiece {
            guard self.server.mayStage else {
                guard !self.isWaitingToStage else { return }
                self.isWaitingToStage = true
                return self.server.waitToStage(self)
            }
            guard let piece = self.spool?.takePiece() else { return }
            self.handOver(piece.octets)
            self.server.stagingOctets += piece.octets
            self.server.storage.write(
                piece.request,
                for: Ticket(connection: self.stream.id, serial: Self.stageSerial)
            )
        }
    }

    /// One piece at a time, so that they do not become smaller than they must.
    private var shouldStagePiece: Bool {
        guard self.server.isShortOfContentMemory, let holdsPiece = self.spool?.holdsPiece else {
            return false
        }
        return holdsPiece && self.spool?.unansweredOctets == 0
    }

    /// Whether the store must take content before more of it may come.
    var isCongested: Bool {
        guard let isCongested = self.spool?.isCongested else { return false }
        if isCongested || self.isWaitingToStage { return true }
        guard self.server.isShortOfContentMemory, let holdsPiece = self.spool?.holdsPiece else {
            return false
        }
        // The answer to the piece under way lets this one go.
        return holdsPiece && self.spool?.unansweredOctets != 0
    }

    /// Octets that the store holds from now on; the server counts them until it has answered.
    private func handOver(_ octets: Int) {
        self.heldOctets -= octets
    }

    func mayStage() {
        guard self.isWaitingToStage else { return }
        self.isWaitingToStage = false
        self.stage()
        if case .commit = self.asked { return self.appendIfStaged() }
        self.resumeIfFree()
    }

    func discardMessage() {
        if let spool = self.spool.take(), spool.stagedOctets > 0 { self.unstage(spool.id) }
        self.server.contentOctets -= self.heldOctets
        self.heldOctets = 0
    }

    private func unstage(_ id: MessageID) {
        self.server.storage.write(
            .unstage(id),
            for: Ticket(connection: self.stream.id, serial: Self.unstageSerial)
        )
    }

    // MARK: - The end of a message

    /// The answer at once when it is a refusal; nil: the store is asked.
    func commitMessage() -> ReadyAnswer? {
        if let failure = self.spool?.failure, self.spool?.unansweredOctets == 0 {
            return self.refuse(failure)
        }
        self.asked = .commit
        self.appendIfStaged()
        return nil
    }

    /// The append waits for the pieces before it: one that failed must not be referred to.
    private func appendIfStaged() {
        guard self.spool?.unansweredOctets == 0 else { return }
        if let failure = self.spool?.failure {
            self.asked = .nothing
            return self.resume(with: self.refuse(failure))
        }
        guard self.spool?.isReadyToAppend ?? false, let spool = self.spool.take() else { return }
        let id = spool.id
        let staged = spool.staged
        let octets = spool.octets
        let endsWithCRLF = spool.endsWithCRLF
        let queue = self.submission(hasEightBit: spool.hasEightBit)
        let message = StoreRequest.Append(
            id: id,
            reversePath: self.session.reversePath.copy(),
            content: spool.takeTail(),
            stagedChunks: staged.chunks,
            spilledOctets: staged.octets,
            octets: octets,
            endsWithCRLF: endsWithCRLF,
            deliveries: MailboxTarget.accounts(of: self.targets),
            // What is queued is queued for all or for none: a recipient that is tried again must
            // not get a second copy elsewhere, nor a report of success that was none.
            perRecipient: self.profile.isLMTP && queue == nil,
            receivedAt: self.server.time.wallClock,
            queue: queue
        )
        self.handOver(self.heldOctets)
        self.server.storage.write(.append(message), for: self.question.next(self.stream.id))
    }

    /// What goes into the queue with the message.
    private func submission(hasEightBit: Bool) -> QueueSubmission? {
        guard !self.queued.isEmpty else { return nil }
        var options = self.session.options
        // What the content is counts, not what was said of it: many servers have no 8BITMIME.
        options.body = hasEightBit ? .eightBitMIME : .sevenBit
        let reversePath = self.session.reversePath.copy()
        let isInternational =
            hasEightBit || self.queued.needUTF8 || reversePath.contains { $0 >= 0x80 }
        // Clients ask for SMTPUTF8 wherever it is offered; a message that is all ASCII needs none.
        // An alias may lead from ASCII to what is not.
        options.needsUTF8 = self.queued.needUTF8 || options.needsUTF8 && isInternational
        let now = self.server.time.wallClock
        let relaying = self.server.relaying
        return QueueSubmission(
            options: options,
            account: self.account?.id,
            expiresAt: now + relaying.ageSeconds,
            warnAt: relaying.warnSeconds.map { now + $0 },
            recipients: self.queued.recipients
        )
    }

    private func refuse(_ failure: ContentSpool.Failure) -> ReadyAnswer {
        self.discardMessage()
        self.server.journal.contentRefused(
            failure == .full ? "the disk is full" : "the store failed",
            stream: self.stream
        )
        return self.answer(to: .failed(failure == .full ? .full : .retryable("staging failed")))
    }

    private func answer(to answer: StoreAnswer) -> ReadyAnswer {
        CommitOutcome(answer, of: self.targets, isLMTP: self.profile.isLMTP).answer
    }
}

// MARK: - Answers

extension SMTPDriver {
    func answered(_ reply: StorageReply, serial: UInt32) {
        if serial == Self.stageSerial { return self.pieceAnswered(reply) }
        guard self.question.takes(serial), !self.isClosing else { return }
        let asked = self.asked
        self.asked = .nothing
        switch asked {
        case .nothing: return
        case .exchange: self.resume(withOutcome: self.goOn(withExchange: reply))
        case .adoption: self.resume(with: self.judge(adoption: reply))
        case .sender: self.resume(with: self.judge(sender: reply))
        case .author(let rest):
            self.resume(withOutcome: self.judge(author: reply, then: rest))
        case .recipient(let moment): self.resume(with: self.judge(recipient: reply, since: moment))
        case .mailbox: self.resume(with: Self.judge(mailbox: reply))
        case .expansion: self.resume(with: Self.judge(expansion: reply))
        case .fetching(let fetch):
            self.resume(withOutcome: self.goOn(fetching: fetch, with: reply))
        case .commit: self.resume(with: self.judge(commit: reply))
        }
    }

    private func judge(commit reply: StorageReply) -> ReadyAnswer {
        guard case .appended(let answer, _) = reply else {
            preconditionFailure("an append is answered as one")
        }
        // What is stored was sent.
        if case .appended = answer { self.taken = TakenRates() }
        return self.answer(to: answer)
    }

    private func pieceAnswered(_ reply: StorageReply) {
        // Content of a message that was given up concerns its successor only in that it may go on.
        guard case .staged(let answer, let id, let octets) = reply, self.spool?.id == id else {
            return self.resumeIfFree()
        }
        switch answer {
        case .failed(.full): self.spool?.pieceAnswered(octets: octets, .full)
        case .failed: self.spool?.pieceAnswered(octets: octets, .failed)
        default: self.spool?.pieceAnswered(octets: octets, nil)
        }
        if self.spool?.failure != nil { self.releaseHeld() }
        self.stage()
        if case .commit = self.asked { return self.appendIfStaged() }
        self.resumeIfFree()
    }

    /// A message that has failed is kept no more.
    private func releaseHeld() {
        self.server.contentOctets -= self.heldOctets
        self.heldOctets = 0
    }
}
