// SPDX-License-Identifier: Apache-2.0
//
// One event of libevent (a timer, a signal, a descriptor) and the closure it runs.

internal import CLibevent

/// The owner of one `struct event`, which is freed with this object.
///
/// The loop holds it, and lets go of it only between turns: an event may be in the midst of running
/// its closure.
@safe
final class LoopEvent {
    private unowned let loop: EventLoop
    private let body: () -> Void
    private let runsOnce: Bool
    private var event: OpaquePointer?

    /// An event on a descriptor, a signal number, or (-1) a timer.
    init(_ loop: EventLoop, descriptor: Int32, what: Int32, _ body: @escaping () -> Void) {
        self.loop = loop
        self.body = body
        self.runsOnce = what & EV_PERSIST == 0
        unsafe self.event = event_new(
            loop.base,
            descriptor,
            Int16(what),
            { _, _, context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<LoopEvent>.fromOpaque(context).takeUnretainedValue().fire()
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
        precondition(unsafe self.event != nil, "there is memory for an event")
    }

    deinit {
        if let event = unsafe self.event { unsafe event_free(event) }
    }

    /// Waits for what the event is about; a timer, this long.
    func add(seconds: Double? = nil) {
        guard let event = unsafe self.event else { return }
        guard let seconds else {
            unsafe event_add(event, nil)
            return
        }
        unsafe self.loop.withTimeout(seconds) { unsafe _ = event_add(event, $0) }
    }

    /// Never runs again.
    func remove() {
        if let event = unsafe self.event { unsafe event_del(event) }
    }

    /// Forgets the event, at the end of the turn.
    func release() { self.loop.release(self) }

    private func fire() {
        self.loop.beginTurn()
        if self.runsOnce { self.release() }
        self.body()
    }
}
