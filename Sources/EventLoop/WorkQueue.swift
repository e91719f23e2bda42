// SPDX-License-Identifier: Apache-2.0
//
// Work on its way from a loop to a thread. The thread takes everything that waits at once, which
// is what makes group commit a group. Sleepers wait on an eventfd, so a busy queue costs no call.

internal import Synchronization

/// A queue between threads; whoever puts must know its bound, for there is none here.
package final class WorkQueue<Job: Sendable>: Sendable {
    private struct State {
        /// The oldest jobs, in reverse, when more waited than were taken.
        var older: [Job] = []
        var newer: [Job] = []
        var isClosed = false

        var count: Int { self.older.count + self.newer.count }
    }

    private let state = Mutex(State())
    private let bell = Bell(blocking: true)

    package init() {}

    /// How many jobs wait.
    package var count: Int { self.state.withLock { $0.count } }

    /// Puts a job at the end.
    package func put(_ job: Job) {
        let isFirst = self.state.withLock { state in
            state.newer.append(job)
            return state.count == 1
        }
        if isFirst { self.bell.ring() }
    }

    /// Waits for work and takes all of it, at most `max` jobs; nothing when the queue has been
    /// closed and is empty.
    package func takeAll(max: Int = .max) -> [Job] {
        while true {
            let (jobs, isClosed, hasMore) = self.state.withLock { state in
                (Self.take(max, from: &state), state.isClosed, state.count > 0)
            }
            // Others may sleep while there is work, or must learn of the end.
            if hasMore || isClosed { self.bell.ring() }
            if !jobs.isEmpty || isClosed { return jobs }
            self.bell.wait()
        }
    }

    private static func take(_ max: Int, from state: inout State) -> [Job] {
        var jobs: [Job] = []
        if state.older.isEmpty {
            swap(&jobs, &state.newer)
            guard jobs.count > max else { return jobs }
            state.older = jobs.reversed()
        }
        jobs = state.older.suffix(max).reversed()
        state.older.removeLast(jobs.count)
        return jobs
    }

    /// Waits for work and takes one job; nil when the queue has been closed and is empty.
    package func takeOne() -> Job? { self.takeAll(max: 1).first }

    /// Lets takers that find nothing return.
    package func close() {
        self.state.withLock { $0.isClosed = true }
        self.bell.ring()
    }
}
