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
    private let seed: UInt64
    private let store: MailStore
    private let reader: MailStoreReader
    private let faults: SimulatedStorage.Faults
    private let internet: SimulatedInternet
    private let senders: [String]
    private var settings: DeliverySettings
    private var incarnation: Incarnation?
    private var messageIDs = MessageIDSource(block: 0)
    /// How many octets other servers hear, in runs, before the process dies in the middle of it.
    private var runsUntilDeath = Int.max
    private var slot: UInt32 = 0
    private var incoming: [SimulatedStream] = []
    private var limits = ServerLimits()

    /// What dies with the process.
    private struct Incarnation {
        let server: MailServer
        let engine: DeliveryEngine
        let storage: SimulatedStorage
        let connector: SimulatedConnector
    }

    /// Mail is kept for so long; reports live as long after that.
    private static let ageSeconds: Int64 = 4 * 3600
    private static let warnSeconds: Int64 = 3600
    /// Mail comes in within so long.
    private static let arrivalSeconds: Double = 2 * 3600
    /// Then all must be over.
    private static let wholeSeconds: Double = 12 * 3600
    private static let stepsMax = 2_000_000

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
    private func arrange() {
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

    private var isOver: Bool {
        guard let incarnation = self.incarnation, incarnation.server.leaks.isEmpty else {
            return false
        }
        return self.rows.isEmpty
    }

    private var rows: [QueueRow] {
        (try? self.reader.queueRows(QueueSelector(), after: nil, count: 1000).rows) ?? []
    }

    private func start(_ faults: SimulatedStorage.Faults) {
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

    // MARK: - Mail

    /// Half of it comes by SMTP.
    private func submit() {
        guard let server = self.incarnation?.server else { return }
        guard self.world.oneIn(2) else { return self.enqueue() }
        var options = self.options()
        options.requiresTLS = false
        var recipients = self.recipients()
        if self.world.oneIn(3) { recipients.append((self.senders[0], .success)) }
        let entry = self.ledger.open(from: self.reversePath(), to: recipients) {
            self.content($0, options)
        }
        let submitter = SimulatedSubmitter(
            ledger: self.ledger,
            entry: entry,
            recipients: recipients,
            options: options
        )
        self.slot += 1
        let stream = SimulatedStream(
            world: self.world,
            id: ConnectionID(slot: self.slot, generation: 1),
            peer: NetworkAddress(ipv4: 0xc000_0201, port: 0),
            toClient: { submitter.receive($0) }
        )
        submitter.connect(stream)
        self.incoming.append(stream)
        server.accept(stream, for: self.profile)
    }

    private let profile = ServiceProfile(
        service: .smtp,
        smtp: SMTPServerSettings(hostname: Array(SimulatedInternet.ownName.utf8)),
        pop3: POP3ServerSettings(hostname: Array(SimulatedInternet.ownName.utf8))
    )

    private func enqueue() {
        guard let incarnation = self.incarnation, let id = self.messageIDs.next() else { return }
        let recipients = self.recipients()
        let options = self.options()
        let entry = self.ledger.open(from: self.reversePath(), to: recipients) {
            self.content($0, options)
        }
        let now = self.world.wallClock
        let queue = QueueSubmission(
            options: options,
            account: nil,
            expiresAt: now + Self.ageSeconds,
            warnAt: now + Self.warnSeconds,
            recipients: recipients.map { address, notify in
                QueueRecipient(
                    address: Array(address.utf8),
                    destination: Array(address.drop { $0 != "@" }.dropFirst().utf8),
                    notify: notify
                )
            }
        )
        let append = StoreRequest.Append(
            id: id,
            reversePath: Array(entry.reversePath.utf8),
            content: entry.content,
            stagedChunks: 0,
            octets: entry.content.count,
            endsWithCRLF: true,
            deliveries: [],
            perRecipient: true,
            receivedAt: now,
            queue: queue
        )
        guard case .appended = self.store.commit([.append(append)])[0] else {
            return self.ledger.violate("a store that works takes no message")
        }
        self.ledger.sent(entry.number, to: Set(entry.recipients.keys))
        self.ledger.accepted(entry.number)
        let destinations = Set(queue.recipients.map { Destination($0.destination) })
        incarnation.engine.queued(Array(destinations))
    }

    private func recipients() -> [(String, NotifyConditions)] {
        let names = ["ok", "fine", "odd.x", "grey", "gone", "full"]
        let conditions: [NotifyConditions] = [
            [], [], .never, .success, .failure, .delay, [.success, .failure], [.failure, .delay],
        ]
        var recipients: [String: NotifyConditions] = [:]
        for _ in 0...self.world.pick(5) {
            let domain = self.internet.domains[self.world.pick(self.internet.domains.count)]
            let name = "\(names[self.world.pick(names.count)])\(self.world.pick(5))"
            recipients["\(name)@\(domain.name)"] = conditions[self.world.pick(conditions.count)]
        }
        return recipients.sorted { $0.key < $1.key }
    }

    private func reversePath() -> String {
        switch self.world.pick(6) {
        case 0: ""
        case 1: "ok@\(self.internet.domains[self.world.pick(self.internet.domains.count)].name)"
        default: self.senders[self.world.pick(self.senders.count)]
        }
    }

    private func options() -> EnvelopeOptions {
        var options = EnvelopeOptions()
        if self.world.oneIn(4) { options.body = .eightBitMIME }
        if self.world.oneIn(8) { options.requiresTLS = true }
        if self.world.oneIn(4) { options.returnedContent = .full }
        if self.world.oneIn(4) { options.envelopeID = Array("id+2B1".utf8) }
        return options
    }

    private func content(_ number: Int, _ options: EnvelopeOptions) -> [UInt8] {
        var lines = ["X-Number: \(number)", "Subject: simulated", ""]
        let isLarge = self.world.oneIn(10)
        for _ in 0..<(isLarge ? 200 + self.world.pick(1000) : self.world.pick(20)) {
            switch self.world.pick(6) {
            case 0: lines.append("")
            case 1: lines.append(".")
            case 2: lines.append("..dots")
            case 3 where options.body == .eightBitMIME: lines.append("acht Bit: ü")
            default: lines.append(String(repeating: "x", count: self.world.pick(100)))
            }
        }
        return Array(lines.map { "\($0)\r\n" }.joined().utf8)
    }

    // MARK: - The server ends and begins

    private func planEnd() {
        let time = self.world.between(0, 5 * 3600)
        self.world.after(seconds: time) { [unowned self] in
            if self.world.oneIn(2) { self.die() } else { self.stop() }
        }
    }

    /// A death that finds a delivery under way, at any step of it.
    private func heard() {
        guard self.runsUntilDeath < .max else { return }
        self.runsUntilDeath -= 1
        guard self.runsUntilDeath <= 0 else { return }
        self.runsUntilDeath = self.world.oneIn(2) ? self.world.pick(200) : .max
        self.world.after(seconds: self.world.between(0, 0.3)) { [unowned self] in self.die() }
    }

    /// For some minutes nothing that happens becomes durable.
    private func planStuckDisk() {
        self.world.after(seconds: self.world.between(0, Self.arrivalSeconds)) { [unowned self] in
            guard let storage = self.incarnation?.storage else { return }
            storage.isStuck = true
            self.world.after(seconds: self.world.between(1, 900)) { [weak storage] in
                storage?.isStuck = false
            }
        }
    }

    /// The process is killed, and some time later another one begins.
    private func die() {
        guard let incarnation = self.incarnation.take() else { return }
        // What was taken by a host and is still in the queue will be sent again.
        for row in self.rows where row.state == .waiting || row.state == .held {
            self.forget(row)
        }
        self.bury(incarnation)
    }

    private func bury(_ incarnation: Incarnation) {
        incarnation.storage.die()
        incarnation.connector.die()
        for stream in self.incoming {
            stream.handler = nil
            stream.reset()
        }
        self.incoming = []
        self.world.after(seconds: self.world.between(0, 600)) { [unowned self] in
            self.start(self.faults)
        }
    }

    /// The number of the message of a row.
    private func number(of row: QueueRow) -> Int? {
        var octets: [UInt8] = []
        do throws(StoreError) {
            _ = try self.reader.queuedContent(
                row.position.message,
                offset: 0,
                max: 1000,
                into: &octets
            )
        } catch {
            return nil
        }
        return row.reversePath.isEmpty && octets.starts(with: QueueLedger.report)
            ? nil : QueueLedger.number(in: octets)
    }

    private func forget(_ row: QueueRow) {
        guard let number = self.number(of: row) else { return }
        self.ledger.forgotten(number, by: String(decoding: row.address, as: UTF8.self))
    }

    private func stop() {
        guard let incarnation = self.incarnation else { return }
        incarnation.engine.stop { [unowned self] in
            // Not from within the engine's own call.
            self.world.after(seconds: 0) { [unowned self] in self.stopped() }
        }
        self.world.after(seconds: 30) { [weak engine = incarnation.engine] in engine?.abort() }
    }

    private func stopped() {
        guard let incarnation = self.incarnation.take() else { return }
        if incarnation.engine.connectionCount > 0 {
            self.ledger.violate("\(incarnation.engine.connectionCount) ways out outlive a stop")
        }
        self.bury(incarnation)
    }

    // MARK: - Operators

    private func planInterference() {
        self.world.after(seconds: self.world.between(0, Self.arrivalSeconds)) { [unowned self] in
            guard let incarnation = self.incarnation else { return }
            let domain = self.internet.domains[self.world.pick(self.internet.domains.count)]
            var selector = QueueSelector()
            selector.destination = Array(domain.name.utf8)
            switch self.world.pick(4) {
            case 0:
                self.change(.retry, selector)
                incarnation.server.whenQueueChanged?()
            case 1:
                let destination = Destination(domain.name)
                _ = self.store.commit([
                    .wake(destination: destination.octets, now: self.world.wallClock)
                ])
                incarnation.engine.startQueue(of: [destination])
            case 2:
                self.change(.hold, selector)
                incarnation.server.whenQueueChanged?()
                self.world.after(seconds: self.world.between(60, 3000)) { [unowned self] in
                    self.change(.release, selector)
                    self.incarnation?.server.whenQueueChanged?()
                }
            default:
                self.remove(selector)
                incarnation.server.whenQueueChanged?()
            }
        }
    }

    private func change(_ change: QueueChange, _ selector: QueueSelector) {
        var after: QueuePosition?
        repeat {
            let request = StoreRequest.changeQueue(
                change,
                selector,
                after: after,
                now: self.world.wallClock
            )
            guard case .queueChanged(_, let next) = self.store.commit([request])[0] else {
                return self.ledger.violate("a store that works does not change its queue")
            }
            after = next
        } while after != nil
    }

    /// Without a word: whoever waits is given up, and whoever has failed is not told of.
    private func remove(_ selector: QueueSelector) {
        let rows = (try? self.reader.queueRows(selector, after: nil, count: 1000).rows) ?? []
        for row in rows {
            guard let number = self.number(of: row) else { continue }
            self.ledger.removed(number, String(decoding: row.address, as: UTF8.self))
        }
        self.change(.remove(reporting: false), selector)
    }

    // MARK: - The end

    private func finish() {
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

    private func readMaildrop(of sender: String) {
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
