// SPDX-License-Identifier: Apache-2.0
//
// Derives the keys of many passwords on all processors, because each takes milliseconds on purpose,
// and tells on a terminal how far it is.

internal import EventLoop
internal import Glibc
internal import Synchronization

/// The verifiers of many accounts.
enum KeyDerivation {
    private final class Work: Sendable {
        let lines: [ImportFile.Line]
        let verifiers: Mutex<[[UInt8]?]>
        let next = Atomic(0)

        init(_ lines: [ImportFile.Line]) {
            self.lines = lines
            self.verifiers = Mutex(Array(repeating: nil, count: lines.count))
        }

        /// Does what is left, one after another.
        func run() {
            while true {
                let index = self.next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < self.lines.count else { return }
                let verifier = self.lines[index].verifier()
                self.verifiers.withLock { $0[index] = verifier }
            }
        }
    }

    /// The verifier of each line, in order; nil for one that has none.
    static func verifiers(of lines: [ImportFile.Line]) -> [[UInt8]?] {
        let work = Work(lines)
        let count = max(1, min(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), lines.count, 64))
        let threads = (0..<count).map { index in
            WorkerThread(name: "derive-\(index)") { work.run() }
        }
        let tells = Terminal.isTerminal(2)
        while work.next.load(ordering: .relaxed) < lines.count {
            WorkerThread.sleep(milliseconds: 50)
            guard tells else { continue }
            let done = min(work.next.load(ordering: .relaxed), lines.count)
            Terminal.writeError("\rderiving keys: \(done) of \(lines.count)")
        }
        for thread in threads { thread.join() }
        if tells { Terminal.writeError("\r\u{1b}[K") }
        return work.verifiers.withLock { $0 }
    }
}
