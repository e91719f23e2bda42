// SPDX-License-Identifier: Apache-2.0
//
// One event of libevent (a timer, a signal, a descriptor) and the closure it runs.

internal import CLibevent

/// Owns one `struct event`; freed with this object.
@safe
final class LoopEvent {
    private let event: OpaquePointer
    private let body: () -> Void
    private unowned let loop: EventLoop

    /// An event on a descriptor, a signal number, or (-1) a timer.
    init(_ loop: EventLoop, descriptor: Int32, what: Int32, _ body: @escaping () -> Void) {
        self.loop = loop
        self.body = body
        let holder = Holder()
        guard
            let event = unsafe event_new(
                loop.base,
                descriptor,
                Int16(what),
                { _, _, context in
                    guard let context = unsafe context else { return }
                    let holder = unsafe Unmanaged<Holder>.fromOpaque(context).takeUnretainedValue()
                    holder.event?.fire()
                },
                Unmanaged.passUnretained(holder).toOpaque()
            )
        else { preconditionFailure("an event can be made") }
        unsafe self.event = event
        self.holder = holder
        holder.event = self
    }

    deinit { unsafe event_free(self.event) }

    /// C code gets this object, because `self` is not whole when the event is made.
    private final class Holder {
        unowned var event: LoopEvent?
    }

    private let holder: Holder

    func add(seconds: Double? = nil) {
        guard let seconds else {
            unsafe event_add(self.event, nil)
            return
        }
        unsafe self.loop.withTimeout(seconds) { unsafe _ = event_add(self.event, $0) }
    }

    func remove() { unsafe event_del(self.event) }

    private func fire() {
        self.loop.beginTurn()
        self.body()
    }
}
