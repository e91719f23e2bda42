// SPDX-License-Identifier: Apache-2.0

import Testing

extension EndToEnd {
    /// Python's smtplib and poplib, and what they can be made to do by hand.
    @Suite struct SecurePythonTests {
        @Test("smtplib and poplib log in under TLS, in both ways")
        func logsIn() throws {
            let server = try SecureServer()
            try self.python(server, "secure.py", server.submissionPort, server.submissionsPort)
            #expect(try server.server.pop3(SecureServer.user).stat().count == 2)
        }

        @Test("a client binds its login to the channel, by tls-server-end-point")
        func bindsTheChannel() throws {
            let server = try SecureServer()
            let outcome = try self.python(
                server,
                "scram_plus.py",
                server.submissionPort,
                server.submissionsPort
            )
            #expect(outcome.text == "bound\nbound\nbound\nbound\n", "\(outcome)")
        }

        @Test("nothing said in clear behind STARTTLS or STLS is heard under TLS")
        func injects() throws {
            let server = try SecureServer()
            try self.python(server, "inject.py", server.submissionPort, server.submissionsPort)
            #expect(server.server.isRunning)
        }

        @discardableResult
        private func python(
            _ server: SecureServer,
            _ script: String,
            _ submissionPort: Int,
            _ submissionsPort: Int
        ) throws -> CommandOutcome {
            try Command.succeed(
                "python3",
                [
                    Client.path(script), server.identity.certificate, SecureServer.user,
                    SecureServer.password, "\(submissionPort)", "\(submissionsPort)",
                    "\(server.pop3Port)", "\(server.pop3sPort)",
                ]
            )
        }
    }
}
