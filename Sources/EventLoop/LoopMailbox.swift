// SPDX-License-Identifier: Apache-2.0
//
// The only door from other threads into a loop: values go in anywhere, and come out on the loop,
// in order, a batch for each wake-up.

internal import CLibevent
internal import Synchronization

/// Values on their way to a loop.
package final class LoopMailbox<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    let bell = Bell(blocking: false)

    /// Puts a value in; any thread may.
    package func post(_ value: Value) {
        let isFirst = self.values.withLock { values in
            values.append(value)
            return values.count == 1
        }
        if isFirst { self.bell.ring() }
    }

    /// Puts several values in at once.
    package func post(contentsOf batch: [Value]) {
        guard !batch.isEmpty else { return }
        let isFirst = self.values.withLock { values in
            values.append(contentsOf: batch)
            return values.count == batch.count
        }
        if isFirst { self.bell.ring() }
    }

    func takeAll() -> [Value] {
        self.bell.wait()
        return self.values.withLock { values in
            var taken: [Value] = []
            swap(&taken, &values)
            return taken
        }
    }
}
