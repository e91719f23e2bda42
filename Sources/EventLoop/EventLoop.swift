// SPDX-License-Identifier: Apache-2.0
//
// One libevent base on one thread, with its streams, listeners, timers, signals and mailboxes.
// Nothing here is Sendable; other threads reach the loop through a LoopMailbox only.

internal import CLibevent
internal import Glibc
package import MailBytes

/// An event loop; the thread that makes it runs it.
@safe
package final class EventLoop {
    let base: OpaquePointer
    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var graveyard: [LoopStream] = []
    private var ready: [LoopStream] = []
    private var listeners: [Listener] = []
    private var events: [ObjectIdentifier: LoopEvent] = [:]
    private var commonTimeouts: [Int: UnsafePointer<timeval>] = unsafe [:]
    private var isRunning = false
    private var turnStart: UInt64 = 0
    private var isInTurn = false
    package private(set) var turnTimes = TurnHistogram()
    package private(set) var connectionCount = 0

    private struct Slot {
        var generation: UInt32 = 0
        var stream: LoopStream?
    }

    /// A loop sized for so many connections.
    package init(connectionsMax: Int) throws(EventLoopError) {
        signal(SIGPIPE, SIG_IGN)
        guard let base = unsafe event_base_new() else { throw EventLoopError("event_base_new") }
        unsafe self.base = base
        self.slots.reserveCapacity(min(connectionsMax, 1 << 17))
    }

    deinit {
        self.emptyGraveyard()
        for index in self.slots.indices { self.slots[index].stream?.free() }
        self.listeners = []
        self.events = [:]
        unsafe event_base_free(self.base)
    }

    // MARK: - Turning

    /// Turns until `stop()`.
    package func run() {
        self.isRunning = true
        while self.isRunning {
            let flags = EVLOOP_ONCE | (self.ready.isEmpty ? 0 : EVLOOP_NONBLOCK)
            unsafe event_base_loop(self.base, flags)
            self.beginTurn()
            self.deliverReady()
            self.emptyGraveyard()
            self.endTurn()
        }
    }

    /// Lets `run()` return at the end of this turn.
    package func stop() { self.isRunning = false }

    /// Monotonic seconds, as of the beginning of this turn.
    package var now: Double {
        if !self.isInTurn { self.beginTurn() }
        return Double(self.turnStart) / 1e9
    }

    /// Every callback of libevent begins with this: the first one in a turn starts its clock.
    func beginTurn() {
        guard !self.isInTurn else { return }
        self.isInTurn = true
        self.turnStart = Self.clock()
    }

    private func endTurn() {
        self.isInTurn = false
        self.turnTimes.record(nanoseconds: Self.clock() - self.turnStart)
    }

    private static func clock() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private func deliverReady() {
        guard !self.ready.isEmpty else { return }
        var streams: [LoopStream] = []
        swap(&streams, &self.ready)
        for stream in streams { stream.deliverAgain() }
    }

    private func emptyGraveyard() {
        // A handler's last call may bury further streams.
        while !self.graveyard.isEmpty {
            var streams: [LoopStream] = []
            swap(&streams, &self.graveyard)
            for stream in streams {
                let handler = stream.handler
                stream.handler = nil
                handler?.ended(stream)
                stream.free()
                self.vacate(stream.id)
            }
            for listener in self.listeners { listener.descriptorWasFreed() }
        }
    }

    // MARK: - Streams

    /// Takes over a connected or connecting descriptor; nil when libevent cannot.
    func adopt(_ descriptor: Int32, peer: NetworkAddress) -> LoopStream? {
        let slot = self.freeSlots.popLast() ?? UInt32(self.slots.count)
        if Int(slot) == self.slots.count { self.slots.append(Slot()) }
        self.slots[Int(slot)].generation &+= 1
        let id = ConnectionID(slot: slot, generation: self.slots[Int(slot)].generation)
        guard let stream = LoopStream(owning: descriptor, loop: self, id: id, peer: peer) else {
            self.freeSlots.append(slot)
            return nil
        }
        self.slots[Int(slot)].stream = stream
        self.connectionCount += 1
        return stream
    }

    private func vacate(_ id: ConnectionID) {
        self.slots[Int(id.slot)].stream = nil
        self.freeSlots.append(id.slot)
        self.connectionCount -= 1
    }

    /// The connection of that id, unless it is gone.
    package func stream(_ id: ConnectionID) -> (any ByteStream)? {
        guard self.slots.indices.contains(Int(id.slot)),
            self.slots[Int(id.slot)].generation == id.generation
        else { return nil }
        return self.slots[Int(id.slot)].stream
    }

    func bury(_ stream: LoopStream) { self.graveyard.append(stream) }

    func makeReady(_ stream: LoopStream) { self.ready.append(stream) }

    /// Connects to an address; the stream's handler hears `connected`, or `ended` when it fails.
    package func connect(
        to address: ListenAddress,
        localAddress: NetworkAddress? = nil
    ) throws(EventLoopError) -> any ByteStream {
        let (descriptor, peer) = try SocketAddress.connect(to: address, from: localAddress)
        guard let stream = self.adopt(descriptor, peer: peer) else {
            close(descriptor)
            throw EventLoopError("bufferevent_socket_new", code: ENOMEM)
        }
        stream.awaitConnection()
        return stream
    }

    // MARK: - Listeners, timers, signals, mailboxes

    /// Listens; `accept` sets the handler of each new stream, or aborts it.
    package func listen(
        on address: ListenAddress,
        backlog: Int = 1024,
        accept: @escaping (any ByteStream) -> Void
    ) throws(EventLoopError) -> Listener {
        let listener = try Listener(loop: self, address: address, backlog: backlog, accept: accept)
        self.listeners.append(listener)
        return listener
    }

    func forget(_ listener: Listener) { self.listeners.removeAll { $0 === listener } }

    /// Runs `body` once, after `seconds`.
    @discardableResult
    package func after(seconds: Double, _ body: @escaping () -> Void) -> Timer {
        let timer = Timer(self)
        var identity: ObjectIdentifier?
        let event = LoopEvent(self, descriptor: -1, what: 0) { [unowned self] in
            if let identity { self.release(identity) }
            body()
        }
        identity = ObjectIdentifier(event)
        timer.identity = identity
        self.events[ObjectIdentifier(event)] = event
        event.add(seconds: seconds)
        return timer
    }

    /// The event is freed when nothing of it is on the stack any more.
    func release(_ identity: ObjectIdentifier) {
        guard let event = self.events.removeValue(forKey: identity) else { return }
        event.remove()
        self.retired.append(event)
        if self.retired.count > 64 { self.retired.removeFirst(32) }
    }

    private var retired: [LoopEvent] = []

    /// Runs `body` on the loop whenever the signal comes.
    package func onSignal(_ number: Int32, _ body: @escaping () -> Void) {
        let event = LoopEvent(self, descriptor: number, what: EV_SIGNAL | EV_PERSIST, body)
        self.events[ObjectIdentifier(event)] = event
        event.add()
        Self.unblock(number)
    }

    /// A mask that the parent left with signals blocked would make the process deaf to them.
    private static func unblock(_ signal: Int32) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, signal)
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// A door into this loop.
    package func makeMailbox<Value: Sendable>(
        receive: @escaping (Value) -> Void
    ) -> LoopMailbox<Value> {
        let mailbox = LoopMailbox<Value>()
        let event = LoopEvent(
            self,
            descriptor: mailbox.bell.descriptor,
            what: EV_READ | EV_PERSIST
        ) {
            for value in mailbox.takeAll() { receive(value) }
        }
        self.events[ObjectIdentifier(event)] = event
        event.add()
        return mailbox
    }

    /// Equal durations share a queue in libevent, which makes adding and removing cheap.
    func withTimeout(_ seconds: Double, _ body: (UnsafePointer<timeval>) -> Void) {
        let milliseconds = Int(max(seconds, 0) * 1000)
        var value = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        if let common = unsafe self.commonTimeouts[milliseconds] { return unsafe body(common) }
        let isCommon = milliseconds >= 1000 && milliseconds % 1000 == 0
        if isCommon, unsafe self.commonTimeouts.count < 64,
            let common = unsafe event_base_init_common_timeout(self.base, &value)
        {
            unsafe self.commonTimeouts[milliseconds] = common
            return unsafe body(common)
        }
        unsafe body(&value)
    }

    /// Raises the limit of descriptors as far as the system allows.
    ///
    /// - Returns: the limit in force afterwards.
    package static func raiseDescriptorLimit(to wanted: Int) -> Int {
        clibevent_raise_descriptors(wanted)
    }
}

/// A timer that has not run yet.
package final class Timer {
    private weak var loop: EventLoop?
    var identity: ObjectIdentifier?

    init(_ loop: EventLoop) { self.loop = loop }

    /// Nothing will run.
    package func cancel() {
        if let identity { self.loop?.release(identity) }
    }
}
