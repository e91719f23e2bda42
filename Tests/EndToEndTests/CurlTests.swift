// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// curl sends and fetches.
    @Suite struct CurlTests {
        @Test("curl sends a message and fetches it unchanged")
        func sendsAndFetches() throws {
            let server = try ServerProcess()
            let message = Message(seed: 1, octets: 20_000)
            let file = try server.scratch.file("message", holding: message.data)

            try self.send(file, to: server)
            try self.send(file, to: server)
            let first = try self.fetch("1", from: server)

            #expect(Message(octets: Array(first)).withoutTrace == message)
            #expect(try self.fetch("2", from: server).count == first.count)
        }

        @Test("curl lists, asks for unique-ids and deletes")
        func listsAndDeletes() throws {
            let server = try ServerProcess()
            let file = try server.scratch.file("message", holding: Message(seed: 2).data)
            try self.send(file, to: server)
            let octets = try self.fetch("1", from: server).count

            let scanListing = try self.fetch("", from: server)
            let uniqueIDs = try self.fetch("", "-X", "UIDL", from: server)
            #expect(String(decoding: scanListing, as: UTF8.self) == "1 \(octets)\r\n")
            #expect(String(decoding: uniqueIDs, as: UTF8.self).hasPrefix("1 "))

            _ = try self.fetch("1", "-X", "DELE", "--head", from: server)
            #expect(try server.pop3().stat().count == 0)
        }

        @Test("curl asks whether a mailbox exists and hears 252")
        func verifies() throws {
            let server = try ServerProcess()
            let outcome = try Command.succeed(
                "curl",
                ["-sS", "smtp://127.0.0.1:\(server.smtpPort)", "--mail-rcpt", "anna@example.test"]
            )
            #expect(outcome.text.hasPrefix("252 "))
        }

        @Test("curl hears that the password is wrong")
        func refusedLogin() throws {
            let server = try ServerProcess()
            let outcome = try Command.run(
                "curl",
                ["-sS", "-u", "anna@example.test:wrong", "pop3://127.0.0.1:\(server.pop3Port)/1"]
            )
            #expect(outcome.exitCode == 67, "\(outcome)")
        }

        private func send(_ file: ScratchFile, to server: ServerProcess) throws {
            try Command.succeed(
                "curl",
                [
                    "-sS", "smtp://127.0.0.1:\(server.smtpPort)", "--mail-from",
                    "writer@example.org",
                    "--mail-rcpt", "anna@example.test", "--upload-file", file.path,
                ]
            )
        }

        private func fetch(
            _ path: String,
            _ options: String...,
            from server: ServerProcess
        ) throws -> Data {
            try Command.succeed(
                "curl",
                options + [
                    "-sS", "-u", "anna@example.test:\(ServerProcess.password)",
                    "pop3://127.0.0.1:\(server.pop3Port)/\(path)",
                ]
            ).output
        }
    }
}
