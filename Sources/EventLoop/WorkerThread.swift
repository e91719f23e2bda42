// SPDX-License-Identifier: Apache-2.0
//
// A thread with a name, for work that blocks.

internal import CLibevent
internal import Glibc
internal import Synchronization

/// A POSIX thread that runs one closure.
package final class WorkerThread: Sendable {
    private let thread: pthread_t
    private let state = Mutex(State.running)
    private let ending = Ending()

    private enum State {
        case running
        case joined
    }

    private final class Ending: Sendable {
        let hasEnded = Atomic(false)
    }

    private final class Start: Sendable {
        let name: String
        let ending: Ending
        let body: @Sendable () -> Void

        init(name: String, ending: Ending, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.ending = ending
            self.body = body
        }
    }

    /// Starts the thread; a system that cannot start one cannot run a server.
    package init(name: String, _ body: @escaping @Sendable () -> Void) {
        let start = Start(name: name, ending: self.ending, body: body)
        let argument = unsafe Unmanaged.passRetained(start).toOpaque()
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe clibevent_name_thread(start.name)
                start.body()
                start.ending.hasEnded.store(true, ordering: .releasing)
                return nil
            },
            argument
        )
        precondition(code == 0, "a thread can be started")
        self.thread = thread
    }

    /// One that nobody has waited for cleans up after itself.
    deinit {
        if self.state.withLock({ $0 == .running }) { pthread_detach(self.thread) }
    }

    /// Waits until the thread has ended.
    package func join() {
        let isFirst = self.state.withLock { state in
            defer { state = .joined }
            return state == .running
        }
        guard isFirst else { return }
        pthread_join(self.thread, nil)
    }

    /// Waits for the thread, but not longer than this; one that is stuck ends with the process.
    package func join(atMostSeconds seconds: Int) {
        var waits = seconds * 100
        while !self.ending.hasEnded.load(ordering: .acquiring), waits > 0 {
            Self.sleep(milliseconds: 10)
            waits -= 1
        }
        if self.ending.hasEnded.load(ordering: .acquiring) { self.join() }
    }

    /// Lets the calling thread rest.
    package static func sleep(milliseconds: Int) {
        var rest = timespec(
            tv_sec: milliseconds / 1000,
            tv_nsec: milliseconds % 1000 * 1_000_000
        )
        unsafe nanosleep(&rest, nil)
    }
}
