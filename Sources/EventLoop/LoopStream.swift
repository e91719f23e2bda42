// SPDX-License-Identifier: Apache-2.0
//
// A connection. What the system has received is shown to the handler from one buffer of the loop,
// and only what the handler leaves is kept; output goes straight to the socket, and what the socket
// does not take goes through a libevent bufferevent, which the stream then has until its end. A
// bufferevent for all input and output would cost a FIONREAD and an allocation with each read, two
// changes of the poll set with each reply, and 1.1 KiB for each connection that is idle. A stream
// that speaks TLS has libevent's TLS bufferevent in the place of the other, for input as well.

internal import CLibevent
internal import Glibc
internal import MailBytes

/// One connection of an `EventLoop`.
@safe
final class LoopStream: ByteStream {
    let id: ConnectionID
    let peer: NetworkAddress
    var client: NetworkAddress
    var receiveOctetsLimit: Int?
    var handler: (any StreamHandler)?
    unowned let loop: EventLoop
    let descriptor: Int32
    var state = State.open
    /// Says that the descriptor can be read; nil once the stream is discarded.
    var readEvent: OpaquePointer?
    /// Runs at the deadline, or earlier and again; nil until there is a deadline.
    var deadlineEvent: OpaquePointer?
    var deadline: Double = .infinity
    var deadlineEventTime: Double = .infinity
    /// What has been received and not consumed.
    var unread = UnreadInput()
    var intake = Intake.flowing
    var isReading = false
    var isReady = false
    var wasResumed = false
    var inputHasEnded = false
    /// The peer has ended its output, and the handler has still to hear of it.
    var endIsUntold = false
    /// What there is besides when TLS is spoken, or to be spoken.
    var security: StreamSecurity?
    private var lingers = false
    private(set) var isConnecting = false
    var connectFailure: String?
    /// The bufferevent: of output that waits, or of all that goes through TLS.
    var output: OpaquePointer?

    enum State {
        case open
        /// The handler is done; output still flows.
        case closing
        /// All output is out; what the peer still sends is thrown away, so that it reads our last
        /// words before a reset.
        case lingering
        case dead
    }

    /// What the handler wants of input.
    enum Intake {
        case flowing
        case suspended
        /// Whatever comes is thrown away.
        case finished
    }

    /// So much is received in one turn.
    static let receiveOctetsMax = 1 << 16
    /// Octets that may wait unread before the peer is read no more.
    static let unreadOctetsMax = 1 << 16
    private static let writeOctetsMax = 1 << 18
    private static let lingerSeconds: Double = 2
    private static let flushSeconds: Double = 30

