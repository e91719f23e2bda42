// SPDX-License-Identifier: Apache-2.0
//
// Blocking sockets on 127.0.0.1, with a time limit on every wait.

import Glibc

enum DNSSocket {
    /// A socket that is bound, and listens if it is one of streams.
    static func make(_ kind: __socket_type, port: UInt16) throws(DNSServer.Failure) -> Int32 {
        let descriptor = socket(AF_INET, Int32(kind.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw DNSServer.Failure(call: "socket", code: errno) }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        let limitSize = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, limitSize)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, limitSize)
        if kind == SOCK_STREAM {
            var one: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        var code = unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, size)
            }
        }
        if code == 0, kind == SOCK_STREAM { code = listen(descriptor, 64) }
        guard code == 0 else {
            let failure = DNSServer.Failure(call: "bind", code: errno)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    static func port(of descriptor: Int32) -> UInt16 {
        var name = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe _ = getsockname(descriptor, $0, &size)
            }
        }
        return UInt16(bigEndian: name.sin_port)
    }

    /// Which of the descriptors can be read.
    static func wait(_ descriptors: [Int32], milliseconds: Int32) -> [Bool] {
        var waits = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        unsafe _ = poll(&waits, nfds_t(waits.count), milliseconds)
        return waits.map { $0.revents & Int16(POLLIN) != 0 }
    }

    static func receive(from descriptor: Int32) -> ([UInt8], sockaddr_in)? {
        var octets = [UInt8](repeating: 0, count: 4096)
        let limit = octets.count
        var peer = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = unsafe withUnsafeMutablePointer(to: &peer) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe recvfrom(descriptor, &octets, limit, 0, $0, &size)
            }
        }
        return count > 0 ? (Array(octets.prefix(count)), peer) : nil
    }

    static func send(_ octets: [UInt8], to peer: sockaddr_in, from descriptor: Int32) {
        var peer = peer
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafePointer(to: &peer) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe _ = sendto(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL), $0, size)
            }
        }
    }

    static func accept(on listener: Int32) -> Int32? {
        let descriptor = Glibc.accept(listener, nil, nil)
        guard descriptor >= 0 else { return nil }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        return descriptor
    }

    /// A message behind its length (RFC 1035, section 4.2.2).
    static func readFrame(_ descriptor: Int32) -> [UInt8]? {
        guard let length = self.read(2, from: descriptor) else { return nil }
        return self.read(Int(length[0]) << 8 | Int(length[1]), from: descriptor)
    }

    static func writeFrame(_ octets: [UInt8], to descriptor: Int32) {
        let length = [UInt8(octets.count >> 8), UInt8(truncatingIfNeeded: octets.count)]
        let frame = length + octets
        var sent = 0
        while sent < frame.count {
            let rest = Array(frame[sent...])
            let count = unsafe Glibc.send(descriptor, rest, rest.count, Int32(MSG_NOSIGNAL))
            guard count > 0 else { return }
            sent += count
        }
    }

    private static func read(_ count: Int, from descriptor: Int32) -> [UInt8]? {
        var octets: [UInt8] = []
        while octets.count < count {
            var part = [UInt8](repeating: 0, count: count - octets.count)
            let limit = part.count
            let received = unsafe recv(descriptor, &part, limit, 0)
            guard received > 0 else { return nil }
            octets += part.prefix(received)
        }
        return octets
    }
}
