// SPDX-License-Identifier: Apache-2.0
//
// A mail client in memory: sends a few messages by SMTP or LMTP, lock-step or pipelined, by DATA or
// BDAT, in odd segments; it may change its mind, stall, or drop the connection at any octet. It
// keeps the ledger.

internal import EventLoop
internal import MailBytes

/// One SMTP or LMTP connection of a simulation.
package final class SimulatedSMTPClient {
    private let world: VirtualWorld
    private let ledger: Ledger
    /// Addresses, and the maildrops that each leads to.
    private let addresses: [(address: String, maildrops: [String])]
    private let isLMTP: Bool
    private let role: Role
    /// Whether the server has said so.
    private var hasLoggedIn = false
    private var stream: SimulatedStream?
    private var received: [UInt8] = []
    private var isGone = false
    private var hasStalled = false
    /// What is sent next, and what its reply means.
    private var script: [Exchange] = []
    private var waiting: [Meaning] = []
    private var octetsUntilDrop: Int?
    /// The maildrops of each recipient that was accepted in the present transaction.
    private var accepted: [[String]] = []
    private var isChunkRefused = false
    private var repliesToContent = 0
    /// Where in what is being sent messages end, and how much of it went out.
    private var ends: [(offset: Int, number: Int)] = []
    private var position = 0

    /// What the client is to its server.
    package enum Role {
        /// Another server, or a stranger.
        case peer
        /// A user who may submit mail with the right password, and tries without.
        case user(name: String, password: String)
    }

    private enum Meaning {
        case greeting
        case other
        case startTLS
        case login(isRight: Bool)
        case forgedSender
        case reset
        case recipient(maildrops: [String])
        case dataCommand
        case chunk
        case endOfContent(number: Int)

        /// DATA, AUTH and STARTTLS end a group (RFC 2920, section 3.1).
        var endsGroup: Bool {
            switch self {
            case .dataCommand, .login, .startTLS: true
            case .greeting, .other, .forgedSender, .reset, .recipient, .chunk, .endOfContent:
                false
            }
        }
    }

    private struct Exchange {
        var octets: [UInt8]
        var meaning: Meaning
    }

    package init(
        world: VirtualWorld,
        ledger: Ledger,
        addresses: [(address: String, maildrops: [String])],
        isLMTP: Bool,
        role: Role = .peer,
        usesSTARTTLS: Bool = false
    ) {
        self.world = world
        self.ledger = ledger
        self.addresses = addresses
        self.isLMTP = isLMTP
        self.role = role
        if world.oneIn(4) { self.octetsUntilDrop = world.pick(world.oneIn(2) ? 4000 : 300) }
        self.plan(usesSTARTTLS)
    }

    /// The connection, once the server has it.
    package func connect(_ stream: SimulatedStream) {
        self.stream = stream
        self.waiting = [.greeting]
    }

    // MARK: - The plan

    private func plan(_ usesSTARTTLS: Bool) {
        let hello = "\(self.isLMTP ? "LHLO" : "EHLO") client.example.test"
        self.say(hello, .other)
        if usesSTARTTLS {
            self.say("STARTTLS", .startTLS)
            self.say(hello, .other)
        }
        if case .user(let name, let password) = self.role { self.planLogin(name, password) }
        for _ in 0..<(1 + self.world.pick(3)) { self.planMessage() }
        self.say("QUIT", .other)
    }

    /// Most log in, at once or after a slip; some never do, and some send as somebody else.
    private func planLogin(_ name: String, _ password: String) {
        if self.world.oneIn(4) {
            self.say("AUTH PLAIN \(SimulatedProof.plain(name, "slip"))", .login(isRight: false))
        }
        if self.world.oneIn(5) { return }
        self.say("AUTH PLAIN \(SimulatedProof.plain(name, password))", .login(isRight: true))
        if self.world.oneIn(4) {
            self.say("MAIL FROM:<postmaster@example.test>", .forgedSender)
        }
    }

    private var sender: String {
        if case .user(let name, _) = self.role { return name }
        return "sender@example.test"
    }

    private func planMessage() {
        let targets = (0...self.world.pick(3)).map { _ in
            self.addresses[self.world.pick(self.addresses.count)]
        }
        var lines: [String] = []
        let maildrops = Set(targets.flatMap(\.maildrops))
        let number = self.ledger.open(for: maildrops, from: self.sender) { number in
            lines = self.lines(number)
            return Array(lines.joined().utf8)
        }
        self.say("MAIL FROM:<\(self.sender)>", .reset)
        for target in targets {
            self.say(
                "RCPT TO:<\(target.address)>",
                .recipient(maildrops: target.maildrops)
            )
        }
        if self.world.oneIn(5) { self.say("RCPT TO:<nobody@example.test>", .other) }
        if self.world.oneIn(8) { return self.say("RSET", .reset) }
        let content = self.ledger.entries[number].body
        if self.world.oneIn(3) {
            self.planChunks(of: content, number)
        } else {
            self.say("DATA", .dataCommand)
            self.script.append(
                Exchange(octets: Self.stuffed(lines), meaning: .endOfContent(number: number))
            )
        }
    }

    private func planChunks(of content: [UInt8], _ number: Int) {
        // Of a large message most goes with the first chunk, so that the store has some of it.
        let isLarge = content.count > 1 << 16
        let cut = self.world.pick(isLarge ? 500 : content.count + 1)
        let head = isLarge ? content.count - cut : cut
        let first = Array("BDAT \(head)\r\n".utf8) + content[..<head]
        let rest = Array("BDAT \(content.count - head) LAST\r\n".utf8) + content[head...]
        self.script.append(Exchange(octets: first, meaning: .chunk))
        if self.world.oneIn(isLarge ? 2 : 8) { return self.say("RSET", .reset) }
        self.script.append(Exchange(octets: rest, meaning: .endOfContent(number: number)))
    }

    private func say(_ line: String, _ meaning: Meaning) {
        self.script.append(Exchange(octets: Array("\(line)\r\n".utf8), meaning: meaning))
    }

    /// Lines of every awkward kind, with the message's number in its header; now and then so many
    /// that they fill more than a chunk.
    private func lines(_ number: Int) -> [String] {
        var lines = ["X-Number: \(number)\r\n", "Subject: simulated\r\n", "\r\n"]
        let isLarge = self.world.oneIn(15)
        for _ in 0..<(isLarge ? 400 + self.world.pick(400) : self.world.pick(40)) {
            switch self.world.pick(6) {
            case 0: lines.append("\r\n")
            case 1: lines.append(".\r\n")
            case 2: lines.append("..\r\n")
            case 3: lines.append(".leading dot\r\n")
            default:
                let count = self.world.pick(isLarge ? 990 : 200)
                lines.append(String(repeating: "x", count: count) + "\r\n")
            }
        }
        return lines
    }

    private static func stuffed(_ lines: [String]) -> [UInt8] {
        let stuffed = lines.map { $0.utf8.first == UInt8(ascii: ".") ? "." + $0 : $0 }
        return Array(stuffed.joined().utf8) + Array(".\r\n".utf8)
    }

    // MARK: - The conversation

    /// Octets from the server, or nil at its end.
    package func receive(_ octets: [UInt8]?) {
        guard let octets else {
            self.isGone = true
            return
        }
        self.received += octets
        while let end = self.received.span.firstIndex(of: .lf) {
            let line = Array(self.received[...end])
            self.received.removeFirst(line.count)
            guard line.count >= 5 else {
                self.ledger.violate("an SMTP reply line of \(line.count) octets")
                continue
            }
            if line[3] == UInt8(ascii: "-") { continue }
            self.reply(Int(String(decoding: line[..<3], as: UTF8.self)) ?? 0)
        }
    }

    private func reply(_ code: Int) {
        guard let meaning = self.waiting.first else {
            if code != 421 { self.ledger.violate("an unasked reply \(code)") }
            return
        }
        if code == 421 {
            // The last word, whatever was asked.
            self.script = []
            if case .greeting = meaning { return }
            if !self.hasStalled, !self.ledger.isServerEnding {
                self.ledger.violate("421 to a client that kept the server waiting for nothing")
            }
            return
        }
        let isPositive = code / 100 == 2
        self.checkLogin(meaning, code)
        if case .endOfContent(let number) = meaning {
            guard self.replyToContent(number, isPositive) else { return }
        }
        self.waiting.removeFirst()
        switch meaning {
        case .greeting, .other, .endOfContent, .login, .forgedSender: break
        case .startTLS:
            // Without TLS nothing more is said.
            if !isPositive { self.script = [] }
        case .reset:
            self.accepted = []
            self.isChunkRefused = false
        case .recipient(let maildrops):
            guard isPositive else { break }
            self.accepted.append(maildrops)
        case .chunk:
            if !isPositive { self.isChunkRefused = true }
        case .dataCommand:
            guard code != 354 else { break }
            // No content may follow; what was planned as content is not sent.
            if case .endOfContent = self.script.first?.meaning { self.script.removeFirst() }
            let reset = Exchange(octets: Array("RSET\r\n".utf8), meaning: .reset)
            self.script.insert(reset, at: 0)
        }
        if self.waiting.isEmpty { self.sendNext() }
    }

    /// Nobody gets in without a right proof, and nothing is taken from who is not in.
    private func checkLogin(_ meaning: Meaning, _ code: Int) {
        guard case .user = self.role else { return }
        switch meaning {
        case .login(let isRight):
            if code == 235 { self.hasLoggedIn = true }
            if code == 235, !isRight { self.ledger.violate("a wrong password was taken") }
            if code == 535, isRight { self.ledger.violate("a right password was refused") }
        case .forgedSender where code == 250:
            self.ledger.violate("somebody else's address was taken")
        case .recipient, .endOfContent, .chunk:
            if code / 100 == 2, !self.hasLoggedIn {
                self.ledger.violate("mail was taken without a login")
            }
        default: break
        }
    }

    /// One reply to a whole message; true when it was the last.
    private func replyToContent(_ number: Int, _ isPositive: Bool) -> Bool {
        guard self.isLMTP, !self.isChunkRefused, !self.accepted.isEmpty else {
            let accepted = Set(self.accepted.joined())
            self.ledger.settle(number, isPositive ? .acknowledged : .refused, for: accepted)
            self.ledger.settleRest(number)
            self.accepted = []
            return true
        }
        let maildrops = self.accepted[self.repliesToContent]
        // Of several maildrops behind one recipient some may have the message although one has not.
        let refused: Ledger.Fate = maildrops.count > 1 ? .inDoubt : .refused
        self.ledger.settle(number, isPositive ? .acknowledged : refused, for: Set(maildrops))
        self.repliesToContent += 1
        guard self.repliesToContent == self.accepted.count else { return false }
        self.ledger.settleRest(number)
        self.repliesToContent = 0
        self.accepted = []
        return true
    }

    private func sendNext() {
        guard !self.script.isEmpty, !self.isGone else { return }
        var octets: [UInt8] = []
        self.ends = []
        self.position = 0
        repeat {
            let exchange = self.script.removeFirst()
            octets += exchange.octets
            if case .endOfContent(let number) = exchange.meaning {
                self.ends.append((octets.count, number))
            }
            self.waiting.append(exchange.meaning)
            if exchange.meaning.endsGroup { break }
        } while !self.script.isEmpty && !self.world.oneIn(3)
        self.world.after(seconds: 0) { [weak self] in self?.transmit(octets[...]) }
    }

    /// Sends octets in segments with pauses between them; may break off at any octet.
    private func transmit(_ octets: ArraySlice<UInt8>) {
        guard !self.isGone, let stream = self.stream, !octets.isEmpty else { return }
        let segment = self.world.oneIn(3) ? 1 + self.world.pick(octets.count) : octets.count
        var sent = Array(octets.prefix(segment))
        if let left = self.octetsUntilDrop {
            if left <= sent.count {
                sent = Array(sent.prefix(left))
                self.willSend(sent.count)
                stream.arrive(sent)
                self.isGone = true
                if self.world.oneIn(2) { stream.reset() } else { stream.peerShutDown() }
                return
            }
            self.octetsUntilDrop = left - sent.count
        }
        self.willSend(sent.count)
        stream.arrive(sent)
        let rest = octets.dropFirst(segment)
        guard !rest.isEmpty else { return }
        let stalls = self.world.oneIn(200)
        if stalls { self.hasStalled = true }
        let pause = stalls ? 1000 : self.world.between(0, 0.1)
        self.world.after(seconds: pause) { [weak self] in self?.transmit(rest) }
    }

    /// From its last octet on, a message may have been stored.
    private func willSend(_ count: Int) {
        self.position += count
        while let next = self.ends.first, next.offset <= self.position {
            self.ends.removeFirst()
            self.ledger.sent(next.number)
        }
    }
}
