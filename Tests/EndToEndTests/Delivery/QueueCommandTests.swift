// SPDX-License-Identifier: Apache-2.0
//
// `martlet queue`, beside a running server that tries to deliver and without one.

import Foundation
import Testing

extension EndToEnd {
    @Suite struct QueueCommandTests {
        /// A server whose mail for down.example meets a port on which nobody listens.
        private func server() throws -> ServerProcess {
            var settings = ServerProcess.Settings()
            settings.top = "relay-networks = [\"127.0.0.0/8\"]"
            settings.tables = """
                [delivery]
                retry-seconds-min = 3600
                retry-seconds-max = 7200

                [[route]]
                domain = "down.example"
                to = "smtp:127.0.0.9:\(Port.next())"
                """
            return try ServerProcess(settings)
        }

        private func send(_ server: ServerProcess, to recipients: [String]) throws -> String {
            let connection = try server.smtp()
            try connection.exchange("MAIL FROM:<anna@example.test>", 250)
            for recipient in recipients { try connection.exchange("RCPT TO:<\(recipient)>", 250) }
            try connection.exchange("DATA", 354)
            try connection.send("Subject: x\r\n\r\nHello.\r\n.\r\n")
            let reply = try connection.reply()
            try #require(reply.code == 250)
            let words = reply.lines[0].split(separator: " ")
            return String(try #require(words.first { $0.count == 13 }))
        }

        private func rows(_ server: ServerProcess, _ arguments: String...) throws -> [QueueLine] {
            let outcome = try self.run(server, ["list", "--json"] + arguments)
            try #require(outcome.exitCode == 0, "\(outcome)")
            return try outcome.text.split(separator: "\n").map {
                try JSONDecoder().decode(QueueLine.self, from: Data($0.utf8))
            }
        }

        private func run(_ server: ServerProcess, _ arguments: [String]) throws -> CommandOutcome {
            try Command.run(
                ServerProcess.binary,
                ["queue"] + arguments + ["--config", server.configurationPath]
            )
        }

        /// Waits until the destination has failed so often.
        private func waitForFailures(_ count: Int, _ server: ServerProcess) throws {
            let deadline = Date(timeIntervalSinceNow: 20)
            while try self.rows(server).first?.destination_rest?.failures ?? 0 < count {
                try #require(Date() < deadline, "\(server.log)")
                Thread.sleep(forTimeInterval: 0.05)
            }
        }

        @Test("The queue is listed, shown, tried, held, released and removed beside the server")
        func besideTheServer() throws {
            let server = try self.server()
            let one = try self.send(server, to: ["a@down.example", "b@down.example"])
            let two = try self.send(server, to: ["c@down.example"])
            try self.waitForFailures(1, server)
            #expect(try self.rows(server).map(\.id) == [one, one, two])
            #expect(try self.rows(server, "--recipient", "C@down.example").map(\.id) == [two])
            #expect(try self.rows(server, "--older-than", "1h").isEmpty)
            #expect(try self.rows(server, "--sender", "<>").isEmpty)

            let retried = try self.run(server, ["retry", two])
            #expect(retried.text == "1 recipient to be tried now\n", "\(retried)")
            try self.waitForFailures(2, server)
            let shown = try self.run(server, ["show", two])
            #expect(shown.text.contains("Sender:    anna@example.test\n"), "\(shown)")
            let history = shown.text.components(separatedBy: "connection refused").count - 1
            #expect(history >= 3, "each try, and why it rests: \(shown)")

            #expect(try self.run(server, ["hold", one]).text == "2 recipients held\n")
            #expect(try self.rows(server).map(\.state) == ["held", "held", "waiting"])
            #expect(try self.run(server, ["hold", one]).text == "0 recipients held\n")
            #expect(try self.run(server, ["release", "--all"]).text == "2 recipients released\n")

            let removed = try self.run(server, ["remove", "--recipient", "a@down.example"])
            #expect(removed.text == "1 recipient removed\n")
            let bounced = try self.run(server, ["remove", "--bounce", "--domain", "down.example"])
            #expect(bounced.text == "2 recipients removed\n")
            let deadline = Date(timeIntervalSinceNow: 20)
            while try server.pop3().stat().count < 2, Date() < deadline {
                Thread.sleep(forTimeInterval: 0.05)
            }
            let reports = try server.maildrop().map { $0.content.text }
            #expect(reports.count == 2, "\(server.log)")
            #expect(reports.allSatisfy { $0.contains("Status: 5.3.0") })
            #expect(!reports.contains { $0.contains("a@down.example") })
            #expect(try self.run(server, ["list"]).text == "nothing is queued\n")
        }

        @Test("Without the server the same is done in the store, and it finds it so")
        func withoutTheServer() throws {
            let server = try self.server()
            let ids = try (0..<3).map { try self.send(server, to: ["user\($0)@down.example"]) }
            try self.waitForFailures(1, server)
            try #require(server.terminate() == 0)
            #expect(try self.rows(server).map(\.id) == ids)
            #expect(try self.run(server, ["hold", ids[0], ids[1]]).text == "2 recipients held\n")
            #expect(try self.run(server, ["remove", ids[2]]).exitCode == 0)
            try server.start()
            #expect(try self.rows(server).map(\.state) == ["held", "held"])
            let shown = try self.run(server, ["show", "--json", ids[0].lowercased()])
            let object = try JSONSerialization.jsonObject(with: Data(shown.text.utf8))
            let message = try #require(object as? [String: Any])
            #expect(message["id"] as? String == ids[0])
            #expect((message["recipients"] as? [Any])?.count == 1)
        }

        @Test("What makes no sense fails with the exit codes of sysexits(3)")
        func failures() throws {
            let server = try self.server()
            let unknown = "000000000ZZZZ"
            for verb in ["show", "retry", "hold", "release", "remove"] {
                let outcome = try self.run(server, [verb, unknown])
                #expect(outcome.exitCode == 66, "\(outcome)")
                #expect(outcome.errorText.contains("no such message in the queue"))
            }
            #expect(try self.run(server, ["hold", "--domain", "a.example"]).exitCode == 0)
            for arguments in [
                ["hold"], ["hold", "--all", "--domain", "a.example"], ["hold", "no-id"],
                ["list", "--older-than", "soon"], ["show"], ["show", "no-id"],
            ] {
                #expect(try self.run(server, arguments).exitCode == 64, "\(arguments)")
            }
        }
    }
}

/// A line of `queue list --json`.
private struct QueueLine: Decodable {
    struct Rest: Decodable {
        let until: Int
        let failures: Int
        let reason: String
    }

    let id: String
    let state: String
    // The name of the member.
    let destination_rest: Rest?
}
