// SPDX-License-Identifier: Apache-2.0
//
// A stream in memory that keeps the promises of the real one, and makes use of every freedom they
// leave: input comes in any split, output drains late, the peer stalls or vanishes at any octet.

package import EventLoop
package import MailBytes

/// The server's end of a simulated connection.
package final class SimulatedStream: ByteStream {
    package let id: ConnectionID
    package let peer: NetworkAddress
    package let local: NetworkAddress
    package var handler: (any StreamHandler)?

    private let world: VirtualWorld
    /// Gets what the server sends, and nil when it closes.
    private let toClient: ([UInt8]?) -> Void
    private var input: [UInt8] = []
    private var output: [UInt8] = []
    private var inputHasEnded = false
    private var endWasTold = false
    private var isSuspended = false
    private var isDelivering = false
    private var isDraining = false
    private var isClosing = false
    private var isGone = false
    private var deadline: Double?
    private var timerRuns = false

    package init(
        world: VirtualWorld,
        id: ConnectionID,
        peer: NetworkAddress,
        toClient: @escaping ([UInt8]?) -> Void
    ) {
        self.world = world
        self.id = id
        self.peer = peer
        self.local = NetworkAddress(ipv4: 0x7f00_0001, port: 25)
        self.toClient = toClient
    }

    // MARK: - What the client does

    /// Octets arrive.
    package func arrive(_ octets: [UInt8]) {
        guard !self.isGone else { return }
        self.input += octets
        self.deliver()
    }

    /// The client has shut down its side.
    package func peerShutDown() {
        guard !self.isGone else { return }
        self.inputHasEnded = true
        self.deliver()
    }

    /// The connection breaks.
    package func reset() { self.vanish() }

    // MARK: - What the server does

    package var hasReadableInput: Bool { !self.input.isEmpty }

    package var pendingOutputCount: Int { self.output.count }

    package func send(_ octets: borrowing Span<UInt8>) {
        guard !self.isGone, !self.isClosing else { return }
        self.output.append(octets)
        self.drain()
    }

    package func resume() {
        guard self.isSuspended else { return }
        self.isSuspended = false
        self.world.after(seconds: 0) { [weak self] in self?.deliver() }
    }

    package func setDeadline(seconds: Double?) {
        self.deadline = seconds.map { self.world.now + $0 }
        self.runTimer()
    }

    package func close() {
        guard !self.isClosing, !self.isGone else { return }
        self.isClosing = true
        self.world.after(seconds: 5) { [weak self] in self?.vanish() }
        if self.output.isEmpty { self.world.after(seconds: 0) { [weak self] in self?.vanish() } }
    }

    package func abort() {
        self.world.after(seconds: 0) { [weak self] in self?.vanish() }
    }

    // MARK: - Mechanics

    private func deliver() {
        guard !self.isDelivering, !self.isSuspended, !self.isGone, !self.isClosing,
            let handler = self.handler
        else { return }
        self.isDelivering = true
        defer { self.isDelivering = false }
        while !self.input.isEmpty, !self.isSuspended, !self.isGone, !self.isClosing {
            // The first extent may be shorter than what is there.
            let whole = self.input.count
            var extent = self.world.oneIn(4) ? 1 + self.world.pick(whole) : whole
            var consumption = handler.received(self.input.span.extracting(0..<extent), from: self)
            while consumption.next == .awaitMore, extent < whole {
                self.input.removeFirst(consumption.count)
                extent = self.input.count
                consumption = handler.received(self.input.span.extracting(0..<extent), from: self)
                if consumption.count == 0 || extent == self.input.count { break }
            }
            self.input.removeFirst(min(consumption.count, self.input.count))
            switch consumption.next {
            case .awaitMore:
                if self.inputHasEnded { self.tellEnd() }
                return
            case .yield:
                self.world.after(seconds: 0) { [weak self] in self?.deliver() }
                return
            case .suspend:
                self.isSuspended = true
                return
            case .finished:
                self.input = []
                return
            }
        }
        if self.input.isEmpty, self.inputHasEnded { self.tellEnd() }
    }

    private func tellEnd() {
        guard !self.endWasTold, !self.isSuspended, !self.isClosing, !self.isGone else { return }
        self.endWasTold = true
        self.handler?.inputEnded(self)
    }

    /// The peer takes what was sent: at once, or a part of it later.
    private func drain() {
        guard !self.isDraining, !self.isGone else { return }
        if self.world.oneIn(3) {
            self.isDraining = true
            self.world.after(seconds: self.world.between(0, 0.2)) { [weak self] in
                self?.isDraining = false
                self?.drainNow(wasPending: true)
            }
        } else {
            self.drainNow(wasPending: false)
        }
    }

    private func drainNow(wasPending: Bool) {
        guard !self.isGone else { return }
        let count = self.world.oneIn(4) ? 1 + self.world.pick(self.output.count) : self.output.count
        let octets = Array(self.output.prefix(count))
        self.output.removeFirst(octets.count)
        if !octets.isEmpty { self.toClient(octets) }
        guard self.output.isEmpty else { return self.drainLater() }
        if self.isClosing { return self.vanish() }
        if wasPending { self.handler?.drained(self) }
    }

    private func drainLater() {
        guard !self.isDraining else { return }
        self.isDraining = true
        self.world.after(seconds: self.world.between(0, 0.2)) { [weak self] in
            self?.isDraining = false
            self?.drainNow(wasPending: true)
        }
    }

    private func runTimer() {
        guard !self.timerRuns, let deadline = self.deadline else { return }
        self.timerRuns = true
        self.world.after(seconds: max(deadline - self.world.now, 0.001)) { [weak self] in
            self?.timerFired()
        }
    }

    private func timerFired() {
        self.timerRuns = false
        guard !self.isGone, !self.isClosing, let deadline = self.deadline else { return }
        guard self.world.now >= deadline else { return self.runTimer() }
        self.deadline = nil
        self.handler?.deadlinePassed(self)
        self.runTimer()
    }

    private func vanish() {
        guard !self.isGone else { return }
        self.isGone = true
        let handler = self.handler
        self.handler = nil
        handler?.ended(self)
        self.toClient(nil)
    }
}
