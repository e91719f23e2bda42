// SPDX-License-Identifier: Apache-2.0
//
// Assembles the server from its configuration and runs it: log, loop, store, listeners, signals.

package import Configuration
internal import Credentials
internal import EventLoop
internal import Glibc
internal import Logging
internal import MailBytes
package import MailStore
internal import MailSyntax
internal import POP3Protocol
internal import Privileges
internal import Resolver
internal import SMTPProtocol

/// The process that `martlet serve` is.
package final class ServeProcess {
    /// Why the server cannot start.
    package enum Failure: Error {
        /// What the configuration names cannot be used.
        case configuration([String])
        /// The system lets the process not be what it should be.
        case privilege(String)
        case store(StoreError, directory: String)
        /// What the system said, and whether it is a matter of permissions.
        case listener(String, isPermission: Bool)
        case loop(String)
    }

    private let configuration: Configuration
    private let logger: Logger
    private let loop: EventLoop
    private let storage = StorageThreads()
    private let server: MailServer
    private let delivery: DeliveryEngine
    private let sockets: ListeningSockets
    private let certificates: ServerCertificates?
    private var isStopping = false

    /// Descriptors for the store, the log, listeners and the control socket.
    private static let ownDescriptors = 256

    /// Room for the buffers of a group of messages, and little beside what a server has.
    private static let freedOctetsMax: Int32 = 4 << 20

    /// Runs until a signal ends it.
    package static func run(_ configuration: Configuration) throws(Failure) {
        FreedMemory.keep(octetsPerHeap: Self.freedOctetsMax)
        // Whoever reads the log may go away; the server goes on.
        signal(SIGPIPE, SIG_IGN)
        let log = LogOutput(configuration.log)
        defer { log.close() }
        let process = try ServeProcess(configuration, log)
        do throws(Failure) {
            try process.sockets.openAll()
        } catch {
            process.storage.stop()
            throw error
        }
        process.watchSignals()
        process.watchCertificates()
        process.delivery.start()
        process.logger.info("ready", metadata: ["pid": .stringConvertible(getpid())])
        process.loop.run()
        process.storage.stop()
        process.logger.info("stopped")
    }

    private init(_ configuration: Configuration, _ log: LogOutput) throws(Failure) {
        self.configuration = configuration
        self.logger = log.logger
        let limits = configuration.serverLimits
        let descriptors = Self.descriptors(for: configuration)
        Self.raiseDescriptorLimit(to: descriptors, log.logger)
        do throws(EventLoopError) {
            self.loop = try EventLoop(connectionsMax: descriptors)
        } catch {
            throw .loop("the event loop cannot be made: \(error)")
        }
        guard let postmaster = configuration.postmasterAddress else {
            throw .loop("the first of local-domains makes no address for postmaster")
        }
        self.sockets = ListeningSockets(
            self.loop,
            configuration,
            log.logger,
            passed: PassedDescriptors.take().compactMap(PassedSocket.init)
        )
        try Self.giveUp(configuration, self.sockets, log.logger)
        // The first other thread: it inherits what was given up.
        log.start()
        self.certificates = try Self.certificates(configuration, log.logger)
        let relay = AnswerRelay()
        let mailbox = self.loop.makeMailbox { (answer: TicketedReply) in
            relay.server?.answered(answer.reply, for: answer.ticket)
        }
        let firstMessageID: UInt64
        do throws(StoreError) {
            firstMessageID = try Self.start(self.storage, configuration, postmaster, mailbox)
        } catch {
            throw .store(error, directory: configuration.dataDirectory)
        }
        let logins: LoginSettings
        do throws(Configuration.LoginFailure) {
            logins = try configuration.loginSettings()
        } catch {
            self.storage.stop()
            throw .configuration([error.sentence])
        }
        self.server = MailServer(
            limits: limits,
            addresses: configuration.addressSettings(postmaster: postmaster),
            relaying: configuration.relaySettings,
            logins: logins,
            time: LoopTime(loop: self.loop),
            storage: self.storage,
            passwords: self.storage,
            journal: Journal(sink: log.sink),
            firstMessageID: firstMessageID,
            controlUser: geteuid()
        )
        do throws(Failure) {
            self.delivery = try Self.delivery(of: self.server, configuration, self.loop)
        } catch {
            self.storage.stop()
            throw error
        }
        relay.server = self.server
        self.sockets.server = self.server
        self.useCertificates()
    }

    /// Opens ports that need root, and then is no longer root, nor anything else it need not be.
    private static func giveUp(
        _ configuration: Configuration,
        _ sockets: ListeningSockets,
        _ logger: Logger
    ) throws(Failure) {
        LeastPrivilege.forbidCoreDumps(logger)
        let user: ServiceUser?
        do throws(LeastPrivilege.Failure) {
            user = try LeastPrivilege.user(of: configuration)
            try LeastPrivilege.prepareDirectory(of: configuration, for: user)
        } catch {
            throw Failure(error, directory: configuration.dataDirectory)
        }
        if let user {
            try sockets.openPorts()
            do throws(LeastPrivilege.Failure) { try LeastPrivilege.become(user) } catch {
                throw Failure(error, directory: configuration.dataDirectory)
            }
            LeastPrivilege.forbidCoreDumps(logger)
            logger.info("no longer root", metadata: ["user": .string(user.name)])
        }
        LeastPrivilege.confine(configuration, logger)
    }

    private static func certificates(
        _ configuration: Configuration,
        _ logger: Logger
    ) throws(Failure) -> ServerCertificates? {
        let review = CertificateReview(configuration, now: WallClock.seconds)
        guard review.errors.isEmpty else { throw .configuration(review.errors) }
        ServerCertificates.log(review, logger)
        do throws(TLSError) {
            return try ServerCertificates(configuration, logger)
        } catch {
            throw .configuration(["tls: \(error)"])
        }
    }

    /// What connections, in and out, and look-ups need besides the process's own.
    private static func descriptors(for configuration: Configuration) -> Int {
        configuration.limits.connections + configuration.delivery.connections
            + Resolver.descriptorsMax(configuration.resolverSettings) + Self.ownDescriptors
    }

    private static func raiseDescriptorLimit(to wanted: Int, _ logger: Logger) {
        let descriptors = EventLoop.raiseDescriptorLimit(to: wanted)
        guard descriptors < wanted else { return }
        logger.warning(
            """
            fewer file descriptors than limits.connections needs; raise the hard limit \
            (LimitNOFILE= of systemd, ulimit -Hn), or lower limits.connections
            """,
            metadata: [
                "descriptors": .stringConvertible(descriptors),
                "wanted": .stringConvertible(wanted),
            ]
        )
    }

    private static func start(
        _ storage: StorageThreads,
        _ configuration: Configuration,
        _ postmaster: Address,
        _ mailbox: LoopMailbox<TicketedReply>
    ) throws(StoreError) -> UInt64 {
        let directory = configuration.dataDirectory
        let options = configuration.storeOptions
        return try storage.start(
            opening: { () throws(StoreError) in
                let store = try MailStore(directory: directory, options: options)
                // Postmaster is always deliverable (RFC 5321, section 4.5.1); without a
                // password its maildrop cannot be opened until one is set.
                let account = NewAccount(
                    address: postmaster,
                    verifier: [],
                    recoverableSecret: nil,
                    quota: nil
                )
                _ = store.commit([.addAccount(account)])
                return store
            },
            reader: { () throws(StoreError) in try MailStoreReader(directory: directory) },
            mailbox: mailbox,
            passwordWorkers: 2
        )
    }

    // MARK: - Signals

    private func watchSignals() {
        for signal in [SIGTERM, SIGINT] {
            self.loop.onSignal(signal) { [unowned self] in self.stop() }
        }
        self.loop.onSignal(SIGHUP) { [unowned self] in
            self.readCertificatesAgain()
            self.logger.notice(
                "SIGHUP: certificates are read again, the configuration at start only"
            )
        }
        self.loop.onSignal(SIGUSR1) { [unowned self] in self.logState() }
    }

    /// Ends with grace; asked a second time, at once.
    private func stop() {
        guard !self.isStopping else {
            self.logger.notice("stopping at once")
            return self.loop.stop()
        }
        self.isStopping = true
        self.logger.info(
            "stopping",
            metadata: ["connections": .stringConvertible(self.server.connectionCount)]
        )
        self.sockets.close()
        var waiting = 2
        let ended = { [loop] in
            waiting -= 1
            if waiting == 0 { loop.stop() }
        }
        self.server.stop(done: ended)
        self.delivery.stop(done: ended)
        let grace = self.configuration.serverLimits.shutdownGraceSeconds
        self.loop.after(seconds: grace) { [unowned self] in
            self.delivery.abort()
            // Whatever still hangs then is found in the queue by the next process.
            self.loop.after(seconds: Self.lastSeconds) { [loop] in loop.stop() }
        }
    }

    private static let lastSeconds: Double = 2

    // MARK: - Certificates

    private func watchCertificates() {
        guard let certificates = self.certificates else { return }
        self.loop.after(seconds: ServerCertificates.watchSeconds) { [unowned self] in
            if certificates.look() { self.useCertificates() }
            self.watchCertificates()
        }
    }

    private func readCertificatesAgain() {
        if self.certificates?.readAgain() ?? false { self.useCertificates() }
    }

    /// For connections from now on; those that are there keep what they have.
    private func useCertificates() {
        guard let certificates = self.certificates else { return }
        for (listener, profile) in zip(self.configuration.listeners, self.sockets.profiles)
        where listener.tls != .off {
            profile.tls = certificates.service(for: listener.service)
        }
    }

    private func logState() {
        self.logger.info(
            "state",
            metadata: [
                "connections": .stringConvertible(self.server.connectionCount),
                "content-octets": .stringConvertible(self.server.contentOctets),
                "deliveries": .string(self.delivery.state),
                "turns": .stringConvertible(self.loop.turnTimes),
            ]
        )
    }
}

extension ServeProcess.Failure {
    fileprivate init(_ failure: LeastPrivilege.Failure, directory: String) {
        switch failure {
        case .noSuchUser(let why): self = .configuration([why])
        case .directory(let error): self = .store(.retryable("\(error)"), directory: directory)
        case .refused(let error): self = .privilege("\(error)")
        }
    }
}

/// Lets the mailbox find the server that is made after it.
private final class AnswerRelay {
    var server: MailServer?
}
