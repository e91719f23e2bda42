// SPDX-License-Identifier: Apache-2.0
//
// Recipients of other domains: who may name them, and what stands in the queue after the 250.

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

@Suite("Relaying")
struct RelayTests {
    private static let hostname = Array("mail.example.test".utf8)
    private static let submission = SMTPServerSettings(
        hostname: hostname,
        answersVRFY: true,
        mechanisms: [.plain],
        permitsPlaintextAuth: true,
        requiresAuthentication: true,
        purpose: .submission
    )

    /// Mail for relay.example is taken from anybody; 10.0.0.0/8 may send anywhere.
    private static var relaying: RelaySettings {
        var settings = RelaySettings()
        settings.isRelayDomain = { $0 == "relay.example" }
        settings.mayRelay = { $0.family == .ipv4 && $0.low >> 24 & 0xff == 10 }
        return settings
    }

    private let test: ServerUnderTest
    private let delivery = DeliverySpy()

    init() throws {
        self.test = try ServerUnderTest(relaying: Self.relaying)
        self.test.server.delivery = self.delivery
    }

    /// A client that has logged in as anna.
    private func user(_ test: ServerUnderTest? = nil) -> Client {
        let test = test ?? self.test
        let client = test.connect(test.profile(.submission, smtp: Self.submission))
        let secret = [0] + Array("anna".utf8) + [0] + Array(ServerUnderTest.secret.utf8)
        let response = String(decoding: Base64.encode(secret), as: UTF8.self)
        client.say("EHLO a\r\nAUTH PLAIN \(response)\r\n")
        client.forget()
        return client
    }

    private func stranger(
        _ service: ServiceProfile.Service = .smtp,
        from address: UInt32 = 0xc000_0201,
        _ test: ServerUnderTest? = nil
    ) -> Client {
        let settings = SMTPServerSettings(
            hostname: Self.hostname,
            dialect: service == .lmtp ? .lmtp : .smtp,
            answersVRFY: true
        )
        let peer = NetworkAddress(ipv4: address, port: 1)
        let client = (test ?? self.test).connect(service, from: peer, smtp: settings)
        client.say(service == .lmtp ? "LHLO a\r\n" : "EHLO a\r\n")
        client.forget()
        return client
    }

    /// Says commands and a message; returns the reply codes and their enhanced ones.
    private func send(_ client: Client, _ commands: String..., content: String = "x") -> [String] {
        client.forget()
        client.say((commands + ["DATA"]).map { "\($0)\r\n" }.joined(), for: 2)
        if client.lastLine.hasPrefix("354") { client.say("\(content)\r\n.\r\n", for: 5) }
        return client.lines.map { String($0.prefix(9)) }
    }

    // MARK: - What the queue holds

    private func rows() throws -> [QueueRow] {
        try self.test.disk.reader.queueRows(QueueSelector(), after: nil, count: 100).rows
    }

    /// The queued recipients with all that was asked for, and the message they belong to.
    private func queue() throws -> (message: QueuedMessage, recipients: [String])? {
        guard let first = try self.rows().first,
            let detail = try self.test.disk.reader.queueMessage(
                first.position.message,
                after: nil,
                count: 100
            )
        else { return nil }
        let recipients = detail.recipients.map { recipient in
            let words = [
                recipient.row.address, recipient.row.destination, recipient.originalRecipient,
            ]
            return words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
                + " \(recipient.notify.rawValue) \(recipient.row.state)"
        }
        return (detail.message, recipients)
    }

    // MARK: - Who may

