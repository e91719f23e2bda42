// SPDX-License-Identifier: Apache-2.0
//
// One connection of the scheduler's, from the look-up to its end: hosts and addresses race,
// sessions are tried on what won, and messages go over the one that can take them.

internal import Delivery
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

/// A connection to the hosts of one destination.
final class OutgoingConnection: DeliveryConnection, SMTPClientOwner {
    let id: DeliveryConnectionID
    private let destination: Destination
    private unowned let owner: any OutgoingOwner
    private var race: ConnectionRace?
    /// What TLS each host of the plan has to speak.
    private var demands: [HostDemand] = []
    private var attempts: [ConnectionAttempt: ConnectingStream] = [:]
    /// The address that is spoken with.
    private var place: ConnectionAttempt?
    private var driver: SMTPClientDriver?
    private var concession = Concession()
    private var transaction: Transaction?
    private var knownNext: Next?
    private var phase = Phase.opening
    private var timer = 0

    private enum Phase {
        /// Nothing was told to the scheduler yet.
        case opening
        /// Messages may come.
        case ready
        /// There is no host: what comes counts as delivered.
        case discarding
        case over
    }

    /// What is not asked of a host any more that could not bear it.
    struct Concession: Hashable {
        /// Its handshake failed, and it may be spoken to in clear.
        var skipsTLS = false
        /// It hung up on EHLO.
        var saysHELO = false
    }

    init(id: DeliveryConnectionID, destination: Destination, owner: any OutgoingOwner) {
        self.id = id
        self.destination = destination
        self.owner = owner
    }

    // MARK: - From the look-up to a connection

    func begin() {
        self.owner.routes.find(self.destination) { [weak self] in self?.found($0) }
    }

    private func found(_ finding: RouteFinder.Finding) {
        guard self.phase == .opening else { return }
        self.owner.noted(.found(finding.outcome), on: self)
        switch finding.outcome {
        case .failure(let failure): self.fail(failure)
        case .discard:
            self.phase = .discarding
            self.owner.isReady(self)
        case .onDemand:
            self.fail(
                DestinationFailure(
                    .noAddress,
                    EnhancedStatus(4, 4, 4),
                    "the mail waits until it is fetched"
                )
            )
        case .plan(let plan): self.startRace(plan, finding)
        }
    }

    /// Hosts that must not be tried are left out; with none left, the destination has failed.
    private func startRace(_ plan: RoutePlan, _ finding: RouteFinder.Finding) {
        var allowed = plan
        allowed.hosts = []
        var refusal: DestinationFailure?
        for host in plan.hosts {
            let demand = HostDemand.of(
                host,
                in: plan,
                sts: finding.sts,
                preference: self.owner.settings.tls
            )
            switch demand {
            case .success(let demand):
                allowed.hosts.append(host)
                self.demands.append(demand)
            case .failure(let failure):
                refusal = refusal ?? failure
            }
        }
        if let refusal, allowed.hosts.isEmpty { return self.fail(refusal) }
        self.race = ConnectionRace(allowed, settings: self.owner.settings.race)
        self.tell(.started)
    }

    private func tell(_ event: ConnectionRace.Event) {
        var actions: [ConnectionRace.Action] = []
        self.race?.reduce(event, now: self.owner.time.now, into: &actions)
        for action in actions where self.phase == .opening { self.perform(action) }
    }

    private func perform(_ action: ConnectionRace.Action) {
        switch action {
        case .connect(let attempt): self.connect(attempt)
        case .cancel(let attempt): self.attempts.removeValue(forKey: attempt)?.cancel()
        case .use(let attempt): self.use(attempt)
        case .setTimer(let seconds): self.setTimer(seconds)
        case .stopTimer: self.timer += 1
        case .exhausted(let failure): self.fail(failure)
        }
    }

    private func setTimer(_ seconds: Double) {
        self.timer += 1
        let timer = self.timer
        self.owner.time.after(seconds: seconds) { [weak self] in
            guard let self, self.timer == timer, self.phase == .opening else { return }
            self.tell(.timerFired)
        }
    }

    private func endpoint(_ attempt: ConnectionAttempt) -> RouteEndpoint? {
        self.race?.plan.hosts[attempt.host].endpoints[attempt.endpoint]
    }

