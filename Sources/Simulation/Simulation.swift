// SPDX-License-Identifier: Apache-2.0
//
// The whole server in memory: its real drivers, sessions and store, with simulated streams, time
// and faults. After a run, what senders and readers were told is held against what is there.

internal import Credentials
package import EventLoop
internal import Logging
package import MailBytes
package import MailStore
internal import MailSyntax
internal import POP3Protocol
internal import SMTPProtocol
package import Server

/// One simulated world with one server.
package final class Simulation {
    package let world: VirtualWorld
    package let ledger = Ledger()
    private let server: MailServer
    private let storage: SimulatedStorage
    private let smtp: ServiceProfile
    private let pop3: ServiceProfile
    private let mailboxes: [String]
    private var slot: UInt32 = 0
    private var readers: [SimulatedPOP3Client] = []
    private var writers: [SimulatedSMTPClient] = []

    private static let password = "simulated"

    /// A world with its own maildrops, named after the seed, in a store that outlives it.
    package init(
        seed: UInt64,
        store: MailStore,
        reader: MailStoreReader,
        faults: SimulatedStorage.Faults
    ) {
        self.world = VirtualWorld(seed: seed)
        self.mailboxes = (0..<3).map { "u\($0).\(seed)@example.test" }
        let verifier = PasswordRecord.forSimulation(password: Array(Self.password.utf8))
        let requests = self.mailboxes.compactMap(Address.init(parsing:)).map {
            StoreRequest.addAccount(
                NewAccount(address: $0, verifier: verifier, recoverableSecret: nil, quota: nil)
            )
        }
        let answers = store.commit(requests + [.reserveMessageIDs(count: MessageIDSource.blockCount)])
        guard case .reserved(let first) = answers.last else { preconditionFailure("no ids") }
        self.storage = SimulatedStorage(
            world: self.world,
            store: store,
            reader: reader,
            faults: faults
        )
        guard let postmaster = Address(parsing: "postmaster@example.test") else {
            preconditionFailure("postmaster has an address")
        }
        self.server = MailServer(
            limits: ServerLimits(),
            addresses: AddressSettings(
                localDomains: ["example.test"],
                policy: AddressPolicy(
                    delimiter: UInt8(ascii: "+"),
                    catchAll: nil,
                    postmaster: postmaster
                ),
                isExempt: { _ in true }
            ),
            time: self.world,
            storage: self.storage,
            passwords: self.storage,
            journal: Journal(logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }),
            firstMessageID: first
        )
        self.storage.server = self.server
        let hostname = Array("mail.example.test".utf8)
        let smtpSettings = SMTPServerSettings(hostname: hostname, dialect: .smtp)
        let pop3Settings = POP3ServerSettings(hostname: hostname, permitsPlaintext: true)
        self.smtp = ServiceProfile(service: .smtp, smtp: smtpSettings, pop3: pop3Settings)
        self.pop3 = ServiceProfile(service: .pop3, smtp: smtpSettings, pop3: pop3Settings)
    }

    /// Runs clients that misbehave, then one honest reader for each maildrop.
    ///
    /// - Returns: everything that should never have been seen.
    package func run(clients: Int) -> [String] {
        for _ in 0..<clients {
            self.world.after(seconds: self.world.between(0, 3)) { [unowned self] in
                if self.world.oneIn(3) { self.startReader(isFinal: false) } else { self.startWriter() }
            }
        }
        guard self.world.run(countMax: 200_000) else { return ["the world does not come to rest"] }
        if self.server.connectionCount > 0 {
            self.ledger.violate("\(self.server.connectionCount) sessions never ended")
        }
        self.inspect()
        return self.ledger.violations
    }

    private func startWriter() {
        let client = SimulatedSMTPClient(
            world: self.world,
            ledger: self.ledger,
            mailboxes: self.mailboxes
        )
        self.writers.append(client)
        let stream = self.stream { client.receive($0) }
        client.connect(stream)
        self.server.accept(stream, for: self.smtp)
    }

    @discardableResult
    private func startReader(isFinal: Bool, of mailbox: String? = nil) -> SimulatedPOP3Client {
        let client = SimulatedPOP3Client(
            world: self.world,
            ledger: self.ledger,
            mailbox: mailbox ?? self.mailboxes[self.world.pick(self.mailboxes.count)],
            password: Self.password,
            isFinal: isFinal
        )
        self.readers.append(client)
        let stream = self.stream { client.receive($0) }
        client.connect(stream)
        self.server.accept(stream, for: self.pop3)
        return client
    }

    private func stream(_ toClient: @escaping ([UInt8]?) -> Void) -> SimulatedStream {
        self.slot += 1
        return SimulatedStream(
            world: self.world,
            id: ConnectionID(slot: self.slot, generation: 1),
            peer: NetworkAddress(ipv4: 0x7f00_0001, port: UInt16(truncatingIfNeeded: self.slot)),
            toClient: toClient
        )
    }

    /// Reads every maildrop whole and holds it against the ledger.
    private func inspect() {
        for mailbox in self.mailboxes {
            var seen: [Int]?
            // Simulated reads may fail; an honest reader comes again.
            for _ in 0..<50 where seen == nil {
                let client = self.startReader(isFinal: true, of: mailbox)
                guard self.world.run(countMax: 50_000) else {
                    return self.ledger.violate("the last reader does not come to rest")
                }
                if client.isComplete { seen = client.seen }
            }
            guard let seen else {
                self.ledger.violate("\(mailbox) cannot be read")
                continue
            }
            self.compare(mailbox, seen)
        }
    }

    private func compare(_ mailbox: String, _ seen: [Int]) {
        for entry in self.ledger.entries {
            let copies = seen.count { $0 == entry.number }
            let isRecipient = entry.recipients.contains(mailbox)
            let isDeleted = self.ledger.deleted[mailbox]?.contains(entry.number) ?? false
            let mayBeDeleted = self.ledger.deletionInDoubt[mailbox]?.contains(entry.number) ?? false
            let allowed: ClosedRange<Int> =
                switch entry.fate {
                case _ where isDeleted: 0...0
                case .acknowledged where isRecipient: (mayBeDeleted ? 0 : 1)...1
                case .inDoubt where isRecipient: 0...1
                default: 0...0
                }
            if !allowed.contains(copies) {
                self.ledger.violate(
                    "message \(entry.number), \(entry.fate): \(copies) copies in \(mailbox)"
                )
            }
        }
    }
}
