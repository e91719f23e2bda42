// SPDX-License-Identifier: Apache-2.0
//
// A connection on a libevent bufferevent. Input is shown to the handler where libevent put it;
// output goes straight to the socket while nothing is pending, because each reply by way of the
// output buffer would cost two changes of the poll set.

internal import CLibevent
internal import Glibc
internal import MailBytes

/// One connection of an `EventLoop`.
@safe
final class LoopStream: ByteStream {
    let id: ConnectionID
    let peer: NetworkAddress
    var handler: (any StreamHandler)?
    private unowned let loop: EventLoop
    private let bufferevent: OpaquePointer
    private let descriptor: Int32
    private var timer: LoopEvent?
    private var deadline: Double = .infinity
    private var timerFiresAt: Double = .infinity
    private var state = State.open
    private var isConnecting = false
    private var isSuspended = false
    private var isDelivering = false
    private var isReady = false
    private var isReading = true
    private var inputHasEnded = false
    private var endWasTold = false

    private enum State {
        case open
        /// The handler is done; output still flows.
        case closing
        /// All output is out; what the peer still sends is thrown away, so that it reads our last
        /// words before a reset.
        case lingering
        case dead
    }

    /// Octets that may wait unread before the peer is read no more.
    private static let unreadOctetsMax = 1 << 16
    private static let lingerSeconds: Double = 2
    private static let flushSeconds: Double = 30

