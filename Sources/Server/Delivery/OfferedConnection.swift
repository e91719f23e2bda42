// SPDX-License-Identifier: Apache-2.0
//
// A connection that a peer has turned round (ATRN, RFC 2645): we are the client now, and the peer
// takes what waits for its domains, one domain after the other.

internal import Delivery
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import SMTPProtocol

/// The way to a site that fetches its mail.
final class OfferedConnection: DeliveryConnection, SMTPClientOwner {
    private(set) var id: DeliveryConnectionID
    private var destinations: ArraySlice<Destination>
    private unowned let engine: DeliveryEngine
    private let stream: any ByteStream
    private let host: [UInt8]
    private var driver: SMTPClientDriver?
    private var transaction: Transaction?
    /// Whether the scheduler knows of the connection.
    private var isOffered = false

    init(
        id: DeliveryConnectionID,
        destinations: [Destination],
        stream: any ByteStream,
        engine: DeliveryEngine
    ) {
        self.id = id
        self.destinations = destinations[...]
        self.stream = stream
        self.engine = engine
        var host = ReplyBuffer(capacity: 64)
        host.append("[")
        stream.client.appendHost(to: &host)
        host.append("]")
        self.host = host.span.copy()
    }

    func begin() {
        let driver = SMTPClientDriver(
            stream: self.stream,
            options: self.engine.sessions.optionsForOffered,
            owner: self
        )
        self.driver = driver
        driver.begin()
    }

    func isReady(_ driver: SMTPClientDriver) {
        guard !self.isOffered else { return }
        self.offerNext()
    }

    /// Offers the connection for the next domain, or says goodbye.
    private func offerNext() {
        guard let next = self.destinations.popFirst(), !self.engine.isStopping else {
            self.driver?.quit()
            return
        }
        self.isOffered = true
        self.engine.isOffered(self, for: next)
    }

    func deliver(_ message: QueuedMessage, of destination: Destination) {
        self.transaction = Transaction(message: message, destination: destination)
        self.driver?.deliver(message.envelope, message.outgoingContent)
    }

    /// There is no more for this domain.
    func close() {
        self.isOffered = false
        guard let next = self.destinations.first, !self.engine.isStopping else {
            self.driver?.quit()
            return
        }
        self.destinations.removeFirst()
        self.id = self.engine.replaceID(of: self)
        self.isOffered = true
        self.engine.isOffered(self, for: next)
    }

    func abort() { self.stream.abort() }

    func messageFinished(_ driver: SMTPClientDriver) {
        guard let transaction = self.transaction.take() else { return }
        let tls = self.stream.tls.map { Array("\($0.version) \($0.cipher)".utf8) }
        self.engine.finished(
            transaction,
            over: self,
            driver,
            at: Next(host: self.host, tls: tls ?? [])
        )
    }

    func readContent(for driver: SMTPClientDriver, offset: Int, octetsMax: Int) {
        guard let message = self.transaction?.message.id else { return }
        self.engine.readContent(of: message, offset: offset, octetsMax, for: driver)
    }

    func connectionEnded(_ driver: SMTPClientDriver) {
        self.driver = nil
        // A site that is gone may come back at any time: its mail waits for that, and nothing else.
        self.engine.ended(self, nil)
    }
}
