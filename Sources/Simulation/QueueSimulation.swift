// SPDX-License-Identifier: Apache-2.0
//
// Delivery to other servers in memory: the real engine, scheduler, sessions and store, among
// simulated hosts that fail in every way, on a virtual clock over days. The server is stopped or
// dies in the middle, and begins again with what its store holds. In the end each recipient's mail
// must have arrived or come back.

internal import Delivery
internal import EventLoop
internal import MailBytes
package import MailStore
internal import MailSyntax
internal import POP3Protocol
internal import SMTPProtocol
internal import Server

/// One simulated world with one server that delivers.
package final class QueueSimulation {
    package let world: VirtualWorld
    package let ledger = QueueLedger()
    let seed: UInt64
    let store: MailStore
    let reader: MailStoreReader
    let faults: SimulatedStorage.Faults
    let internet: SimulatedInternet
    let senders: [String]
    var settings: DeliverySettings
    var incarnation: Incarnation?
    var messageIDs = MessageIDSource(block: 0)
    /// How many octets other servers hear, in runs, before the process dies in the middle of it.
    var runsUntilDeath = Int.max
    var slot: UInt32 = 0
    var incoming: [SimulatedStream] = []
    var limits = ServerLimits()
    /// How peers hand mail in.
    let profile = ServiceProfile(
        service: .smtp,
        smtp: SMTPServerSettings(hostname: Array(SimulatedInternet.ownName.utf8)),
        pop3: POP3ServerSettings(hostname: Array(SimulatedInternet.ownName.utf8))
    )

    /// What dies with the process.
    struct Incarnation {
        let server: MailServer
        let engine: DeliveryEngine
        let storage: SimulatedStorage
        let connector: SimulatedConnector
    }

    /// Mail is kept for so long; reports live as long after that.
    static let ageSeconds: Int64 = 4 * 3600
    static let warnSeconds: Int64 = 3600
    /// Mail comes in within so long.
    static let arrivalSeconds: Double = 2 * 3600
    /// Then all must be over.
    static let wholeSeconds: Double = 12 * 3600
    static let stepsMax = 2_000_000

    /// A world with its own senders and domains, named after the seed, in a store that outlives it.
    package init(
        seed: UInt64,
        store: MailStore,
        reader: MailStoreReader,
        faults: SimulatedStorage.Faults
    ) {
        self.seed = seed
        self.world = VirtualWorld(seed: seed)
        self.store = store
        self.reader = reader
        self.faults = faults
        self.internet = SimulatedInternet(
            world: self.world,
            seed: seed,
            domains: 1 + self.world.pick(6)
        )
        self.senders = (0..<2).map { "s\($0).\(seed)@example.test" }
        self.settings = DeliverySettings(hostname: Array(SimulatedInternet.ownName.utf8))
        self.arrange()
        _ = store.commit(
            self.senders.compactMap(Address.init(parsing:)).map { address in
                StoreRequest.addAccount(
                    NewAccount(address: address, verifier: [], recoverableSecret: nil, quota: nil)
                )
            }
        )
    }

    /// Small limits make everything wait for everything else.
    func arrange() {
        self.settings.ageSecondsMax = Self.ageSeconds
        self.settings.warnSeconds = Self.warnSeconds
        self.settings.lookUps.ownNames = [SimulatedInternet.ownName]
        self.settings.tls = self.world.oneIn(3) ? .opportunistic : .published
        var retries = RetrySchedule()
        retries.secondsMin = [60, 300][self.world.pick(2)]
        retries.secondsMax = [600, 3600][self.world.pick(2)]
        self.settings.scheduler.retries = retries
        self.settings.scheduler.connectionsMax = [2, 200][self.world.pick(2)]
        self.settings.scheduler.connectionsPerDestinationMax = [1, 20][self.world.pick(2)]
        self.settings.scheduler.messagesPerConnectionMax = [1, 3, 100][self.world.pick(3)]
        self.settings.scheduler.messagesMax = [4, 4000][self.world.pick(2)]
        self.settings.scheduler.messagesPerDestinationMax = [2, 128][self.world.pick(2)]
        self.settings.scheduler.octetsPerClaimMax = [500, 1 << 21][self.world.pick(2)]
        self.settings.scheduler.octetsMax = [2000, 1 << 25][self.world.pick(2)]
        self.settings.scheduler.destinationsMax = [2, 1000][self.world.pick(2)]
        if self.world.oneIn(4) { self.settings.scheduler.messagesPerDestinationSecond = 0.1 }
    }

    // MARK: - A run

    /// Puts mail into the queue and lets time pass until none is left.
    ///
    /// - Returns: everything that should never have been seen.
    package func run(messages: Int) -> [String] {
        self.start(self.faults)
        for _ in 0..<messages {
            self.world.after(seconds: self.world.between(0, Self.arrivalSeconds)) {
                [unowned self] in
                self.submit()
            }
        }
        for _ in 0..<self.world.pick(3) { self.planEnd() }
        if self.world.oneIn(3) { self.runsUntilDeath = self.world.pick(120) }
        if self.world.oneIn(4) { self.planStuckDisk() }
        for _ in 0..<self.world.pick(3) { self.planInterference() }
        let end = self.world.now + Self.wholeSeconds
        while self.world.now < end, self.world.count < Self.stepsMax {
            self.world.run(for: 600)
            if self.world.now > Self.arrivalSeconds + 1000, self.isOver { break }
        }
        if self.world.count >= Self.stepsMax { self.ledger.violate("the world never rests") }
        self.finish()
        return self.ledger.violations
    }

    var isOver: Bool {
        guard let incarnation = self.incarnation, incarnation.server.leaks.isEmpty else {
            return false
        }
        return self.rows.isEmpty
    }

    var rows: [QueueRow] {
        (try? self.reader.queueRows(QueueSelector(), after: nil, count: 1000).rows) ?? []
    }

    func start(_ faults: SimulatedStorage.Faults) {
        let answer = self.store.commit([
            .reserveMessageIDs(count: MessageIDSource.blockCount),
            .reserveMessageIDs(count: MessageIDSource.blockCount),
        ])
        guard case .reserved(let first) = answer[0], case .reserved(let second) = answer[1],
            let postmaster = Address(parsing: "postmaster@example.test"),
            let connector = try? SimulatedConnector(internet: self.internet, ledger: self.ledger)
        else { preconditionFailure("a simulated server can be started") }
        self.messageIDs = MessageIDSource(block: second)
        let storage = SimulatedStorage(
            world: self.world,
            store: self.store,
            reader: self.reader,
            faults: faults
        )
        var relaying = RelaySettings()
        relaying.mayRelay = { _ in true }
        relaying.ageSeconds = Self.ageSeconds
        relaying.warnSeconds = Self.warnSeconds
        let server = MailServer(
            limits: self.limits,
            addresses: AddressSettings(
                localDomains: ["example.test"],
                policy: AddressPolicy(
                    delimiter: nil,
                    catchAll: nil,
                    postmaster: postmaster,
                    localDomains: ["example.test"]
                ),
                isExempt: { _ in false }
            ),
            relaying: relaying,
            time: self.world,
            storage: storage,
            passwords: storage,
            journal: Journal(sink: nil),
            firstMessageID: first,
            controlUser: 0
        )
        storage.server = server
        connector.whenHeard = { [unowned self] in self.heard() }
        let engine = DeliveryEngine(
            server: server,
            settings: self.settings,
            names: connector,
            connector: connector,
            policies: connector,
            randomness: SeededGenerator(seed: UInt64(self.world.pick(1 << 30)))
        )
        self.incarnation = Incarnation(
            server: server,
            engine: engine,
            storage: storage,
            connector: connector
        )
        engine.start()
    }

    // MARK: - The end

    func finish() {
        for row in self.rows {
            let address = String(decoding: row.address, as: UTF8.self)
            self.ledger.violate("\(address) is in the queue for ever, \(row.state)")
        }
        guard let incarnation = self.incarnation else {
            return self.ledger.violate("the server never began again")
        }
        for leak in incarnation.server.leaks {
            self.ledger.violate("what is never given back: \(leak)")
        }
        for sender in self.senders { self.readMaildrop(of: sender) }
        self.ledger.settle { self.senders.contains($0) }
        incarnation.storage.die()
        incarnation.connector.die()
        self.incarnation = nil
    }

    func readMaildrop(of sender: String) {
        do throws(StoreError) {
            guard let address = Address(parsing: sender),
                let account = try self.reader.account(address)?.id
            else { return self.ledger.violate("\(sender) has no maildrop") }
            for entry in try self.reader.listing(account, below: .max) {
                var octets: [UInt8] = []
                _ = try self.reader.read(
                    account,
                    sequence: entry.sequence,
                    offset: 0,
                    max: 1 << 24,
                    into: &octets
                )
                self.ledger.found(octets, in: sender)
            }
        } catch {
            self.ledger.violate("the maildrop of \(sender) cannot be read: \(error)")
        }
    }
}
