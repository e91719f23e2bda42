// SPDX-License-Identifier: Apache-2.0
//
// Proofs for logins at relays, on a thread of their own: a relay says how much work each takes.

internal import EventLoop

/// Makes proofs one after the other.
final class ProofThread: ProofWorker {
    private struct Job: Sendable {
        let number: Int
        let work: ProofWork
    }

    private struct Answer: Sendable {
        let number: Int
        let answer: ClientLoginAnswer
    }

    private let jobs = WorkQueue<Job>()
    private let waiting: Waiting
    private var thread: WorkerThread?
    private var lastNumber = 0

    /// Who waits for which proof.
    private final class Waiting {
        var done: [Int: (ClientLoginAnswer) -> Void] = [:]
    }

    init(loop: EventLoop) {
        let waiting = Waiting()
        self.waiting = waiting
        let mailbox = loop.makeMailbox { (answer: Answer) in
            waiting.done.removeValue(forKey: answer.number)?(answer.answer)
        }
        let jobs = self.jobs
        self.thread = WorkerThread(name: "proofs") {
            while let job = jobs.takeOne() {
                mailbox.post(Answer(number: job.number, answer: job.work.answer()))
            }
        }
    }

    func prove(_ work: ProofWork, _ done: @escaping (ClientLoginAnswer) -> Void) {
        self.lastNumber += 1
        self.waiting.done[self.lastNumber] = done
        self.jobs.put(Job(number: self.lastNumber, work: work))
    }
}