    private func connect(_ attempt: ConnectionAttempt) {
        guard let endpoint = self.endpoint(attempt) else { return }
        self.owner.noted(.connecting(self.text(of: attempt)), on: self)
        do throws(EventLoopError) {
            let stream = try self.owner.connect(to: endpoint)
            self.attempts[attempt] = ConnectingStream(stream) { [weak self] failure in
                self?.connected(attempt, failure)
            }
        } catch {
            // The race is told later, not from within its own action.
            let why = "\(error)"
            self.owner.time.after(seconds: 0) { [weak self] in
                self?.tell(.failed(attempt, why))
            }
        }
    }

    private func connected(_ attempt: ConnectionAttempt, _ failure: String?) {
        guard self.phase == .opening else { return }
        if let failure {
            self.owner.noted(.unreachable(self.text(of: attempt), failure), on: self)
            self.attempts[attempt] = nil
            self.tell(.failed(attempt, failure))
        } else {
            self.tell(.connected(attempt))
        }
    }

    // MARK: - Sessions

    private func use(_ attempt: ConnectionAttempt) {
        guard let connecting = self.attempts.removeValue(forKey: attempt) else { return }
        if attempt != self.place { self.concession = Concession() }
        self.place = attempt
        self.owner.noted(.connected(self.hostText), on: self)
        self.speak(over: connecting.stream)
    }

    private func speak(over stream: any ByteStream) {
        guard let place = self.place, let race = self.race else { return }
        let host = race.plan.hosts[place.host]
        do throws(DestinationFailure) {
            let options = try self.owner.sessions.options(
                for: host,
                self.demands[place.host],
                self.concession,
                isLocal: stream.peer.family == .unix
            )
            let driver = SMTPClientDriver(stream: stream, options: options, owner: self)
            self.driver = driver
            driver.begin()
        } catch {
            stream.handler = nil
            stream.abort()
            self.fail(error)
        }
    }

    func isReady(_ driver: SMTPClientDriver) {
        guard self.phase == .opening, driver === self.driver else { return }
        self.knownNext = nil
        self.owner.noted(.ready(tls: self.next(driver).tls), on: self)
        self.phase = .ready
        self.timer += 1
        self.owner.isReady(self)
    }

    func connectionEnded(_ driver: SMTPClientDriver) {
        // Of a host that was left nothing more is wanted.
        guard driver === self.driver else { return }
        self.driver = nil
        switch self.phase {
        case .opening: self.sessionFailed(driver)
        case .ready:
            self.phase = .over
            self.owner.ended(self, driver.failure.flatMap { self.failure($0, driver) })
        case .discarding, .over: break
        }
    }

    /// No message went over the connection: the host may fare better with less, or another may.
    private func sessionFailed(_ driver: SMTPClientDriver) {
        guard let place = self.place, let failure = driver.failure else {
            return self.fail(self.unreachable("the connection was given up"))
        }
        if self.concede(failure) { return self.connectAgain() }
        let permitsClear = self.demands[place.host].requirement.permitsCleartext
        let why = DestinationFailure(
            failure.isAboutTLS && !permitsClear ? .insecure : .noSession,
            failure.status,
            self.sentence(failure, driver)
        )
        self.owner.noted(.sessionFailed(why.text), on: self)
        if failure.triesAnotherHost { self.tell(.sessionFailed(why)) } else { self.fail(why) }
    }

    /// The host does not take the message, or not now: the next one gets its chance, if there is
    /// one.
    ///
    /// `isReady` or `failed` of the owner follows. Only from within its `finished`.
    func leaveHost(_ why: DestinationFailure) {
        guard self.phase == .ready, let driver = self.driver else { return }
        self.phase = .opening
        self.driver = nil
        if driver.isReusable { driver.quit() }
        self.tell(.sessionFailed(why))
    }

    private func concede(_ failure: SMTPClientFailure) -> Bool {
        guard let place = self.place, self.demands[place.host].requirement.permitsCleartext else {
            return false
        }
        if failure.kind == .tlsFailed, !self.concession.skipsTLS {
            self.concession.skipsTLS = true
            return true
        }
        guard failure.suggestsHELO, !self.concession.saysHELO else { return false }
        self.concession.saysHELO = true
        return true
    }

    /// The same address once more.
    private func connectAgain() {
        guard let place = self.place, let endpoint = self.endpoint(place) else { return }
        do throws(EventLoopError) {
            let stream = try self.owner.connect(to: endpoint)
            stream.setDeadline(seconds: self.owner.settings.race.attemptSecondsMax)
            self.attempts[place] = ConnectingStream(stream) { [weak self, unowned stream] failure in
                guard let self, self.phase == .opening else { return }
                self.attempts[place] = nil
                guard let failure else { return self.speak(over: stream) }
                self.tell(.sessionFailed(self.unreachable(failure)))
            }
        } catch {
            self.tell(.sessionFailed(self.unreachable("\(error)")))
        }
    }

