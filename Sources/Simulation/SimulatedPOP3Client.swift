// SPDX-License-Identifier: Apache-2.0
//
// A POP3 client in memory: logs in, fetches every message and compares it with what its sender
// sent, deletes some, and leaves by QUIT or by breaking off at any octet.

package import EventLoop

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
    private var stage = Stage.greeting
    private var content: [UInt8] = []
    private var messages = 0
    private var octets = 0
    private var octetsFetched = 0
    private var toDelete: [(message: Int, number: Int)] = []
    private var marked: Set<Int> = []
    /// The numbers of the messages seen, each once for each time it was seen.
    package private(set) var seen: [Int] = []
    package private(set) var isComplete = false

    private enum Stage {
        case greeting
        case user
        case password
        case count
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
        isFinal: Bool
    ) {
        self.world = world
        self.ledger = ledger
        self.mailbox = mailbox
        self.password = password
        self.isFinal = isFinal
    }

    package func connect(_ stream: SimulatedStream) { self.stream = stream }

    /// Octets from the server, or nil at its end.
    package func receive(_ octets: [UInt8]?) {
        guard let octets, !self.isGone else {
            self.isGone = true
            return
        }
        self.received += octets
        if !self.isFinal, self.world.oneIn(60) {
            self.isGone = true
            self.stream?.reset()
            return
        }
        while !self.isGone, let end = self.received.firstIndex(of: 0x0a) {
            let line = Array(self.received[...end])
            self.received.removeFirst(line.count)
            self.take(line)
        }
    }

    private func take(_ line: [UInt8]) {
        if case .content(let message) = self.stage { return self.takeContent(line, message) }
        let isPositive = line.starts(with: Array("+OK".utf8))
        switch self.stage {
        case .greeting:
            self.say("USER \(self.mailbox)", .user)
        case .user:
            self.say("PASS \(self.password)", .password)
        case .password:
            guard isPositive else { return self.say("QUIT", .quit) }
            self.say("STAT", .count)
        case .count:
            guard isPositive else { return self.say("QUIT", .quit) }
            let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
            self.messages = fields.count > 1 ? Int(fields[1]) ?? 0 : 0
            self.octets =
                fields.count > 2 ? Int(fields[2].prefix { $0.isASCII && $0.isNumber }) ?? 0 : 0
            self.fetch(1)
        case .fetch(let message):
            guard isPositive else {
                return self.deleteNext()
            }
            self.content = []
            self.stage = .content(message)
        case .delete:
            if !isPositive { self.ledger.violate("DELE refused: \(self.text(line))") }
            self.deleteNext()
        case .quit:
            if isPositive {
                self.ledger.deletionConfirmed(self.marked, in: self.mailbox)
            } else {
                self.ledger.deletionRefused(self.marked, in: self.mailbox)
            }
            self.isGone = true
        case .content:
            break
        }
    }

    private func text(_ line: [UInt8]) -> String { String(decoding: line, as: UTF8.self) }

    private func takeContent(_ line: [UInt8], _ message: Int) {
        guard line == Array(".\r\n".utf8) else {
            self.content += line.first == 0x2e ? line[1...] : line[...]
            return
        }
        self.octetsFetched += self.content.count
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
        if !trace.hasPrefix("Return-Path: <sender@example.test>\r\nReceived: from ") {
            self.ledger.violate("message \(number) has the trace \(trace)")
        }
        self.seen.append(number)
        if !self.isFinal, self.world.oneIn(2) { self.toDelete.append((message, number)) }
    }

    private func fetch(_ message: Int) {
        guard message <= self.messages else {
            if self.octetsFetched != self.octets {
                self.ledger.violate("STAT said \(self.octets), RETR gave \(self.octetsFetched)")
            }
            self.isComplete = true
            return self.deleteNext()
        }
        self.say("RETR \(message)", .fetch(message))
    }

    private func deleteNext() {
        guard let next = self.toDelete.popLast() else {
            self.ledger.deletionAsked(self.marked, in: self.mailbox)
            return self.say("QUIT", .quit)
        }
        self.marked.insert(next.number)
        self.say("DELE \(next.message)", .delete)
    }

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
