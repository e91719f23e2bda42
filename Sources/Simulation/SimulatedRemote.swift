// SPDX-License-Identifier: Apache-2.0
//
// One connection to a simulated host: its side of the conversation, and all the ways in which it
// can go wrong. It holds what comes against what it has offered, and keeps the ledger.

internal import EventLoop
internal import MailBytes

/// The other end of a connection that the server has made.
final class SimulatedRemote {
    let host: SimulatedHost
    let world: VirtualWorld
    let ledger: QueueLedger
    var stream: SimulatedStream?
    var input: [UInt8] = []
    var phase = Phase.greeting
    /// What it has said to EHLO; nothing after HELO.
    var offered: Set<String> = []
    var isSecure = false
    var transaction: Transaction?
    /// When what was said last is said.
    var saidAt: Double

    enum Phase: Equatable {
        case greeting
        case commands
        /// 354 has been said, or will be.
        case content
        case chunk(left: Int, isLast: Bool)
        /// STARTTLS was accepted.
        case handshake
        /// Nothing more is said.
        case mute
    }

    struct Transaction {
        let reversePath: String
        var recipients: [String] = []
        var content: [UInt8] = []
    }

    /// What goes wrong with one reply.
    enum Fault {
        case none
        /// It never comes.
        case silence
        /// The connection ends instead.
        case end
        /// It ends in the middle of the reply.
        case halfReply
        /// 421, and the connection ends.
        case goodbye
        /// No reply at all, but octets.
        case nonsense
        /// Not this time.
        case refusal
        /// Never.
        case rejection
    }

    init(host: SimulatedHost, ledger: QueueLedger) {
        self.host = host
        self.world = host.world
        self.ledger = ledger
        self.saidAt = host.world.now
    }

    /// The connection stands.
    func begin(on stream: SimulatedStream) {
        self.stream = stream
        switch self.host.moodNow {
        case .unwilling:
            let codes = ["554 5.7.1 go away", "421 4.3.2 later", "521 5.3.2 no mail here"]
            self.say(codes[self.world.pick(codes.count)])
            self.end()
        case .senseless:
            self.sayNonsense()
        case .mute:
            self.phase = .mute
        case .honest, .troubled, .closed:
            self.answer("220 \(self.host.name) ESMTP") { self.phase = .commands }
        }
    }

    /// Octets from the server, or nil at its end.
    func receive(_ octets: [UInt8]?) {
        guard let octets else {
            self.phase = .mute
            self.stream = nil
            return
        }
        guard self.phase != .mute else { return }
        if self.phase == .greeting { self.ledger.violate("\(self.host.name): talk before 220") }
        self.input += octets
        while self.step() {}
    }

    // MARK: - Commands

    /// True when something was done.
    private func step() -> Bool {
        switch self.phase {
        case .greeting, .mute: return false
        case .handshake:
            guard !self.input.isEmpty else { return false }
            self.ledger.violate("\(self.host.name): \(self.input.count) octets before TLS")
            self.phase = .mute
            return false
        case .commands: return self.takeCommand()
        case .content: return self.takeContent()
        case .chunk(let left, let isLast): return self.takeChunk(left, isLast)
        }
    }

    private func takeCommand() -> Bool {
        guard let end = self.input.span.firstIndex(of: .lf) else { return false }
        let line = Array(self.input[...end])
        self.input.removeFirst(line.count)
        guard line.count >= 2, line[line.count - 2] == .cr else {
            self.ledger.violate("\(self.host.name): a command without CR LF")
            return false
        }
        let text = String(decoding: line.dropLast(2), as: UTF8.self)
        let verb = text.prefix { $0 != " " }.uppercased()
        if !self.input.isEmpty, !self.offers("PIPELINING") {
            self.ledger.violate("\(self.host.name): \(verb) and more without PIPELINING")
        }
        self.perform(verb, text)
        return true
    }

    func offers(_ keyword: String) -> Bool { self.offered.contains(keyword) }

