// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Looks at a server's memory again and again, from a thread of its own.
final class MemoryWatch: Sendable {
    private let state = Mutex((highest: 0, isOver: false))

    init(of server: ServerProcess) {
        let path = "/proc/\(server.processIdentifier)/status"
        Thread.detachNewThread { [self] in
            while !self.state.withLock({ $0.isOver }) {
                let octets = ServerProcess.anonymousMemory(status: path) ?? 0
                self.state.withLock { $0.highest = max($0.highest, octets) }
                Thread.sleep(forTimeInterval: 0.01)
            }
        }
    }

    /// Ends the watch; answers the most octets that were seen.
    func highest() -> Int {
        self.state.withLock { state in
            state.isOver = true
            return state.highest
        }
    }
}
