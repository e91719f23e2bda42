// SPDX-License-Identifier: Apache-2.0
//
// A mail client in memory: sends a few messages, lock-step or pipelined, by DATA or BDAT, in odd
// segments, and may stall or drop the connection at any octet. It keeps the ledger.

package import EventLoop

/// One SMTP connection of a simulation.
package final class SimulatedSMTPClient {
    private let world: VirtualWorld
    private let ledger: Ledger
    private let mailboxes: [String]
    private var stream: SimulatedStream?
    private var received: [UInt8] = []
    private var isGone = false
    /// What is sent next, and what its reply means.
    private var script: [Exchange] = []
    private var waiting: [Meaning] = []
    private var octetsUntilDrop: Int?

    private enum Meaning {
        case greeting
        case other
        case recipient(number: Int, mailbox: String)
        case dataCommand(number: Int)
        case endOfContent(number: Int)
    }

    private struct Exchange {
        var octets: [UInt8]
        var meaning: Meaning
    }

    package init(world: VirtualWorld, ledger: Ledger, mailboxes: [String]) {
        self.world = world
        self.ledger = ledger
        self.mailboxes = mailboxes
        if world.oneIn(4) { self.octetsUntilDrop = world.pick(4000) }
        self.plan()
    }

    /// The connection, once the server has it.
    package func connect(_ stream: SimulatedStream) {
        self.stream = stream
        self.waiting = [.greeting]
    }

    // MARK: - The plan

    private func plan() {
        self.say("EHLO client.example.test", .other)
        for _ in 0..<(1 + self.world.pick(3)) { self.planMessage() }
        self.say("QUIT", .other)
    }

    private func planMessage() {
        let number = self.ledger.open { self.body($0) }
        self.say("MAIL FROM:<sender@example.test>", .other)
        for _ in 0..<(1 + self.world.pick(3)) {
            let mailbox = self.mailboxes[self.world.pick(self.mailboxes.count)]
            self.say("RCPT TO:<\(mailbox)>", .recipient(number: number, mailbox: mailbox))
        }
        if self.world.oneIn(5) { self.say("RCPT TO:<nobody@example.test>", .other) }
        let content = self.ledger.entries[number].body
        if self.world.oneIn(3) {
            self.planChunks(of: content, number)
        } else {
            self.say("DATA", .dataCommand(number: number))
            self.script.append(
                Exchange(octets: Self.stuffed(content), meaning: .endOfContent(number: number))
            )
        }
    }

    private func planChunks(of content: [UInt8], _ number: Int) {
        let cut = self.world.pick(content.count + 1)
        let first = Array("BDAT \(cut)\r\n".utf8) + content[..<cut]
        let rest = Array("BDAT \(content.count - cut) LAST\r\n".utf8) + content[cut...]
        self.script.append(Exchange(octets: first, meaning: .other))
        self.script.append(Exchange(octets: rest, meaning: .endOfContent(number: number)))
    }

    private func say(_ line: String, _ meaning: Meaning) {
        self.script.append(Exchange(octets: Array("\(line)\r\n".utf8), meaning: meaning))
    }

    /// Lines of every awkward kind, with the message's number in its header.
    private func body(_ number: Int) -> [UInt8] {
        var text = "X-Number: \(number)\r\nSubject: simulated\r\n\r\n"
        for _ in 0..<self.world.pick(40) {
            switch self.world.pick(6) {
            case 0: text += "\r\n"
            case 1: text += ".\r\n"
            case 2: text += "..\r\n"
            case 3: text += ".leading dot\r\n"
            default: text += String(repeating: "x", count: self.world.pick(200)) + "\r\n"
            }
        }
        return Array(text.utf8)
    }

    private static func stuffed(_ content: [UInt8]) -> [UInt8] {
        var octets: [UInt8] = []
        var atLineStart = true
        for octet in content {
            if atLineStart, octet == 0x2e { octets.append(0x2e) }
            octets.append(octet)
            atLineStart = octet == 0x0a
        }
        return octets + Array(".\r\n".utf8)
    }

    // MARK: - The conversation

    /// Octets from the server, or nil at its end.
    package func receive(_ octets: [UInt8]?) {
        guard let octets else {
            self.isGone = true
            return
        }
        self.received += octets
        while let end = self.received.firstIndex(of: 0x0a) {
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
        guard !self.waiting.isEmpty else {
            if code != 421 { self.ledger.violate("an unasked reply \(code)") }
            return
        }
        let isPositive = code / 100 == 2
        switch self.waiting.removeFirst() {
        case .greeting, .other:
            break
        case .recipient(let number, let mailbox):
            if isPositive { self.ledger.accepted(number, recipient: mailbox) }
        case .dataCommand(let number):
            if code != 354 {
                // No content may follow; what was planned as content is not sent.
                self.ledger.forgetRecipients(number)
                if case .endOfContent = self.script.first?.meaning { self.script.removeFirst() }
                self.sayFirst("RSET")
            }
        case .endOfContent(let number):
            self.ledger.set(number, isPositive ? .acknowledged : .refused)
        }
        if code == 421 { self.script = [] }
        if self.waiting.isEmpty { self.sendNext() }
    }

    private func sayFirst(_ line: String) {
        self.script.insert(Exchange(octets: Array("\(line)\r\n".utf8), meaning: .other), at: 0)
    }

    /// Sends one command, or a pipelined group of them.
    private func sendNext() {
        guard !self.script.isEmpty, !self.isGone else { return }
        var octets: [UInt8] = []
        repeat {
            let exchange = self.script.removeFirst()
            octets += exchange.octets
            self.waiting.append(exchange.meaning)
            if case .endOfContent(let number) = exchange.meaning { self.ledger.set(number, .inDoubt) }
            // DATA and EHLO end a group (RFC 2920, section 3.1).
            if case .dataCommand = exchange.meaning { break }
        } while !self.script.isEmpty && !self.world.oneIn(3)
        self.transmit(octets[...])
    }

    /// Sends octets in segments with pauses between them; may break off at any octet.
    private func transmit(_ octets: ArraySlice<UInt8>) {
        guard !self.isGone, let stream = self.stream, !octets.isEmpty else { return }
        let segment = self.world.oneIn(3) ? 1 + self.world.pick(octets.count) : octets.count
        var sent = Array(octets.prefix(segment))
        if let left = self.octetsUntilDrop {
            if left <= sent.count {
                sent = Array(sent.prefix(left))
                stream.arrive(sent)
                self.isGone = true
                if self.world.oneIn(2) { stream.reset() } else { stream.peerShutDown() }
                return
            }
            self.octetsUntilDrop = left - sent.count
        }
        stream.arrive(sent)
        let rest = octets.dropFirst(segment)
        guard !rest.isEmpty else { return }
        let pause = self.world.oneIn(200) ? 1000 : self.world.between(0, 0.1)
        self.world.after(seconds: pause) { [weak self] in self?.transmit(rest) }
    }
}
