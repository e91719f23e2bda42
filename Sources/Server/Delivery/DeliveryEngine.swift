// SPDX-License-Identifier: Apache-2.0
//
// Mail on its way out: carries out what the scheduler wants, and tells it what came of it. It asks
// the store, the domain name system and other servers, and decides neither when nor where mail
// goes.
//
// What the scheduler is told while its actions are carried out waits until they are all done: no
// call leads back into itself.

package import Delivery
package import EventLoop
internal import MailStore
internal import MailSyntax

/// All outgoing mail of one server.
package final class DeliveryEngine: DeliveryHooks, OutgoingOwner {
    let settings: DeliverySettings
    unowned let server: MailServer
    let connector: any Connector
    let routes: RouteFinder
    private var scheduler: QueueScheduler
    private(set) lazy var settler = Settler(engine: self)
    private(set) lazy var reports = ReportWriter(engine: self)
    private(set) lazy var watch = QueueWatch(engine: self)
    private(set) lazy var sessions = ClientSettings(owner: self)

    var claims = ClaimTable()
    /// Destinations of which messages are being claimed.
    var claiming: Set<Destination> = []
    private var connections: [DeliveryConnectionID: any DeliveryConnection] = [:]
    private var questions: [UInt32: (StorageReply) -> Void] = [:]
    private var serial: UInt32 = 0
    private var events: [QueueScheduler.Event] = []
    private var isTelling = false
    private var timer = 0
    private var whenIdle: (() -> Void)?
    private(set) var isStopping = false
    private var randomness: any RandomNumberGenerator

    package init(
        server: MailServer,
        settings: DeliverySettings,
        names: any NameResolver,
        connector: any Connector,
        policies: (any PolicySource)? = nil,
        randomness: any RandomNumberGenerator = SystemRandomNumberGenerator()
    ) {
        var randomness = randomness
        self.server = server
        self.settings = settings
        self.connector = connector
        let table = settings.routes
        self.scheduler = QueueScheduler(
            settings: settings.scheduler,
            isOnDemand: { table.isOnDemand($0) },
            seed: randomness.next()
        )
        self.routes = RouteFinder(
            settings: settings,
            names: names,
            policies: policies,
            time: server.time,
            seed: randomness.next()
        )
        self.randomness = randomness
        server.delivery = self
        server.whenQueueChanged = { [weak self] in self?.queueChanged() }
    }

    /// Begins with what is in the queue.
    package func start() {
        self.tell(.started)
        self.reports.wake()
        self.watch.start()
    }

    // MARK: - What others tell

    package func queued(_ destinations: [Destination]) {
        for destination in destinations { self.tell(.queued(destination, isWanted: false)) }
    }

    package func reportsAwaited() { self.reports.wake() }

    package func startQueue(of destinations: [Destination]) {
        for destination in destinations {
            self.routes.forget(destination)
            self.tell(.queued(destination, isWanted: true))
        }
    }

    package func turnAround(_ stream: any ByteStream, for destinations: [Destination]) {
        guard !self.isStopping else { return stream.close() }
        let id = self.scheduler.makeConnectionID()
        let connection = OfferedConnection(
            id: id,
            destinations: destinations,
            stream: stream,
            engine: self
        )
        self.connections[id] = connection
        connection.begin()
    }

    /// An operator changed the queue: something may be due at once, and what is on its way may be
    /// wanted no more.
    package func queueChanged() {
        self.routes.forgetAll()
        self.tell(.queueChanged)
        self.reports.wake()
    }

    /// Begins no transaction any more, lets those under way end, and calls `done` when none is
    /// left and what became of them is with the store.
    package func stop(done: @escaping () -> Void) {
        self.isStopping = true
        self.whenIdle = done
        self.tell(.stopping)
        self.callWhenIdle()
    }

    /// Breaks off what is still under way.
    package func abort() {
        for (_, connection) in self.connections.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            connection.abort()
        }
    }

    /// How many connections there are, or are being made.
    package var connectionCount: Int { self.connections.count }

    /// What is under way, in a few words for the log.
    package var state: String {
        """
        \(self.connections.count) connections, \(self.claims.count) messages \
        (\(self.claims.octets) octets)
        """
    }

    package var leaks: [String] {
        var leaks: [String] = []
        if !self.claims.isEmpty { leaks.append("\(self.claims.count) claimed messages") }
        if !self.connections.isEmpty { leaks.append("\(self.connections.count) ways out") }
        if !self.settler.isIdle { leaks.append("outcomes that are not settled") }
        if !self.questions.isEmpty { leaks.append("\(self.questions.count) questions of delivery") }
        if !self.routes.isIdle { leaks.append("look-ups of routes") }
        return leaks
    }

    private func callWhenIdle() {
        guard let whenIdle = self.whenIdle, self.connections.isEmpty, self.settler.isIdle else {
            return
        }
        self.whenIdle = nil
        whenIdle()
    }

    // MARK: - The store

    /// Asks the reader; `then` gets its answer.
    func ask(_ question: StoreQuestion, _ then: @escaping (StorageReply) -> Void) {
        self.server.storage.read(question, for: self.ticket(then))
    }

    /// Hands a change to the writer; `then` gets its answer, when it is durable.
    func write(_ request: StoreRequest, _ then: @escaping (StorageReply) -> Void) {
        self.server.storage.write(request, for: self.ticket(then))
    }

    /// A change that must be made sooner or later, whatever the store says now.
    func insist(on request: StoreRequest) {
        self.write(request) { [weak self] reply in
            guard let self, reply.hasFailed, !self.isStopping else { return }
            self.server.time.after(seconds: Self.insistSeconds) { [weak self] in
                self?.insist(on: request)
            }
        }
    }

    private static let insistSeconds: Double = 10

    private func ticket(_ then: @escaping (StorageReply) -> Void) -> Ticket {
        self.serial &+= 1
        self.questions[self.serial] = then
        return Ticket(connection: .delivery, serial: self.serial)
    }

    package func answered(_ reply: StorageReply, serial: UInt32) {
        self.questions.removeValue(forKey: serial)?(reply)
        self.callWhenIdle()
    }

    // MARK: - The scheduler

    var time: any Timekeeper { self.server.time }

    var now: DeliveryTime {
        DeliveryTime(
            monotonic: self.server.time.now,
            wallClock: self.server.time.wallClock
        )
    }

    func random() -> UInt64 { self.randomness.next() }

    /// Tells the scheduler, and carries out what it wants.
    func tell(_ event: QueueScheduler.Event) {
        self.events.append(event)
        guard !self.isTelling else { return }
        self.isTelling = true
        var actions: [QueueScheduler.Action] = []
        var index = 0
        while index < self.events.count {
            let event = self.events[index]
            index += 1
            self.scheduler.reduce(event, now: self.now, into: &actions)
            for action in actions { self.perform(action) }
            actions.removeAll(keepingCapacity: true)
        }
        self.events.removeAll(keepingCapacity: true)
        self.isTelling = false
        self.callWhenIdle()
    }

    private func perform(_ action: QueueScheduler.Action) {
        switch action {
        case .findDue(let max, let excluding): self.findDue(max, excluding)
        case .claim(let destination, let max, let octetsMax, let excluding):
            self.claim(destination, max, octetsMax, excluding)
        case .release(let destination, let messages):
            for message in messages { self.claims.remove(message, of: destination) }
        case .open(let id, let destination):
            let connection = OutgoingConnection(id: id, destination: destination, owner: self)
            self.connections[id] = connection
            connection.begin()
        case .deliver(let id, let destination, let message):
            guard let claimed = self.claims[message, of: destination] else {
                preconditionFailure("what is delivered was claimed")
            }
            self.connections[id]?.deliver(claimed, of: destination)
        case .close(let id):
            self.connections[id]?.close()
        case .rest(let destination, let until, let failures, let reason):
            self.rest(destination, until, failures, reason)
        case .revive(let destination):
            self.insist(
                on: .rest(destination: destination.octets, until: 0, failures: 0, reason: [])
            )
        case .failAll(let destination, let messages, let failure):
            self.fail(messages, of: destination, failure)
        case .setTimer(let seconds): self.setTimer(seconds)
        }
    }

    private func setTimer(_ seconds: Double) {
        self.timer += 1
        let timer = self.timer
        self.server.time.after(seconds: seconds) { [weak self] in
            guard let self, self.timer == timer else { return }
            self.tell(.timerFired)
        }
    }
}