    init?(owning descriptor: Int32, loop: EventLoop, id: ConnectionID, peer: NetworkAddress) {
        guard
            let bufferevent = unsafe bufferevent_socket_new(
                loop.base,
                descriptor,
                Int32(BEV_OPT_CLOSE_ON_FREE.rawValue)
            )
        else { return nil }
        unsafe self.bufferevent = bufferevent
        self.descriptor = descriptor
        self.loop = loop
        self.id = id
        self.peer = peer
        unsafe bufferevent_setcb(
            bufferevent,
            { _, context in unsafe LoopStream.from(context)?.readable() },
            { _, context in unsafe LoopStream.from(context)?.writable() },
            { _, what, context in unsafe LoopStream.from(context)?.happened(what) },
            Unmanaged.passUnretained(self).toOpaque()
        )
        // A new bufferevent writes; ours does only while output is pending.
        unsafe bufferevent_disable(bufferevent, Int16(EV_WRITE))
        unsafe bufferevent_enable(bufferevent, Int16(EV_READ))
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> LoopStream? {
        unsafe context.map {
            unsafe Unmanaged<LoopStream>.fromOpaque($0).takeUnretainedValue()
        }
    }

    /// Frees the bufferevent and its descriptor; only when nothing of it is on the stack.
    func free() {
        self.timer = nil
        unsafe bufferevent_setcb(self.bufferevent, nil, nil, nil, nil)
        unsafe bufferevent_free(self.bufferevent)
    }

    /// The descriptor is connecting: writability will say that it is connected.
    func awaitConnection() {
        self.isConnecting = true
        unsafe bufferevent_enable(self.bufferevent, Int16(EV_WRITE))
    }

    // MARK: - ByteStream

    var local: NetworkAddress { SocketAddress.local(of: self.descriptor) }

    var peerUser: Int? {
        let user = clibevent_peer_user(self.descriptor)
        // Sockets of other kinds have nobody there, which the system writes as -1 of 32 bits.
        return user < 0 || user == 0xffff_ffff ? nil : user
    }

    var hasReadableInput: Bool {
        if unsafe evbuffer_get_length(bufferevent_get_input(self.bufferevent)) > 0 { return true }
        var octet: UInt8 = 0
        return unsafe recv(self.descriptor, &octet, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    var pendingOutputCount: Int {
        unsafe evbuffer_get_length(bufferevent_get_output(self.bufferevent))
    }

    func send(_ octets: borrowing Span<UInt8>) {
        guard self.state == .open, octets.count > 0 else { return }
        let isPending = self.isConnecting || self.pendingOutputCount > 0
        unsafe octets.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            var sent = 0
            if !isPending {
                sent = unsafe Glibc.send(
                    self.descriptor,
                    start,
                    buffer.count,
                    Int32(MSG_NOSIGNAL)
                )
                if sent == buffer.count { return }
                if sent < 0 {
                    // A broken connection says so by an event of its own, soon.
                    guard errno == EAGAIN || errno == EINTR else { return self.abort() }
                    sent = 0
                }
            }
            unsafe bufferevent_write(self.bufferevent, start + sent, buffer.count - sent)
            unsafe bufferevent_enable(self.bufferevent, Int16(EV_WRITE))
        }
    }

    func resume() {
        guard self.isSuspended, !self.isDelivering else { return }
        self.isSuspended = false
        self.redeliverSoon()
    }

    func setDeadline(seconds: Double?) {
        guard self.state == .open else { return }
        self.setTimer(seconds)
    }

    func close() {
        guard self.state == .open else { return }
        self.state = .closing
        self.dropInput()
        guard self.pendingOutputCount == 0 else { return self.setTimer(Self.flushSeconds) }
        self.linger()
    }

    func abort() {
        guard self.state != .dead else { return }
        self.state = .dead
        unsafe bufferevent_disable(self.bufferevent, Int16(EV_READ | EV_WRITE))
        self.timer?.remove()
        self.loop.bury(self)
    }

    // MARK: - Input

    private func readable() {
        self.loop.beginTurn()
        switch self.state {
        case .open: self.deliver()
        case .closing, .lingering: self.dropInput()
        case .dead: break
        }
    }

    /// The turn for a stream that yielded or was resumed.
    func deliverAgain() {
        self.isReady = false
        guard self.state == .open else { return }
        self.deliver(evenWhenEmpty: true)
    }

    private func redeliverSoon() {
        guard !self.isReady else { return }
        self.isReady = true
        self.loop.makeReady(self)
    }

    private func deliver(evenWhenEmpty: Bool = false) {
        guard !self.isDelivering, let handler = self.handler else { return }
        guard !self.isSuspended else { return self.limitUnread() }
        self.isDelivering = true
        self.consume(handler, evenWhenEmpty: evenWhenEmpty)
        self.isDelivering = false
        guard self.state == .open else { return self.dropInput() }
        if self.isSuspended { return self.limitUnread() }
        self.setReading(true)
        if self.inputHasEnded, !self.isReady { self.tellEnd(handler) }
    }

    private func consume(_ handler: any StreamHandler, evenWhenEmpty: Bool) {
        let input = unsafe bufferevent_get_input(self.bufferevent)
        var isFirst = evenWhenEmpty
        while self.state == .open {
            let chunk = unsafe clibevent_first_chunk(input)
            guard unsafe chunk.count > 0, let start = unsafe chunk.start else {
                guard isFirst else { return }
                // Nothing came, but the handler has something to do all the same.
                switch handler.received(Span(), from: self).next {
                case .awaitMore, .finished: return
                case .yield: return self.redeliverSoon()
                case .suspend:
                    self.isSuspended = true
                    return
                }
            }
            isFirst = false
            let extent = unsafe chunk.count
            let octets = unsafe Span(_unsafeStart: start, count: extent)
            let consumption = handler.received(octets, from: self)
            unsafe evbuffer_drain(input, consumption.count)
            switch consumption.next {
            case .awaitMore:
                let rest = unsafe evbuffer_get_length(input)
                let shown = extent - consumption.count
                guard rest > shown else { return }
                // More is there, beyond the contiguous octets the handler has seen.
                guard shown > 0 else { continue }
                unsafe evbuffer_pullup(input, Int(min(rest, max(2 * shown, 4096))))
            case .yield:
                self.redeliverSoon()
                return
            case .suspend:
                self.isSuspended = true
                return
            case .finished:
                unsafe evbuffer_drain(input, evbuffer_get_length(input))
                return
            }
        }
    }

    private func tellEnd(_ handler: any StreamHandler) {
        guard !self.endWasTold else { return }
        self.endWasTold = true
        handler.inputEnded(self)
    }

    /// While the handler wants nothing, a little is read ahead and no more.
    private func limitUnread() {
        let unread = unsafe evbuffer_get_length(bufferevent_get_input(self.bufferevent))
        if unread >= Self.unreadOctetsMax { self.setReading(false) }
    }

    private func setReading(_ reading: Bool) {
        guard self.isReading != reading, !self.inputHasEnded else { return }
        self.isReading = reading
        if reading {
            unsafe bufferevent_enable(self.bufferevent, Int16(EV_READ))
        } else {
            unsafe bufferevent_disable(self.bufferevent, Int16(EV_READ))
        }
    }

    private func dropInput() {
        let input = unsafe bufferevent_get_input(self.bufferevent)
        unsafe evbuffer_drain(input, evbuffer_get_length(input))
    }

    // MARK: - Output, end, time

    private func writable() {
        self.loop.beginTurn()
        guard !self.isConnecting, self.pendingOutputCount == 0 else { return }
        unsafe bufferevent_disable(self.bufferevent, Int16(EV_WRITE))
        switch self.state {
        case .open: self.handler?.drained(self)
        case .closing: self.linger()
        case .lingering, .dead: break
        }
    }

    private func happened(_ what: Int16) {
        self.loop.beginTurn()
        let what = Int32(what)
        if what & BEV_EVENT_CONNECTED != 0 {
            self.isConnecting = false
            unsafe bufferevent_disable(self.bufferevent, Int16(EV_WRITE))
            self.handler?.connected(self)
            if self.pendingOutputCount > 0 {
                unsafe bufferevent_enable(self.bufferevent, Int16(EV_WRITE))
            }
        } else if what & BEV_EVENT_EOF != 0, what & BEV_EVENT_READING != 0 {
            self.inputHasEnded = true
            switch self.state {
            case .open: self.deliver()
            case .lingering: self.abort()
            case .closing, .dead: break
            }
        } else if what & (BEV_EVENT_ERROR | BEV_EVENT_EOF) != 0 {
            self.abort()
        }
    }

    /// Ends the connection; if the peer is still sending, only after it had time to read.
    private func linger() {
        guard !self.inputHasEnded else { return self.abort() }
        var unread: Int32 = 0
        unsafe clibevent_unread(self.descriptor, &unread)
        guard unread > 0 else { return self.abort() }
        self.state = .lingering
        shutdown(self.descriptor, Int32(SHUT_WR))
        unsafe bufferevent_enable(self.bufferevent, Int16(EV_READ))
        self.setTimer(Self.lingerSeconds)
    }

    /// Moving the deadline later costs nothing: the timer looks again when it fires.
    private func setTimer(_ seconds: Double?) {
        guard let seconds else {
            self.deadline = .infinity
            return
        }
        self.deadline = self.loop.now + seconds
        guard self.deadline < self.timerFiresAt else { return }
        let timer = self.timer ?? LoopEvent(self.loop, descriptor: -1, what: 0) { [unowned self] in
            self.timerFired()
        }
        self.timer = timer
        self.timerFiresAt = self.deadline
        timer.add(seconds: seconds)
    }

    private func timerFired() {
        self.timerFiresAt = .infinity
        guard self.deadline < .infinity, self.state != .dead else { return }
        let left = self.deadline - self.loop.now
        guard left < 0.01 else {
            self.timerFiresAt = self.deadline
            self.timer?.add(seconds: left)
            return
        }
        self.deadline = .infinity
        if self.state == .open {
            self.handler?.deadlinePassed(self)
        } else {
            self.abort()
        }
    }
}
