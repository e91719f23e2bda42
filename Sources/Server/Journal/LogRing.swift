// SPDX-License-Identifier: Apache-2.0
//
// Log lines on their way out. The loop puts them into a bounded buffer and goes on; a thread of
// its own writes them, and may block as long as it likes. What finds no room is dropped, counted,
// and told of as soon as there is room again.

internal import EventLoop
internal import MailBytes
internal import Synchronization

/// A bounded buffer of whole lines with the thread that drains it.
package final class LogRing: Sendable {
    private struct State {
        var octets: [UInt8] = []
        var dropped = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let queue = WorkQueue<Wake>()
    private let octetsMax: Int

    private enum Wake: Sendable { case written }

    /// A ring of `octetsMax` octets; `write` puts octets where they belong and may block.
    package init(octetsMax: Int = 1 << 20) {
        self.octetsMax = octetsMax
    }

    /// Takes one line, with its line end, or drops it.
    package func put(_ line: borrowing Span<UInt8>) {
        let wasEmpty = self.state.withLock { state -> Bool in
            guard state.octets.count + line.count <= self.octetsMax else {
                state.dropped += 1
                return false
            }
            defer { state.octets.append(line) }
            return state.octets.isEmpty
        }
        if wasEmpty { self.queue.put(.written) }
    }

    /// Writes what is put until `close()`; the body of the writing thread.
    package func drain(pause: () -> Void, write: ([UInt8]) -> Void) {
        while !self.queue.takeAll().isEmpty {
            // Lines come in bursts: a short wait lets one write carry many of them.
            pause()
            let (octets, dropped) = self.state.withLock { state in
                defer {
                    state.octets = []
                    state.dropped = 0
                }
                return (state.octets, state.dropped)
            }
            if !octets.isEmpty { write(octets) }
            if dropped > 0 { write(Array("\(dropped) log lines were dropped\n".utf8)) }
        }
    }

    /// Lets `drain` return once everything is written.
    package func close() {
        self.queue.put(.written)
        self.queue.close()
    }
}
