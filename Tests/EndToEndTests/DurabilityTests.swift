// SPDX-License-Identifier: Apache-2.0
//
// What was acknowledged outlives a crash at any moment: messages are there once and whole, and
// what was deleted stays deleted.

import Foundation
import Synchronization
import Testing

extension EndToEnd {
    @Suite struct DurabilityTests {
        @Test("kill -9 under load loses nothing that was acknowledged, and doubles nothing")
        func killUnderLoad() throws {
            var settings = ServerProcess.Settings()
            settings.accounts = Load.maildrops
            let server = try ServerProcess(settings)
            let ledger = Ledger()
            for round in 0..<6 {
                let load = Load(server: server, ledger: ledger, round: round)
                Thread.sleep(forTimeInterval: Double.random(in: 0.2...1.2))
                server.killAtOnce()
                try load.waitForEnd()
                try server.start()
                try ledger.compare(with: server)
            }
            let counts = ledger.counts
            #expect(
                counts.acknowledged > 100 && counts.deleted > 10,
                "too little to tell: \(counts)"
            )
        }

        @Test("SIGTERM lets a message on its way in arrive, and tells the others 421")
        func gracefulEnd() throws {
            let server = try ServerProcess()
            let idle = try server.smtp()
            let pop3 = try server.pop3()
            let sending = try server.smtp()
            try sending.exchange("MAIL FROM:<writer@example.org>", 250)
            try sending.exchange("RCPT TO:<anna@example.test>", 250)
            try sending.exchange("DATA", 354)
            let message = Message(seed: 40)
            try sending.send(message.dotStuffed.dropLast(3))
            Thread.sleep(forTimeInterval: 0.2)

            server.signal(SIGTERM)
            try idle.expect(421)
            #expect(idle.isClosedByPeer())
            #expect(try pop3.rest().hasPrefix("-ERR"))
            #expect((try? Connection(port: server.smtpPort)) == nil, "nobody is let in any more")
            try sending.send(message.dotStuffed.suffix(3))
            try sending.expect(250)
            #expect(server.terminate() == 0)

            try server.start()
            #expect(try server.maildrop().map(\.content.withoutTrace) == [message])
        }

        @Test("SIGTERM does not wait for ever for a client that has stopped sending")
        func gracePeriodEnds() throws {
            var settings = ServerProcess.Settings()
            settings.limits = "shutdown-grace-seconds = 1"
            let server = try ServerProcess(settings)
            let stalled = try server.smtp()
            try stalled.exchange("MAIL FROM:<writer@example.org>", 250)
            try stalled.exchange("RCPT TO:<anna@example.test>", 250)
            try stalled.exchange("DATA", 354)
            try stalled.send("Subject: stalled\r\n")
            #expect(server.terminate(within: 5) == 0)
        }

        @Test("Unique-ids stay over sessions and restarts, and are never used again")
        func uniqueIDs() throws {
            let server = try ServerProcess()
            for seed in 50..<53 {
                try server.smtp().submit(Message(seed: seed), to: "anna@example.test")
            }
            let before = try server.maildrop().map(\.uniqueID)
            let session = try server.pop3()
            try session.ask("DELE 2")
            try session.ask("DELE 3")
            try session.ask("QUIT")
            server.killAtOnce()
            try server.start()
            try server.smtp().submit(Message(seed: 53), to: "anna@example.test")
            let after = try server.maildrop().map(\.uniqueID)
            #expect(after.count == 2)
            #expect(after.first == before.first)
            #expect(Set(before).isDisjoint(with: after.dropFirst()))
        }
    }
}

/// What clients were told, and what therefore must be true.
private final class Ledger: Sendable {
    private struct Entries {
        /// Messages that got 250 after the final dot, by maildrop.
        var acknowledged: [String: Set<String>] = [:]
        /// Messages whose end was sent, acknowledged or not.
        var sent: Set<String> = []
        /// Messages whose deletion got +OK to QUIT.
        var deleted: Set<String> = []
        /// Messages whose deletion was asked for, with no answer.
        var perhapsDeleted: Set<String> = []
        /// Which message a unique-id of a maildrop has once named.
        var messages: [String: String] = [:]
    }

    private let entries = Mutex(Entries())

    var counts: (acknowledged: Int, deleted: Int) {
        self.entries.withLock {
            ($0.acknowledged.values.reduce(0) { $0 + $1.count }, $0.deleted.count)
        }
    }

    func sending(_ name: String) { self.entries.withLock { _ = $0.sent.insert(name) } }

    func acknowledged(_ name: String, in maildrop: String) {
        self.entries.withLock { _ = $0.acknowledged[maildrop, default: []].insert(name) }
    }

