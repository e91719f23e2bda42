// SPDX-License-Identifier: Apache-2.0
//
// The other end of a connection: a plain blocking socket, with a time limit on every wait.

@testable import EventLoop
import Glibc
import MailBytes

/// A client that does what a test tells it to.
final class Peer: Sendable {
    /// How a stream of octets came to its end.
    enum End: Equatable {
        case closed
        case reset
        case timedOut
    }

    let descriptor: Int32

    /// Connects; nil when that is refused.
    init?(to address: ListenAddress, receiveBuffer: Int32? = nil) {
        let family =
            switch address {
            case .ip(let host): host.family == .ipv6 ? AF_INET6 : AF_INET
            case .unix: AF_UNIX
            }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        self.descriptor = socket(family, kind, 0)
        if var size = receiveBuffer {
            self.set(SO_RCVBUF, to: &size)
        }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        self.set(SO_RCVTIMEO, to: &limit)
        self.set(SO_SNDTIMEO, to: &limit)
        let descriptor = self.descriptor
        let code = unsafe try? SocketAddress.with(address) { unsafe connect(descriptor, $0, $1) }
        guard code == 0 else {
            Glibc.close(descriptor)
            return nil
        }
    }

    private func set<Value: BitwiseCopyable>(_ option: Int32, to value: inout Value) {
        let size = socklen_t(MemoryLayout<Value>.size)
        unsafe setsockopt(self.descriptor, SOL_SOCKET, option, &value, size)
    }

    /// Sends as much as the other side takes within the time limit; returns how much.
    @discardableResult
    func write(_ octets: [UInt8]) -> Int {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets.withUnsafeBytes { buffer in
                unsafe send(
                    self.descriptor,
                    buffer.baseAddress.map { unsafe $0 + sent },
                    buffer.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    @discardableResult
    func write(_ text: String) -> Int { self.write(Array(text.utf8)) }

    /// Reads so many octets, or fewer when there are no more.
    func read(_ count: Int) -> [UInt8] { self.read(atMost: count).0 }

    /// Reads one line, without its LF.
    func readLine() -> String {
        var line: [UInt8] = []
        while let octet = self.read(1).first, octet != 0x0a { line.append(octet) }
        return String(decoding: line, as: UTF8.self)
    }

    /// Reads all there is until the end.
    func readToEnd() -> ([UInt8], End) { self.read(atMost: .max) }

    private func read(atMost max: Int) -> ([UInt8], End) {
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while octets.count < max {
            let wanted = min(chunk.count, max - octets.count)
            let count = unsafe chunk.withUnsafeMutableBytes { buffer in
                unsafe recv(self.descriptor, buffer.baseAddress, wanted, 0)
            }
            if count == 0 { return (octets, .closed) }
            guard count > 0 else { return (octets, errno == EAGAIN ? .timedOut : .reset) }
            octets += chunk[..<count]
        }
        return (octets, .closed)
    }

    /// Sends no more.
    func shutDown() { _ = shutdown(self.descriptor, Int32(SHUT_WR)) }

    /// Breaks the connection: what is under way is lost on both sides.
    func reset() {
        var abrupt = linger(l_onoff: 1, l_linger: 0)
        self.set(SO_LINGER, to: &abrupt)
        self.close()
    }

    func close() { Glibc.close(self.descriptor) }
}
