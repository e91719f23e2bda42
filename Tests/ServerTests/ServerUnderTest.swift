// SPDX-License-Identifier: Apache-2.0
//
// A server on simulated streams and a virtual clock, for conversations by hand.

import Credentials
import EventLoop
import MailBytes
import MailStore
import MailSyntax
import POP3Protocol
import SASL
import SMTPProtocol
import Simulation
import StoreSupport
import Testing

@testable import Server

/// A server with a store of its own and an account `anna`, whose password is `secret`.
final class ServerUnderTest {
    let world = VirtualWorld(seed: 1)
    let disk: TemporaryStore
    let storage: SimulatedStorage
    let server: MailServer
    private var slot: UInt32 = 0
    private var clients: [Client] = []

    static let secret = "secret"
    /// A peer whose PROXY headers are believed.
    static let proxy = NetworkAddress(ipv4: 0x0a00_0001, port: 1)

    init(
        faults: SimulatedStorage.Faults = SimulatedStorage.Faults(),
        exemptsLoopback: Bool = false,
        passwords: (any PasswordChecker)? = nil,
        catchAll: String? = nil,
        journal: Journal = Journal(sink: nil),
        logins: LoginSettings = LoginSettings(),
        relaying: RelaySettings = RelaySettings(),
        adjusting adjust: (inout ServerLimits) -> Void = { _ in }
    ) throws {
        self.disk = try TemporaryStore()
        self.storage = SimulatedStorage(
            world: self.world,
            store: self.disk.store,
            reader: self.disk.reader,
            faults: faults
        )
        var limits = ServerLimits()
        adjust(&limits)
        let postmaster = try #require(Address(parsing: "postmaster@example.test"))
        self.server = MailServer(
            limits: limits,
            addresses: AddressSettings(
                localDomains: ["example.test", "second.test"],
                policy: AddressPolicy(
                    delimiter: UInt8(ascii: "+"),
                    catchAll: catchAll.flatMap(Address.init(parsing:)),
                    postmaster: postmaster,
                    localDomains: ["example.test", "second.test"]
                ),
                isExempt: { exemptsLoopback && $0.isLoopback },
                isTrustedProxy: { $0 == Self.proxy }
            ),
            relaying: relaying,
            logins: logins,
            time: self.world,
            storage: self.storage,
            passwords: passwords ?? self.storage,
            journal: journal,
            firstMessageID: 1,
            controlUser: 1000
        )
        self.storage.server = self.server
        try self.addAccount("anna@example.test")
        let account = NewAccount(
            address: postmaster,
            verifier: [],
            recoverableSecret: nil,
            quota: nil
        )
        _ = self.disk.store.commit([.addAccount(account)])
        // The server finds out what accounts there are.
        self.world.run(for: 0.1)
    }

    func addAccount(_ text: String, quota: Int? = nil, apop: Bool = false) throws {
        let secret = Array(Self.secret.utf8)
        let account = NewAccount(
            address: try #require(Address(parsing: text)),
            verifier: PasswordRecord.forSimulation(password: secret),
            recoverableSecret: apop ? secret : nil,
            quota: quota
        )
        _ = self.disk.store.commit([.addAccount(account)])
    }

    func addAlias(_ text: String, to targets: [String]) throws {
        let address = try #require(Address(parsing: text))
        let request = StoreRequest.addAlias(
            address,
            targets: targets.compactMap(Address.init(parsing:))
        )
        _ = self.disk.store.commit([request])
    }

    // MARK: - Clients

    /// A client, connected and greeted.
    func connect(
        _ service: ServiceProfile.Service,
        from peer: NetworkAddress = NetworkAddress(ipv4: 0xc000_0201, port: 1),
        reading: SimulatedStream.Reading = .irregular,
        smtp: SMTPServerSettings? = nil
    ) -> Client {
        self.connect(self.profile(service, smtp: smtp), from: peer, reading: reading)
    }

    func connect(
        _ profile: ServiceProfile,
        from peer: NetworkAddress = NetworkAddress(ipv4: 0xc000_0201, port: 1),
        reading: SimulatedStream.Reading = .irregular,
        certificate: TLSFacts.ClientCertificate? = nil,
        sayingAtOnce words: String = ""
    ) -> Client {
        let client = self.client(from: peer, reading: reading)
        client.stream.clientCertificate = certificate
        self.server.accept(client.stream, for: profile)
        if !words.isEmpty { client.stream.arrive(Array(words.utf8)) }
        self.world.run(for: 1)
        return client
    }

