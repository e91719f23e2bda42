// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// swaks, the Swiss Army knife of SMTP.
    @Suite struct SwaksTests {
        @Test(
            "swaks sends to several recipients, plain and pipelined",
            arguments: [[], ["--pipeline"]]
        )
        func sends(options: [String]) throws {
            var settings = ServerProcess.Settings()
            settings.accounts = ["anna@example.test", "bert@example.test"]
            let server = try ServerProcess(settings)
            let message = Message(seed: 3)
            try self.swaks(server.smtpPort, message, options, in: server.scratch)

            for user in settings.accounts {
                let messages = try server.maildrop(of: user)
                try #require(messages.count == 1)
                #expect(messages[0].content.withoutTrace == message)
                #expect(messages[0].listedOctets == messages[0].content.octets.count)
            }
        }

        @Test("swaks delivers by LMTP")
        func deliversByLMTP() throws {
            var settings = ServerProcess.Settings()
            settings.accounts = ["anna@example.test", "bert@example.test"]
            let server = try ServerProcess(settings)
            let message = Message(seed: 4)
            let outcome = try self.swaks(
                server.lmtpPort,
                message,
                ["--protocol", "LMTP"],
                in: server.scratch
            )
            #expect(outcome.text.contains("LHLO"))
            #expect(try server.maildrop().map(\.content.withoutTrace) == [message])
            #expect(try server.maildrop(of: "bert@example.test").count == 1)
        }

        @Test("swaks hears that a recipient is unknown, and another foreign")
        func refusedRecipients() throws {
            let server = try ServerProcess()
            let outcome = try Command.run(
                "swaks",
                [
                    "--server", "127.0.0.1", "--port", "\(server.smtpPort)", "--from",
                    "a@example.org",
                    "--to", "nobody@example.test,somebody@example.net", "--suppress-data",
                ]
            )
            #expect(outcome.exitCode == 24, "\(outcome)")
            #expect(outcome.text.contains("550 5.1.1"))
            #expect(outcome.text.contains("550 5.7.1"))
        }

        @discardableResult
        private func swaks(
            _ port: Int,
            _ message: Message,
            _ options: [String],
            in scratch: ScratchDirectory
        ) throws -> CommandOutcome {
            // swaks makes CRLF of the file's LF, and ends the message with one line end of its own.
            let text = try scratch.file("message", holding: message.withBareNewlines.dropLast())
            return try Command.succeed(
                "swaks",
                [
                    "--server", "127.0.0.1", "--port", "\(port)", "--from", "a@example.org",
                    "--to", "anna@example.test,bert@example.test", "--data", "@\(text.path)",
                ] + options
            )
        }
    }
}
