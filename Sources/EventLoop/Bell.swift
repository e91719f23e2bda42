// SPDX-License-Identifier: Apache-2.0
//
// An eventfd: what one thread rings to wake another, or a loop.

internal import CLibevent
internal import Glibc

/// A wake-up between threads.
final class Bell: Sendable {
    let descriptor: Int32

    init(blocking: Bool) {
        self.descriptor = clibevent_eventfd(blocking ? 0 : 1)
        precondition(self.descriptor >= 0, "an eventfd can be made")
    }

    deinit { close(self.descriptor) }

    /// Wakes whoever waits, or the next who would.
    func ring() {
        var one: UInt64 = 1
        unsafe _ = write(self.descriptor, &one, 8)
    }

    /// Waits for a ring (when blocking), and forgets all there were.
    func wait() {
        var count: UInt64 = 0
        while unsafe read(self.descriptor, &count, 8) < 0, errno == EINTR {}
    }
}