    @Test func usersMaySendToAnybody() throws {
        let codes = self.send(
            self.user(),
            "MAIL FROM:<anna@example.test> RET=HDRS ENVID=e1",
            "RCPT TO:<Bert@Elsewhere.Example> NOTIFY=DELAY ORCPT=rfc822;b@c",
            "RCPT TO:<carl@[192.0.2.7]>",
            "RCPT TO:<dora@elsewhere.example>"
        )
        #expect(
            codes == [
                "250 2.1.0", "250 2.1.5", "250 2.1.5", "250 2.1.5", "354 Send ", "250 2.0.0",
            ]
        )
        let queue = try #require(try self.queue())
        #expect(
            queue.recipients == [
                "Bert@Elsewhere.Example elsewhere.example rfc822;b@c 8 waiting",
                "carl@[192.0.2.7] [192.0.2.7]  0 waiting",
                "dora@elsewhere.example elsewhere.example  0 waiting",
            ]
        )
        let message = queue.message
        #expect(message.reversePath == Array("anna@example.test".utf8))
        #expect(message.options.returnedContent == .headers)
        #expect(message.options.envelopeID == Array("e1".utf8))
        let anna = try #require(Address(parsing: "anna@example.test"))
        #expect(message.account == (try self.test.disk.reader.account(anna)?.id))
        #expect(message.expiresAt - message.queuedAt == 432_000)
        #expect(message.warnAt.map { $0 - message.queuedAt } == 14_400)
        #expect(self.delivery.queued == [["elsewhere.example", "[192.0.2.7]"]])
        #expect(self.delivery.reportsAwaitedCount == 0)
        var content: [UInt8] = []
        _ = try self.test.disk.reader.queuedContent(
            message.id,
            offset: 0,
            max: 9999,
            into: &content
        )
        let text = String(decoding: content, as: UTF8.self)
        #expect(text.hasPrefix("Received: from a ") && text.hasSuffix("\r\nx\r\n"))
    }

    @Test func strangersMaySendToRelayedDomainsAlone() throws {
        let stranger = self.stranger()
        let codes = self.send(
            stranger,
            "MAIL FROM:<x@y.example>",
            "RCPT TO:<a@elsewhere.example>",
            "RCPT TO:<a@sub.relay.example>",
            "RCPT TO:<a@Relay.example>"
        )
        #expect(
            codes == [
                "250 2.1.0", "550 5.7.1", "550 5.7.1", "250 2.1.5", "354 Send ", "250 2.0.0",
            ]
        )
        #expect(try self.queue()?.recipients == ["a@Relay.example relay.example  0 waiting"])
        #expect(try self.queue()?.message.account == nil)
    }

    @Test func neighboursMaySendToAnybody() throws {
        let neighbour = self.stranger(from: 0x0a01_0203)
        let codes = self.send(neighbour, "MAIL FROM:<>", "RCPT TO:<a@elsewhere.example>")
        #expect(codes == ["250 2.1.0", "250 2.1.5", "354 Send ", "250 2.0.0"])
        #expect(try self.queue()?.message.reversePath == [])
    }

    @Test func whatIsRefusedLeavesNothing() throws {
        let stranger = self.stranger()
        let codes = self.send(stranger, "MAIL FROM:<x@y.example>", "RCPT TO:<a@b.example>")
        #expect(codes == ["250 2.1.0", "550 5.7.1", "554 5.5.1"])
        let user = self.user()
        user.say("MAIL FROM:<anna@example.test>\r\nRCPT TO:<a@b.example>\r\nRSET\r\n")
        user.say("MAIL FROM:<anna@example.test>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nx\r\n")
        user.stream.abort()
        self.test.world.run(for: 5)
        #expect(try self.rows().isEmpty)
        #expect(self.delivery.queued.isEmpty)
        stranger.say("QUIT\r\n")
        self.test.world.run(for: 5)
        #expect(self.test.server.leaks == [])
    }

    @Test func aRecipientElsewhereIsNotVerified() {
        func verdict(_ client: Client, _ mailbox: String) -> String {
            client.forget()
            client.say("VRFY \(mailbox)\r\n")
            return String(client.lastLine.prefix(9))
        }
        #expect(verdict(self.user(), "a@elsewhere.example") == "252 2.5.0")
        #expect(verdict(self.stranger(), "a@elsewhere.example") == "550 5.1.1")
        #expect(verdict(self.stranger(), "a@relay.example") == "252 2.5.0")
        #expect(verdict(self.stranger(), "anna@example.test") == "250 2.1.5")
    }

    // MARK: - Aliases and reports

    @Test func aliasesLeadElsewhere() throws {
        try self.test.addAlias("list@example.test", to: ["a@far.example", "B@Far.example"])
        try self.test.addAlias(
            "both@example.test",
            to: ["anna@example.test", "c@near.example", "list@example.test"]
        )
        let codes = self.send(
            self.stranger(),
            "MAIL FROM:<x@y.example>",
            "RCPT TO:<Both+tag@example.test> NOTIFY=FAILURE",
            "RCPT TO:<list@example.test> ORCPT=rfc822;first@z.example NOTIFY=NEVER"
        )
        #expect(codes == ["250 2.1.0", "250 2.1.5", "250 2.1.5", "354 Send ", "250 2.0.0"])
        #expect(
            Set(try #require(try self.queue()).recipients) == [
                "c@near.example near.example rfc822;Both+2Btag@example.test 4 waiting",
                "a@far.example far.example rfc822;Both+2Btag@example.test 4 waiting",
                "b@far.example far.example rfc822;Both+2Btag@example.test 4 waiting",
                "a@far.example far.example rfc822;first@z.example 1 waiting",
                "b@far.example far.example rfc822;first@z.example 1 waiting",
            ]
        )
        #expect(try self.test.messages() == 1)
        #expect(self.delivery.queued.map(Set.init) == [["near.example", "far.example"]])
    }

    @Test func successHereIsReported() throws {
        let codes = self.send(
            self.stranger(),
            "MAIL FROM:<x@y.example>",
            "RCPT TO:<Anna@example.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@b",
            "RCPT TO:<postmaster> NOTIFY=SUCCESS"
        )
        #expect(codes.last == "250 2.0.0")
        #expect(
            try self.queue()?.recipients == [
                "Anna@example.test example.test rfc822;a@b 10 delivered",
                "postmaster@example.test example.test  2 delivered",
            ]
        )
        #expect(try self.test.messages() == 1)
        #expect(self.delivery.queued.isEmpty && self.delivery.reportsAwaitedCount == 1)
    }

    @Test func nobodyIsToldWhereThereIsNobody() throws {
        let codes = self.send(
            self.stranger(),
            "MAIL FROM:<>",
            "RCPT TO:<anna@example.test> NOTIFY=SUCCESS"
        )
        #expect(codes.last == "250 2.0.0")
        _ = self.send(
            self.stranger(),
            "MAIL FROM:<x@y.example>",
            "RCPT TO:<anna@example.test> NOTIFY=FAILURE"
        )
        #expect(try self.test.messages() == 2)
        #expect(try self.rows().isEmpty)
    }

    // MARK: - Content

    @Test(arguments: [
        ("BODY=8BITMIME", "plain", false, false),
        ("BODY=7BIT", "gr\u{fc}n", true, false),
        ("", "gr\u{fc}n", true, false),
        ("SMTPUTF8", "plain", false, false),
        ("SMTPUTF8", "gr\u{fc}n", true, true),
    ])
    func whatTheContentNeedsIsLookedFor(
        parameter: String,
        content: String,
        isEightBit: Bool,
        isUTF8: Bool
    ) throws {
        let codes = self.send(
            self.user(),
            "MAIL FROM:<anna@example.test> \(parameter)",
            "RCPT TO:<a@elsewhere.example>",
            content: content
        )
        #expect(codes.last == "250 2.0.0")
        let options = try #require(try self.queue()).message.options
        #expect(options.body == (isEightBit ? .eightBitMIME : .sevenBit))
        #expect(options.needsUTF8 == isUTF8)
    }

    @Test func mailboxesBeyondASCIINeedSMTPUTF8() throws {
        _ = self.send(
            self.user(),
            "MAIL FROM:<anna@example.test> SMTPUTF8",
            "RCPT TO:<d\u{f6}rte@b\u{fc}cher.example>"
        )
        let queue = try #require(try self.queue())
        #expect(queue.message.options.needsUTF8)
        #expect(
            queue.recipients == [
                "d\u{f6}rte@b\u{fc}cher.example b\u{fc}cher.example  0 waiting"
            ]
        )
    }

    @Test func contentOfAnySizeIsQueued() throws {
        let line = String(repeating: "0123456789", count: 7) + "\r\n"
        let codes = self.send(
            self.user(),
            "MAIL FROM:<anna@example.test>",
            "RCPT TO:<a@elsewhere.example>",
            "RCPT TO:<anna@example.test>",
            content: String(repeating: line, count: 5000) + "\u{e9}"
        )
        #expect(codes.last == "250 2.0.0")
        let message = try #require(try self.queue()).message
        #expect(message.octets > 360_000 && message.options.body == .eightBitMIME)
        #expect(try self.test.messages() == 1)
    }

    // MARK: - Limits

    @Test func recipientsElsewhereCountAsOthersDo() throws {
        let test = try ServerUnderTest(relaying: Self.relaying) { limits in
            limits.recipientsPerAccountHour = 3
            limits.deliveriesPerTransaction = 2
        }
        let user = self.user(test)
        let recipients = ["a", "b", "c"].map { "RCPT TO:<\($0)@elsewhere.example>" }
        let codes = self.send(
            user,
            "MAIL FROM:<anna@example.test>",
            recipients[0],
            recipients[1],
            recipients[2]
        )
        #expect(codes[1...3] == ["250 2.1.5", "250 2.1.5", "451 4.3.0"])
        let next = self.send(
            user,
            "MAIL FROM:<anna@example.test>",
            recipients[0],
            recipients[1]
        )
        #expect(next[1...2] == ["250 2.1.5", "452 4.7.1"])
        #expect(test.server.leaks.isEmpty)
    }

    @Test func withoutRoomNothingIsQueued() throws {
        var faults = SimulatedStorage.Faults()
        faults.fullDiskOneIn = 1
        let test = try ServerUnderTest(faults: faults, relaying: Self.relaying)
        test.server.delivery = self.delivery
        let codes = self.send(
            self.user(test),
            "MAIL FROM:<anna@example.test>",
            "RCPT TO:<a@elsewhere.example>"
        )
        #expect(codes.last == "452 4.3.1")
        #expect(self.delivery.queued.isEmpty)
        #expect(test.server.leaks.isEmpty)
    }

    // MARK: - LMTP

    @Test func lmtpRelaysAsSMTPDoes() throws {
        let codes = self.send(
            self.stranger(.lmtp),
            "MAIL FROM:<x@y.example>",
            "RCPT TO:<a@elsewhere.example>",
            "RCPT TO:<a@relay.example>",
            "RCPT TO:<anna@example.test>"
        )
        #expect(
            codes == [
                "250 2.1.0", "550 5.7.1", "250 2.1.5", "250 2.1.5", "354 Send ", "250 2.1.5",
                "250 2.1.5",
            ]
        )
        #expect(try self.queue()?.recipients == ["a@relay.example relay.example  0 waiting"])
        #expect(try self.test.messages() == 1)
    }

    @Test func lmtpQueuesForAllOrForNone() throws {
        try self.test.addAccount("small@example.test", quota: 100)
        let commands = [
            "MAIL FROM:<x@y.example>", "RCPT TO:<small@example.test>", "RCPT TO:<a@relay.example>",
        ]
        let long = String(repeating: "x", count: 200)
        let codes = self.send(
            self.stranger(.lmtp),
            commands[0],
            commands[1],
            commands[2],
            content: long
        )
        #expect(codes.suffix(2) == ["452 4.2.2", "452 4.2.2"])
        #expect(try self.rows().isEmpty)
        #expect(self.delivery.queued.isEmpty)
    }
}
