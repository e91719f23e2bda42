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
internal import SMTPProtocol

/// The process that `martlet serve` is.
package final class ServeProcess {
    /// Why the server cannot start.
    package enum Failure: Error {
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
    private var listeners: [Listener] = []
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
            try process.listen()
        } catch {
            process.storage.stop()
            throw error
        }
        process.watchSignals()
        process.logger.info("ready", metadata: ["pid": .stringConvertible(getpid())])
        process.loop.run()
        process.storage.stop()
        process.logger.info("stopped")
    }

    private init(_ configuration: Configuration, _ log: LogOutput) throws(Failure) {
        self.configuration = configuration
        self.logger = log.logger
        let limits = configuration.serverLimits
        Self.raiseDescriptorLimit(for: limits, log.logger)
        do throws(EventLoopError) {
            self.loop = try EventLoop(connectionsMax: limits.connections + Self.ownDescriptors)
        } catch {
            throw .loop("the event loop cannot be made: \(error)")
        }
        guard let postmaster = configuration.postmasterAddress else {
            throw .loop("the first of local-domains makes no address for postmaster")
        }
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
        self.server = MailServer(
            limits: limits,
            addresses: configuration.addressSettings(postmaster: postmaster),
            time: LoopTime(loop: self.loop),
            storage: self.storage,
            passwords: self.storage,
            journal: Journal(sink: log.sink),
            firstMessageID: firstMessageID,
            controlUser: geteuid()
        )
        relay.server = self.server
    }

    private static func raiseDescriptorLimit(for limits: ServerLimits, _ logger: Logger) {
        let wanted = limits.connections + Self.ownDescriptors
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

    // MARK: - Listeners

    private func listen() throws(Failure) {
        for listener in self.configuration.listeners {
            let profile = self.configuration.profile(of: listener, tls: nil)
            let bound: Listener
            do throws(Failure) {
                bound = try self.listen(on: listener.address.listenAddress) { [server] stream in
                    server.accept(stream, for: profile)
                }
            } catch .listener(let why, isPermission: false) where listener.isOptional {
                self.logger.warning("optional listener left out", metadata: ["why": .string(why)])
                continue
            }
            self.logger.info(
                "listening",
                metadata: [
                    "service": .string(listener.service.rawValue),
                    "address": .stringConvertible(bound.address),
                ]
            )
        }
        let control = ListenAddress.unix(path: self.configuration.controlSocketPath)
        _ = try self.listen(on: control) { [server] stream in server.acceptControl(stream) }
    }

    private func listen(
        on address: ListenAddress,
        accept: @escaping (any ByteStream) -> Void
    ) throws(Failure) -> Listener {
        do throws(EventLoopError) {
            let listener = try self.loop.listen(on: address, backlog: 4096, accept: accept)
            self.listeners.append(listener)
            return listener
        } catch {
            throw .listener(
                "cannot listen on \(address): \(error)\(Self.cure(error.code))",
                isPermission: error.code == EACCES || error.code == EPERM
            )
        }
    }

    private static func cure(_ code: Int32) -> String {
        switch code {
        case EADDRINUSE: "; end the process that has it (ss -ltnp shows it), or change address"
        case EACCES: "; ports below 1024 need root, CAP_NET_BIND_SERVICE, or a port above"
        case EADDRNOTAVAIL: "; this machine has no such address"
        default: ""
        }
    }

    // MARK: - Signals

    private func watchSignals() {
        for signal in [SIGTERM, SIGINT] {
            self.loop.onSignal(signal) { [unowned self] in self.stop() }
        }
        self.loop.onSignal(SIGHUP) { [unowned self] in
            self.logger.notice(
                "SIGHUP: the configuration is read at start only; restart to apply it"
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
        for listener in self.listeners { listener.close() }
        self.listeners = []
        self.server.stop { [loop] in loop.stop() }
    }

    private func logState() {
        self.logger.info(
            "state",
            metadata: [
                "connections": .stringConvertible(self.server.connectionCount),
                "content-octets": .stringConvertible(self.server.contentOctets),
                "turns": .stringConvertible(self.loop.turnTimes),
            ]
        )
    }
}

/// Lets the mailbox find the server that is made after it.
private final class AnswerRelay {
    var server: MailServer?
}

/// The loop's clocks.
private final class LoopTime: Timekeeper {
    private unowned let loop: EventLoop

    init(loop: EventLoop) { self.loop = loop }

    var now: Double { self.loop.now }

    var wallClock: Int64 { WallClock.seconds }

    func after(seconds: Double, _ body: @escaping () -> Void) {
        self.loop.after(seconds: seconds, body)
    }
}
