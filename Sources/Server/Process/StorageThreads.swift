// SPDX-License-Identifier: Apache-2.0
//
// The store on threads of its own: a writer that takes everything that waits and commits it at
// once (group commit), a reader that does not wait behind commits, another for the queue, whose
// messages come with their content and would hold up who reads his mail, and workers for passwords.
// Each answers through the loop's mailbox, a batch with one wake-up.

package import EventLoop
package import MailStore
internal import Synchronization

/// An answer with the ticket it belongs to, on its way to the loop.
package struct TicketedReply: Sendable {
    package let ticket: Ticket
    package let reply: StorageReply
}

/// The real storage and the real password checker of one process.
package final class StorageThreads: Storage, PasswordChecker {
    private struct WriteJob: Sendable {
        let ticket: Ticket
        let request: StoreRequest
    }

    private struct ReadJob: Sendable {
        let ticket: Ticket
        let question: StoreQuestion
    }

    private struct PasswordJob: Sendable {
        let ticket: Ticket
        let attempt: LoginAttempt
    }

    /// Tells the threads that what need not be done any more is not to be done.
    private final class Stop: Sendable {
        private let isDue = Atomic(false)

        func order() { self.isDue.store(true, ordering: .relaxed) }

        var isOrdered: Bool { self.isDue.load(ordering: .relaxed) }
    }

    private let writes = WorkQueue<WriteJob>()
    private let reads = WorkQueue<ReadJob>()
    private let queueReads = WorkQueue<ReadJob>()
    private let attempts = WorkQueue<PasswordJob>()
    private let stopOrder = Stop()
    private var threads: [WorkerThread] = []

    /// So many requests go into one transaction.
    private static let batchMax = 512
    /// So many questions are answered at once; more would keep the log from being moved, and the
    /// first of them waiting.
    private static let readsMax = 32
    /// So many logins may wait for a worker; more are put off.
    private static let attemptsMax = 4096

    package init() {}

    package func write(_ request: StoreRequest, for ticket: Ticket) {
        self.writes.put(WriteJob(ticket: ticket, request: request))
    }

    package func read(_ question: StoreQuestion, for ticket: Ticket) {
        let reads = question.isAboutQueue ? self.queueReads : self.reads
        reads.put(ReadJob(ticket: ticket, question: question))
    }

    package func check(_ attempt: LoginAttempt, for ticket: Ticket) -> Bool {
        guard self.attempts.count < Self.attemptsMax else { return false }
        self.attempts.put(PasswordJob(ticket: ticket, attempt: attempt))
        return true
    }

    /// Starts the threads on an opened store; `opening` runs on the writer's thread, because the
    /// store belongs to the thread that opened it.
    ///
    /// - Returns: the first of the message ids that were reserved.
    package func start(
        opening: @escaping @Sendable () throws(StoreError) -> MailStore,
        reader: @escaping @Sendable () throws(StoreError) -> MailStoreReader,
        mailbox: LoopMailbox<TicketedReply>,
        passwordWorkers: Int
    ) throws(StoreError) -> UInt64 {
        let opened = WorkQueue<Result<UInt64, StoreError>>()
        let writes = self.writes
        let stop = self.stopOrder
        self.threads.append(
            WorkerThread(name: "store-writer") {
                Self.runWriter(writes, stop, opening: opening, opened: opened, mailbox: mailbox)
            }
        )
        guard let first = opened.takeAll().first else { throw .retryable("the store went away") }
        let firstMessageID = try first.get()
        for (name, reads) in [("store-reader", self.reads), ("queue-reader", self.queueReads)] {
            self.threads.append(
                WorkerThread(name: name) {
                    Self.runReader(reads, opening: reader, mailbox: mailbox)
                }
            )
        }
        let attempts = self.attempts
        for index in 0..<max(passwordWorkers, 1) {
            self.threads.append(
                WorkerThread(name: "password-\(index)") {
                    while let job = attempts.takeOne() {
                        guard !stop.isOrdered else { continue }
                        let reply = StorageReply.judged(job.attempt.judge())
                        mailbox.post(TicketedReply(ticket: job.ticket, reply: reply))
                    }
                }
            )
        }
        return firstMessageID
    }

    /// Ends the threads after they have done what was asked of them; logins that wait are dropped.
    package func stop() {
        self.stopOrder.order()
        self.attempts.close()
        self.reads.close()
        self.queueReads.close()
        self.writes.close()
        for thread in self.threads { thread.join() }
        self.threads = []
    }

    private static func runWriter(
        _ writes: WorkQueue<WriteJob>,
        _ stop: Stop,
        opening: () throws(StoreError) -> MailStore,
        opened: WorkQueue<Result<UInt64, StoreError>>,
        mailbox: LoopMailbox<TicketedReply>
    ) {
        let store: MailStore
        do throws(StoreError) {
            store = try opening()
            opened.put(.success(try Self.reserveMessageIDs(store)))
        } catch {
            opened.put(.failure(error))
            return
        }
        var hasGarbage = store.tidy()
        while true {
            if !hasGarbage || writes.count > 0 || stop.isOrdered {
                let jobs = writes.takeAll(max: Self.batchMax)
                guard !jobs.isEmpty else { break }
                Self.carryOut(jobs, store, mailbox)
            }
            // The answers are on their way; now there is time to put the store in order.
            hasGarbage = store.tidy()
        }
        store.close()
    }

    private static func carryOut(
        _ jobs: [WriteJob],
        _ store: MailStore,
        _ mailbox: LoopMailbox<TicketedReply>
    ) {
        let answers = store.commit(jobs.map(\.request))
        var replies: [TicketedReply] = []
        replies.reserveCapacity(jobs.count)
        for (job, answer) in zip(jobs, answers) {
            let reply = StorageReply.written(answer, to: job.request)
            replies.append(TicketedReply(ticket: job.ticket, reply: reply))
        }
        mailbox.post(contentsOf: replies)
    }

    private static func reserveMessageIDs(_ store: MailStore) throws(StoreError) -> UInt64 {
        let answers = store.commit([.reserveMessageIDs(count: MessageIDSource.blockCount)])
        switch answers.first {
        case .reserved(let first): return first
        case .failed(let error): throw error
        default: throw .retryable("no message ids")
        }
    }

    private static func runReader(
        _ reads: WorkQueue<ReadJob>,
        opening: () throws(StoreError) -> MailStoreReader,
        mailbox: LoopMailbox<TicketedReply>
    ) {
        // Opened before there are clients, who may leave no descriptor for its files.
        var reading = (try? opening()).map(StoreReading.init(reader:))
        while true {
            let jobs = reads.takeAll(max: Self.readsMax)
            guard !jobs.isEmpty else { break }
            if reading == nil { reading = (try? opening()).map(StoreReading.init(reader:)) }
            let replies =
                reading?.answers(jobs.map(\.question))
                ?? jobs.map { _ in .failed(.retryable("no reader")) }
            mailbox.post(
                contentsOf: zip(jobs, replies).map { TicketedReply(ticket: $0.ticket, reply: $1) }
            )
        }
    }
}

extension StoreQuestion {
    /// Whether its answer may take the reader long.
    fileprivate var isAboutQueue: Bool {
        switch self {
        case .waitingDestinations, .dueDestinations, .dueMessages, .queuedContent, .reportsDue,
            .expiring, .warnable, .queueRows, .queueMessage:
            true
        case .resolve, .expand, .account, .maildrop, .listing, .content, .accounts, .aliases,
            .accountKinds:
            false
        }
    }
}
