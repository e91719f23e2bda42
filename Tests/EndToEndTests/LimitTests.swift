// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// Limits that need a real system to be reached.
    @Suite struct LimitTests {
        @Test("A client may have so many connections and no more")
        func connectionsPerClient() throws {
            let server = try ServerProcess(Self.limits("connections-per-client = 3"))
            var connections = try (0..<3).map { _ in try server.smtp() }
            let refused = try Connection(port: server.smtpPort)
            #expect(try refused.line()?.hasPrefix("421 ") == true)
            #expect(refused.isClosedByPeer())
            try connections[0].exchange("QUIT", 221)
            connections.removeFirst()
            try self.eventually { (try? server.smtp()) != nil }
        }

        @Test("Networks that are exempt have no such limit")
        func exemptNetworks() throws {
            let server = try ServerProcess(
                Self.limits("connections-per-client = 3\nexempt-networks = [\"127.0.0.0/8\"]")
            )
            let connections = try (0..<10).map { _ in try server.smtp() }
            for connection in connections { try connection.exchange("NOOP", 250) }
        }

        @Test("The server has so many connections and no more")
        func connections() throws {
            let server = try ServerProcess(
                Self.limits("connections = 5\nexempt-networks = [\"127.0.0.0/8\"]")
            )
            let smtp = try (0..<4).map { _ in try server.smtp() }
            let pop3 = try server.pop3()
            #expect(
                try Connection(port: server.pop3Port).line()?.hasPrefix("-ERR [SYS/TEMP]") == true
            )
            #expect(try Connection(port: server.smtpPort).line()?.hasPrefix("421 ") == true)
            for connection in smtp { try connection.exchange("NOOP", 250) }
            try pop3.ask("QUIT")
            try self.eventually { (try? server.smtp()) != nil }
        }

        @Test(
            "When descriptors run out, clients wait, the others are served, and all goes on after"
        )
        func descriptors() throws {
            var settings = Self.limits("exempt-networks = [\"127.0.0.0/8\"]")
            settings.launcher = "ulimit -n 64 && exec \"$@\""
            let server = try ServerProcess(settings)
            var greeted: [Connection] = []
            var waiting: [Connection] = []
            for _ in 0..<100 {
                let connection = try Connection(
                    port: server.smtpPort,
                    patience: waiting.isEmpty ? 1 : 20
                )
                if waiting.isEmpty, (try? connection.expectGreeting()) == true {
                    greeted.append(connection)
                } else {
                    waiting.append(connection)
                }
            }
            #expect(greeted.count > 20 && waiting.count > 20)
            let cpu = try server.processorTicks()
            Thread.sleep(forTimeInterval: 1)
            #expect(try server.processorTicks() - cpu < 20, "the loop spins")
            try greeted[0].exchange("EHLO client.example.org", 250)
            try greeted[0].submit(Message(seed: 80), to: "anna@example.test")

            for connection in greeted { try connection.exchange("QUIT", 221) }
            greeted.removeAll()
            for connection in waiting.dropFirst().prefix(20) { try connection.expect(220) }
            waiting.removeAll()
            try self.eventually { (try? server.maildrop().count) == 1 }
        }

        @Test("A silent client is told so and disconnected")
        func idle() throws {
            let server = try ServerProcess(Self.limits("idle-seconds = 1"))
            let connection = try server.smtp(patience: 5)
            try connection.expect(421)
            #expect(connection.isClosedByPeer())
        }

        @Test("Content that comes too slowly is given up")
        func slowContent() throws {
            let server = try ServerProcess(
                Self.limits("idle-seconds = 2\ntransaction-seconds = 4")
            )
            let connection = try server.smtp(patience: 1)
            try connection.exchange("MAIL FROM:<writer@example.org>", 250)
            try connection.exchange("RCPT TO:<anna@example.test>", 250)
            try connection.exchange("DATA", 354)
            // An octet now and then keeps it from being silent, and no more.
            let deadline = Date(timeIntervalSinceNow: 20)
            var ended = false
            while !ended, Date() < deadline {
                do {
                    try connection.send("x")
                    ended = try connection.line() != nil
                } catch {
                    ended = connection.isClosedByPeer()
                }
            }
            #expect(ended, "a drip of octets goes on for ever")
        }

        @Test("A client that reads nothing costs little memory and holds nobody up")
        func slowReader() throws {
            let server = try ServerProcess()
            let large = Message(seed: 81, octets: 20 << 20)
            let smtp = try server.smtp()
            try smtp.submit(large, to: "anna@example.test")
            let before = try server.anonymousMemory()
            let deaf = try Connection(port: server.pop3Port, receiveBuffer: 4096)
            try deaf.expectOK()
            try deaf.ask("USER anna@example.test")
            try deaf.ask("PASS \(ServerProcess.password)")
            try deaf.send(String(repeating: "RETR 1\r\n", count: 50))
            for seed in 82..<102 { try smtp.submit(Message(seed: seed), to: "anna@example.test") }
            Thread.sleep(forTimeInterval: 0.5)
            #expect(try server.anonymousMemory() - before < 4 << 20)
            deaf.reset()
            try self.eventually { (try? server.pop3().stat().count) == 21 }
        }

        @Test("Errors, long lines and too many recipients are cut short")
        func errorsLinesAndRecipients() throws {
            let server = try ServerProcess(
                Self.limits("errors-per-session = 5\nrecipients-per-transaction = 100")
            )
            let errors = try server.smtp()
            for _ in 0..<5 { try errors.send("NONSENSE\r\n") }
            let answers = try errors.rest().split(separator: "\r\n")
            #expect(answers.count <= 6 && answers.last?.hasPrefix("421 ") == true, "\(answers)")

            let line = try server.smtp()
            try line.exchange("NOOP " + String(repeating: "x", count: 5000), 500)
            try line.exchange("NOOP", 250)
            try line.exchange("NOOP " + String(repeating: "x", count: 1_000_000), 421)

            let recipients = try server.smtp()
            try recipients.exchange("MAIL FROM:<>", 250)
            for detail in 0..<100 {
                try recipients.exchange("RCPT TO:<anna+\(detail)@example.test>", 250)
            }
            try recipients.exchange("RCPT TO:<anna+100@example.test>", 452)
        }

        private static func limits(_ lines: String) -> ServerProcess.Settings {
            var settings = ServerProcess.Settings()
            settings.limits = lines
            return settings
        }

        /// Waits until something is so, but not for ever.
        private func eventually(
            _ condition: () -> Bool,
            at location: SourceLocation = #_sourceLocation
        ) throws {
            let deadline = Date(timeIntervalSinceNow: 10)
            while !condition() {
                try #require(Date() < deadline, "does not come about", sourceLocation: location)
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
    }
}

extension Connection {
    /// Whether the greeting comes within the connection's patience.
    fileprivate func expectGreeting() throws -> Bool { try self.reply().code == 220 }
}
