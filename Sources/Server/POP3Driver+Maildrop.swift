// SPDX-License-Identifier: Apache-2.0
//
// The open maildrop: its listing, its messages a part at a time, the deletions at QUIT, and the
// lock that is given back however the session ends.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import POP3Protocol

extension POP3Driver {
    /// The answer when the listing is known, else nil: the store is asked.
    func askForListing() -> ReadyAnswer? {
        guard let account = self.maildrop?.account, let head = self.maildrop?.head else {
            return .answer(.temporaryFailure)
        }
        if let listing = self.server.heads.listing(of: account, at: head) {
            self.maildrop?.listing = listing
            return .listing(listing)
        }
        self.asked = .listing
        self.server.storage.read(
            .listing(account, head: head),
            for: self.question.next(self.stream.id)
        )
        return nil
    }

    func listed(_ reply: StorageReply) -> ReadyAnswer {
        guard case .listing(let listing) = reply else { return .answer(.temporaryFailure) }
        self.maildrop?.listing = listing
        if let account = self.maildrop?.account, let head = self.maildrop?.head {
            self.server.heads.remember(listing, of: account, at: head)
        }
        return .listing(listing)
    }

    /// The answer when the octets are at hand, else nil: the store is asked.
    func read(_ message: Int32, _ offset: Int) -> ReadyAnswer? {
        // The maildrop is not taken out here: what was read ahead must have one owner only.
        guard let sequence = self.maildrop?.sequence(of: message),
            let account = self.maildrop?.account
        else { return .answer(.contentMissing) }
        let held = self.maildrop?.prefetchedOctets ?? 0
        if offset == 0, let (octets, part) = self.maildrop?.takePrefetched(sequence) {
            self.countPrefetched(since: held)
            return .content(octets, part)
        }
        self.asked = .content
        let portion = self.server.outputPortionOctets
        let mayPrefetch = self.server.prefetchedOctets < self.server.limits.contentMemoryOctets
        let (following, octets) =
            offset == 0 && mayPrefetch
            ? self.maildrop?.following(message, octetsMax: portion) ?? ([], 0) : ([], 0)
        if !following.isEmpty {
            self.maildrop?.expectPrefetch(octets: octets)
            self.countPrefetched(since: held)
        }
        let question = ContentQuestion(
            account: account,
            sequence: sequence,
            offset: offset,
            octetsMax: portion,
            following: following,
            wholeOctets: octets
        )
        self.server.storage.read(.content(question), for: self.question.next(self.stream.id))
        return nil
    }

    func contentRead(_ reply: StorageReply) -> ReadyAnswer {
        let held = self.maildrop?.prefetchedOctets ?? 0
        defer { self.countPrefetched(since: held) }
        guard case .content(let content) = reply else {
            self.maildrop?.forgetPrefetched()
            if case .failed(.gone) = reply { return .answer(.contentMissing) }
            return .answer(.temporaryFailure)
        }
        self.maildrop?.prefetch(content)
        return .content(content.octets, content.part)
    }

    /// The octets that this session has read ahead were so many, and have changed.
    private func countPrefetched(since held: Int) {
        self.server.prefetchedOctets += (self.maildrop?.prefetchedOctets ?? 0) - held
    }

    func commitDeletions() {
        guard let maildrop = self.maildrop, let head = maildrop.head else { return }
        var sequences: [UInt32] = []
        sequences.reserveCapacity(self.session.deletedCount)
        self.session.forEachDeleted { index in
            if let sequence = maildrop.sequence(of: Int32(index)) { sequences.append(sequence) }
        }
        let ticket = self.question.next(self.stream.id)
        self.asked = .deletion(ticket)
        self.server.storage.write(
            .delete(maildrop.account, incarnation: head.incarnation, sequences: sequences),
            for: ticket
        )
    }

    static func deleted(_ reply: StorageReply) -> POP3ServerSession.Answer {
        guard case .deleted(.deleted, _) = reply else { return .deletionsFailed }
        return .deletionsCommitted
    }

    /// Gives the lock back; while the store is at work on deletions, only when it has answered.
    func releaseMaildrop() {
        guard let maildrop = self.maildrop.take() else { return }
        self.server.prefetchedOctets -= maildrop.prefetchedOctets
        if case .deletion(let ticket) = self.asked {
            self.server.releaseAfterAnswer(maildrop.account, ticket)
        } else {
            self.server.locks.release(maildrop.account, of: self.stream.id)
        }
    }
}
