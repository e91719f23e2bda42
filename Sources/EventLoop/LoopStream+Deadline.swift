// SPDX-License-Identifier: Apache-2.0
//
// The one deadline of a stream. Moving it later, as each command does, costs nothing: the timer
// looks again when it fires.

internal import CLibevent

extension LoopStream {
    /// Sets, moves or (nil) lifts the deadline.
    func moveDeadline(_ seconds: Double?) {
        guard let seconds else {
            self.deadline = .infinity
            return
        }
        self.deadline = self.loop.now + seconds
        guard self.deadline < self.deadlineEventTime else { return }
        if unsafe self.deadlineEvent == nil {
            unsafe self.deadlineEvent = event_new(
                self.loop.base,
                -1,
                0,
                { _, _, context in unsafe LoopStream.from(context)?.deadlineEventFired() },
                Unmanaged.passUnretained(self).toOpaque()
            )
        }
        self.armDeadlineEvent(seconds)
    }

    private func armDeadlineEvent(_ seconds: Double) {
        guard let event = unsafe self.deadlineEvent else {
            preconditionFailure("there is memory for an event")
        }
        self.deadlineEventTime = self.deadline
        unsafe self.loop.withTimeout(seconds) { unsafe _ = event_add(event, $0) }
    }

    private func deadlineEventFired() {
        self.loop.beginTurn()
        self.deadlineEventTime = .infinity
        guard self.deadline < .infinity, self.state != .dead else { return }
        let left = self.deadline - self.loop.now
        // libevent's clock is a coarse one, and a few milliseconds early is soon enough.
        guard left < Self.clockGrainSeconds else { return self.armDeadlineEvent(left) }
        self.deadline = .infinity
        if self.isConnecting { self.connectFailure = "timed out" }
        if self.state == .open, !self.isSecuring {
            self.handler?.deadlinePassed(self)
        } else {
            if self.isSecuring, !self.isConnecting {
                self.security?.failure = "the handshake took too long"
            }
            self.abort()
        }
    }

    private static let clockGrainSeconds = 0.01
}
