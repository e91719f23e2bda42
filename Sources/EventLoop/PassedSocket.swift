// SPDX-License-Identifier: Apache-2.0
//
// A socket that listens already, opened by whoever started the process.

internal import CLibevent
internal import Glibc
internal import MailBytes

/// A listening socket of systemd or another starter.
package struct PassedSocket: Sendable {
    package let descriptor: Int32
    /// Where it listens.
    package let address: ListenAddress

    /// Looks at a descriptor; nil when it is no listening stream socket of a kind that is served.
    package init?(_ descriptor: Int32) {
        guard Self.option(SO_ACCEPTCONN, of: descriptor) == 1,
            Self.option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue)
        else { return nil }
        switch Self.option(SO_DOMAIN, of: descriptor) {
        case AF_INET, AF_INET6: self.address = .ip(SocketAddress.local(of: descriptor))
        case AF_UNIX:
            guard let path = Self.path(of: descriptor) else { return nil }
            self.address = .unix(path: path)
        default: return nil
        }
        self.descriptor = descriptor
    }

    /// Closes it, when nobody is to listen on it.
    package func close() { Glibc.close(self.descriptor) }

    /// Makes it like the sockets that are opened here.
    func prepare() {
        _ = fcntl(self.descriptor, F_SETFL, fcntl(self.descriptor, F_GETFL) | O_NONBLOCK)
        guard case .ip = self.address else { return }
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(self.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, size)
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        let code = unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &size)
        return code == 0 ? value : nil
    }

    /// The path of a Unix socket; nil when it has none, or an abstract name.
    private static func path(of descriptor: Int32) -> String? {
        var address = sockaddr_un()
        var size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &size)
            }
        }
        let start = MemoryLayout<sa_family_t>.size
        guard code == 0, Int(size) > start, Int(size) <= MemoryLayout<sockaddr_un>.size else {
            return nil
        }
        let octets = unsafe withUnsafeBytes(of: &address) { buffer in
            unsafe Array(buffer[start..<Int(size)].prefix { $0 != 0 })
        }
        return octets.isEmpty ? nil : String(decoding: octets, as: UTF8.self)
    }
}
