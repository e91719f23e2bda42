// SPDX-License-Identifier: Apache-2.0
//
// A client's end of a TCP connection, by the system's own blocking calls: it knows no protocol
// beyond lines and never waits longer than its patience.

import Foundation
import Testing

/// Why a conversation cannot go on.
struct ConnectionFailure: Error, CustomStringConvertible {
    let description: String
}

/// A blocking connection to a server on this machine.
final class Connection {
    private var descriptor: Int32
    private var unread: [UInt8] = []
    private var position = 0

    /// Connects to a port of 127.0.0.1; no read or write waits longer than `patience` seconds.
    init(port: Int, patience: Int = 20, receiveBuffer: Int32? = nil) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard self.descriptor >= 0 else {
            throw ConnectionFailure(description: "no socket: \(errno)")
        }
        let size = socklen_t(MemoryLayout<timeval>.size)
        var limit = timeval(tv_sec: patience, tv_usec: 0)
        unsafe setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(self.descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        if var octets = receiveBuffer {
            unsafe setsockopt(self.descriptor, SOL_SOCKET, SO_RCVBUF, &octets, 4)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe connect(self.descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            throw ConnectionFailure(description: "cannot connect to port \(port): error \(errno)")
        }
    }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    // MARK: - Sending

    func send(_ octets: some Collection<UInt8>) throws {
        let octets = Array(octets)
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    self.descriptor,
                    buffer.baseAddress.map { unsafe $0 + sent },
                    buffer.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else {
                throw ConnectionFailure(description: "cannot send: error \(errno)")
            }
            sent += count
        }
    }

    /// Sends text as it stands.
    func send(_ text: String) throws { try self.send(Array(text.utf8)) }

    /// Says that no more will be sent, and goes on reading.
    func closeSending() { shutdown(self.descriptor, Int32(SHUT_WR)) }

    /// Ends the connection with a reset.
    func reset() {
        var immediately = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            self.descriptor,
            SOL_SOCKET,
            SO_LINGER,
            &immediately,
            socklen_t(MemoryLayout<linger>.size)
        )
        close(self.descriptor)
        self.descriptor = -1
    }

    // MARK: - Receiving

    /// The next line without its CRLF; nil at the end of the stream.
    func line() throws -> String? {
        guard let line = try self.lineOctets() else { return nil }
        return String(decoding: line, as: UTF8.self)
    }

    /// The octets of the next line, without its CRLF.
    func lineOctets() throws -> ArraySlice<UInt8>? {
        var searched = self.position
        while true {
            if let end = self.unread[searched...].firstIndex(of: 0x0a) {
                let line = self.unread[self.position..<end]
                self.position = end + 1
                guard line.last == 0x0d else {
                    throw ConnectionFailure(description: "a line without CR: \(Array(line))")
                }
                return line.dropLast()
            }
            searched = self.unread.count - self.position
            self.unread.removeSubrange(..<self.position)
            self.position = 0
            guard try self.receive() else {
                guard self.unread.isEmpty else {
                    throw ConnectionFailure(description: "the stream ends within a line")
                }
                return nil
            }
        }
    }

    /// Everything up to the end of the stream.
    func rest() throws -> String {
        while try self.receive() {}
        defer { self.position = self.unread.count }
        return String(decoding: self.unread[self.position...], as: UTF8.self)
    }

    /// Whether the peer has closed the connection, by an end or a reset, within its patience.
    func isClosedByPeer() -> Bool {
        do { return try !self.receive() } catch { return errno != EAGAIN }
    }

    private func receive() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = unsafe chunk.withUnsafeMutableBytes { buffer in
            unsafe recv(self.descriptor, buffer.baseAddress, buffer.count, 0)
        }
        guard count >= 0 else {
            let reason = errno == EAGAIN ? "nothing came in time" : "error \(errno)"
            throw ConnectionFailure(description: "cannot receive: \(reason)")
        }
        self.unread += chunk[..<count]
        return count > 0
    }
}
