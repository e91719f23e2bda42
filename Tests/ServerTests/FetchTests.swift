// SPDX-License-Identifier: Apache-2.0
//
// ETRN and ATRN: whose mail is fetched, by whom, and what becomes of the connection.

import Delivery
import EventLoop
import MailBytes
import MailStore
import MailSyntax
import SASL
import SMTPProtocol
import Simulation
import StoreSupport
import Testing

@testable import Server

@Suite("Fetching mail")
struct FetchTests {
    private static let hostname = Array("mail.example.test".utf8)

    /// Anna may fetch kept.example and all below tree.example; relay.example is for anybody.
    private static func relaying() throws -> RelaySettings {
        let anna = try #require(Address(parsing: "anna@example.test"))
        var settings = RelaySettings()
        settings.isRelayDomain = { $0 == "relay.example" || $0.hasSuffix(".example") }
        settings.fetchers = { domain in
            if domain == "kept.example" || domain.hasSuffix(".tree.example") {
                return .accounts([anna])
            }
            return domain == "relay.example" ? .anybody : .nobody
        }
        settings.kept = [
            .init(domain: Array("kept.example".utf8), isBelow: false),
            .init(domain: Array("tree.example".utf8), isBelow: true),
        ]
        return settings
    }

    private let test: ServerUnderTest
    private let delivery = DeliverySpy()

    init() throws {
        self.test = try ServerUnderTest(relaying: try Self.relaying())
        self.test.server.delivery = self.delivery
        try self.test.addAccount("bert@example.test")
    }

    /// A client that has logged in, unless it is nobody.
    private func client(_ service: ServiceProfile.Service, as user: String?) -> Client {
        let settings = SMTPServerSettings(
            hostname: Self.hostname,
            mechanisms: [.plain],
            permitsPlaintextAuth: true,
            requiresAuthentication: service == .odmr,
            purpose: service == .odmr ? .fetching : .relaying,
            offersETRN: true
        )
        let client = self.test.connect(self.test.profile(service, smtp: settings))
        client.say("EHLO a\r\n")
        if let user {
            let secret = [0] + Array(user.utf8) + [0] + Array(ServerUnderTest.secret.utf8)
            let response = String(decoding: Base64.encode(secret), as: UTF8.self)
            client.say("AUTH PLAIN \(response)\r\n")
            #expect(client.lastLine.hasPrefix("235 "))
        }
        client.forget()
        return client
    }

    private func answer(_ client: Client, _ command: String) -> String {
        client.forget()
        client.say("\(command)\r\n", for: 3)
        return client.lastLine
    }

    private func queue(_ recipients: String...) {
        let client = self.test.connect(.smtp)
        client.say("EHLO a\r\nMAIL FROM:<x@y.z>\r\n")
        for recipient in recipients { client.say("RCPT TO:<\(recipient)>\r\n") }
        client.say("DATA\r\n")
        client.say("x\r\n.\r\n", for: 3)
        #expect(client.lastLine.hasPrefix("250 2.0.0 "))
    }

    private func rest(_ destination: String, until: Int64) {
        let request = StoreRequest.rest(
            destination: Array(destination.utf8),
            until: until,
            failures: 3,
            reason: []
        )
        _ = self.test.disk.store.commit([request])
    }

    private func due(_ destination: String) throws -> Bool {
        let now = self.test.world.wallClock
        let due = try self.test.disk.reader.dueDestinations(now: now, max: 9, excluding: []).due
        return due.contains { $0.destination == Array(destination.utf8) }
    }

    // MARK: - ETRN