    private func perform(_ verb: String, _ text: String) {
        switch verb {
        case "EHLO": self.hello()
        case "HELO":
            self.offered = []
            self.transaction = nil
            self.answer("250 \(self.host.name)")
        case "STARTTLS": self.startTLS()
        case "MAIL": self.mail(text)
        case "RCPT": self.recipient(text)
        case "DATA": self.beginContent()
        case "BDAT": self.beginChunk(text)
        case "RSET":
            self.transaction = nil
            self.answer("250 2.0.0 flushed")
        case "QUIT":
            self.say("221 2.0.0 bye")
            self.end()
        case "NOOP": self.answer("250 2.0.0 yes")
        default:
            self.ledger.violate("\(self.host.name): the command \(text.prefix(40))")
            self.answer("500 5.5.1 what?")
        }
    }

    private func hello() {
        self.transaction = nil
        guard var keywords = self.host.extensions else {
            if self.world.oneIn(2) { return self.end() }
            return self.answer("502 5.5.1 not here")
        }
        if self.isSecure {
            keywords.remove("STARTTLS")
        } else {
            keywords.remove("REQUIRETLS")
        }
        let lines = [self.host.name] + keywords.sorted()
        let text = lines.enumerated().map { index, line in
            "250\(index == lines.count - 1 ? " " : "-")\(line)"
        }
        self.answer(text.joined(separator: "\r\n")) { self.offered = keywords }
    }

    private func startTLS() {
        guard self.offers("STARTTLS"), !self.isSecure else {
            self.ledger.violate("\(self.host.name): STARTTLS that was not offered")
            return self.answer("502 5.5.1 no")
        }
        if !self.input.isEmpty {
            self.ledger.violate("\(self.host.name): commands behind STARTTLS")
        }
        if self.host.moodNow == .troubled, self.world.oneIn(6) {
            // What an attacker in the network puts behind the reply must not count.
            self.phase = .handshake
            return self.say("220 2.0.0 go\r\n250 injected")
        }
        self.answer("220 2.0.0 go") { self.phase = .handshake }
    }

    /// TLS is spoken with it, and its certificate looked at if it `isVerified`.
    func handshake(isVerified: Bool) -> SimulatedStream.Handshake {
        let oneIn = self.host.failedHandshakeOneIn
        if oneIn > 0, self.world.oneIn(oneIn) { return .failed("no shared cipher") }
        guard !isVerified || self.host.isCertificateGood else {
            return .failed("self-signed certificate")
        }
        self.isSecure = true
        self.offered = []
        self.input = []
        self.phase = .commands
        return .done(isVerified ? .verified : .notAsked)
    }

    private func mail(_ text: String) {
        guard let path = Self.path(in: text), self.transaction == nil else {
            self.ledger.violate("\(self.host.name): \(text.prefix(60)) within a transaction")
            return self.answer("503 5.5.1 no")
        }
        let parameters = text.split(separator: " ").dropFirst(2).map { $0.prefix { $0 != "=" } }
        let needs = [
            "BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8", "SIZE": "SIZE 100000", "RET": "DSN",
            "ENVID": "DSN", "REQUIRETLS": "REQUIRETLS",
        ]
        for parameter in parameters {
            guard let keyword = needs[String(parameter)], self.offers(keyword) else {
                self.ledger.violate("\(self.host.name): \(parameter) that was not offered")
                continue
            }
        }
        self.answer("250 2.1.0 fine") { self.transaction = Transaction(reversePath: path) }
    }

    private func recipient(_ text: String) {
        guard let path = Self.path(in: text) else { return self.answer("501 5.1.3 what?") }
        if text.contains(" NOTIFY=") || text.contains(" ORCPT="), !self.offers("DSN") {
            self.ledger.violate("\(self.host.name): DSN that was not offered")
        }
        guard self.transaction != nil else { return self.answer("503 5.5.1 MAIL first") }
        let reply = self.host.reply(to: path)
        self.answer(reply) {
            if reply.hasPrefix("2") { self.transaction?.recipients.append(path) }
        }
    }

    private static func path(in text: String) -> String? {
        guard let open = text.firstIndex(of: "<"), let close = text.firstIndex(of: ">"),
            open < close
        else { return nil }
        return String(text[text.index(after: open)..<close])
    }
}
