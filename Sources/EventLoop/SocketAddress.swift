// SPDX-License-Identifier: Apache-2.0
//
// Sockets and their addresses, between the system's structures and ours.

internal import CLibevent
internal import Glibc
internal import MailBytes

/// Making sockets, and reading their addresses.
enum SocketAddress {
    /// A bound and listening socket.
    static func listen(
        on address: ListenAddress,
        backlog: Int,
        mode: UInt32
    ) throws(EventLoopError) -> Int32 {
        let descriptor = try self.socket(for: address)
        do throws(EventLoopError) {
            var one: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            switch address {
            case .ip(let host):
                unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
                // Accepted sockets inherit this from their listener.
                unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, size)
                if host.family == .ipv6 {
                    unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, size)
                }
                try self.bind(descriptor, to: address)
            case .unix(let path):
                try self.removeStale(path)
                // The file takes its permissions from the socket, so that it is never open to
                // others, not even for a moment; only chmod can grant what the umask takes away.
                fchmod(descriptor, 0o600)
                try self.bind(descriptor, to: address)
                guard unsafe mode == 0o600 || chmod(path, mode) == 0 else {
                    throw EventLoopError("chmod")
                }
            }
            guard Glibc.listen(descriptor, Int32(backlog)) == 0 else {
                throw EventLoopError("listen")
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// A socket that is connecting, and the address it connects to.
    static func connect(
        to address: ListenAddress,
        from local: NetworkAddress?
    ) throws(EventLoopError) -> (Int32, NetworkAddress) {
        let descriptor = try self.socket(for: address)
        do throws(EventLoopError) {
            var one: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            if case .ip = address {
                unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, size)
            }
            if let local {
                // The port is chosen when the destination is known: one local address then serves
                // as many connections to each destination as there are ports.
                let late = IP_BIND_ADDRESS_NO_PORT
                unsafe setsockopt(descriptor, Int32(IPPROTO_IP), late, &one, size)
                try self.bind(descriptor, to: .ip(local))
            }
            let code = unsafe try self.with(address) { unsafe Glibc.connect(descriptor, $0, $1) }
            guard code == 0 || errno == EINPROGRESS else { throw EventLoopError("connect") }
        } catch {
            close(descriptor)
            throw error
        }
        guard case .ip(let peer) = address else { return (descriptor, .unix) }
        return (descriptor, peer)
    }

    /// The address at this end of a socket.
    static func local(of descriptor: Int32) -> NetworkAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { return .unix }
        return unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe self.address($0)
            }
        }
    }

    /// Our form of a system address.
    static func address(_ pointer: UnsafePointer<sockaddr>) -> NetworkAddress {
        switch unsafe Int32(pointer.pointee.sa_family) {
        case AF_INET:
            unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe NetworkAddress(
                    ipv4: UInt32(bigEndian: $0.pointee.sin_addr.s_addr),
                    port: UInt16(bigEndian: $0.pointee.sin_port)
                )
            }
        case AF_INET6:
            unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                let halves = unsafe withUnsafeBytes(of: address.pointee.sin6_addr) {
                    unsafe (
                        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                    )
                }
                return unsafe NetworkAddress(
                    ipv6: halves.0,
                    halves.1,
                    port: UInt16(bigEndian: address.pointee.sin6_port)
                )
            }
        default: .unix
        }
    }

    private static func socket(for address: ListenAddress) throws(EventLoopError) -> Int32 {
        let family =
            switch address {
            case .ip(let host): host.family == .ipv6 ? AF_INET6 : AF_INET
            case .unix: AF_UNIX
            }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(family, kind, 0)
        guard descriptor >= 0 else { throw EventLoopError("socket") }
        return descriptor
    }

    private static func bind(
        _ descriptor: Int32,
        to address: ListenAddress
    ) throws(EventLoopError) {
        let code = unsafe try self.with(address) { unsafe Glibc.bind(descriptor, $0, $1) }
        guard code == 0 else { throw EventLoopError("bind") }
    }

    /// A socket file that nobody listens on any more is in the way; one that somebody does is not
    /// ours to remove, nor is anything that is no socket.
    private static func removeStale(_ path: String) throws(EventLoopError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        let probe = try self.socket(for: .unix(path: path))
        defer { close(probe) }
        let code = unsafe try self.with(.unix(path: path)) { unsafe Glibc.connect(probe, $0, $1) }
        if code != 0, errno == ECONNREFUSED { unsafe _ = unlink(path) }
    }

    /// Calls `body` with the system's form of an address.
    static func with(
        _ address: ListenAddress,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(EventLoopError) -> Int32 {
        switch address {
        case .unix(let path):
            var value = sockaddr_un()
            guard unsafe clibevent_unix_address(&value, path) == 0 else {
                throw EventLoopError("the path of the Unix socket", code: ENAMETOOLONG)
            }
            return unsafe self.rebound(&value, body)
        case .ip(let host) where host.family == .ipv6:
            var value = sockaddr_in6()
            value.sin6_family = sa_family_t(AF_INET6)
            value.sin6_port = host.port.bigEndian
            unsafe withUnsafeMutableBytes(of: &value.sin6_addr) {
                unsafe $0.storeBytes(of: host.high.bigEndian, toByteOffset: 0, as: UInt64.self)
                unsafe $0.storeBytes(of: host.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return unsafe self.rebound(&value, body)
        case .ip(let host):
            var value = sockaddr_in()
            value.sin_family = sa_family_t(AF_INET)
            value.sin_port = host.port.bigEndian
            value.sin_addr.s_addr = UInt32(truncatingIfNeeded: host.low).bigEndian
            return unsafe self.rebound(&value, body)
        }
    }

    private static func rebound<Value>(
        _ value: inout Value,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        let size = socklen_t(MemoryLayout<Value>.size)
        return unsafe withUnsafePointer(to: &value) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, size)
            }
        }
    }
}
