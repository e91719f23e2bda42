// SPDX-License-Identifier: Apache-2.0
//
// Assembles the server from its configuration and runs it: log, loop, store, listeners, signals.

package import Configuration
internal import Credentials
internal import EventLoop
internal import Glibc
internal import Logging
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import POP3Protocol
internal import SMTPProtocol

/// The process that `martlet serve` is.
package final class ServeProcess {
    /// Why the server cannot start.
    package enum Failure: Error {
        case store(String)
        case listener(String)
        case loop(String)
    }

    private let configuration: Configuration
    private let logger: Logger
    private let loop: EventLoop
    private let storage = StorageThreads()
    private let server: MailServer
    private var listeners: [Listener] = []

    /// Room for the buffers of a group of messages, and little beside what a server has.
    private static let freedOctetsMax: Int32 = 1 << 20

    /// Runs until a signal ends it.
    package static func run(_ configuration: Configuration) throws(Failure) {
        FreedMemory.keep(octetsPerHeap: Self.freedOctetsMax)
        let log = LogOutput(configuration.log)
        defer { log.close() }
        let process = try ServeProcess(configuration, logger: log.logger)
        try process.listen()
        process.watchSignals()
        process.logger.info("ready")
        process.loop.run()
        process.storage.stop()
        process.logger.info("stopped")
    }

    private init(_ configuration: Configuration, logger: Logger) throws(Failure) {
        self.configuration = configuration
        self.logger = logger
        let limits = ServerLimits(configuration.limits)
        let wanted = limits.connections + 256
        let descriptors = EventLoop.raiseDescriptorLimit(to: wanted)
        if descriptors < wanted {
            logger.warning(
                "fewer file descriptors than limits.connections needs; raise LimitNOFILE or ulimit -Hn",
                metadata: ["descriptors": "\(descriptors)", "wanted": "\(wanted)"]
            )
        }
        do throws(EventLoopError) {
            self.loop = try EventLoop(connectionsMax: limits.connections + 64)
        } catch {
            throw .loop("the event loop cannot be made: \(error)")
        }
        let relay = AnswerRelay()
        let mailbox = self.loop.makeMailbox { (answer: TicketedReply) in
            relay.server?.answered(answer.reply, for: answer.ticket)
        }
        let addresses = configuration.addressSettings
        let firstMessageID: UInt64
        do throws(StoreError) {
            let directory = configuration.dataDirectory
            let options = configuration.storeOptions
            let postmaster = addresses.policy.postmaster
            firstMessageID = try self.storage.start(
                opening: { () throws(StoreError) in
                    let store = try MailStore(directory: directory, options: options)
                    // Postmaster is always deliverable (RFC 5321, section 4.5.1); without a
                    // password its maildrop cannot be opened until one is set.
                    _ = store.commit([
                        .addAccount(
                            NewAccount(
                                address: postmaster,
                                verifier: [],
                                recoverableSecret: nil,
                                quota: nil
                            )
                        )
                    ])
                    return store
                },
                reader: { () throws(StoreError) in try MailStoreReader(directory: directory) },
                mailbox: mailbox,
                passwordWorkers: 2
            )
        } catch {
            throw .store("\(configuration.dataDirectory): \(error.sentence)")
        }
        self.server = MailServer(
            limits: limits,
            addresses: addresses,
            time: LoopTime(loop: self.loop),
            storage: self.storage,
            passwords: self.storage,
            journal: Journal(logger: logger),
            firstMessageID: firstMessageID
        )
        relay.server = self.server
    }

    private func listen() throws(Failure) {
        for listener in self.configuration.listeners {
            let profile = listener.profile(of: self.configuration)
            try self.listen(on: listener.address) { [server] stream in
                server.accept(stream, for: profile)
            }
            self.logger.info(
                "listening",
                metadata: [
                    "service": .string(listener.service.rawValue),
                    "address": .string(listener.address.description),
                ]
            )
        }
        try self.listen(on: .unix(path: self.configuration.controlSocketPath)) { [server] stream in
            server.acceptControl(stream)
        }
    }

    private func listen(
        on address: ListenAddress,
        accept: @escaping (any ByteStream) -> Void
    ) throws(Failure) {
        do throws(EventLoopError) {
            self.listeners.append(
                try self.loop.listen(on: address, backlog: 4096, accept: accept)
            )
        } catch {
            throw .listener("cannot listen on \(address): \(error)")
        }
    }

    private func watchSignals() {
        for signal in [SIGTERM, SIGINT] {
            self.loop.onSignal(signal) { [unowned self] in self.stop() }
        }
        self.loop.onSignal(SIGUSR1) { [unowned self] in self.logState() }
    }

    private func stop() {
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
                "turns": .string(self.loop.turnTimes.description),
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