    func profile(
        _ service: ServiceProfile.Service,
        smtp: SMTPServerSettings? = nil,
        mechanisms: SASLMechanismSet = [.plain, .login],
        tls: TLSService? = nil,
        isTLSImplicit: Bool = false,
        expectsPROXYHeader: Bool = false,
        alwaysOffersSCRAM: Bool = false,
        mayXCLIENT: @escaping (NetworkAddress) -> Bool = { _ in false }
    ) -> ServiceProfile {
        let hostname = Array("mail.example.test".utf8)
        let dialect: SMTPServerSettings.Dialect = service == .lmtp ? .lmtp : .smtp
        return ServiceProfile(
            service: service,
            smtp: smtp ?? SMTPServerSettings(hostname: hostname, dialect: dialect),
            pop3: POP3ServerSettings(
                hostname: hostname,
                offersAPOP: true,
                mechanisms: mechanisms,
                offersSTLS: tls != nil && !isTLSImplicit,
                permitsPlaintext: tls == nil
            ),
            tls: tls,
            isTLSImplicit: isTLSImplicit,
            expectsPROXYHeader: expectsPROXYHeader,
            alwaysOffersSCRAM: alwaysOffersSCRAM,
            mayXCLIENT: mayXCLIENT
        )
    }

    /// A client of the control socket.
    func connectControl(user: UInt32? = 1000) -> Client {
        let client = self.client(from: .unix, user: user)
        self.server.acceptControl(client.stream)
        self.world.run(for: 1)
        return client
    }

    private func client(
        from peer: NetworkAddress,
        user: UInt32? = nil,
        reading: SimulatedStream.Reading = .irregular
    ) -> Client {
        self.slot += 1
        let client = Client(world: self.world)
        client.stream = SimulatedStream(
            world: self.world,
            id: ConnectionID(slot: self.slot, generation: 1),
            peer: peer,
            peerUser: user,
            reading: reading,
            toClient: { [unowned client] in client.receive($0) }
        )
        self.clients.append(client)
        return client
    }

    /// A client with a maildrop open.
    func logIn(
        _ user: String = "anna",
        reading: SimulatedStream.Reading = .irregular
    ) -> Client {
        let client = self.connect(.pop3, reading: reading)
        client.say("USER \(user)\r\nPASS \(Self.secret)\r\n")
        return client
    }

    /// Stores a message; returns what the server said of it.
    @discardableResult
    func deliver(_ content: String, to recipient: String = "anna@example.test") -> String {
        let client = self.connect(.smtp)
        client.say("HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<\(recipient)>\r\nDATA\r\n")
        client.say(content + "\r\n.\r\n", for: 10)
        let answer = client.lastLine
        client.say("QUIT\r\n")
        return answer
    }

    // MARK: - What the store holds

    private func head(of text: String) throws -> MaildropHead {
        let address = try #require(Address(parsing: text))
        let account = try #require(try self.disk.reader.account(address))
        return try self.disk.reader.maildropHead(account.id)
    }

    func messages(of text: String = "anna@example.test") throws -> Int {
        try self.head(of: text).count
    }

    func octets(of text: String = "anna@example.test") throws -> Int {
        try self.head(of: text).octets
    }
}

/// The other end of a simulated stream.
final class Client {
    fileprivate(set) var stream: SimulatedStream!
    private let world: VirtualWorld
    private(set) var received: [UInt8] = []
    private(set) var isClosed = false

    fileprivate init(world: VirtualWorld) { self.world = world }

    fileprivate func receive(_ octets: [UInt8]?) {
        guard let octets else {
            self.isClosed = true
            return
        }
        self.received += octets
    }

    /// Sends text and lets some time pass.
    func say(_ text: String, for seconds: Double = 1) {
        self.stream.arrive(Array(text.utf8))
        self.world.run(for: seconds)
    }

    var text: String { String(decoding: self.received, as: UTF8.self) }

    /// All lines, without their line ends.
    var lines: [String] {
        self.text.split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
    }

    var lastLine: String { self.lines.last ?? "" }

    func forget() { self.received = [] }
}