    @Test func anybodyMayStartWhatIsRelayed() throws {
        self.queue("a@relay.example", "b@relay.example")
        self.rest("relay.example", until: self.test.world.wallClock + 9999)
        #expect(try !self.due("relay.example"))
        let client = self.client(.smtp, as: nil)
        #expect(
            self.answer(client, "ETRN Relay.Example")
                == "252 2.0.0 OK, pending messages started for Relay.Example"
        )
        #expect(try self.due("relay.example"))
        #expect(self.delivery.started == [["relay.example"]])
    }

    @Test func whatIsEmptyIsToldSo() {
        let client = self.client(.smtp, as: nil)
        #expect(
            self.answer(client, "ETRN relay.example")
                == "251 2.0.0 OK, no messages waiting for relay.example"
        )
        #expect(self.delivery.started.isEmpty)
    }

    @Test func othersMayNot() {
        self.queue("a@kept.example", "a@other.example")
        let stranger = self.client(.smtp, as: nil)
        #expect(self.answer(stranger, "ETRN kept.example").hasPrefix("459 4.7.1"))
        #expect(self.answer(stranger, "ETRN other.example").hasPrefix("459 4.7.1"))
        #expect(self.answer(stranger, "ETRN @example").hasPrefix("459 4.7.1"))
        #expect(self.answer(stranger, "ETRN -").hasPrefix("459 4.7.1"))
        let bert = self.client(.smtp, as: "bert")
        #expect(self.answer(bert, "ETRN kept.example").hasPrefix("459 4.7.1"))
        #expect(self.delivery.started.isEmpty)
        let anna = self.client(.smtp, as: "anna")
        #expect(self.answer(anna, "ETRN kept.example").hasPrefix("252 2.0.0"))
        #expect(self.delivery.started == [["kept.example"]])
    }

    @Test func aTreeIsStartedWhereOneMay() {
        self.queue("a@x.tree.example", "a@y.x.tree.example", "a@tree.example", "a@xtree.example")
        let anna = self.client(.smtp, as: "anna")
        #expect(self.answer(anna, "ETRN @x.tree.example").hasPrefix("252 2.0.0"))
        #expect(self.delivery.started.map(Set.init) == [["x.tree.example", "y.x.tree.example"]])
        #expect(self.answer(anna, "ETRN @tree.example").hasPrefix("252 2.0.0"))
        #expect(self.delivery.started.count == 2)
        #expect(Set(self.delivery.started[1]) == ["x.tree.example", "y.x.tree.example"])
        #expect(self.answer(anna, "ETRN tree.example").hasPrefix("459 4.7.1"))
    }

    @Test func withoutDeliveryThereIsNone() {
        self.queue("a@relay.example")
        self.test.server.delivery = nil
        let client = self.client(.smtp, as: nil)
        #expect(self.answer(client, "ETRN relay.example").hasPrefix("458 4.3.0"))
    }

    // MARK: - ATRN

    @Test func theConnectionTurnsAround() throws {
        self.queue("a@kept.example", "b@z.tree.example", "c@relay.example")
        self.rest("kept.example", until: self.test.world.wallClock + 9999)
        let anna = self.client(.odmr, as: "anna")
        let connections = self.test.server.connectionCount
        #expect(self.answer(anna, "ATRN") == "250 2.0.0 OK now reversing the connection")
        #expect(self.delivery.turned.map(Set.init) == [["kept.example", "z.tree.example"]])
        #expect(try self.due("kept.example"))
        #expect(self.test.server.connectionCount == connections - 1)
        let stream = try #require(self.delivery.streams.first)
        #expect(stream.id == anna.stream.id && stream.handler == nil && !anna.isClosed)
        // What the client says now is for who delivers.
        let listener = Listener()
        stream.handler = listener
        anna.say("220 here\r\n")
        #expect(listener.text == "220 here\r\n")
        stream.close()
        self.test.world.run(for: 1)
        #expect(anna.isClosed)
    }

    @Test func onlyWhatOneMayIsFetched() {
        self.queue("a@kept.example", "a@relay.example")
        let bert = self.client(.odmr, as: "bert")
        #expect(self.answer(bert, "ATRN kept.example") == "450 4.7.1 ATRN request refused")
        #expect(self.answer(bert, "ATRN") == "453 4.2.0 You have no mail")
        let anna = self.client(.odmr, as: "anna")
        #expect(self.answer(anna, "ATRN relay.example") == "450 4.7.1 ATRN request refused")
        #expect(self.answer(anna, "ATRN kept.example,relay.example").hasPrefix("450 "))
        #expect(self.answer(anna, "ATRN a.tree.example") == "453 4.2.0 You have no mail")
        #expect(self.delivery.turned.isEmpty)
        #expect(self.answer(anna, "ATRN Kept.example,a.tree.example").hasPrefix("250 "))
        #expect(self.delivery.turned == [["kept.example"]])
    }

    @Test func aClientThatIsGoneIsNotTurnedAround() {
        self.queue("a@kept.example")
        let anna = self.client(.odmr, as: "anna")
        anna.stream.arrive(Array("ATRN\r\n".utf8))
        anna.stream.abort()
        self.test.world.run(for: 5)
        #expect(self.delivery.turned.isEmpty)
        #expect(self.test.server.leaks == [])
    }

    @Test func aServerThatStopsTurnsNothingAround() {
        self.queue("a@kept.example")
        let anna = self.client(.odmr, as: "anna")
        anna.stream.arrive(Array("ATRN\r\n".utf8))
        var isDone = false
        self.test.server.stop { isDone = true }
        self.test.world.run(for: 5)
        #expect(isDone)
        #expect(anna.lastLine.hasPrefix("421 4.3.2"))
        #expect(self.delivery.turned.isEmpty)
    }
}

/// Keeps what a stream receives.
private final class Listener: StreamHandler {
    private(set) var text = ""

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        self.text += String(decoding: octets.copy(), as: UTF8.self)
        return Consumption(count: octets.count, next: .awaitMore)
    }

    func connected(_ stream: any ByteStream) {}
    func secured(_ stream: any ByteStream) {}
    func inputEnded(_ stream: any ByteStream) {}
    func drained(_ stream: any ByteStream) {}
    func deadlinePassed(_ stream: any ByteStream) {}
    func ended(_ stream: any ByteStream) {}
}
