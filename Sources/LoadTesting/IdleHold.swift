// SPDX-License-Identifier: Apache-2.0
//
// Holds connections that do nothing, so that their cost can be seen at the server.

package import EventLoop
package import MailBytes

/// Many connections, greeted and silent.
package final class IdleHold {
    private let loop: EventLoop
    private let addresses: [NetworkAddress]
    private let count: Int
    private let sources: Int
    fileprivate let tls: TLSService?
    private var opened = 0
    private var greeted = 0
    private var broken = 0
    private var whenHeld: (_ held: Int, _ broken: Int) -> Void = { _, _ in }

    private static let openingsMax = 128
    private static let openingSecondsMax: Double = 30

    /// Connections in turn to each of the addresses, from as many addresses as `sources` says.
    package init(
        _ count: Int,
        to addresses: [NetworkAddress],
        sources: Int,
        tls: TLSService? = nil,
        on loop: EventLoop
    ) {
        precondition(!addresses.isEmpty, "there is a server to connect to")
        self.count = count
        self.addresses = addresses
        self.sources = sources
        self.tls = tls
        self.loop = loop
    }

    /// Connects; `held` hears when every connection has its greeting or is broken, and again
    /// whenever one breaks later.
    package func start(held: @escaping (_ held: Int, _ broken: Int) -> Void) {
        self.whenHeld = held
        for _ in 0..<min(self.count, Self.openingsMax) { self.open() }
    }

    private func open() {
        guard self.opened < self.count else { return }
        let number = self.opened
        self.opened += 1
        let source = NetworkAddress(ipv4: 0x7f00_0001 + UInt32(number % self.sources), port: 0)
        do throws(EventLoopError) {
            let stream = try self.loop.connect(
                to: .ip(self.addresses[number % self.addresses.count]),
                localAddress: self.sources > 1 ? source : nil
            )
            stream.handler = IdleConnection(self)
            stream.setDeadline(seconds: Self.openingSecondsMax)
        } catch {
            self.loop.after(seconds: 0.01) { self.connectionBroke(wasGreeted: false) }
        }
    }

    fileprivate func connectionWasGreeted() {
        self.greeted += 1
        self.open()
        self.tell()
    }

    fileprivate func connectionBroke(wasGreeted: Bool) {
        self.broken += 1
        if wasGreeted { self.greeted -= 1 }
        self.open()
        self.tell()
    }

    private func tell() {
        guard self.greeted + self.broken == self.count else { return }
        self.whenHeld(self.greeted, self.broken)
    }
}

/// Waits for its greeting, then for nothing.
private final class IdleConnection: StreamHandler {
    private unowned let hold: IdleHold
    private var wasGreeted = false

    init(_ hold: IdleHold) { self.hold = hold }

    func connected(_ stream: any ByteStream) {
        if let tls = self.hold.tls { stream.startTLS(tls) }
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        guard !self.wasGreeted else { return Consumption(count: octets.count, next: .awaitMore) }
        guard let end = octets.firstIndex(of: .lf) else {
            return Consumption(count: 0, next: .awaitMore)
        }
        let isPositive = octets[0] == UInt8(ascii: "2") || octets[0] == UInt8(ascii: "+")
        guard isPositive else {
            stream.abort()
            return Consumption(count: octets.count, next: .finished)
        }
        self.wasGreeted = true
        stream.setDeadline(seconds: nil)
        self.hold.connectionWasGreeted()
        return Consumption(count: end + 1, next: .awaitMore)
    }

    func inputEnded(_ stream: any ByteStream) { stream.abort() }

    func drained(_ stream: any ByteStream) {}

    func deadlinePassed(_ stream: any ByteStream) { stream.abort() }

    func ended(_ stream: any ByteStream) { self.hold.connectionBroke(wasGreeted: self.wasGreeted) }
}
