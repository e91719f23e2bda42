// SPDX-License-Identifier: Apache-2.0
//
// The driver of an outgoing connection on a simulated stream, with a peer by hand.

import EventLoop
import MailBytes
import SASL
import SMTPProtocol
import Simulation
import Testing

@testable import Server

@Suite struct SMTPClientDriverTests {
    private static let greeting = "220 mx.example.net ESMTP\r\n"
    private static let plainHello = "250 mx.example.net\r\n"
    private static let fullHello =
        "250-mx.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 CHUNKING\r\n"

    @Test func handsOnByDATA() {
        let peer = ClientPeer()
        peer.say(Self.greeting + Self.plainHello)
        #expect(peer.owner.readyCount == 1)
        peer.forget()
        peer.deliver("Subject: x\r\n\r\nHi\r\n")
        #expect(peer.lines == ["MAIL FROM:<a@example.org>"])
        peer.say("250 OK\r\n250 OK\r\n354 go\r\n")
        #expect(
            peer.lines == [
                "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.net>", "DATA", "Subject: x", "",
                "Hi", ".",
            ]
        )
        peer.say("250 2.0.0 taken\r\n")
        #expect(peer.owner.verdicts == [[.delivered]])
        #expect(peer.driver.isReusable)
    }

    /// One write for the envelope, and content behind 354 in one more.
    @Test func pipelinesAndUsesChunks() {
        let peer = ClientPeer()
        peer.say(Self.greeting + Self.fullHello)
        peer.forget()
        peer.deliver("Subject: x\r\n\r\n.dot\r\n")
        // A chunk needs no transparency.
        #expect(
            peer.lines == [
                "MAIL FROM:<a@example.org>", "RCPT TO:<b@example.net>", "BDAT 20 LAST",
                "Subject: x", "", ".dot",
            ]
        )
        peer.say("250 OK\r\n250 OK\r\n250 taken\r\n")
        #expect(peer.owner.verdicts == [[.delivered]])
    }

    @Test(arguments: [
        ("a\r\n.b\r\n", "a\r\n..b\r\n.\r\n"),
        (".a\r\n", "..a\r\n.\r\n"),
        ("a", "a\r\n.\r\n"),
        ("", ".\r\n"),
        ("a\n.\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
    ])
    func contentIsTransparent(content: String, sent: String) {
        for isInParts in [false, true] {
            let peer = ClientPeer(isInParts: isInParts)
            peer.say(Self.greeting + Self.plainHello)
            peer.deliver(content)
            peer.say("250 OK\r\n250 OK\r\n")
            peer.forget()
            peer.say("354 go\r\n", for: 5)
            #expect(peer.text == sent)
        }
    }

    /// No more is read than the peer has taken, and all arrives.
    @Test func largeContentWaitsForThePeer() {
        let peer = ClientPeer(reading: .byHand, isInParts: true)
        let line = String(repeating: "x", count: 98) + "\r\n"
        let content = String(repeating: line, count: 10_000)
        peer.say(Self.greeting + Self.plainHello)
        peer.takeAll()
        peer.deliver(content)
        peer.takeAll()
        peer.say("250 OK\r\n")
        peer.takeAll()
        peer.say("250 OK\r\n")
        peer.takeAll()
        peer.forget()
        peer.say("354 go\r\n")
        #expect(peer.stream.pendingOutputCount < 1 << 18)
        var rounds = 0
        while peer.stream.pendingOutputCount > 0, rounds < 1000 {
            peer.takeAll()
            rounds += 1
        }
        #expect(peer.text == content + ".\r\n")
        #expect(peer.stream.pendingOutputMax < 1 << 18)
        peer.say("250 taken\r\n")
        #expect(peer.owner.verdicts == [[.delivered]])
    }

    /// What the peer got of a message that cannot be read to its end must not look like one.
    @Test func contentThatCannotBeReadBreaksOff() {
        let peer = ClientPeer(isInParts: true, failsReading: true)
        peer.say(Self.greeting + Self.plainHello)
        peer.deliver("a\r\n")
        peer.say("250 OK\r\n250 OK\r\n")
        peer.forget()
        peer.say("354 go\r\n", for: 5)
        #expect(peer.text == "")
        #expect(peer.owner.verdicts == [[.deferred]])
        #expect(peer.owner.hasEnded)
    }

    /// A peer that answers in the midst of the content gets no end of it.
    @Test func earlyAnswerBreaksOff() {
        let peer = ClientPeer(isInParts: true, isReadingSlow: true)
        peer.say(Self.greeting + Self.plainHello)
        peer.deliver("a\r\n")
        peer.say("250 OK\r\n250 OK\r\n")
        peer.say("354 go\r\n", for: 0.1)
        peer.forget()
        peer.say("421 4.3.2 going away\r\n", for: 20)
        #expect(!peer.text.contains("."))
        #expect(peer.owner.verdicts == [[.deferred]])
        #expect(peer.owner.hasEnded)
    }

    @Test func connectionIsUsedAgain() {
        let peer = ClientPeer()
        peer.say(Self.greeting + Self.fullHello)
        for round in 1...3 {
            peer.deliver("a\r\n")
            peer.say("250 OK\r\n250 OK\r\n250 taken\r\n")
            #expect(peer.owner.verdicts.count == round)
        }
        #expect(peer.owner.readyCount == 4)
        peer.driver.quit()
        peer.say("221 bye\r\n")
        #expect(peer.lines.last == "QUIT")
        #expect(peer.owner.hasEnded)
        #expect(peer.driver.failure == nil)
    }

    /// Wherever the peer hangs up, the message is over and the end is told, once.
    @Test(arguments: 0..<6)
    func peerHangsUp(after step: Int) {
        let peer = ClientPeer()
        let words = [Self.greeting, Self.plainHello, "250 OK\r\n", "250 OK\r\n", "354 go\r\n"]
        for word in words.prefix(step) {
            peer.say(word)
            if peer.owner.readyCount == 1, peer.owner.verdicts.isEmpty, !peer.isGiven {
                peer.deliver("a\r\n")
            }
        }
        peer.stream.peerShutDown()
        peer.world.run(for: 40)
        #expect(peer.owner.hasEnded)
        #expect(peer.owner.verdicts == (peer.isGiven ? [[.deferred]] : []))
        #expect(peer.driver.failure != nil)
    }

    @Test func silentPeerIsGivenUp() {
        let peer = ClientPeer()
        peer.world.run(for: 299)
        #expect(!peer.owner.hasEnded)
        peer.world.run(for: 40)
        #expect(peer.owner.hasEnded)
        #expect(peer.driver.failure?.kind == .timedOut)
    }

    /// The reply to the content may take longer than others.
    @Test func replyToContentMayTakeLonger() {
        let peer = ClientPeer()
        peer.say(Self.greeting + Self.fullHello)
        peer.deliver("a\r\n")
        peer.say("250 OK\r\n250 OK\r\n")
        peer.world.run(for: 500)
        #expect(!peer.owner.hasEnded)
        peer.say("250 taken\r\n")
        #expect(peer.owner.verdicts == [[.delivered]])
    }

    @Test(arguments: [false, true])
    func logsIn(answersLater: Bool) {
        let login = SlowLogin(answersLater: answersLater)
        let peer = ClientPeer(login: login)
        login.world = peer.world
        peer.say(Self.greeting + "250-mx.example.net\r\n250 AUTH PLAIN CRAM-MD5\r\n")
        #expect(peer.lines.last?.hasPrefix("AUTH ") ?? false)
        peer.say("334 PDFAeD4=\r\n")
        #expect(peer.lines.last == "cmVsYXkgNjc4YTFhZDdkYzNlYzJjOTc0NDgyZGU0MzcxMjc2MzU=")
        #expect(peer.owner.readyCount == 0)
        peer.say("235 2.7.0 welcome\r\n")
        #expect(peer.owner.readyCount == 1)
        let isAuthenticated = peer.driver.session.isAuthenticated
        #expect(isAuthenticated)
    }

    @Test func withoutTheSecretThereIsNoMail() {
        let peer = ClientPeer(login: NoLogin())
        peer.say(Self.greeting + "250-mx.example.net\r\n250 AUTH CRAM-MD5\r\n")
        peer.say("334 PDFAeD4=\r\n501 5.7.0 as you like\r\n", for: 40)
        #expect(peer.owner.hasEnded)
        #expect(peer.driver.failure?.kind == .authenticationUnavailable)
    }

    @Test func idleConnectionHearsAGoodbye() {
        let peer = ClientPeer()
        peer.say(Self.greeting + Self.plainHello)
        peer.say("421 4.4.2 idle for too long\r\n", for: 40)
        #expect(peer.owner.hasEnded)
        #expect(peer.driver.failure?.kind == .peerClosing)
    }
}

