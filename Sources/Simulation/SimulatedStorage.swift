// SPDX-License-Identifier: Apache-2.0
//
// The real store behind a slow and unreliable corridor: requests are carried out in order, after
// a while, and some are answered with a failure instead.

internal import Credentials
package import MailStore
package import Server

/// Storage and password checks of a simulation.
package final class SimulatedStorage: Storage, PasswordChecker {
    /// How often a request fails without being carried out: once in so many; 0 for never.
    package struct Faults: Sendable {
        package var failedWriteOneIn = 0
        package var fullDiskOneIn = 0
        package var failedReadOneIn = 0
        /// How often outcomes of deliveries are said to be stored, and are not; a store that lies
        /// so must be caught.
        package var forgottenOutcomeOneIn = 0
        /// Content that goes ahead of its message always fails.
        package var failsStaging = false

        package init() {}
    }

    package weak var server: MailServer?
    private let world: VirtualWorld
    private let store: MailStore
    private let reading: StoreReading
    private let faults: Faults
    private var waitingWrites: [(StoreRequest, Ticket)] = []
    private var isWriting = false
    private var isDead = false

    package init(world: VirtualWorld, store: MailStore, reader: MailStoreReader, faults: Faults) {
        self.world = world
        self.store = store
        self.reading = StoreReading(reader: reader)
        self.faults = faults
    }

    /// While the disk is stuck nothing is written, and nothing is lost.
    package var isStuck = false {
        didSet { if !self.isStuck, self.isWriting { self.commit() } }
    }

    /// The process dies: what was not carried out never will be, and nothing is answered.
    package func die() { self.isDead = true }

    package func write(_ request: StoreRequest, for ticket: Ticket) {
        self.askedCount += 1
        self.waitingWrites.append((request, ticket))
        guard !self.isWriting else { return }
        self.isWriting = true
        self.world.after(seconds: self.world.between(0, 0.05)) { [weak self] in self?.commit() }
    }

    /// Everything that waits is one group, as on the storage thread.
    private func commit() {
        guard !self.isDead, !self.isStuck else { return }
        let batch = self.waitingWrites
        self.waitingWrites = []
        self.isWriting = false
        var kept: [(StoreRequest, Ticket)] = []
        for (request, ticket) in batch {
            if self.happens(self.faults.fullDiskOneIn) {
                self.answer(.written(.failed(.full), to: request), for: ticket)
            } else if self.happens(self.faults.failedWriteOneIn)
                || self.faults.failsStaging && request.isStaging
            {
                let failure = StoreAnswer.failed(.retryable("simulated"))
                self.answer(.written(failure, to: request), for: ticket)
            } else if request.isOutcome, self.happens(self.faults.forgottenOutcomeOneIn) {
                self.answer(.written(.changed, to: request), for: ticket)
            } else {
                kept.append((request, ticket))
            }
        }
        let answers = self.store.commit(kept.map(\.0))
        for ((request, ticket), answer) in zip(kept, answers) {
            self.answer(.written(answer, to: request), for: ticket)
        }
    }

    /// How many questions and changes there were.
    package private(set) var askedCount = 0

    package func read(_ question: StoreQuestion, for ticket: Ticket) {
        self.askedCount += 1
        self.world.after(seconds: self.world.between(0, 0.02)) { [weak self] in
            guard let self, !self.isDead else { return }
            if self.happens(self.faults.failedReadOneIn) {
                self.answer(.failed(.retryable("simulated")), for: ticket)
            } else {
                self.answer(self.reading.answer(question), for: ticket)
            }
        }
    }

    /// How many proofs were given to the workers.
    package private(set) var checkCount = 0

    package func check(_ attempt: LoginAttempt, for ticket: Ticket) -> Bool {
        self.askedCount += 1
        self.checkCount += 1
        guard !self.happens(self.faults.failedReadOneIn) else { return false }
        self.world.after(seconds: self.world.between(0, 0.02)) { [weak self] in
            self?.answer(.judged(attempt.judge()), for: ticket)
        }
        return true
    }

    private func answer(_ reply: StorageReply, for ticket: Ticket) {
        self.world.after(seconds: self.world.between(0, 0.01)) { [weak self] in
            guard let self, !self.isDead else { return }
            self.server?.answered(reply, for: ticket)
        }
    }

    private func happens(_ oneIn: Int) -> Bool { oneIn > 0 && self.world.oneIn(oneIn) }
}

extension StoreRequest {
    /// Whether this tells what became of deliveries.
    fileprivate var isOutcome: Bool {
        switch self {
        case .settle: true
        default: false
        }
    }

    /// Whether this is content that goes ahead of its message.
    fileprivate var isStaging: Bool {
        switch self {
        case .stage, .spill: true
        default: false
        }
    }
}
