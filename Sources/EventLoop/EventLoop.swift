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
    /// For libraries that bring events of their own; on the thread of the loop only.
    package let base: OpaquePointer
    /// Where streams receive: one buffer for all, because each delivery is over before the next.
    let inputBuffer: UnsafeMutablePointer<UInt8>
    /// Counts the turns.
    private(set) var turn = 0
    /// How long the turns took.
    package private(set) var turnTimes = TurnHistogram()
    /// How many handshakes of TLS, half a millisecond each, may begin in a turn.
    package var handshakesPerTurnMax = 2
    /// The time from `startTLS` to `secured`, after which the stream ends.
    package var handshakeSecondsMax: Double = 30
    package internal(set) var handshakes = HandshakeCounts()
    private var table: StreamTable
    private var graveyard: [LoopStream] = []
    private var ready: [LoopStream] = []
    private var handshakeQueue = HandshakeQueue()
    /// How many servers' handshakes have got their turn.
    private(set) var handshakesBegun = 0
    private var listeners: [Listener] = []
    private var events: [ObjectIdentifier: LoopEvent] = [:]
    private var retiredEvents: [LoopEvent] = []
    private var commonTimeouts: [Int: UnsafePointer<timeval>] = unsafe [:]
    private var isRunning = false
    private var isInTurn = false
    private var turnStart: UInt64 = 0

    /// A loop sized for so many connections.
    package init(connectionsMax: Int) throws(EventLoopError) {
        signal(SIGPIPE, SIG_IGN)
        guard let base = unsafe event_base_new() else { throw EventLoopError("event_base_new") }
        unsafe self.base = base
        unsafe self.inputBuffer = .allocate(
            capacity: LoopStream.unreadOctetsMax + LoopStream.receiveOctetsMax
        )
        self.table = StreamTable(capacity: min(connectionsMax, 1 << 17))
    }

    /// Handlers hear nothing of this: they may already be gone themselves.
    deinit {
        for stream in self.table.streams { stream.discard() }
        for listener in self.listeners { listener.stopListening() }
        self.events = [:]
        self.retiredEvents = []
        unsafe event_base_free(self.base)
        unsafe self.inputBuffer.deallocate()
    }

    // MARK: - Turning

    /// Turns until `stop()`, or until nothing is left that could ever happen.
    package func run() {
        self.isRunning = true
        while self.isRunning {
            let isIdle = self.ready.isEmpty && self.graveyard.isEmpty
            let mayWait = isIdle && self.handshakeQueue.isEmpty
            let flags = EVLOOP_ONCE | (mayWait ? 0 : EVLOOP_NONBLOCK)
            let code = unsafe event_base_loop(self.base, flags)
            precondition(code >= 0, "the system lets the loop wait for its descriptors")
            // Without any event there is nothing to wait for.
            if code > 0, mayWait { return }
            self.beginTurn()
            self.deliverReady()
            self.beginHandshakes()
            for listener in self.listeners { listener.turnEnded() }
            self.buryTheDead()
            self.endTurn()
        }
    }

    /// Lets `run()` return at the end of this turn.
    package func stop() { self.isRunning = false }

    /// Monotonic seconds, as of the beginning of this turn.
    package var now: Double {
        Double(self.isInTurn ? self.turnStart : Self.clock()) / 1e9
    }

    /// Every callback of libevent begins with this: the first one in a turn starts its clock.
    func beginTurn() {
        guard !self.isInTurn else { return }
        self.isInTurn = true
        self.turn += 1
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
        // Those that become ready from now on are for the next turn.
        var streams: [LoopStream] = []
        swap(&streams, &self.ready)
        for stream in streams { stream.deliverAgain() }
    }

    /// A few of the clients that wait for a handshake, so that the others keep their share.
    private func beginHandshakes() {
        var count = 0
        while count < max(self.handshakesPerTurnMax, 1), let stream = self.handshakeQueue.take() {
            guard stream.awaitsHandshake else { continue }
            stream.beginHandshake()
            count += 1
        }
        self.handshakesBegun += count
    }

    /// Frees what ended in this turn, now that nothing of it is on the stack.
    private func buryTheDead() {
        self.retiredEvents.removeAll(keepingCapacity: true)
        // A handler's last call may end further streams.
        while !self.graveyard.isEmpty {
            var streams: [LoopStream] = []
            swap(&streams, &self.graveyard)
            for stream in streams {
                let handler = stream.handler
                stream.handler = nil
                handler?.ended(stream)
                stream.discard()
                self.table.vacate(stream.id)
            }
            for listener in self.listeners { listener.descriptorWasFreed() }
        }
    }

    // MARK: - Streams

    /// How many connections there are.
    package var connectionCount: Int { self.table.count }

    /// The connection of that id, unless it is gone.
    package func stream(_ id: ConnectionID) -> (any ByteStream)? { self.table[id] }

    /// Takes over a descriptor; nil when there is no memory for another stream.
    func adopt(_ descriptor: Int32, peer: NetworkAddress) -> LoopStream? {
        let id = self.table.takeSlot()
        guard let stream = LoopStream(owning: descriptor, loop: self, id: id, peer: peer) else {
            self.table.vacate(id)
            return nil
        }
        self.table[id] = stream
        return stream
    }

    /// Its handler hears of the end, and it is freed, at the end of the turn.
    func bury(_ stream: LoopStream) { self.graveyard.append(stream) }

    /// Its handshake begins when those before it have begun.
    func queueHandshake(of stream: LoopStream) { self.handshakeQueue.put(stream) }

    /// Its input is delivered at the end of the turn.
    func makeReady(_ stream: LoopStream) { self.ready.append(stream) }

    /// Connects to an address; the stream's handler hears `connected`, or `ended` when it fails.
    package func connect(
        to address: ListenAddress,
        localAddress: NetworkAddress? = nil
    ) throws(EventLoopError) -> any ByteStream {
        let (descriptor, peer) = try SocketAddress.connect(to: address, from: localAddress)
        guard let stream = self.adopt(descriptor, peer: peer) else {
            close(descriptor)
            throw EventLoopError("event_new", code: ENOMEM)
        }
        stream.awaitConnection()
        return stream
    }

    // MARK: - Listeners, timers, signals, mailboxes

    /// Listens; `accept` sets the handler of each new stream, or aborts it.
    ///
    /// The permissions of a Unix socket's file, `mode`, say who may connect to it.
    package func listen(
        on address: ListenAddress,
        backlog: Int = 1024,
        mode: UInt32 = 0o600,
        accept: @escaping (any ByteStream) -> Void
    ) throws(EventLoopError) -> Listener {
        let descriptor = try SocketAddress.listen(on: address, backlog: backlog, mode: mode)
        let listener = try Listener(self, owning: descriptor, address: address, accept: accept)
        self.listeners.append(listener)
        return listener
    }

    /// Listens on a socket that was opened by somebody else, whose file, if it has one, stays.
    package func listen(
        on socket: PassedSocket,
        accept: @escaping (any ByteStream) -> Void
    ) throws(EventLoopError) -> Listener {
        socket.prepare()
        let listener = try Listener(
            self,
            owning: socket.descriptor,
            address: socket.address,
            ownsFile: false,
            accept: accept
        )
        self.listeners.append(listener)
        return listener
    }

    func forget(_ listener: Listener) { self.listeners.removeAll { $0 === listener } }

    /// Runs `body` once, after `seconds`.
    @discardableResult
    package func after(seconds: Double, _ body: @escaping () -> Void) -> Timer {
        let event = LoopEvent(self, descriptor: -1, what: 0, body)
        self.events[ObjectIdentifier(event)] = event
        event.add(seconds: seconds)
        return Timer(event)
    }

    /// Runs `body` as often as a descriptor is ready, for libraries that have sockets of their own.
    ///
    /// The descriptor must stay open until the watch is cancelled.
    package func watch(
        _ descriptor: Int32,
        for readiness: DescriptorWatch.Readiness,
        _ body: @escaping () -> Void
    ) -> DescriptorWatch {
        let what = (readiness == .readable ? EV_READ : EV_WRITE) | EV_PERSIST
        let event = LoopEvent(self, descriptor: descriptor, what: what, body)
        self.hold(event)
        return DescriptorWatch(event)
    }

    func release(_ event: LoopEvent) {
        guard self.events.removeValue(forKey: ObjectIdentifier(event)) != nil else { return }
        event.remove()
        // Outside a turn there is none on the stack.
        if self.isInTurn { self.retiredEvents.append(event) }
    }

    /// Runs `body` on the loop whenever the signal comes.
    package func onSignal(_ number: Int32, _ body: @escaping () -> Void) {
        self.hold(LoopEvent(self, descriptor: number, what: EV_SIGNAL | EV_PERSIST, body))
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
        let bell = mailbox.bell.descriptor
        var delivery = MailboxDelivery(mailbox: mailbox)
        self.hold(
            LoopEvent(self, descriptor: bell, what: EV_READ | EV_PERSIST) {
                delivery.deliver(to: receive)
            }
        )
        return mailbox
    }

    private func hold(_ event: LoopEvent) {
        self.events[ObjectIdentifier(event)] = event
        event.add()
    }

    /// Equal durations share a queue in libevent, which makes adding and removing cheap.
    func withTimeout(_ seconds: Double, _ body: (UnsafePointer<timeval>) -> Void) {
        // Never earlier than asked; and no duration, however odd, may trap.
        let milliseconds = seconds > 0 ? Int((min(seconds, 1e9) * 1000).rounded(.up)) : 0
        if let common = unsafe self.commonTimeouts[milliseconds] { return unsafe body(common) }
        var value = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        let isCommon = milliseconds >= 1000 && milliseconds % 1000 == 0
        if isCommon, unsafe self.commonTimeouts.count < Self.commonTimeoutsMax,
            let common = unsafe event_base_init_common_timeout(self.base, &value)
        {
            unsafe self.commonTimeouts[milliseconds] = common
            return unsafe body(common)
        }
        unsafe body(&value)
    }

    /// libevent has room for 256 of them.
    private static let commonTimeoutsMax = 64

    /// Raises the limit of descriptors as far as the system allows.
    ///
    /// - Returns: the limit in force afterwards.
    package static func raiseDescriptorLimit(to wanted: Int) -> Int {
        clibevent_raise_descriptors(wanted)
    }
}
