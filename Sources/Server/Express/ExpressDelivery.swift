// SPDX-License-Identifier: Apache-2.0
//
// Hands one message to the hosts of its recipients, one destination after the other, and waits for
// each: no queue, no second try later. What a host does not take now, the next host of the
// destination is asked for.

internal import Delivery
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

/// The delivery of one message.
final class ExpressDelivery: OutgoingOwner {
    let settings: DeliverySettings
    let routes: RouteFinder
    let connector: any Connector
    let time: any Timekeeper
    private(set) lazy var sessions = ClientSettings(owner: self)
    /// What became of the recipients, in their order; complete when `done` is called.
    private(set) var results: [ExpressResult?]

    private let message: ExpressMessage
    private let watch: (ExpressNote) -> Void
    private let done: () -> Void
    private var destinations: [Destination] = []
    /// The recipients of each destination, by their indices.
    private var groups: [Destination: [Int]] = [:]
    /// Those of the present destination that no host has decided about.
    private var pending: [Int] = []
    private var current: OutgoingConnection?
    /// Whether a host of the present destination is done with what it was given.
    private var isDone = false
    /// A connection outlives its use: it says goodbye.
    private var connections: [OutgoingConnection] = []

    /// `singleDestination`: all recipients go the way of this one.
    init(
        _ message: ExpressMessage,
        settings: DeliverySettings,
        singleDestination: Destination?,
        names: any NameResolver,
        policies: (any PolicySource)?,
        connector: any Connector,
        time: any Timekeeper,
        watch: @escaping (ExpressNote) -> Void,
        done: @escaping () -> Void
    ) {
        self.message = message
        self.settings = settings
        self.connector = connector
        self.time = time
        self.watch = watch
        self.done = done
        self.results = Array(repeating: nil, count: message.recipients.count)
        self.routes = RouteFinder(
            settings: settings,
            names: names,
            policies: policies,
            time: time,
            seed: .random(in: 0...UInt64.max)
        )
        for (index, recipient) in message.recipients.enumerated() {
            let destination = singleDestination ?? recipient.destination
            if self.groups[destination] == nil { self.destinations.append(destination) }
            self.groups[destination, default: []].append(index)
        }
    }

    /// Begins with the next destination.
    func begin() {
        guard !self.destinations.isEmpty else { return self.done() }
        let destination = self.destinations.removeFirst()
        self.pending = self.groups[destination] ?? []
        self.isDone = false
        let connection = OutgoingConnection(
            id: DeliveryConnectionID(rawValue: UInt64(self.connections.count)),
            destination: destination,
            owner: self
        )
        self.connections.append(connection)
        self.current = connection
        connection.begin()
    }

    /// Goes on to the next destination, outside of what a connection is just telling.
    private func leave(_ connection: any DeliveryConnection) {
        guard connection === self.current else { return }
        self.current = nil
        self.time.after(seconds: 0) { [self] in self.begin() }
    }

    // MARK: - What connections tell

    func isReady(_ connection: any DeliveryConnection) {
        connection.deliver(self.queued, of: Destination(""))
    }

    /// The message for those who still want it.
    private var queued: QueuedMessage {
        let recipients = self.pending.map { index in
            QueuedRecipient(
                number: index,
                address: self.message.recipients[index].mailbox,
                destination: [],
                notify: [],
                originalRecipient: [],
                attempts: 0
            )
        }
        let content = self.message.content
        return QueuedMessage(
            id: MessageID(rawValue: 0),
            reversePath: self.message.reversePath,
            octets: content.count,
            endsWithCRLF: content.suffix(2) == [.cr, .lf],
            options: self.message.options,
            account: nil,
            queuedAt: 0,
            expiresAt: 0,
            warnAt: nil,
            recipients: recipients,
            content: content
        )
    }

