// SPDX-License-Identifier: Apache-2.0
//
// A listening socket on evconnlistener. When descriptors run out it stops accepting, and accepts
// again as soon as one is free: a full process must not spin, nor stop serving. It takes a bounded
// number of connections in a turn, so that a storm of them does not starve those that are there.

internal import CLibevent
internal import Glibc
internal import MailBytes

/// One listening socket.
@safe
package final class Listener {
    private unowned let loop: EventLoop
    private let accept: (any ByteStream) -> Void
    private var handle: OpaquePointer?
    /// The file of a Unix socket, which goes away with it.
    private let path: String?
    private var pause = Pause.none
    private var retry: Timer?
    private var turn = 0
    private var acceptedInTurn = 0
    /// Where it listens; the port is the real one when 0 was asked for.
    package let address: ListenAddress

    private enum Pause {
        case none
        case untilNextTurn
        case untilDescriptorIsFree
    }

    /// Accepting one costs about as much as answering a command.
    private static let acceptsPerTurnMax = 32
    private static let retrySeconds: Double = 1

    /// Takes over a bound socket that listens already.
    init(
        _ loop: EventLoop,
        owning descriptor: Int32,
        address: ListenAddress,
        ownsFile: Bool = true,
        accept: @escaping (any ByteStream) -> Void
    ) throws(EventLoopError) {
        self.loop = loop
        self.accept = accept
        switch address {
        case .ip:
            self.address = .ip(SocketAddress.local(of: descriptor))
            self.path = nil
        case .unix(let path):
            self.address = address
            self.path = ownsFile ? path : nil
        }
        // A backlog of 0 tells libevent that the socket listens already.
        unsafe self.handle = evconnlistener_new(
            loop.base,
            { _, descriptor, address, _, context in
                unsafe Listener.from(context)?.accepted(descriptor, from: address)
            },
            Unmanaged.passUnretained(self).toOpaque(),
            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC,
            0,
            descriptor
        )
        guard let handle = unsafe self.handle else {
            Glibc.close(descriptor)
            throw EventLoopError("evconnlistener_new", code: ENOMEM)
        }
        unsafe evconnlistener_set_error_cb(handle) { _, context in
            unsafe Listener.from(context)?.acceptFailed(errno)
        }
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Listener? {
        unsafe context.map { unsafe Unmanaged<Listener>.fromOpaque($0).takeUnretainedValue() }
    }

    deinit { self.stopListening() }

    /// Listens no more; a Unix socket's file goes away.
    package func close() {
        guard unsafe self.handle != nil else { return }
        self.stopListening()
        self.retry?.cancel()
        self.loop.forget(self)
    }

    /// Gives up the socket, with or without a loop that still turns.
    func stopListening() {
        guard let handle = unsafe self.handle else { return }
        unsafe self.handle = nil
        unsafe evconnlistener_free(handle)
        if let path { unsafe _ = unlink(path) }
    }

    private func accepted(_ descriptor: Int32, from address: UnsafeMutablePointer<sockaddr>?) {
        self.loop.beginTurn()
        let peer = unsafe address.map { unsafe SocketAddress.address($0) } ?? .unix
        guard let stream = self.loop.adopt(descriptor, peer: peer) else {
            Glibc.close(descriptor)
            return
        }
        self.accept(stream)
        if stream.handler == nil { stream.close() }
        stream.begin()
        self.limitAccepts()
    }

    private func limitAccepts() {
        if self.turn != self.loop.turn {
            self.turn = self.loop.turn
            self.acceptedInTurn = 0
        }
        self.acceptedInTurn += 1
        if self.acceptedInTurn >= Self.acceptsPerTurnMax { self.pause(.untilNextTurn) }
    }

    private func acceptFailed(_ code: Int32) {
        switch code {
        case ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
            ENETUNREACH:
            // The connection that was to be accepted is gone; its network said why.
            return
        default:
            self.pause(.untilDescriptorIsFree)
            // Descriptors may also be freed elsewhere in the process or the system.
            self.retry = self.loop.after(seconds: Self.retrySeconds) { [weak self] in
                self?.descriptorWasFreed()
            }
        }
    }

    private func pause(_ pause: Pause) {
        guard self.pause == .none, let handle = unsafe self.handle else { return }
        self.pause = pause
        unsafe evconnlistener_disable(handle)
    }

    private func goOn(after pause: Pause) {
        guard self.pause == pause, let handle = unsafe self.handle else { return }
        self.pause = .none
        unsafe evconnlistener_enable(handle)
    }

    /// What was too much for this turn may come in the next.
    func turnEnded() { self.goOn(after: .untilNextTurn) }

    /// Tries again, if it had to stop.
    func descriptorWasFreed() {
        guard self.pause == .untilDescriptorIsFree else { return }
        self.retry?.cancel()
        self.retry = nil
        self.goOn(after: .untilDescriptorIsFree)
    }
}
