// SPDX-License-Identifier: Apache-2.0
//
// The sockets of a serving process: those that were passed to it, and those that it opens itself,
// ports before it gives up root, and Unix sockets after, so that their files are the user's.

internal import Configuration
internal import EventLoop
internal import Glibc
internal import Logging
internal import MailBytes

/// Opens and closes the listeners of the configuration.
final class ListeningSockets {
    private let loop: EventLoop
    private let configuration: Configuration
    private let logger: Logger
    private var passed: [PassedSocket]
    private var listeners: [Listener] = []
    /// Which listeners of the configuration are dealt with.
    private var opened: Set<Int> = []
    /// What each listener of the configuration offers.
    let profiles: [ServiceProfile]
    /// Gets the connections; there is none yet when the first sockets are opened.
    weak var server: MailServer?

    init(
        _ loop: EventLoop,
        _ configuration: Configuration,
        _ logger: Logger,
        passed: [PassedSocket]
    ) {
        self.loop = loop
        self.configuration = configuration
        self.logger = logger
        self.passed = passed
        self.profiles = configuration.listeners.map(configuration.profile(of:))
    }

    /// Opens what may need root.
    func openPorts() throws(ServeProcess.Failure) {
        for (index, listener) in self.configuration.listeners.enumerated() {
            if case .ip = listener.address { try self.open(index) }
        }
    }

    /// Opens what is not open yet.
    func openAll() throws(ServeProcess.Failure) {
        for index in self.configuration.listeners.indices { try self.open(index) }
        for socket in self.passed {
            self.logger.warning(
                "a socket was passed that no listener of the configuration has",
                metadata: ["address": .stringConvertible(socket.address)]
            )
            socket.close()
        }
        self.passed = []
        let control = ListenAddress.unix(path: self.configuration.controlSocketPath)
        _ = try self.listen(on: control) { [unowned self] in self.server?.acceptControl($0) }
    }

    func close() {
        for listener in self.listeners { listener.close() }
        self.listeners = []
    }

    private func open(_ index: Int) throws(ServeProcess.Failure) {
        guard self.opened.insert(index).inserted else { return }
        let listener = self.configuration.listeners[index]
        let profile = self.profiles[index]
        let bound: Listener
        do throws(ServeProcess.Failure) {
            bound = try self.listen(on: listener.address.listenAddress) { [unowned self] stream in
                self.server?.accept(stream, for: profile)
            }
        } catch .listener(let why, isPermission: false) where listener.isOptional {
            self.logger.warning("optional listener left out", metadata: ["why": .string(why)])
            return
        }
        self.logger.info(
            "listening",
            metadata: [
                "service": .string(listener.service.rawValue),
                "address": .stringConvertible(bound.address),
            ]
        )
    }

    private func listen(
        on address: ListenAddress,
        accept: @escaping (any ByteStream) -> Void
    ) throws(ServeProcess.Failure) -> Listener {
        do throws(EventLoopError) {
            let listener: Listener
            if let index = self.passed.firstIndex(where: { $0.address == address }) {
                listener = try self.loop.listen(on: self.passed.remove(at: index), accept: accept)
            } else {
                listener = try self.loop.listen(on: address, backlog: 4096, accept: accept)
            }
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
}