/// A driver with its owner, and the peer that the test is.
private final class ClientPeer {
    let world = VirtualWorld(seed: 7)
    let owner: RecordingOwner
    private(set) var stream: SimulatedStream!
    private(set) var driver: SMTPClientDriver!
    private(set) var received: [UInt8] = []
    private(set) var isGiven = false
    private let isInParts: Bool

    init(
        reading: SimulatedStream.Reading = .irregular,
        isInParts: Bool = false,
        failsReading: Bool = false,
        isReadingSlow: Bool = false,
        login: (any ClientLogin)? = nil
    ) {
        self.isInParts = isInParts
        self.owner = RecordingOwner(
            world: self.world,
            failsReading: failsReading,
            secondsToRead: isReadingSlow ? 10 : 0.01
        )
        self.stream = SimulatedStream(
            world: self.world,
            id: ConnectionID(slot: 1, generation: 1),
            peer: NetworkAddress(ipv4: 0xc000_0202, port: 25),
            reading: reading,
            toClient: { [unowned self] octets in self.received += octets ?? [] }
        )
        var options = SMTPClientDriver.Options(
            settings: SMTPClientSettings(
                clientName: Array("client.example.org".utf8),
                mechanisms: login == nil ? [] : [.cramMD5]
            )
        )
        options.login = login
        self.driver = SMTPClientDriver(
            stream: self.stream,
            options: options,
            owner: self.owner
        )
        self.driver.begin()
    }

