// SPDX-License-Identifier: Apache-2.0
//
// A stream in memory that keeps the promises of the real one, and makes use of every freedom they
// leave: input comes in any split, output drains late, the peer stalls or vanishes at any octet.
// Like the real one it never calls its handler from within a call of the handler.

package import EventLoop
package import MailBytes

/// The server's end of a simulated connection.
package final class SimulatedStream: ByteStream {
    package let id: ConnectionID
    package let peer: NetworkAddress
    package var client: NetworkAddress
    package let local: NetworkAddress
    package let peerUser: UInt32?
    package var handler: (any StreamHandler)?
    package var receiveOctetsLimit: Int?
    package private(set) var tls: TLSFacts?
    package private(set) var connectFailure: String?
    package private(set) var handshakeFailure: String?
    /// Of an outgoing connection: what the peer makes of a handshake.
    package var handshake: ((TLSService) -> Handshake)?
    /// What the client shows in the handshake.
    package var clientCertificate: TLSFacts.ClientCertificate?

    let world: VirtualWorld
    private let reading: Reading
    /// Gets what the server sends, and nil when it closes.
    private let toClient: ([UInt8]?) -> Void
    private var input: [UInt8] = []
    /// How many octets of the input were shown before and not consumed.
    private var heldCount = 0
    private var output: [UInt8] = []
    private var inputHasEnded = false
    private var endWasTold = false
    private var isSuspended = false
    private var isDelivering = false
    private var isDraining = false
    private var isClosing = false
    private var isGone = false
    private var isSecuring = false
    private var mustCall = false
    private var deadline: Double?
    private var timerFiresAt: Double = .infinity
    /// The most output there ever was at once.
    package private(set) var pendingOutputMax = 0

    /// How a handshake with another server ends.
    package enum Handshake {
        case done(TLSFacts.ServerVerification)
        /// And why.
        case failed(String)
    }

    /// How the client reads.
    package enum Reading {
        /// At once, or a part of it later.
        case irregular
        /// A few hundred octets at a time, with pauses.
        case slow
        /// Only as much as `take(_:)` lets it.
        case byHand
    }

    package init(
        world: VirtualWorld,
        id: ConnectionID,
        peer: NetworkAddress,
        peerUser: UInt32? = nil,
        reading: Reading = .irregular,
        toClient: @escaping ([UInt8]?) -> Void
    ) {
        self.world = world
        self.id = id
        self.peer = peer
        self.client = peer
        self.local = NetworkAddress(ipv4: 0x7f00_0001, port: 25)
        self.peerUser = peerUser
        self.reading = reading
        self.toClient = toClient
    }

    // MARK: - Outgoing connections

    /// The peer has accepted.
    package func establish() {
        guard !self.isGone, !self.isClosing else { return }
        self.handler?.connected(self)
    }

    /// No connection comes about.
    package func fail(_ why: String) {
        self.connectFailure = why
        self.vanish()
    }

    // MARK: - What the client does

    /// Octets arrive.
    package func arrive(_ octets: [UInt8]) {
        guard !self.isGone, !self.inputHasEnded else { return }
        if self.isSecuring, self.handshake != nil {
            // A server says nothing in clear once it has agreed to TLS.
            self.handshakeFailure = "wrong version number"
            return self.vanish()
        }
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
    package func reset() { self.abort() }

    /// Whether the server has ended the connection, as the client may not know yet.
    package var isOver: Bool { self.isClosing || self.isGone }

    /// The client reads so many octets of what was sent.
    package func take(_ count: Int) { self.drainNow(min(count, self.output.count)) }

    // MARK: - What the server does

    package var hasReadableInput: Bool { !self.input.isEmpty }

    package var pendingOutputCount: Int { self.output.count }

    package func send(_ octets: borrowing Span<UInt8>) {
        guard !self.isGone, !self.isClosing, !self.isSecuring, octets.count > 0 else { return }
        self.output.append(octets)
        self.pendingOutputMax = max(self.pendingOutputMax, self.output.count)
        self.drainSoon()
    }

    package func resume() {
        guard self.isSuspended, !self.isDelivering else { return }
        self.isSuspended = false
        self.deliverSoon()
    }

    package func startTLS(_ service: TLSService) {
        guard !self.isGone, !self.isClosing else { return }
        self.isSecuring = true
        self.input = []
        self.heldCount = 0
        self.isSuspended = false
        self.deadline = nil
        self.secureOnceDrained(service)
    }

    package func channelBinding(_ kind: ChannelBinding) -> [UInt8]? {
        guard self.tls != nil else { return nil }
        return kind == .exporter ? [UInt8](repeating: UInt8(self.id.slot & 0xff), count: 32) : nil
    }

    package func setDeadline(seconds: Double?) {
        guard !self.isSecuring else { return }
        self.deadline = seconds.map { self.world.now + $0 }
        self.runTimer()
    }

    package func close(lingering: Bool) {
        guard !self.isClosing, !self.isGone else { return }
        self.isClosing = true
        self.input = []
        if self.isSecuring || self.output.isEmpty { return self.abort() }
        // A peer that does not read is not waited for without end.
        self.world.after(seconds: 30) { [weak self] in self?.vanish() }
    }

    package func abort() {
        self.world.after(seconds: 0) { [weak self] in self?.vanish() }
    }

    // MARK: - TLS

    /// A handshake takes its time, and some fail.
    private func secureOnceDrained(_ service: TLSService) {
        self.world.after(seconds: self.world.between(0, 0.2)) { [weak self] in
            guard let self, !self.isGone else { return }
            guard self.output.isEmpty else { return self.secureOnceDrained(service) }
            if self.world.oneIn(50) { return self.vanish() }
            if self.world.oneIn(50) { return self.stallHandshake() }
            switch self.handshake?(service) ?? .done(.notAsked) {
            case .failed(let why):
                self.handshakeFailure = why
                self.vanish()
            case .done(let verification):
                self.secured(verification)
            }
        }
    }

    private func secured(_ verification: TLSFacts.ServerVerification) {
        self.isSecuring = false
        self.tls = TLSFacts(
            version: "TLSv1.3",
            cipher: "TLS_AES_256_GCM_SHA384",
            clientCertificate: self.clientCertificate,
            serverVerification: verification
        )
        self.handler?.secured(self)
        self.deliver()
    }

    /// The client says nothing more; the deadline of handshakes ends it.
    private func stallHandshake() {
        self.world.after(seconds: 20) { [weak self] in self?.vanish() }
    }

    // MARK: - Input

    private func deliverSoon() {
        self.mustCall = true
        self.world.after(seconds: 0) { [weak self] in self?.deliver() }
    }

    private func deliver() {
        guard !self.isDelivering, !self.isSuspended, !self.isGone, !self.isClosing,
            !self.isSecuring, let handler = self.handler
        else { return }
        self.isDelivering = true
        self.consume(handler)
        self.isDelivering = false
        guard !self.isSuspended, !self.mustCall, self.inputHasEnded, !self.endWasTold,
            !self.isClosing, !self.isSecuring
        else { return }
        self.endWasTold = true
        handler.inputEnded(self)
    }

    private func consume(_ handler: any StreamHandler) {
        // The first extent may be shorter than what is there.
        var extent = self.world.oneIn(4) ? 1 + self.world.pick(self.input.count) : .max
        while self.mustCall || !self.input.isEmpty, !self.isGone, !self.isClosing {
            self.mustCall = false
            let limit = self.receiveOctetsLimit.map { self.heldCount + $0 } ?? .max
            let shown = min(extent, limit, self.input.count)
            // A copy, because the handler's call may close the stream and drop the input.
            let octets = Array(self.input[..<shown])
            let consumption = handler.received(octets.span, from: self)
            // What came before TLS was dropped, and the rest waits for it.
            guard !self.isSecuring else { return }
            self.input.removeFirst(min(consumption.count, self.input.count))
            self.heldCount = shown - consumption.count
            switch consumption.next {
            case .awaitMore:
                guard shown - consumption.count < self.input.count else { return }
                extent = .max
            case .yield:
                return self.deliverSoon()
            case .suspend:
                self.isSuspended = true
                return
            case .finished:
                self.input = []
                return
            }
        }
    }

    // MARK: - Output

    private func drainSoon() {
        guard !self.isDraining, self.reading != .byHand else { return }
        self.isDraining = true
        let isSlow = self.reading == .slow
        let pause = isSlow ? 2.0 : 0.2
        let delay = isSlow || self.world.oneIn(3) ? self.world.between(0, pause) : 0
        self.world.after(seconds: delay) { [weak self] in
            guard let self else { return }
            self.isDraining = false
            let all = isSlow ? min(self.output.count, 600) : self.output.count
            self.drainNow(isSlow || self.world.oneIn(4) ? 1 + self.world.pick(all) : all)
        }
    }

    private func drainNow(_ count: Int) {
        guard !self.isGone else { return }
        let octets = Array(self.output.prefix(count))
        self.output.removeFirst(octets.count)
        if !octets.isEmpty { self.toClient(octets) }
        guard self.output.isEmpty else { return self.drainSoon() }
        if self.isClosing { return self.vanish() }
        self.handler?.drained(self)
    }

    // MARK: - Time and the end

    private func runTimer() {
        guard let deadline = self.deadline, deadline < self.timerFiresAt else { return }
        self.timerFiresAt = deadline
        self.world.after(seconds: max(deadline - self.world.now, 0.001)) { [weak self] in
            self?.timerFired()
        }
    }

    private func timerFired() {
        self.timerFiresAt = .infinity
        guard !self.isGone, !self.isClosing, let deadline = self.deadline else { return }
        guard self.world.now >= deadline else { return self.runTimer() }
        self.deadline = nil
        self.handler?.deadlinePassed(self)
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