    func deleting(_ names: [String]) {
        self.entries.withLock { $0.perhapsDeleted.formUnion(names) }
    }

    func deleted(_ names: [String]) {
        self.entries.withLock { entries in
            entries.perhapsDeleted.subtract(names)
            entries.deleted.formUnion(names)
        }
    }

    /// Fetches everything and holds it against the ledger.
    func compare(with server: ServerProcess) throws {
        for maildrop in Load.maildrops {
            let messages = try server.maildrop(of: maildrop)
            let names = try messages.map { message in
                let content = try #require(message.content.withoutTrace, "\(message.content.text)")
                let name = try #require(Load.name(of: content), "\(content.text)")
                #expect(content == Load.message(name), "\(name) is not whole")
                #expect(message.listedOctets == message.content.octets.count)
                return name
            }
            #expect(Set(names).count == names.count, "a message is there twice")
            self.entries.withLock { entries in
                let present = Set(names)
                let gone = entries.deleted.union(entries.perhapsDeleted)
                let missing = entries.acknowledged[maildrop, default: []]
                    .subtracting(present).subtracting(gone)
                #expect(missing.isEmpty, "lost in \(maildrop)")
                #expect(present.isSubset(of: entries.sent), "never sent")
                #expect(present.isDisjoint(with: entries.deleted), "deleted, and back again")
                for (message, name) in zip(messages, names) {
                    let key = "\(maildrop) \(message.uniqueID)"
                    #expect(entries.messages[key, default: name] == name, "a unique-id used again")
                    entries.messages[key] = name
                }
            }
        }
    }
}

/// Clients that send and delete until the server is gone.
private final class Load: Sendable {
    static let maildrops = (0..<4).map { "user\($0)@example.test" }

    private let running = Mutex(0)

    init(server: ServerProcess, ledger: Ledger, round: Int) {
        for client in 0..<12 {
            let maildrop = Self.maildrops[client % Self.maildrops.count]
            let port = client < 8 ? server.smtpPort : server.pop3Port
            self.running.withLock { $0 += 1 }
            Thread.detachNewThread { [self] in
                defer { self.running.withLock { $0 -= 1 } }
                // Ends with the connection, which ends with the server.
                if client < 8 {
                    try? Self.send(to: maildrop, port, ledger, "\(round)-\(client)")
                } else {
                    try? Self.delete(from: maildrop, port, ledger)
                }
            }
        }
    }

    /// Waits until every client has noticed that the server is gone.
    func waitForEnd() throws {
        let deadline = Date(timeIntervalSinceNow: 30)
        while self.running.withLock({ $0 }) > 0 {
            guard Date() < deadline else { throw ConnectionFailure(description: "clients hang") }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }

    private static func send(to maildrop: String, _ port: Int, _ ledger: Ledger, _ prefix: String)
        throws
    {
        let connection = try Connection.greeted(smtp: port)
        for number in 0..<100_000 {
            let name = "\(prefix)-\(number)"
            try connection.exchange("MAIL FROM:<writer@example.org>", 250)
            try connection.exchange("RCPT TO:<\(maildrop)>", 250)
            try connection.exchange("DATA", 354)
            ledger.sending(name)
            try connection.send(self.message(name).dotStuffed)
            guard try connection.reply().code == 250 else { continue }
            ledger.acknowledged(name, in: maildrop)
        }
    }

    private static func delete(from maildrop: String, _ port: Int, _ ledger: Ledger) throws {
        while true {
            let connection = try Connection.loggedIn(pop3: port, maildrop, ServerProcess.password)
            var names: [String] = []
            let count = try connection.stat().count
            for number in (1...3).prefix(count) {
                try connection.ask("RETR \(number)")
                let content = Message(octets: try connection.multiLine()).withoutTrace
                names += content.flatMap(self.name(of:)).map { [$0] } ?? []
                try connection.ask("DELE \(number)")
            }
            ledger.deleting(names)
            try connection.ask("QUIT")
            ledger.deleted(names)
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// A message that says in each line whose it is: any mixture or gap shows.
    static func message(_ name: String) -> Message {
        let lines = name.utf8.reduce(7) { ($0 * 31 + Int($1)) % 400 }
        return Message(
            "Subject: \(name)\n\n" + (0..<lines).map { ".\(name) line \($0)\n" }.joined()
        )
    }

    static func name(of content: Message) -> String? {
        let line = content.text.split(separator: "\r\n").first { $0.hasPrefix("Subject: ") }
        return line.map { String($0.dropFirst(9)) }
    }
}