    func finished(
        _ transaction: Transaction,
        over connection: any DeliveryConnection,
        _ driver: SMTPClientDriver,
        at host: Next
    ) {
        let name = String(decoding: host.host, as: UTF8.self)
        let outcomes = driver.session.outcomes
        // Those that were merely too many for one transaction go in the next one.
        let isCut = outcomes.contains { $0.verdict != .deferred }
        var waiting: [Int] = []
        var refusal: SMTPClientOutcome?
        for (index, outcome) in zip(self.pending, outcomes) {
            self.results[index] = .answered(host: name, outcome)
            guard outcome.verdict == .deferred else { continue }
            waiting.append(index)
            if outcome.stage != .envelope || !isCut { refusal = refusal ?? outcome }
        }
        self.pending = waiting
        guard !waiting.isEmpty else {
            self.isDone = true
            return driver.isReusable ? connection.close() : ()
        }
        if let refusal {
            let why = DestinationFailure(.noSession, refusal.status, "\(name): \(refusal.line)")
            self.watch(.progress("\(name) does not take it now: \(refusal.line)"))
            self.current?.leaveHost(why)
        } else if driver.isReusable {
            connection.deliver(self.queued, of: Destination(""))
        }
    }

    func failed(_ connection: any DeliveryConnection, _ failure: DestinationFailure) {
        // What a host has said of a recipient says more than that no other could be reached.
        for index in self.pending where self.results[index] == nil {
            self.results[index] = .unreachable(failure)
        }
        self.leave(connection)
    }

    func ended(_ connection: any DeliveryConnection, _ failure: DestinationFailure?) {
        if !self.isDone {
            let why = DestinationFailure(
                .unreachable,
                EnhancedStatus(4, 4, 2),
                failure?.text ?? "the connection ended"
            )
            return self.failed(connection, why)
        }
        self.leave(connection)
    }

    func discarded(
        _ message: QueuedMessage,
        of destination: Destination,
        by connection: any DeliveryConnection
    ) {
        for index in self.pending { self.results[index] = .discarded }
        self.isDone = true
        connection.close()
    }

    func readContent(
        of message: MessageID,
        offset: Int,
        _ octetsMax: Int,
        for driver: SMTPClientDriver
    ) {
        preconditionFailure("the content is at hand as a whole")
    }

    func connect(to endpoint: RouteEndpoint) throws(EventLoopError) -> any ByteStream {
        switch endpoint {
        case .unix(let path): try self.connector.connect(to: .unix(path: path), from: nil)
        case .address(let address):
            try self.connector.connect(
                to: .ip(address),
                from: address.family == .ipv6
                    ? self.settings.sourceIPv6 : self.settings.sourceIPv4
            )
        }
    }

    // MARK: - What can be watched

    func noted(_ step: OutgoingStep, on connection: OutgoingConnection) {
        for line in step.lines { self.watch(.progress(line)) }
    }

    func overheard(
        _ octets: borrowing Span<UInt8>,
        isOurs: Bool,
        on driver: SMTPClientDriver
    ) {
        // What a login is made of is for nobody's eyes.
        let isSecret = driver.session.awaiting == .reply(.authentication)
        for line in octets.copy().split(separator: .lf) {
            let text = String(decoding: line.filter { $0 != .cr }, as: UTF8.self)
            let shown = isSecret && isOurs ? Self.withoutSecret(text) : text
            self.watch(.line(shown.printable(octetsMax: 1000), isOurs: isOurs))
        }
    }

    private static func withoutSecret(_ line: String) -> String {
        let words = line.split(separator: " ")
        guard words.first == "AUTH", words.count > 1 else { return "(not shown)" }
        return "AUTH \(words[1])" + (words.count > 2 ? " (not shown)" : "")
    }
}

extension SMTPClientOutcome {
    fileprivate var line: String { String(decoding: self.reply, as: UTF8.self) }
}

extension OutgoingStep {
    /// In words.
    fileprivate var lines: [String] {
        switch self {
        case .found(.plan(let plan)):
            plan.hosts.map { host in
                let places = host.endpoints.map(\.description).joined(separator: ", ")
                let by =
                    host.isRelay
                    ? "by a route"
                    : plan.destination.isLiteral ? "by its address" : "MX \(host.preference)"
                return "\(plan.destination.text): \(by), \(host.name) at \(places)"
            }
        case .found(.failure(let failure)): [failure.text]
        case .found(.discard): ["a route discards the message"]
        case .found(.onDemand): ["the mail waits until it is fetched"]
        case .connecting(let host): ["connecting to \(host)"]
        case .unreachable(let host, let why): ["\(host): \(why)"]
        case .connected(let host): ["connected to \(host)"]
        case .ready(let tls):
            [tls.isEmpty ? "no TLS" : "TLS: \(String(decoding: tls, as: UTF8.self))"]
        case .sessionFailed(let why): [why]
        }
    }
}
