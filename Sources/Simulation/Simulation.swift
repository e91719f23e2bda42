// SPDX-License-Identifier: Apache-2.0
//
// The whole server in memory: its real drivers, sessions and store, with simulated streams, time
// and faults. It may be stopped or die in the middle, and is started again. After a run, what
// senders and readers were told is held against what is there.

internal import Credentials
internal import EventLoop
internal import MailBytes
package import MailStore
internal import MailSyntax
internal import POP3Protocol
internal import SASL
internal import SMTPProtocol
internal import Server

/// One simulated world with one server.
package final class Simulation {
    package let world: VirtualWorld
    package let ledger = Ledger()
    private let store: MailStore
    private let reader: MailStoreReader
    private let faults: SimulatedStorage.Faults
    private var limits = ServerLimits()
    private var server: MailServer?
    private var storage: SimulatedStorage?
    private let maildrops: [String]
    private let addresses: [(address: String, maildrops: [String])]
    private var slot: UInt32 = 0
    private var streams: [SimulatedStream] = []

    private static let password = "simulated"
    /// The last maildrop takes no more than this.
    private static let quota = 6000
    private static let hostname = Array("mail.example.test".utf8)
    /// A proxy whose headers are believed.
    private static let proxy = NetworkAddress(ipv4: 0x0a00_0001, port: 1)
    /// Everybody who behaves, by and large, comes from here.
    private static let home = NetworkAddress(ipv4: 0xc000_0201, port: 0)

    /// How a run comes to its end.
    private enum Ending: Int, CaseIterable {
        case rest
        case stop
        case death
    }

    /// A world with its own maildrops, named after the seed, in a store that outlives it.
    package init(
        seed: UInt64,
        store: MailStore,
        reader: MailStoreReader,
        faults: SimulatedStorage.Faults
    ) {
        self.world = VirtualWorld(seed: seed)
        self.store = store
        self.reader = reader
        self.faults = faults
        let maildrops = (0..<3).map { "u\($0).\(seed)@example.test" }
        let list = "all.\(seed)@example.test"
        self.maildrops = maildrops
        self.addresses =
            maildrops.map { ($0, [$0]) } + [(list, maildrops)]
            + [("u1.\(seed)+detail@EXAMPLE.test", [maildrops[1]])]
        let verifier = PasswordRecord.forSimulation(password: Array(Self.password.utf8))
        let targets = maildrops.compactMap(Address.init(parsing:))
        var requests = targets.map { address in
            StoreRequest.addAccount(
                NewAccount(
                    address: address,
                    verifier: verifier,
                    recoverableSecret: nil,
                    quota: address == targets.last ? Self.quota : nil
                )
            )
        }
        if let list = Address(parsing: list) { requests.append(.addAlias(list, targets: targets)) }
        _ = store.commit(requests)
        // Small budgets make content take every way there is into the store.
        self.limits.contentMemoryOctets = [1 << 12, 1 << 16, 1 << 20, 1 << 26][self.world.pick(4)]
        self.limits.stepsPerTurn = [1, 3, 64][self.world.pick(3)]
        self.limits.outputBacklogOctets = [512, 1 << 14, 1 << 18][self.world.pick(3)]
        self.limits.connections = [3, 100][self.world.pick(2)]
        self.limits.idleSeconds = [20, 300][self.world.pick(2)]
        self.limits.transactionSeconds = [60, 1800][self.world.pick(2)]
        self.limits.greetingDelaySeconds = [0, 0, 2][self.world.pick(3)]
        self.limits.loginFailuresPerClient = [3, 8][self.world.pick(2)]
        self.limits.loginFailuresPerAccount = [4, 50][self.world.pick(2)]
        self.limits.loginBanSeconds = [10, 900][self.world.pick(2)]
        self.start(self.faults)
    }

    private func start(_ faults: SimulatedStorage.Faults) {
        let answer = self.store.commit([.reserveMessageIDs(count: MessageIDSource.blockCount)])
        guard case .reserved(let first) = answer[0],
            let postmaster = Address(parsing: "postmaster@example.test")
        else { preconditionFailure("a store on a simulated disk gives ids") }
        let storage = SimulatedStorage(
            world: self.world,
            store: self.store,
            reader: self.reader,
            faults: faults
        )
        let server = MailServer(
            limits: self.limits,
            addresses: AddressSettings(
                localDomains: ["example.test"],
                policy: AddressPolicy(
                    delimiter: UInt8(ascii: "+"),
                    catchAll: nil,
                    postmaster: postmaster,
                    localDomains: ["example.test"]
                ),
                isExempt: { _ in false },
                isTrustedProxy: { $0 == Self.proxy }
            ),
            time: self.world,
            storage: storage,
            passwords: storage,
            journal: Journal(sink: nil),
            firstMessageID: first,
            controlUser: 0
        )
        storage.server = server
        self.storage = storage
        self.server = server
        self.streams = []
    }

    // MARK: - A run

    /// Runs clients that misbehave, then one honest reader for each maildrop.
    ///
    /// - Returns: everything that should never have been seen.
    package func run(clients: Int) -> [String] {
        for _ in 0..<clients {
            self.world.after(seconds: self.world.between(0, 3)) { [unowned self] in
                switch self.world.pick(4) {
                case 0: self.startReader(isFinal: false)
                case 1: self.startUser()
                default: self.startPeer(isLMTP: self.world.oneIn(3))
                }
            }
        }
        if self.world.oneIn(2) { self.storm() }
        let ending = Ending.allCases[self.world.pick(Ending.allCases.count)]
        self.world.after(seconds: self.world.between(0, 5)) { [unowned self] in self.end(ending) }
        guard self.world.run(countMax: 200_000) else { return ["the world does not come to rest"] }
        if let server = self.server, ending != .death {
            if server.connectionCount > 0 {
                self.ledger.violate("\(server.connectionCount) sessions never ended")
            }
            if server.remembersAbuse { self.ledger.violate("abuse is remembered for ever") }
            for leak in server.leaks { self.ledger.violate("what is never given back: \(leak)") }
        }
        // What was promised is looked for on a disk that works.
        self.start(SimulatedStorage.Faults())
        self.inspect()
        return self.ledger.violations
    }

    private func end(_ ending: Ending) {
        self.ledger.isServerEnding = ending != .rest
        switch ending {
        case .rest:
            break
        case .stop:
            self.server?.stop { [unowned self] in
                if self.server?.connectionCount != 0 {
                    // The grace period is over: what is left was aborted.
                    self.world.after(seconds: 1) { [unowned self] in
                        if self.server?.connectionCount != 0 {
                            self.ledger.violate("sessions outlive the grace period")
                        }
                    }
                }
            }
        case .death:
            self.storage?.die()
            for stream in self.streams { stream.reset() }
        }
    }

    /// Another server, or a local program that speaks LMTP.
    private func startPeer(isLMTP: Bool) {
        let way = self.way(isLMTP ? .lmtp : .smtp)
        let client = SimulatedSMTPClient(
            world: self.world,
            ledger: self.ledger,
            addresses: self.addresses,
            isLMTP: isLMTP,
            usesSTARTTLS: way.isTLSWanted
        )
        let stream = self.stream(.irregular, way) { client.receive($0) }
        client.connect(stream)
        self.open(stream, way)
    }

    /// A user of submission.
    private func startUser() {
        let way = self.way(.submission)
        let name = self.maildrops[self.world.pick(self.maildrops.count)]
        let client = SimulatedSMTPClient(
            world: self.world,
            ledger: self.ledger,
            addresses: self.addresses,
            isLMTP: false,
            role: .user(name: name, password: Self.password),
            usesSTARTTLS: way.isTLSWanted
        )
        let stream = self.stream(.irregular, way) { client.receive($0) }
        client.connect(stream)
        self.open(stream, way)
    }

    @discardableResult
    private func startReader(isFinal: Bool, of maildrop: String? = nil) -> SimulatedPOP3Client {
        let way = isFinal ? Way(service: .pop3) : self.way(.pop3)
        let client = SimulatedPOP3Client(
            world: self.world,
            ledger: self.ledger,
            mailbox: maildrop ?? self.maildrops[self.world.pick(self.maildrops.count)],
            password: Self.password,
            isFinal: isFinal,
            usesTLS: way.isTLSWanted
        )
        let isSlow = !isFinal && self.world.oneIn(5)
        let stream = self.stream(isSlow ? .slow : .irregular, way) { client.receive($0) }
        client.connect(stream)
        self.open(stream, way)
        return client
    }

    /// Guesses from several addresses, all within a few seconds.
    private func storm() {
        for _ in 0..<(5 + self.world.pick(20)) {
            self.world.after(seconds: self.world.between(0, 4)) { [unowned self] in
                let speaksPOP3 = self.world.oneIn(2)
                let attacker = SimulatedAttacker(
                    world: self.world,
                    ledger: self.ledger,
                    users: self.maildrops,
                    speaksPOP3: speaksPOP3
                )
                var way = Way(service: speaksPOP3 ? .pop3 : .submission)
                way.peer = NetworkAddress(
                    ipv4: 0xc633_6400 + UInt32(self.world.pick(3)),
                    port: 9
                )
                let stream = self.stream(.irregular, way) { attacker.receive($0) }
                attacker.connect(stream)
                self.open(stream, way)
            }
        }
    }

    // MARK: - Ways in

    /// How a connection reaches the server.
    private struct Way {
        let service: ServiceProfile.Service
        var tls = TLSUse.none
        var isProxied = false
        var peer = Simulation.home

        enum TLSUse {
            case none
            case onRequest
            case implicit
        }

        /// Whether the client asks for TLS.
        var isTLSWanted: Bool { self.tls == .onRequest }
    }

    private func way(_ service: ServiceProfile.Service) -> Way {
        var way = Way(service: service)
        way.tls = [.none, .none, .onRequest, .implicit][self.world.pick(4)]
        way.isProxied = self.world.oneIn(5)
        if way.isProxied { way.peer = Self.proxy }
        return way
    }

    private func open(_ stream: SimulatedStream, _ way: Way) {
        let mayStartTLS = way.tls == .onRequest
        let profile = ServiceProfile(
            service: way.service,
            smtp: SMTPServerSettings(
                hostname: Self.hostname,
                dialect: way.service == .lmtp ? .lmtp : .smtp,
                offersSTARTTLS: mayStartTLS,
                mechanisms: way.service == .submission ? [.plain] : [],
                permitsPlaintextAuth: true,
                requiresAuthentication: way.service == .submission,
                purpose: way.service == .submission ? .submission : .relaying
            ),
            pop3: POP3ServerSettings(
                hostname: Self.hostname,
                mechanisms: [.plain],
                offersSTLS: mayStartTLS,
                permitsPlaintext: true
            ),
            tls: way.tls == .none ? nil : try? TLSService(TLSOptions(certificates: [])),
            isTLSImplicit: way.tls == .implicit,
            expectsPROXYHeader: way.isProxied
        )
        self.server?.accept(stream, for: profile)
        if way.isProxied { self.sendHeader(on: stream) }
    }

    /// A proxy's header in two segments; now and then one that is none.
    private func sendHeader(on stream: SimulatedStream) {
        let isSound = !self.world.oneIn(20)
        let text = "PROXY TCP4 \(isSound ? Self.home.host : "nowhere") 192.0.2.9 4711 25\r\n"
        let header = Array(text.utf8)
        let cut = self.world.pick(header.count + 1)
        stream.arrive(Array(header[..<cut]))
        // Some are too late.
        self.world.after(seconds: self.world.between(0, self.world.oneIn(10) ? 5 : 1)) {
            stream.arrive(Array(header[cut...]))
        }
    }

    private func stream(
        _ reading: SimulatedStream.Reading,
        _ way: Way,
        _ toClient: @escaping ([UInt8]?) -> Void
    ) -> SimulatedStream {
        self.slot += 1
        let stream = SimulatedStream(
            world: self.world,
            id: ConnectionID(slot: self.slot, generation: 1),
            peer: way.peer,
            reading: reading,
            toClient: toClient
        )
        self.streams.append(stream)
        return stream
    }

    // MARK: - The end

    /// Reads every maildrop whole and holds it against the ledger.
    private func inspect() {
        for maildrop in self.maildrops {
            let client = self.startReader(isFinal: true, of: maildrop)
            guard self.world.run(countMax: 50_000), client.isComplete else {
                self.ledger.violate("\(maildrop) cannot be read")
                continue
            }
            self.ledger.compare(maildrop, with: client.seen)
        }
    }
}
