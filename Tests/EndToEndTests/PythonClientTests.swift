// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// Python's smtplib and poplib.
    @Suite struct PythonClientTests {
        @Test("smtplib sends to several recipients, poplib reads and deletes")
        func sendsAndReads() throws {
            var settings = ServerProcess.Settings()
            settings.accounts = ["bert@example.test"]
            settings.tables = "[pop3]\noffer-apop = true\n"
            let server = try ServerProcess(settings)
            let made = try server.martlet(
                "user",
                "add",
                "anna@example.test",
                "--apop",
                "--password-stdin",
                input: "top secret\n"
            )
            #expect(made.exitCode == 0, "\(made)")
            let message = Message(seed: 5, octets: 30_000)
            let outcome = try self.send(
                message,
                to: ["anna@example.test", "bert@example.test", "nobody@example.test"],
                of: server
            )
            #expect(outcome.text.hasPrefix("nobody@example.test 550 5.1.1"))

            let file = try server.scratch.file("fetched")
            try Command.succeed(
                "python3",
                [
                    Client.path("pop3.py"), "\(server.pop3Port)", "anna@example.test", "top secret",
                    file.path,
                ]
            )
            #expect(Message(octets: Array(try file.read())).withoutTrace == message)
            #expect(
                try server.maildrop(of: "bert@example.test").map(\.content.withoutTrace) == [
                    message
                ]
            )
        }

        @Test("smtplib sends 8-bit content and an internationalised address")
        func sendsUTF8() throws {
            var settings = ServerProcess.Settings()
            settings.accounts = ["käthe@example.test"]
            let server = try ServerProcess(settings)
            let message = Message(seed: 6, eightBit: true)
            #expect(try self.send(message, to: ["käthe@example.test"], of: server).text == "")

            let connection = try Connection(port: server.pop3Port)
            try connection.expectOK()
            try connection.ask("UTF8")
            try connection.ask("USER käthe@example.test")
            try connection.ask("PASS \(ServerProcess.password)")
            #expect(try connection.fetchAll().map(\.content.withoutTrace) == [message])
        }

        @Test("LMTP tells of each recipient, and smtplib speaks it")
        func deliversByLMTP() throws {
            var settings = ServerProcess.Settings()
            settings.accounts = ["anna@example.test", "bert@example.test"]
            let server = try ServerProcess(settings)
            let quota = try server.martlet("user", "quota", "bert@example.test", "1500")
            #expect(quota.exitCode == 0, "\(quota)")
            // No SIZE is declared to the file's full length by RCPT: only the commit can tell.
            let lmtp = try server.lmtp()
            try lmtp.exchange("MAIL FROM:<>", 250)
            try lmtp.exchange("RCPT TO:<anna@example.test>", 250)
            try lmtp.exchange("RCPT TO:<bert@example.test>", 250)
            try lmtp.exchange("DATA", 354)
            let message = Message(seed: 7)
            try lmtp.send(message.dotStuffed)
            try lmtp.expect(250)
            let refusal = try lmtp.reply()
            #expect(
                [452, 552].contains(refusal.code) && refusal.lines[0].contains("2.2"),
                "\(refusal)"
            )

            // smtplib reads one reply after the content, and so can have one recipient.
            let small = Message(seed: 8, octets: 300)
            try self.send(small, to: ["anna@example.test"], of: server, by: "lmtp")
            #expect(try server.maildrop().count == 2)
            #expect(try server.maildrop(of: "bert@example.test").isEmpty)
        }

        @discardableResult
        private func send(
            _ message: Message,
            to recipients: [String],
            of server: ServerProcess,
            by kind: String = "smtp"
        ) throws -> CommandOutcome {
            let file = try server.scratch.file("message", holding: message.data)
            let port = kind == "lmtp" ? server.lmtpPort : server.smtpPort
            return try Command.succeed(
                "python3",
                [Client.path("send.py"), kind, "\(port)", file.path] + recipients
            )
        }
    }
}
