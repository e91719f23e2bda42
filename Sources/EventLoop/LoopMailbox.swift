// SPDX-License-Identifier: Apache-2.0
//
// The only door from other threads into a loop: values go in anywhere, and come out on the loop,
// in order, so many in a turn.

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

/// The loop's side of a mailbox: a long batch of values must not make a long turn.
struct MailboxDelivery<Value: Sendable> {
    private let mailbox: LoopMailbox<Value>
    private var batch: [Value] = []
    private var next = 0

    private static var valuesPerTurnMax: Int { 128 }

    init(mailbox: LoopMailbox<Value>) { self.mailbox = mailbox }

    /// Hands over what is there; when that is much, the bell stays rung for the next turn.
    mutating func deliver(to receive: (Value) -> Void) {
        if self.next == self.batch.count {
            self.batch = self.mailbox.takeAll()
            self.next = 0
        }
        let end = min(self.next + Self.valuesPerTurnMax, self.batch.count)
        while self.next < end {
            let value = self.batch[self.next]
            self.next += 1
            receive(value)
        }
        guard self.next == self.batch.count else { return self.mailbox.bell.ring() }
        self.batch = []
        self.next = 0
    }
}