    init?(owning descriptor: Int32, loop: EventLoop, id: ConnectionID, peer: NetworkAddress) {
        self.descriptor = descriptor
        self.loop = loop
        self.id = id
        self.peer = peer
        self.client = peer
        unsafe self.readEvent = event_new(
            loop.base,
            descriptor,
            Int16(EV_READ | EV_PERSIST),
            { _, _, context in unsafe LoopStream.from(context)?.readable() },
            Unmanaged.passUnretained(self).toOpaque()
        )
        guard unsafe self.readEvent != nil else { return nil }
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> LoopStream? {
        unsafe context.map { unsafe Unmanaged<LoopStream>.fromOpaque($0).takeUnretainedValue() }
    }

    /// An accepted connection has got its handler.
    func begin() {
        if self.state == .open, !self.isSecuring { self.setReading(true) }
    }

    /// Frees all there is; only when nothing of it is on the stack.
    func discard() {
        guard let readEvent = unsafe self.readEvent else { return }
        self.state = .dead
        self.handler = nil
        self.unread.removeAll()
        unsafe event_free(readEvent)
        unsafe self.readEvent = nil
        if let event = unsafe self.deadlineEvent { unsafe event_free(event) }
        unsafe self.deadlineEvent = nil
        self.freeOutput()
        self.security = nil
        Glibc.close(self.descriptor)
    }

    func freeOutput() {
        guard let output = unsafe self.output else { return }
        unsafe bufferevent_setcb(output, nil, nil, nil, nil)
        unsafe bufferevent_free(output)
        unsafe self.output = nil
    }

    // MARK: - ByteStream

    var local: NetworkAddress {
        self.state == .dead ? .unix : SocketAddress.local(of: self.descriptor)
    }

    var peerUser: UInt32? {
        guard self.state != .dead, self.peer.family == .unix else { return nil }
        return UInt32(exactly: clibevent_peer_user(self.descriptor))
    }

    var hasReadableInput: Bool {
        guard self.state != .dead, !self.isSecuring else { return false }
        if !self.unread.isEmpty { return true }
        var octet: UInt8 = 0
        return unsafe recv(self.descriptor, &octet, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
    }

    var pendingOutputCount: Int {
        guard let output = unsafe self.output else { return 0 }
        return unsafe evbuffer_get_length(bufferevent_get_output(output))
    }

    func send(_ octets: borrowing Span<UInt8>) {
        guard self.state == .open, octets.count > 0 else { return }
        if self.security != nil {
            return unsafe octets.withUnsafeBufferPointer { unsafe self.sendSecured($0) }
        }
        let isPending = self.isConnecting || self.pendingOutputCount > 0
        unsafe octets.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            var sent = 0
            if !isPending {
                sent = unsafe Glibc.send(self.descriptor, start, buffer.count, Int32(MSG_NOSIGNAL))
                if sent == buffer.count { return }
                if sent < 0 {
                    guard errno == EAGAIN || errno == EINTR else { return self.abort() }
                    sent = 0
                }
            }
            guard let output = unsafe self.output ?? self.makeOutput() else { return self.abort() }
            unsafe bufferevent_write(output, start + sent, buffer.count - sent)
        }
    }

    /// Three runs leave in one call of the system without being copied together.
    ///
    /// That is for streams in clear that have no bufferevent: in one, octets may wait that come
    /// first. Within TLS nothing goes past OpenSSL, and one run makes the fewest records.
    func send(
        _ first: borrowing Span<UInt8>,
        _ second: borrowing Span<UInt8>,
        _ third: borrowing Span<UInt8>
    ) {
        guard self.state == .open, first.count + second.count + third.count > 0 else { return }
        guard self.security == nil, unsafe self.output == nil else {
            return self.sendTogether(first, second, third)
        }
        var sent = 0
        unsafe first.withUnsafeBufferPointer { first in
            unsafe second.withUnsafeBufferPointer { second in
                unsafe third.withUnsafeBufferPointer { third in
                    sent = unsafe clibevent_send(
                        self.descriptor,
                        first.baseAddress,
                        first.count,
                        second.baseAddress,
                        second.count,
                        third.baseAddress,
                        third.count
                    )
                }
            }
        }
        if sent < 0 {
            guard errno == EAGAIN || errno == EINTR else { return self.abort() }
            sent = 0
        }
        // What the socket did not take waits in the bufferevent, in order.
        self.send(first.extracting(droppingFirst: min(sent, first.count)))
        sent = max(sent - first.count, 0)
        self.send(second.extracting(droppingFirst: min(sent, second.count)))
        sent = max(sent - second.count, 0)
        self.send(third.extracting(droppingFirst: min(sent, third.count)))
    }

    func setDeadline(seconds: Double?) {
        guard self.state == .open, !self.isSecuring else { return }
        self.moveDeadline(seconds)
    }

    func close(lingering: Bool) {
        guard self.state == .open else { return }
        // In clear there is nothing more to say, and within TLS nothing yet.
        guard !self.isSecuring else { return self.abort() }
        self.state = .closing
        self.lingers = lingering
        guard self.pendingOutputCount == 0 else {
            self.unread.removeAll()
            // A peer that is blocked in sending would never read.
            self.setReading(true)
            return self.moveDeadline(Self.flushSeconds)
        }
        self.linger()
    }

    func abort() {
        guard self.state != .dead else { return }
        self.state = .dead
        self.noteFailedHandshake()
        if self.pendingOutputCount == 0 { self.security?.sendCloseNotify() }
        self.setReading(false)
        if let event = unsafe self.deadlineEvent { unsafe event_del(event) }
        if let output = unsafe self.output {
            unsafe bufferevent_disable(output, Int16(EV_READ | EV_WRITE))
        }
        self.loop.bury(self)
    }

    /// Ends the connection; if the peer is still sending, only after it had time to read.
    func linger() {
        guard !self.inputHasEnded, self.lingers || self.peerIsTalking else { return self.abort() }
        self.state = .lingering
        self.endSecurity()
        self.unread.removeAll()
        shutdown(self.descriptor, Int32(SHUT_WR))
        self.setReading(true)
        self.moveDeadline(Self.lingerSeconds)
    }

    private var peerIsTalking: Bool {
        if !self.unread.isEmpty { return true }
        var count: Int32 = 0
        return unsafe clibevent_unread(self.descriptor, &count) == 0 && count > 0
    }

    // MARK: - Output

    /// The bufferevent that carries what the socket does not take at once.
    private func makeOutput() -> OpaquePointer? {
        guard let output = unsafe bufferevent_socket_new(self.loop.base, self.descriptor, 0) else {
            return nil
        }
        unsafe self.output = output
        unsafe bufferevent_setcb(
            output,
            nil,
            { _, context in unsafe LoopStream.from(context)?.drained() },
            { _, what, context in unsafe LoopStream.from(context)?.happened(Int32(what)) },
            Unmanaged.passUnretained(self).toOpaque()
        )
        unsafe bufferevent_set_max_single_write(output, Self.writeOctetsMax)
        return unsafe output
    }

    func drained() {
        self.loop.beginTurn()
        guard self.pendingOutputCount == 0 else { return }
        switch self.state {
        case .open where self.isSecuring: self.awaitHello()
        case .open: self.handler?.drained(self)
        case .closing: self.linger()
        case .lingering, .dead: break
        }
    }

    /// The descriptor is connecting: writability will say that it is connected.
    func awaitConnection() {
        guard let output = unsafe self.makeOutput() else { return self.abort() }
        self.isConnecting = true
        // Without an address, libevent waits for the connection under way.
        unsafe bufferevent_socket_connect(output, nil, 0)
    }

    private func happened(_ what: Int32) {
        // libevent leaves the socket's error there.
        let code = errno
        self.loop.beginTurn()
        guard what & BEV_EVENT_CONNECTED != 0 else {
            if self.isConnecting { self.connectFailure = EventLoopError.reason(code) }
            return self.abort()
        }
        self.isConnecting = false
        guard self.state == .open else { return }
        if self.isSecuring { return self.awaitHello() }
        self.setReading(true)
        self.handler?.connected(self)
    }
}
