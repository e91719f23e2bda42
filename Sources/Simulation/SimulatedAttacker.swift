// SPDX-License-Identifier: Apache-2.0
//
// Guesses at passwords by POP3 or submission, one after the other, until it is thrown out. All its
// guesses are wrong: whatever says otherwise is a hole.

internal import EventLoop
internal import MailBytes

/// One connection of somebody who has no business here.
package final class SimulatedAttacker {
    private let world: VirtualWorld
    private let ledger: Ledger
    private let users: [String]
    private let speaksPOP3: Bool
    private var stream: SimulatedStream?
    private var received: [UInt8] = []
    private var guessesLeft: Int
    private var stage = Stage.greeting

    private enum Stage {
        case greeting
        case hello
        case proof
        case over
    }

    package init(world: VirtualWorld, ledger: Ledger, users: [String], speaksPOP3: Bool) {
        self.world = world
        self.ledger = ledger
        self.users = users
        self.speaksPOP3 = speaksPOP3
        self.guessesLeft = 1 + world.pick(6)
    }

    package func connect(_ stream: SimulatedStream) { self.stream = stream }

    /// Octets from the server, or nil at its end.
    package func receive(_ octets: [UInt8]?) {
        guard let octets else {
            self.stage = .over
            return
        }
        self.received += octets
        while let end = self.received.span.firstIndex(of: .lf) {
            let line = Array(self.received[...end])
            self.received.removeFirst(line.count)
            // EHLO is answered in several lines.
            let isWhole = self.speaksPOP3 || line.count < 4 || line[3] == UInt8(ascii: " ")
            if isWhole { self.take(String(decoding: line, as: UTF8.self)) }
        }
    }

    private func take(_ reply: String) {
        switch self.stage {
        case .greeting:
            guard !self.speaksPOP3 else { return self.guess() }
            self.stage = .hello
            self.say("EHLO attacker.example")
        case .hello:
            self.guess()
        case .proof:
            if reply.hasPrefix("+OK") || reply.hasPrefix("235") {
                self.ledger.violate("a guess was taken: \(reply)")
            }
            self.guess()
        case .over:
            break
        }
    }

    /// Existing and other users, in the hope that they can be told apart.
    private func guess() {
        guard self.guessesLeft > 0 else {
            self.stage = .over
            self.stream?.reset()
            return
        }
        self.guessesLeft -= 1
        self.stage = .proof
        let user = self.world.oneIn(3) ? "nobody" : self.users[self.world.pick(self.users.count)]
        self.say("AUTH PLAIN \(SimulatedProof.plain(user, "guess \(self.guessesLeft)"))")
    }

    private func say(_ line: String) {
        self.world.after(seconds: self.world.between(0, 0.1)) { [weak self] in
            self?.stream?.arrive(Array("\(line)\r\n".utf8))
        }
    }
}
