// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// Postfix's load generator.
    @Suite(.enabled(if: Client.smtpSource != nil, "run `make peers` to unpack Postfix"))
    struct SMTPSourceTests {
        @Test("smtp-source sends 2000 messages over 50 sessions, and all are there")
        func manySessions() throws {
            let server = try ServerProcess()
            try self.source(
                ["-s", "50", "-m", "2000", "-l", "10240", "-t", "anna@example.test"],
                port: server.smtpPort
            )
            let (count, octets) = try server.pop3().stat()
            #expect(count == 2000)
            #expect(octets > 2000 * 10_240)
        }

        @Test("smtp-source sends to several recipients with one connection for many messages")
        func severalRecipients() throws {
            var settings = ServerProcess.Settings()
            // How smtp-source numbers recipients: the first has no number.
            settings.accounts = ["", "2", "3", "4", "5"].map { "\($0)anna@example.test" }
            let server = try ServerProcess(settings)
            try self.source(
                ["-d", "-s", "10", "-m", "200", "-r", "5", "-t", "anna@example.test"],
                port: server.smtpPort
            )
            for account in settings.accounts {
                #expect(try server.pop3(account).stat().count == 200)
            }
        }

        @Test("smtp-source delivers by LMTP")
        func deliversByLMTP() throws {
            let server = try ServerProcess()
            try self.source(
                ["-L", "-s", "20", "-m", "500", "-l", "2000", "-t", "anna@example.test"],
                port: server.lmtpPort
            )
            #expect(try server.pop3().stat().count == 500)
        }

        private func source(_ options: [String], port: Int) throws {
            let program = try #require(Client.smtpSource)
            let outcome = try Command.succeed(
                program,
                options + ["-f", "writer@example.org", "127.0.0.1:\(port)"],
                environment: Client.peerEnvironment,
                seconds: 120
            )
            #expect(outcome.errorText == "", "a message was refused")
        }
    }
}
