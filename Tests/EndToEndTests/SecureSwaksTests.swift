// SPDX-License-Identifier: Apache-2.0

import Testing

extension EndToEnd {
    /// swaks submits mail: its mechanisms, both ways to TLS.
    @Suite struct SecureSwaksTests {
        @Test("swaks logs in and submits under TLS", arguments: TLSWay.allCases)
        func submits(way: TLSWay) throws {
            let server = try SecureServer()
            let mechanisms = ["PLAIN", "LOGIN", "CRAM-MD5"]
            for (number, mechanism) in mechanisms.enumerated() {
                let outcome = try self.swaks(server, way, number, mechanism)
                #expect(outcome.exitCode == 0, "\(outcome)")
                #expect(outcome.text.contains("235 2.7.0"), "\(outcome)")
                #expect(try server.newestTrace().contains("with ESMTPSA "))
            }
            #expect(try server.delivered() == mechanisms.indices.map(SecureServer.message))
        }

        @Test("CRAM-MD5 needs no TLS, PLAIN and LOGIN do")
        func logsInWithoutTLS() throws {
            let server = try SecureServer()
            let outcome = try self.swaks(server, nil, 1, "CRAM-MD5")
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(try server.newestTrace().contains("with ESMTPA "))
            for mechanism in ["PLAIN", "LOGIN"] {
                // swaks finds no mechanism that it was told to use.
                let refused = try self.swaks(server, nil, 2, mechanism)
                #expect(refused.exitCode == 28, "\(refused)")
            }
        }

        @Test("a wrong password is refused, and nothing is submitted without a login")
        func refuses() throws {
            let server = try SecureServer()
            for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5"] {
                let outcome = try self.swaks(server, .implicit, 1, mechanism, password: "wrong")
                #expect(outcome.exitCode == 28, "\(outcome)")
                #expect(outcome.text.contains("535 5.7.8"), "\(outcome)")
            }
            let outcome = try self.swaks(server, .implicit, 1, nil)
            #expect(outcome.exitCode == 23, "\(outcome)")
            #expect(outcome.text.contains("530 5.7.0"), "\(outcome)")
            #expect(try server.delivered().isEmpty)
        }

        private func swaks(
            _ server: SecureServer,
            _ way: TLSWay?,
            _ number: Int,
            _ mechanism: String?,
            password: String = SecureServer.password
        ) throws -> CommandOutcome {
            // swaks makes CRLF of the file's LF, and ends the message with one of its own.
            let message = SecureServer.message(number).withBareNewlines.dropLast()
            let file = try server.server.scratch.file("message", holding: message)
            let port = way?.submission(of: server) ?? server.submissionPort
            var options = [
                "--server", "localhost", "--port", "\(port)", "--from", SecureServer.user,
                "--to", SecureServer.user, "--data", "@\(file.path)", "-4",
            ]
            switch way {
            case .upgraded: options.append("--tls")
            case .implicit: options.append("--tls-on-connect")
            case nil: break
            }
            if way != nil {
                options += ["--tls-verify", "--tls-ca-path", server.identity.certificate]
            }
            if let mechanism {
                options += [
                    "--auth", mechanism, "--auth-user", SecureServer.user, "--auth-password",
                    password,
                ]
            }
            return try Command.run("swaks", options)
        }
    }
}