// MARK: - What connections tell

extension DeliveryEngine {
    func isReady(_ connection: any DeliveryConnection) {
        self.tell(.connectionReady(connection.id))
    }

    func isOffered(_ connection: any DeliveryConnection, for destination: Destination) {
        self.tell(.connectionOffered(connection.id, destination))
    }

    /// A connection that served one domain is to serve another: to the scheduler it is a new one.
    func replaceID(of connection: any DeliveryConnection) -> DeliveryConnectionID {
        let old = connection.id
        let new = self.scheduler.makeConnectionID()
        self.connections[old] = nil
        self.connections[new] = connection
        self.tell(.connectionEnded(old, nil))
        return new
    }

    /// No transaction came about; the connection is forgotten.
    func failed(_ connection: any DeliveryConnection, _ failure: DestinationFailure) {
        self.connections[connection.id] = nil
        self.tell(.connectionFailed(connection.id, failure))
    }

    /// A connection that was ready is gone, and is forgotten.
    func ended(_ connection: any DeliveryConnection, _ failure: DestinationFailure?) {
        self.connections[connection.id] = nil
        self.tell(.connectionEnded(connection.id, failure))
    }
}

extension StorageReply {
    /// Whether a change was not made.
    var hasFailed: Bool {
        switch self {
        case .failed, .written(.failed, _), .appended(.failed, _), .queueChanged(.failed): true
        default: false
        }
    }
}

extension ConnectionID {
    /// Stands for delivery where a ticket needs a connection.
    static let delivery = ConnectionID(slot: .max, generation: .max - 1)
}