    func say(_ text: String, for seconds: Double = 1) {
        self.stream.arrive(Array(text.utf8))
        self.world.run(for: seconds)
    }

    func deliver(_ content: String) {
        self.isGiven = true
        let octets = Array(content.utf8)
        self.owner.content = octets
        let whole = OutgoingContent(octets: octets)
        let content =
            self.isInParts
            ? OutgoingContent(
                octets: nil,
                count: whole.count,
                endsWithCRLF: whole.endsWithCRLF,
                needsStuffing: true
            ) : whole
        self.driver.deliver(
            SMTPClientEnvelope(
                reversePath: Array("a@example.org".utf8),
                recipients: [SMTPClientEnvelope.Recipient(mailbox: Array("b@example.net".utf8))],
                octets: content.sentCount
            ),
            content
        )
        self.world.run(for: 1)
    }

    func takeAll() {
        self.stream.take(.max)
        self.world.run(for: 1)
    }

    func forget() { self.received = [] }

    var text: String { String(decoding: self.received, as: UTF8.self) }

    var lines: [String] {
        var lines = self.text.split(separator: "\r\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        return lines.map(String.init)
    }
}

private final class RecordingOwner: SMTPClientOwner {
    private let world: VirtualWorld
    private let failsReading: Bool
    private let secondsToRead: Double
    var content: [UInt8] = []
    private(set) var readyCount = 0
    private(set) var verdicts: [[SMTPClientOutcome.Verdict]] = []
    private(set) var hasEnded = false

    init(world: VirtualWorld, failsReading: Bool, secondsToRead: Double) {
        self.world = world
        self.failsReading = failsReading
        self.secondsToRead = secondsToRead
    }

    func isReady(_ driver: SMTPClientDriver) { self.readyCount += 1 }

    func messageFinished(_ driver: SMTPClientDriver) {
        self.verdicts.append(driver.session.outcomes.map(\.verdict))
    }

    func readContent(for driver: SMTPClientDriver, offset: Int, octetsMax: Int) {
        self.world.after(seconds: self.secondsToRead) { [self] in
            guard !self.failsReading else { return driver.contentFailed() }
            let end = min(offset + octetsMax, self.content.count)
            driver.contentRead(
                Array(self.content[offset..<end]),
                isLast: end == self.content.count
            )
        }
    }

    func connectionEnded(_ driver: SMTPClientDriver) {
        #expect(!self.hasEnded, "the end is told once")
        self.hasEnded = true
    }
}

/// Knows the secret at once or after a while.
private final class SlowLogin: ClientLogin {
    private let answersLater: Bool
    private let password = RelayPassword(identity: Array("relay".utf8), password: [0x78])
    weak var world: VirtualWorld?

    init(answersLater: Bool) { self.answersLater = answersLater }

    func answer(
        _ question: SASLClientQuestion,
        of exchange: borrowing SASLClientExchange,
        channelBinding: (SASLChannelBinding) -> [UInt8]?,
        for driver: SMTPClientDriver
    ) -> ClientLoginAnswer {
        let answer = self.password.answer(
            question,
            of: exchange,
            channelBinding: channelBinding,
            for: driver
        )
        guard self.answersLater else { return answer }
        self.world?.after(seconds: 0.1) { driver.loginAnswered(answer) }
        return .later
    }
}

private final class NoLogin: ClientLogin {
    func answer(
        _ question: SASLClientQuestion,
        of exchange: borrowing SASLClientExchange,
        channelBinding: (SASLChannelBinding) -> [UInt8]?,
        for driver: SMTPClientDriver
    ) -> ClientLoginAnswer { .unavailable }
}