    private func unreachable(_ why: String) -> DestinationFailure {
        DestinationFailure(.unreachable, EnhancedStatus(4, 4, 1), why)
    }

    private func fail(_ failure: DestinationFailure) {
        guard self.phase == .opening else { return }
        self.phase = .over
        self.timer += 1
        let attempts = self.attempts.sorted {
            ($0.key.host, $0.key.endpoint) < ($1.key.host, $1.key.endpoint)
        }
        for (_, attempt) in attempts { attempt.cancel() }
        self.attempts = [:]
        self.owner.failed(self, failure)
    }

    /// What an end in the midst of things says of the host.
    private func failure(
        _ failure: SMTPClientFailure,
        _ driver: SMTPClientDriver
    ) -> DestinationFailure? {
        DestinationFailure(.noSession, failure.status, self.sentence(failure, driver))
    }

    private func sentence(_ failure: SMTPClientFailure, _ driver: SMTPClientDriver) -> String {
        let why = driver.stream.handshakeFailure.map { "TLS: \($0)" }
        let reply = why ?? String(decoding: failure.reply, as: UTF8.self)
        return "\(self.hostText): \(reply)"
    }

    // MARK: - Messages

    func deliver(_ message: QueuedMessage, of destination: Destination) {
        guard self.phase != .discarding else {
            return self.owner.discarded(message, of: destination, by: self)
        }
        self.transaction = Transaction(message: message, destination: destination)
        self.driver?.deliver(message.envelope, message.outgoingContent)
    }

    func messageFinished(_ driver: SMTPClientDriver) {
        guard let transaction = self.transaction.take() else { return }
        self.owner.finished(
            transaction,
            over: self,
            driver,
            at: self.next(driver)
        )
    }

    func overheard(
        _ octets: borrowing Span<UInt8>,
        isOurs: Bool,
        on driver: SMTPClientDriver
    ) {
        self.owner.overheard(octets, isOurs: isOurs, on: driver)
    }

    func readContent(for driver: SMTPClientDriver, offset: Int, octetsMax: Int) {
        guard let message = self.transaction?.message.id else { return }
        self.owner.readContent(of: message, offset: offset, octetsMax, for: driver)
    }

    func close() {
        guard self.phase != .discarding else {
            self.phase = .over
            return self.owner.ended(self, nil)
        }
        self.driver?.quit()
    }

    func abort() {
        switch self.phase {
        case .opening:
            self.driver?.stream.abort()
            if self.driver == nil { self.fail(self.unreachable("the server is shutting down")) }
        case .ready: self.driver?.stream.abort()
        case .discarding, .over: break
        }
    }

    // MARK: - Words

    /// The host with its address, as the queue remembers it.
    private var hostText: String { self.place.map(self.text) ?? self.destination.text }

    private func text(of attempt: ConnectionAttempt) -> String {
        guard let race = self.race, let endpoint = self.endpoint(attempt) else {
            return self.destination.text
        }
        let name = race.plan.hosts[attempt.host].name
        let address = "[\(endpoint.place)]"
        return name == address || name == endpoint.place ? address : "\(name) \(address)"
    }

    /// Who takes the messages of the session, in words that are made once.
    private func next(_ driver: SMTPClientDriver) -> Next {
        if let known = self.knownNext { return known }
        var tls: [UInt8] = []
        if let place = self.place, let facts = driver.stream.tls {
            tls = Array(self.demands[place.host].outcome(facts).description.utf8)
        }
        let next = Next(host: Array(self.hostText.utf8), tls: tls)
        self.knownNext = next
        return next
    }
}

/// Who took a message, or did not.
struct Next {
    /// Name and address.
    let host: [UInt8]
    /// How the session was secured; empty: it was not.
    let tls: [UInt8]
}

/// A message on its way over a connection.
struct Transaction {
    let message: QueuedMessage
    let destination: Destination
}

extension RouteEndpoint {
    /// The address without its port, or the path.
    fileprivate var place: String {
        switch self {
        case .address(let address): address.host
        case .unix(let path): path
        }
    }
}

extension SMTPClientFailure {
    /// Whether TLS could not be had as it has to be.
    fileprivate var isAboutTLS: Bool {
        switch self.kind {
        case .tlsUnavailable, .tlsFailed, .injectedPlaintext: true
        case .refused, .peerClosing, .closed, .timedOut, .malformedReply, .unexpectedReply,
            .authenticationUnavailable, .authenticationFailed:
            false
        }
    }
}
