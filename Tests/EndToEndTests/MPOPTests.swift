// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// msmtp sends; mpop fetches, pipelined, and holds LIST and STAT against what it gets.
    @Suite struct MPOPTests {
        @Test("msmtp sends, mpop fetches each message once, by password and by APOP")
        func sendsAndFetches() throws {
            var settings = ServerProcess.Settings()
            settings.accounts = []
            settings.tables = "[pop3]\noffer-apop = true\n"
            let server = try ServerProcess(settings)
            let made = try server.martlet(
                "user",
                "add",
                "anna@example.test",
                "--apop",
                "--password-stdin",
                input: "\(ServerProcess.password)\n"
            )
            #expect(made.exitCode == 0, "\(made)")
            let mail = try ScratchDirectory()

            let messages = (110..<140).map { Message(seed: $0) }
            for message in messages.prefix(20) { try self.msmtp(message, to: server) }
            try self.mpop(server, auth: "user", into: mail)
            for message in messages.dropFirst(20) { try self.msmtp(message, to: server) }
            try self.mpop(server, auth: "apop", into: mail)
            try self.mpop(server, auth: "apop", into: mail)

            let fetched = try FileManager.default.contentsOfDirectory(atPath: mail.path + "/new")
                .map { try Data(contentsOf: mail.url.appending(path: "new/\($0)")) }
                .map { Message(String(decoding: $0, as: UTF8.self)) }
            let contents = try fetched.map { try #require($0.withoutTrace?.withBareNewlines) }
            #expect(contents.count == messages.count)
            #expect(Set(contents) == Set(messages.map(\.withBareNewlines)))
        }

        private func msmtp(_ message: Message, to server: ServerProcess) throws {
            try Command.succeed(
                "msmtp",
                [
                    "--file=/dev/null", "--host=127.0.0.1", "--port=\(server.smtpPort)",
                    "--from=writer@example.org", "--set-date-header=off",
                    "--set-msgid-header=off", "anna@example.test",
                ],
                input: message.withBareNewlines
            )
        }

        private func mpop(_ server: ServerProcess, auth: String, into mail: ScratchDirectory) throws
        {
            for folder in ["cur", "new", "tmp"] {
                try FileManager.default.createDirectory(
                    at: mail.url.appending(path: folder),
                    withIntermediateDirectories: true
                )
            }
            try Command.succeed(
                "mpop",
                [
                    "--file=/dev/null", "--host=127.0.0.1", "--port=\(server.pop3Port)",
                    "--user=anna@example.test", "--auth=\(auth)", "--keep=on",
                    "--received-header=off",
                    "--passwordeval=echo \(ServerProcess.password)", "--pipelining=on",
                    "--uidls-file=\(mail.path)/uidls", "--delivery=maildir,\(mail.path)",
                    "--tls=off", "--quiet",
                ]
            )
        }
    }
}
