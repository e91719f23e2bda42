// SPDX-License-Identifier: Apache-2.0
//
// The way out of one incarnation of the server: look-ups and connections into the simulated
// internet, until the incarnation dies.

internal import DNSProtocol
internal import Delivery
internal import EventLoop
internal import MailBytes
internal import Server

/// Name look-ups and connections.
final class SimulatedConnector: NameResolver, Connector, PolicySource {
    private let internet: SimulatedInternet
    private let world: VirtualWorld
    private let ledger: QueueLedger
    private var streams: [SimulatedStream] = []
    private var slot: UInt32 = 0
    private var isDead = false
    /// Told whenever octets have reached another server.
    var whenHeard: () -> Void = {}
    private var questionCount: UInt64 = 0
    private var cancelled: Set<LookUpID> = []
    /// The services that look at certificates.
    private let verifying: TLSService
    private let trusting: TLSService

    init(internet: SimulatedInternet, ledger: QueueLedger) throws(TLSError) {
        self.internet = internet
        self.world = internet.world
        self.ledger = ledger
        self.verifying = try TLSService(TLSOptions(certificates: []))
        self.trusting = try TLSService(TLSOptions(certificates: []))
    }

    /// The process dies: no answer comes any more, and all connections break.
    func die() {
        self.isDead = true
        for stream in self.streams {
            stream.handler = nil
            stream.reset()
        }
        self.streams = []
    }

    // MARK: - Names

    func lookUp(
        _ name: String,
        _ type: DNSRecordType,
        answer: @escaping (DNSAnswer) -> Void
    ) -> LookUpID {
        self.questionCount += 1
        let id = LookUpID(rawValue: self.questionCount)
        let delay = self.world.oneIn(40) ? self.world.between(10, 90) : self.world.between(0, 0.5)
        self.world.after(seconds: delay) { [weak self] in
            guard let self, !self.isDead, self.cancelled.remove(id) == nil else { return }
            answer(self.internet.answer(name, type))
        }
        return id
    }

    func cancel(_ id: LookUpID) { self.cancelled.insert(id) }

    func fetchPolicy(of domain: String, answer: @escaping ([UInt8]?) -> Void) {
        self.world.after(seconds: self.world.between(0, 20)) { [weak self] in
            guard let self, !self.isDead else { return }
            answer(self.internet.policy(of: domain))
        }
    }

    // MARK: - Connections

    func connect(
        to address: ListenAddress,
        from local: NetworkAddress?
    ) throws(EventLoopError) -> any ByteStream {
        self.slot += 1
        guard case .ip(let address) = address else {
            preconditionFailure("no route of a simulation leads to a socket")
        }
        let host = self.internet.host(at: address)
        let remote = host.map { SimulatedRemote(host: $0, ledger: self.ledger) }
        let stream = SimulatedStream(
            world: self.world,
            id: ConnectionID(slot: self.slot, generation: 2),
            peer: address,
            reading: self.world.oneIn(8) ? .slow : .irregular,
            toClient: { [unowned self] octets in
                remote?.receive(octets)
                if octets != nil { self.whenHeard() }
            }
        )
        self.streams.append(stream)
        if let host, let remote {
            self.settle(stream, host, remote)
        } else {
            self.ledger.violate("a connection to \(address), where nobody lives")
        }
        return stream
    }

    /// The network carries the connection, or does not.
    private func settle(
        _ stream: SimulatedStream,
        _ host: SimulatedHost,
        _ remote: SimulatedRemote
    ) {
        stream.handshake = { [unowned self] service in
            remote.handshake(isVerified: service === self.verifying)
        }
        let delay = self.world.oneIn(10) ? self.world.between(0, 3) : 0.05
        let isTroubled = host.moodNow == .troubled
        if host.moodNow == .mute || isTroubled, self.world.oneIn(isTroubled ? 10 : 2) { return }
        self.world.after(seconds: delay) { [weak self, weak stream] in
            guard let self, let stream, !self.isDead else { return }
            if host.moodNow == .closed || isTroubled && self.world.oneIn(10) {
                return stream.fail("connection refused")
            }
            stream.establish()
            remote.begin(on: stream)
        }
    }

    func clientService(
        for requirement: TLSRequirement,
        serverName: String?
    ) throws(TLSError) -> TLSService {
        requirement.isVerified ? self.verifying : self.trusting
    }
}
