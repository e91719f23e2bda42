// SPDX-License-Identifier: Apache-2.0
//
// A listening socket on evconnlistener. When descriptors run out it stops accepting, and accepts
// again as soon as one is free: a full process must not spin, nor stop serving.

internal import CLibevent
internal import Glibc
internal import MailBytes

/// One listening socket.
@safe
package final class Listener {
    private unowned let loop: EventLoop
    private let accept: (any ByteStream) -> Void
    private var handle: OpaquePointer?
    private let path: String?
    private var isWaiting = false
    /// Where it listens; the port is the real one when 0 was asked for.
    package let address: ListenAddress

    init(
        loop: EventLoop,
        address: ListenAddress,
        backlog: Int,
        accept: @escaping (any ByteStream) -> Void
    ) throws(EventLoopError) {
        let descriptor = try SocketAddress.listen(on: address, backlog: backlog)
        self.loop = loop
        self.accept = accept
        switch address {
        case .ip:
            self.address = .ip(SocketAddress.local(of: descriptor))
            self.path = nil
        case .unix(let path):
            self.address = address
            self.path = path
        }
        let options = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC
        // A backlog of 0 tells libevent that the socket listens already.
        unsafe self.handle = evconnlistener_new(
            loop.base,
            { _, descriptor, address, _, context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Listener>.fromOpaque(context).takeUnretainedValue()
                    .accepted(descriptor, from: address)
            },
            Unmanaged.passUnretained(self).toOpaque(),
            options,
            0,
            descriptor
        )
        guard let handle = unsafe self.handle else {
            Glibc.close(descriptor)
            throw EventLoopError("evconnlistener_new", code: ENOMEM)
        }
        unsafe evconnlistener_set_error_cb(handle) { _, context in
            guard let context = unsafe context else { return }
            unsafe Unmanaged<Listener>.fromOpaque(context).takeUnretainedValue().acceptFailed()
        }
    }

    deinit {
        if let handle = unsafe self.handle { unsafe evconnlistener_free(handle) }
    }

    /// Listens no more; a Unix socket's file goes away.
    package func close() {
        guard let handle = unsafe self.handle else { return }
        unsafe evconnlistener_free(handle)
        unsafe self.handle = nil
        if let path { unsafe _ = unlink(path) }
        self.loop.forget(self)
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
    }

    private func acceptFailed() {
        guard errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS else {
            return
        }
        guard !self.isWaiting, let handle = unsafe self.handle else { return }
        self.isWaiting = true
        unsafe evconnlistener_disable(handle)
        // Descriptors may also be freed elsewhere in the process or the system.
        self.loop.after(seconds: 1) { [weak self] in self?.descriptorWasFreed() }
    }

    /// Tries again, if it had to stop.
    func descriptorWasFreed() {
        guard self.isWaiting, let handle = unsafe self.handle else { return }
        self.isWaiting = false
        unsafe evconnlistener_enable(handle)
    }
}
