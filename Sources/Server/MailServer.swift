// SPDX-License-Identifier: Apache-2.0
//
// The server on one loop: it owns the tables that sessions share, makes a driver for each accepted
// connection and routes every answer to the driver that asked. It knows no protocol.

internal import Credentials
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SASL

/// All sessions of one event loop and what they share.
package final class MailServer {
    package let limits: ServerLimits
    let time: any Timekeeper
    let storage: any Storage
    let passwords: any PasswordChecker
    let journal: Journal
    /// Who delivers to other servers; nil: nobody, and mail for them waits in the queue.
    package weak var delivery: (any DeliveryHooks)?
    let localDomains: [String]
    let relaying: RelaySettings

    var directory: AddressDirectory
    private(set) lazy var authenticator = Authenticator(server: self, settings: self.logins)
    private let logins: LoginSettings
    var rates: AccountRates
    var changes = AccountChanges()
    var heads: MaildropHeads
    var loginDelays: LoginDelays
    var reservations = QuotaReservations()
    var locks = MaildropLocks()
    var messageIDs: MessageIDSource
    /// Octets in memory of messages that are not stored yet, over all sessions.
    var contentOctets = 0
    /// How many of them are on their way to the store ahead of their messages.
    var stagingOctets = 0
    /// Octets read ahead for POP3 clients, over all sessions.
    var prefetchedOctets = 0

    var conversations = ConversationTable()
    var admission: Admission
    let isExempt: (NetworkAddress) -> Bool
    let isTrustedProxy: (NetworkAddress) -> Bool
    let controlUser: UInt32
    var controlCount = 0
    private var spareReplies: ReplyBuffer?
    private(set) var isSweeping = false
    /// Those whose content waits until the store has taken what it was given, in order.
    var waitingToStage: [ConnectionID] = []
    /// Maildrops whose lock outlives its session, until the store has answered.
    private var lateReleases: [Ticket: AccountID] = [:]
    private var randomness = SystemRandomNumberGenerator()
    var whenEmpty: (() -> Void)?
    /// Called when an operator, or a site that fetches its mail, has changed what is due in the
    /// queue: something may be due at once, and what is on its way may be wanted no more.
    package var whenQueueChanged: (() -> Void)?
    private(set) var isStopping = false

    /// Which kinds of accounts there are; nil while the store is asked.
    private(set) var accountKinds: AccountKinds?
    private var kindsSerial = MailServer.messageIDSerial

    private static let messageIDSerial: UInt32 = 0
    /// The tables about abuse are swept so often.
    private static let sweepSeconds: Double = 60
    package init(
        limits: ServerLimits,
        addresses: AddressSettings,
        relaying: RelaySettings = RelaySettings(),
        logins: LoginSettings = LoginSettings(),
        time: any Timekeeper,
        storage: any Storage,
        passwords: any PasswordChecker,
        journal: Journal,
        firstMessageID: UInt64,
        controlUser: UInt32
    ) {
        self.limits = limits
        self.logins = logins
        self.time = time
        self.storage = storage
        self.passwords = passwords
        self.journal = journal
        self.localDomains = addresses.localDomains
        self.relaying = relaying
        self.directory = AddressDirectory(
            localDomains: addresses.localDomains,
            policy: addresses.policy,
            entriesMax: limits.addressCacheEntries
        )
        self.admission = Admission(limits: limits)
        self.rates = AccountRates(
            messagesPerHour: limits.messagesPerAccountHour,
            recipientsPerHour: limits.recipientsPerAccountHour,
            entriesMax: limits.abuseTableEntries
        )
        self.heads = MaildropHeads(entriesMax: limits.addressCacheEntries)
        self.loginDelays = LoginDelays(seconds: limits.loginDelaySeconds)
        self.messageIDs = MessageIDSource(block: firstMessageID)
        self.isExempt = addresses.isExempt
        self.isTrustedProxy = addresses.isTrustedProxy
        self.controlUser = controlUser
        self.askForAccountKinds()
    }

    /// How many connections are being served.
    package var connectionCount: Int { self.conversations.count }

    /// What should be nothing when no connection is left and every answer has come.
    package var leaks: [String] {
        var leaks: [String] = []
        if self.contentOctets != 0 { leaks.append("\(self.contentOctets) octets of content") }
        if self.stagingOctets != 0 { leaks.append("\(self.stagingOctets) octets being staged") }
        if self.prefetchedOctets != 0 { leaks.append("\(self.prefetchedOctets) octets read ahead") }
        if !self.locks.isEmpty { leaks.append("locks of maildrops") }
        if !self.reservations.isEmpty { leaks.append("reservations of quota") }
        if self.conversations.count == 0, !self.admission.isEmpty {
            leaks.append("counts of connections")
        }
        return leaks + (self.delivery?.leaks ?? [])
    }

    /// Whether something of what clients and accounts did is remembered against them.
    package var remembersAbuse: Bool { self.isSweeping }

    // MARK: - Replies

    /// The buffer for the replies of one call of a driver, who puts it back: it is moved out rather
    /// than lent, so that no order of calls can find it in use.
    func takeReplies() -> ReplyBuffer {
        self.spareReplies.take() ?? ReplyBuffer(capacity: 1 << 14)
    }

    func putBack(_ replies: consuming ReplyBuffer) {
        self.spareReplies = consume replies
    }

    // MARK: - Answers

    /// Routes an answer to the driver that asked, if it still lives.
    package func answered(_ reply: StorageReply, for ticket: Ticket) {
        self.account(for: reply, ticket)
        if ticket.connection == .server {
            self.answeredToServer(reply, serial: ticket.serial)
        } else if ticket.connection == .delivery {
            self.delivery?.answered(reply, serial: ticket.serial)
        } else {
            self.conversations[ticket.connection]?.answered(reply, serial: ticket.serial)
        }
        self.reserveMessageIDs()
    }

    /// What every answer changes in the tables of the server, whether its driver lives or not.
    private func account(for reply: StorageReply, _ ticket: Ticket) {
        switch reply {
        case .appended(let answer, let message):
            self.contentOctets -= message.content.count
            self.heads.forget(message.deliveries)
            self.tellDelivery(of: message, answer)
            self.journal.committed(
                message,
                answer,
                session: ticket.connection,
                client: self.conversations[ticket.connection]?.stream.client
            )
        case .staged(_, _, let octets):
            self.contentOctets -= octets
            self.stagingOctets -= octets
            self.letStage()
        case .deleted(_, let account):
            self.heads.forget([account])
            guard !self.lateReleases.isEmpty,
                let account = self.lateReleases.removeValue(forKey: ticket)
            else { return }
            self.locks.release(account, of: ticket.connection)
        case .written(_, let address?):
            self.accountChanged(address)
        case .improved(.changed):
            self.askForAccountKinds()
        case .queueChanged(.queueChanged(let count, _)) where count > 0:
            self.whenQueueChanged?()
        case .written(_, nil), .improved, .accountKinds, .resolved, .expanded, .account, .maildrop,
            .listing, .content,
            .accounts, .aliases, .judged, .delayPassed, .queueChanged, .waitingDestinations,
            .dueDestinations,
            .dueMessages, .queuedContent, .reportsDue, .queueWatch, .queueRows, .queueMessage,
            .failed:
            break
        }
    }

    private func tellDelivery(of message: StoreRequest.Append, _ answer: StoreAnswer) {
        guard let queue = message.queue, let delivery = self.delivery, case .appended = answer
        else { return }
        let destinations = queue.destinations
        if !destinations.isEmpty { delivery.queued(destinations) }
        if queue.awaitsReports { delivery.reportsAwaited() }
    }

    /// Gives a driver an answer from this very loop, never from within its own call.
    func answerLater(_ reply: StorageReply, for ticket: Ticket, after seconds: Double) {
        self.time.after(seconds: seconds) { [weak self] in
            self?.answered(reply, for: ticket)
        }
    }

    /// Gives the lock of a maildrop back when the store has answered that ticket.
    func releaseAfterAnswer(_ account: AccountID, _ ticket: Ticket) {
        self.lateReleases[ticket] = account
    }

    private func answeredToServer(_ reply: StorageReply, serial: UInt32) {
        switch reply {
        case .accountKinds(let kinds):
            // What was asked before the newest change tells nothing.
            if serial == self.kindsSerial { self.accountKinds = kinds }
        case .written(.reserved(let first), _):
            self.messageIDs.refill(block: first)
        default:
            guard serial == Self.messageIDSerial else { return }
            // Asked again when the next message needs an id.
            self.messageIDs.refill(block: nil)
        }
    }

    /// The mechanisms that the accounts there are can use.
    ///
    /// SCRAM is not offered while somebody has an imported hash, unless the operator wants it: a
    /// client would choose it, and could not log in.
    func usableMechanisms(_ profile: ServiceProfile) -> SASLMechanismSet {
        var usable = SASLMechanismSet.all
        if self.accountKinds?.hasImportedHash ?? true, !profile.alwaysOffersSCRAM {
            usable.subtract([.scramSHA256Plus, .scramSHA256, .scramSHA1])
        }
        if !(self.accountKinds?.hasRecoverableSecret ?? false) { usable.remove(.cramMD5) }
        return usable
    }

    /// Finds out what accounts there are, and so which mechanisms all of them can use.
    ///
    /// While that is not known, those are not offered that some might not have.
    private func askForAccountKinds() {
        self.accountKinds = nil
        self.kindsSerial = max(self.kindsSerial &+ 1, Self.messageIDSerial + 1)
        self.storage.read(
            .accountKinds,
            for: Ticket(connection: .server, serial: self.kindsSerial)
        )
    }

    private func reserveMessageIDs() {
        guard self.messageIDs.shouldRefill() else { return }
        self.storage.write(
            .reserveMessageIDs(count: MessageIDSource.blockCount),
            for: Ticket(connection: .server, serial: Self.messageIDSerial)
        )
    }

    /// An account or alias has changed: nothing remembered of it may be used again.
    private func accountChanged(_ address: Address) {
        self.changes.record(address)
        self.directory.forgetAll()
        self.authenticator.forget(address)
        self.askForAccountKinds()
    }

    /// Lets the tables about abuse forget what is over, until they are empty.
    func sweepLater() {
        guard !self.isSweeping else { return }
        self.isSweeping = true
        self.time.after(seconds: Self.sweepSeconds) { [weak self] in self?.sweep() }
    }

    private func sweep() {
        let now = self.time.now
        let isLeft = [
            self.authenticator.sweep(at: now), self.admission.sweep(at: now),
            self.rates.sweep(at: now),
        ].contains(true)
        self.isSweeping = false
        if isLeft { self.sweepLater() }
    }

    /// A number that nobody can foretell, of sixteen hexadecimal digits.
    func random() -> UInt64 { self.randomness.next() | 1 << 63 }

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
        guard self.conversations.count > 0 else { return finish() }
        self.whenEmpty = finish
        for conversation in self.conversations.all { conversation.stop() }
        self.time.after(seconds: self.limits.shutdownGraceSeconds) { [weak self] in
            guard let self else { return }
            for conversation in self.conversations.all { conversation.stream.abort() }
            finish()
        }
    }
}

extension ConnectionID {
    /// Stands for the server itself where a ticket needs a connection.
    static let server = ConnectionID(slot: .max, generation: .max)
}
