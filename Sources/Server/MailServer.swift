// SPDX-License-Identifier: Apache-2.0
//
// The server on one loop: it owns the tables that sessions share, makes a driver for each accepted
// connection and routes every answer to the driver that asked. It knows no protocol.

package import Credentials
package import EventLoop
package import MailBytes
package import MailStore
package import MailSyntax

/// All sessions of one event loop and what they share.
package final class MailServer {
    package let limits: ServerLimits
    let time: any Timekeeper
    let storage: any Storage
    let passwords: any PasswordChecker
    let journal: Journal

    /// The octets of the present turn; only the entry points of a driver take it.
    var replies = ReplyBuffer(capacity: 1 << 16)
    var directory: AddressDirectory
    var credentials: CredentialMemory
    var reservations = QuotaReservations()
    var locks = MaildropLocks()
    var messageIDs: MessageIDSource
    /// Octets of unfinished messages in memory, over all sessions.
    var contentOctets = 0
    /// Octets read ahead for POP3 clients, over all sessions.
    var prefetchedOctets = 0

    private var conversations: [ConnectionID: any Conversation] = [:]
    private var clients = ClientCounts()
    private let isExempt: (NetworkAddress) -> Bool
    private var randomness = SystemRandomNumberGenerator()
    private var whenEmpty: (() -> Void)?
    private(set) var isStopping = false

    package init(
        limits: ServerLimits,
        addresses: AddressSettings,
        time: any Timekeeper,
        storage: any Storage,
        passwords: any PasswordChecker,
        journal: Journal,
        firstMessageID: UInt64
    ) {
        self.limits = limits
        self.time = time
        self.storage = storage
        self.passwords = passwords
        self.journal = journal
        self.directory = AddressDirectory(
            localDomains: addresses.localDomains,
            policy: addresses.policy,
            entriesMax: limits.directoryEntries
        )
        self.credentials = CredentialMemory(entriesMax: limits.credentialEntries)
        self.messageIDs = MessageIDSource(block: firstMessageID)
        self.isExempt = addresses.isExempt
    }

    /// How many connections are being served.
    package var connectionCount: Int { self.conversations.count }

    // MARK: - Connections

    /// Serves a connection that a listener accepted, or refuses it.
    package func accept(_ stream: any ByteStream, for profile: ServiceProfile) {
        guard !self.isStopping, self.conversations.count < self.limits.connections,
            self.isExempt(stream.peer)
                || self.clients.enter(
                    stream.peer.clientKey,
                    max: self.limits.connectionsPerClient
                )
        else { return self.refuse(stream, for: profile) }
        let conversation: any Conversation =
            switch profile.service {
            case .smtp, .lmtp: SMTPDriver(stream: stream, server: self, profile: profile)
            case .pop3: POP3Driver(stream: stream, server: self, profile: profile)
            }
        self.conversations[stream.id] = conversation
        stream.handler = conversation
        self.journal.sessionBegan(stream, profile.service)
        conversation.begin()
    }

    private func refuse(_ stream: any ByteStream, for profile: ServiceProfile) {
        self.journal.connectionRefused(stream, profile.service)
        var refusal = ReplyBuffer(capacity: 64)
        refusal.append(profile.refusal)
        stream.send(refusal.span)
        stream.close()
    }

    /// A driver's connection is gone.
    func ended(_ conversation: any Conversation) {
        let stream = conversation.stream
        guard self.conversations.removeValue(forKey: stream.id) != nil else { return }
        if !self.isExempt(stream.peer) { self.clients.leave(stream.peer.clientKey) }
        self.journal.sessionEnded(stream)
        if self.isStopping, self.conversations.isEmpty { self.whenEmpty?() }
    }

    // MARK: - Answers

    /// Routes an answer to the driver that asked, if it still lives.
    package func answered(_ reply: StorageReply, for ticket: Ticket) {
        if ticket.connection == .server { return self.answeredToServer(reply) }
        self.conversations[ticket.connection]?.answered(reply, serial: ticket.serial)
        self.reserveMessageIDs()
    }

    /// Gives a driver an answer from this very loop, never from within its own call.
    func answerLater(_ reply: StorageReply, for ticket: Ticket, after seconds: Double = 0) {
        self.time.after(seconds: seconds) { [weak self] in
            self?.answered(reply, for: ticket)
        }
    }

    private func answeredToServer(_ reply: StorageReply) {
        guard case .written(.reserved(let first)) = reply else {
            // Asked again when the next message needs an id.
            return self.messageIDs.refill(block: nil)
        }
        self.messageIDs.refill(block: first)
    }

    private func reserveMessageIDs() {
        guard self.messageIDs.shouldRefill() else { return }
        self.storage.write(
            .reserveMessageIDs(count: MessageIDSource.blockCount),
            for: Ticket(connection: .server, serial: 0)
        )
    }

    /// Accounts or aliases have changed: nothing remembered of them may be used again.
    package func accountsChanged(_ address: Address?) {
        self.directory.forgetAll()
        if let address {
            self.credentials.forget(address)
        } else {
            self.credentials.forgetAll()
        }
    }

    func random() -> UInt64 { self.randomness.next() }

    // MARK: - The end

    /// Takes no more connections and lets the sessions end; calls `done` when none is left, or
    /// after the grace period.
    package func stop(done: @escaping () -> Void) {
        guard !self.isStopping else { return }
        self.isStopping = true
        var pending: (() -> Void)? = done
        let finish = {
            let done = pending
            pending = nil
            done?()
        }
        guard !self.conversations.isEmpty else { return finish() }
        self.whenEmpty = finish
        for conversation in Array(self.conversations.values) { conversation.stop() }
        self.time.after(seconds: self.limits.shutdownGraceSeconds) { [weak self] in
            guard let self else { return }
            for conversation in Array(self.conversations.values) { conversation.stream.abort() }
            finish()
        }
    }
}

/// What of the configuration concerns addresses.
package struct AddressSettings {
    package var localDomains: [String]
    package var policy: AddressPolicy
    /// Peers that are free of per-client limits.
    package var isExempt: (NetworkAddress) -> Bool

    package init(
        localDomains: [String],
        policy: AddressPolicy,
        isExempt: @escaping (NetworkAddress) -> Bool
    ) {
        self.localDomains = localDomains
        self.policy = policy
        self.isExempt = isExempt
    }
}

extension ConnectionID {
    /// Stands for the server itself where a ticket needs a connection.
    static let server = ConnectionID(slot: .max, generation: .max)
}
