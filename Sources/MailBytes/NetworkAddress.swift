// SPDX-License-Identifier: Apache-2.0
//
// The address of one end of a connection, without a socket: what limits count, what logs and
// Received fields show, and what lists of networks are matched against.

/// An IPv4 or IPv6 address with its port, or a Unix socket.
public struct NetworkAddress: Hashable, BitwiseCopyable, Sendable {
    /// Which kind of address it is.
    public enum Family: Hashable, BitwiseCopyable, Sendable {
        /// A 32-bit internet address.
        case ipv4
        /// A 128-bit internet address.
        case ipv6
        /// A Unix socket, which has no address worth telling.
        case unix
    }

    /// The family of the address.
    public let family: Family
    /// The upper 64 bits; IPv4 addresses stand as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2).
    public let high: UInt64
    /// The lower 64 bits.
    public let low: UInt64
    /// The port in host order; 0 for a Unix socket.
    public let port: UInt16

    /// An IPv4 address from its 32 bits in host order.
    public init(ipv4 bits: UInt32, port: UInt16) {
        self.family = .ipv4
        self.high = 0
        self.low = 0xffff_0000_0000 | UInt64(bits)
        self.port = port
    }

    /// An IPv6 address from its two halves in host order; a mapped IPv4 address becomes IPv4.
    public init(ipv6 high: UInt64, _ low: UInt64, port: UInt16) {
        let mapped = high == 0 && low >> 32 == 0xffff
        self.family = mapped ? .ipv4 : .ipv6
        self.high = high
        self.low = low
        self.port = port
    }

    /// The other end of a Unix socket.
    public static let unix = NetworkAddress()

    private init() {
        self.family = .unix
        self.high = 0
        self.low = 0
        self.port = 0
    }

    /// Whether the peer is on this machine: 127.0.0.0/8, ::1 or a Unix socket.
    public var isLoopback: Bool {
        switch self.family {
        case .ipv4: UInt32(truncatingIfNeeded: self.low) >> 24 == 127
        case .ipv6: self.high == 0 && self.low == 1
        case .unix: true
        }
    }

    /// The address cut to what counts as one client: an IPv4 address, or an IPv6 /64.
    public var clientKey: NetworkAddress {
        switch self.family {
        case .ipv4: NetworkAddress(ipv4: UInt32(truncatingIfNeeded: self.low), port: 0)
        case .ipv6: NetworkAddress(ipv6: self.high, 0, port: 0)
        case .unix: self
        }
    }

    /// The same address with another port; a Unix socket has none.
    public func with(port: UInt16) -> NetworkAddress {
        switch self.family {
        case .ipv4: NetworkAddress(ipv4: UInt32(truncatingIfNeeded: self.low), port: port)
        case .ipv6: NetworkAddress(ipv6: self.high, self.low, port: port)
        case .unix: self
        }
    }

    /// Appends the address without its port: dotted quad, or RFC 5952 form without brackets.
    public func appendHost(to buffer: inout ReplyBuffer) {
        switch self.family {
        case .unix:
            buffer.append("unix")
        case .ipv4:
            for shift in [24, 16, 8, 0] {
                buffer.append(decimal: Int(self.low >> UInt64(shift) & 0xff))
                if shift > 0 { buffer.append(.dot) }
            }
        case .ipv6:
            self.appendIPv6(to: &buffer)
        }
    }

    /// The address without its port, as text.
    public var host: String {
        var buffer = ReplyBuffer(capacity: 48)
        self.appendHost(to: &buffer)
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }

    private func group(_ index: Int) -> UInt16 {
        let half = index < 4 ? self.high : self.low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - index % 4 * 16))
    }

    private func appendIPv6(to buffer: inout ReplyBuffer) {
        // RFC 5952: the longest run of zero groups, the first of equals, at least two long.
        var run = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || self.group(index) != 0 {
            if index - start > max(run.count, 1) { run = start..<index }
            start = index + 1
        }
        var index = 0
        while index < 8 {
            if index == run.lowerBound, !run.isEmpty {
                buffer.append("::")
                index = run.upperBound
                continue
            }
            if index > 0, index != run.upperBound || run.isEmpty {
                buffer.append(UInt8(ascii: ":"))
            }
            buffer.append(string: String(self.group(index), radix: 16))
            index += 1
        }
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// The address with its port, as a listener is written in the configuration.
    public var description: String {
        switch self.family {
        case .ipv4: "\(self.host):\(self.port)"
        case .ipv6: "[\(self.host)]:\(self.port)"
        case .unix: "unix"
        }
    }
}
