// SPDX-License-Identifier: Apache-2.0
//
// Work on its way from a loop to a thread. The thread takes everything that waits at once, which
// is what makes group commit a group. Sleepers wait on an eventfd, so a busy queue costs no call.

internal import Synchronization

/// A queue between threads.
package final class WorkQueue<Job: Sendable>: Sendable {
    private struct State {
        var waiting: [Job] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let bell = Bell(blocking: true)

    package init() {}

    /// How many jobs wait.
    package var count: Int { self.state.withLock { $0.waiting.count } }

    /// Puts a job at the end.
    package func put(_ job: Job) {
        let isFirst = self.state.withLock { state in
            state.waiting.append(job)
            return state.waiting.count == 1
        }
        if isFirst { self.bell.ring() }
    }

    /// Waits for work and takes all of it, at most `max` jobs; nothing when the queue has been
    /// closed and is empty.
    package func takeAll(max: Int = .max) -> [Job] {
        while true {
            let (jobs, isClosed, hasMore) = self.state.withLock { Self.take(max, from: &$0) }
            // Others may sleep while there is work, or must learn of the end.
            if hasMore || isClosed { self.bell.ring() }
            if !jobs.isEmpty || isClosed { return jobs }
            self.bell.wait()
        }
    }

    private static func take(_ max: Int, from state: inout State) -> ([Job], Bool, Bool) {
        guard state.waiting.count > max else {
            var jobs: [Job] = []
            swap(&jobs, &state.waiting)
            return (jobs, state.isClosed, false)
        }
        let jobs = Array(state.waiting[..<max])
        state.waiting.removeFirst(max)
        return (jobs, state.isClosed, true)
    }

    /// Waits for work and takes one job; nil when the queue has been closed and is empty.
    package func takeOne() -> Job? { self.takeAll(max: 1).first }

    /// Lets takers that find nothing return.
    package func close() {
        self.state.withLock { $0.isClosed = true }
        self.bell.ring()
    }
}
