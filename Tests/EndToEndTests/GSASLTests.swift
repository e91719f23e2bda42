// SPDX-License-Identifier: Apache-2.0

import Testing

extension EndToEnd {
    /// gsasl, the program of GNU SASL, knows SCRAM with channel bindings.
    @Suite struct GSASLTests {
        @Test("gsasl binds its login to the channel, by tls-exporter")
        func bindsTheChannel() throws {
            let server = try SecureServer()
            let outcome = try self.gsasl(server, "SCRAM-SHA-256-PLUS")
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(outcome.text.contains("235 2.7.0"), "\(outcome)")
            // The first message says by which data: "p=tls-exporter".
            #expect(outcome.text.contains("cD10bHMtZXhwb3J0ZXI"), "\(outcome)")
        }

        @Test("gsasl logs in by the other mechanisms under TLS")
        func logsIn() throws {
            let server = try SecureServer()
            for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"] {
                // GNU SASL says "y" to SCRAM without -PLUS when it could bind the channel; then
                // it was not to choose it.
                let options = mechanism.hasPrefix("SCRAM") ? ["--no-cb"] : []
                let outcome = try self.gsasl(server, mechanism, options)
                #expect(outcome.exitCode == 0, "\(outcome)")
                #expect(outcome.text.contains("235 2.7.0"), "\(outcome)")
            }
        }

        @Test("a wrong password is refused with and without a binding")
        func refuses() throws {
            let server = try SecureServer()
            for mechanism in ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "PLAIN"] {
                let options = mechanism == "SCRAM-SHA-1" ? ["--no-cb"] : []
                let outcome = try self.gsasl(server, mechanism, options, password: "wrong")
                #expect(outcome.exitCode != 0, "\(outcome)")
                #expect(outcome.text.contains("535 5.7.8"), "\(outcome)")
            }
        }

        private func gsasl(
            _ server: SecureServer,
            _ mechanism: String,
            _ options: [String] = [],
            password: String = SecureServer.password
        ) throws -> CommandOutcome {
            try Command.run(
                "gsasl",
                [
                    "--smtp", "--connect=localhost:\(server.submissionPort)",
                    "--x509-ca-file=\(server.identity.certificate)", "--mechanism=\(mechanism)",
                    "--authentication-id=\(SecureServer.user)", "--password=\(password)",
                    "--verbose",
                ] + options
            )
        }
    }
}
