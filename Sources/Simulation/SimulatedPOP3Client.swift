// SPDX-License-Identifier: Apache-2.0
//
// A POP3 client in memory: logs in, fetches every message and compares it with what its sender
// sent, deletes some, and leaves by QUIT or by breaking off at any octet.

internal import EventLoop
internal import MailBytes

/// One POP3 connection of a simulation.
package final class SimulatedPOP3Client {
    private let world: VirtualWorld
    private let ledger: Ledger
    private let mailbox: String
    private let password: String
    /// The last visit takes part in no mischief and sees everything.
    private let isFinal: Bool
    private var stream: SimulatedStream?
    private var received: [UInt8] = []
    private var isGone = false
    private var isInside = false
    private let usesTLS: Bool
    private var stage = Stage.greeting
    private var content: [UInt8] = []
    private var sizes: [Int] = []
    private var uniqueIDs: [String] = []
    private var octets = 0
    private var mustBeSeen: Set<Int> = []
    private var toDelete: [(message: Int, number: Int)] = []
    private var marked: Set<Int> = []
    /// The numbers of the messages seen, each once for each time it was seen.
    package private(set) var seen: [Int] = []
    package private(set) var isComplete = false

    private enum Stage {
        case greeting
        case stls
        case user
        case password
        case count
        case list
        case sizes
        case uidl
        case uniqueIDs
        case fetch(Int)
        case content(Int)
        case delete
        case quit
    }

    package init(
        world: VirtualWorld,
        ledger: Ledger,
        mailbox: String,
        password: String,
        isFinal: Bool,
        usesTLS: Bool = false
    ) {
        self.world = world
        self.ledger = ledger
        self.mailbox = mailbox
        self.password = password
        self.isFinal = isFinal
        self.usesTLS = usesTLS
    }

    package func connect(_ stream: SimulatedStream) { self.stream = stream }

    /// Octets from the server, or nil at its end.
    package func receive(_ octets: [UInt8]?) {
        guard let octets, !self.isGone else { return self.leave() }
        self.received += octets
        if !self.isFinal, self.world.oneIn(60) {
            self.leave()
            self.stream?.reset()
            return
        }
        var start = 0
        while !self.isGone, let end = self.received.span.firstIndex(of: .lf, from: start) {
            self.take(Array(self.received[start...end]))
            start = end + 1
        }
        self.received.removeFirst(start)
    }

    /// The session is over as far as this client knows.
    private func leave() {
        self.isGone = true
        self.leaveMaildrop()
    }

    // MARK: - Replies

    private func take(_ line: [UInt8]) {
        switch self.stage {
        case .content(let message): self.takeContent(line, message)
        case .sizes, .uniqueIDs: self.takeListing(line)
        default: self.takeReply(line, isPositive: line.starts(with: Array("+OK".utf8)))
        }
    }

    private func takeReply(_ line: [UInt8], isPositive: Bool) {
        switch self.stage {
        case .greeting:
            guard isPositive, self.usesTLS else { return self.logIn() }
            self.say("STLS", .stls)
        case .stls:
            guard isPositive else { return self.quit() }
            self.logIn()
        case .user:
            self.mustBeSeen = self.ledger.mustBeThere(in: self.mailbox)
            self.say("PASS \(self.password)", .password)
        case .password:
            if !isPositive, String(decoding: line, as: UTF8.self).contains("[AUTH]") {
                self.ledger.violate("a right proof was refused")
            }
            guard isPositive else { return self.quit() }
            self.isInside = true
            if let stream { self.ledger.enter(self.mailbox, by: stream) }
            self.say("STAT", .count)
        case .count:
            guard isPositive else { return self.quit() }
            self.octets = Self.number(2, of: line)
            self.say("LIST", .list)
        case .list:
            guard isPositive else { return self.quit() }
            self.stage = .sizes
        case .uidl:
            guard isPositive else { return self.quit() }
            self.stage = .uniqueIDs
        case .fetch(let message):
            guard isPositive else { return self.deleteNext() }
            self.content = []
            self.stage = .content(message)
        case .delete:
            if !isPositive, !Self.isTrouble(line) {
                self.ledger.violate("DELE refused: \(String(decoding: line, as: UTF8.self))")
            }
            self.deleteNext()
        case .quit:
            if isPositive {
                self.ledger.deletionConfirmed(self.marked, in: self.mailbox)
            } else {
                self.ledger.deletionRefused(self.marked, in: self.mailbox)
            }
            self.leave()
        case .content, .sizes, .uniqueIDs:
            break
        }
    }

    private func logIn() {
        guard !self.isFinal, self.world.oneIn(3) else {
            return self.say("USER \(self.mailbox)", .user)
        }
        self.mustBeSeen = self.ledger.mustBeThere(in: self.mailbox)
        let response = SimulatedProof.plain(self.mailbox, self.password)
        self.say("AUTH PLAIN \(response)", .password)
    }

    /// Whether a refusal is about the server, and says nothing of the command.
    private static func isTrouble(_ line: [UInt8]) -> Bool {
        String(decoding: line, as: UTF8.self).contains("[SYS/TEMP]")
    }

    private static func number(_ index: Int, of line: [UInt8]) -> Int {
        let fields = String(decoding: line, as: UTF8.self).split { $0.isWhitespace }
        return fields.count > index ? Int(fields[index]) ?? 0 : 0
    }

    private func takeListing(_ line: [UInt8]) {
        let isEnd = line == Array(".\r\n".utf8)
        if case .sizes = self.stage {
            guard isEnd else { return self.sizes.append(Self.number(1, of: line)) }
            if self.sizes.reduce(0, +) != self.octets {
                self.ledger.violate("STAT said \(self.octets), LIST \(self.sizes)")
            }
            return self.say("UIDL", .uidl)
        }
        guard isEnd else {
            let fields = String(decoding: line, as: UTF8.self).split { $0.isWhitespace }
            return self.uniqueIDs.append(fields.count > 1 ? String(fields[1]) : "")
        }
        if self.uniqueIDs.count != self.sizes.count || Set(self.uniqueIDs).count != self.sizes.count
        {
            self.ledger.violate("LIST \(self.sizes) and UIDL \(self.uniqueIDs)")
            return self.quit()
        }
        self.fetch(1)
    }

    // MARK: - Messages

    private func fetch(_ message: Int) {
        guard message <= self.sizes.count else {
            self.isComplete = true
            // Others may have deleted some of it before this session had the maildrop.
            let missing = self.mustBeSeen.subtracting(self.seen)
                .intersection(self.ledger.mustBeThere(in: self.mailbox))
            if !missing.isEmpty {
                self.ledger.violate("\(missing) acknowledged and not in \(self.mailbox)")
            }
            return self.deleteNext()
        }
        self.say("RETR \(message)", .fetch(message))
    }

    private func takeContent(_ line: [UInt8], _ message: Int) {
        guard line == Array(".\r\n".utf8) else {
            self.content += line.first == 0x2e ? line[1...] : line[...]
            return
        }
        if self.content.count != self.sizes[message - 1] {
            self.ledger.violate(
                "LIST said \(self.sizes[message - 1]), RETR gave \(self.content.count)"
            )
        }
        self.compare(message)
        self.fetch(message + 1)
    }

    /// The message must be Return-Path, Received, then exactly what was sent.
    private func compare(_ message: Int) {
        let mark = Array("X-Number: ".utf8)
        var start = 0
        while start + mark.count <= self.content.count,
            !self.content[start...].starts(with: mark)
        { start += 1 }
        let digits = self.content[min(start + mark.count, self.content.count)...]
            .prefix { $0 != 0x0d }
        guard let number = Int(String(decoding: digits, as: UTF8.self)),
            self.ledger.entries.indices.contains(number)
        else { return self.ledger.violate("a message that nobody sent in \(self.mailbox)") }
        if Array(self.content[start...]) != self.ledger.entries[number].body {
            self.ledger.violate("message \(number) is not as it was sent")
        }
        let trace = String(decoding: self.content[..<start], as: UTF8.self)
        let sender = self.ledger.entries[number].sender
        if !trace.hasPrefix("Return-Path: <\(sender)>\r\nReceived: from ") {
            self.ledger.violate("message \(number) has the trace \(trace)")
        }
        self.seen.append(number)
        self.ledger.seen(number, as: self.uniqueIDs[message - 1], in: self.mailbox)
        if !self.isFinal, self.world.oneIn(2) { self.toDelete.append((message, number)) }
    }

    private func deleteNext() {
        guard let next = self.toDelete.popLast() else { return self.quit() }
        self.marked.insert(next.number)
        self.say("DELE \(next.message)", .delete)
    }

    private func quit() {
        if !self.isFinal, self.world.oneIn(6) {
            // Gone without a word: nothing may be deleted.
            self.leave()
            self.stream?.reset()
            return
        }
        self.ledger.deletionAsked(self.marked, in: self.mailbox)
        self.say("QUIT", .quit)
        // The server may be done with the maildrop before this client knows.
        self.leaveMaildrop()
    }

    private func leaveMaildrop() {
        // The server may have ended this session and let another in.
        if self.isInside, !(self.stream?.isOver ?? true) { self.ledger.leave(self.mailbox) }
        self.isInside = false
    }

    // MARK: - Commands

    private func say(_ line: String, _ stage: Stage) {
        self.stage = stage
        let octets = Array("\(line)\r\n".utf8)
        let cut = self.world.oneIn(4) ? self.world.pick(octets.count) : octets.count
        self.arrive(Array(octets[..<cut]), after: self.world.between(0, 0.05))
        if cut < octets.count { self.arrive(Array(octets[cut...]), after: 0.06) }
    }

    private func arrive(_ octets: [UInt8], after seconds: Double) {
        self.world.after(seconds: seconds) { [weak self] in
            guard let self, !self.isGone else { return }
            self.stream?.arrive(octets)
        }
    }
}
