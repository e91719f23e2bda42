// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// curl submits and fetches with passwords, tokens and certificates.
    @Suite struct SecureCurlTests {
        @Test(
            "curl logs in by passwords and tokens, of either algorithm",
            arguments: TLSWay.allCases,
            TokenIssuer.Algorithm.allCases
        )
        func logsIn(way: TLSWay, algorithm: TokenIssuer.Algorithm) throws {
            let server = try SecureServer(algorithm)
            let token = try server.issuer.token(for: SecureServer.user)
            let logins = [
                ["-u", "\(SecureServer.user):\(SecureServer.password)"],
                self.login(by: "PLAIN"), self.login(by: "LOGIN"), self.login(by: "CRAM-MD5"),
                self.login(by: "OAUTHBEARER", token), self.login(by: "XOAUTH2", token),
            ]
            for (number, login) in logins.enumerated() {
                let message = SecureServer.message(number)
                let file = try server.server.scratch.file("message", holding: message.data)
                let sent = try self.curl(
                    server,
                    way,
                    way == .implicit ? "smtps" : "smtp",
                    way.submission(of: server),
                    "",
                    login + [
                        "--mail-from", SecureServer.user, "--mail-rcpt", SecureServer.user,
                        "--upload-file", file.path,
                    ]
                )
                #expect(sent.exitCode == 0, "\(sent)")
                let fetched = try self.curl(
                    server,
                    way,
                    way == .implicit ? "pop3s" : "pop3",
                    way.pop3(of: server),
                    "\(number + 1)",
                    login
                )
                #expect(fetched.exitCode == 0, "\(fetched)")
                let content = Message(octets: Array(fetched.output)).withoutTrace
                #expect(content == message, "\(login)")
            }
        }

        @Test("a token for another user, or of another issuer, lets nobody in")
        func refusesTokens() throws {
            let server = try SecureServer(limits: SecureServer.patientWithFailures)
            let tokens = [
                try server.issuer.token(for: "bert@example.test"),
                try TokenIssuer(.es256).token(for: SecureServer.user),
                String(try server.issuer.token(for: SecureServer.user).dropLast(4)) + "AAAA",
            ]
            for token in tokens {
                for mechanism in ["OAUTHBEARER", "XOAUTH2"] {
                    let outcome = try self.curl(
                        server,
                        .implicit,
                        "pop3s",
                        server.pop3sPort,
                        "",
                        self.login(by: mechanism, token)
                    )
                    // CURLE_LOGIN_DENIED
                    #expect(outcome.exitCode == 67, "\(outcome)")
                }
            }
        }

        private func login(by mechanism: String, _ token: String? = nil) -> [String] {
            let options = ["--login-options", "AUTH=\(mechanism)"]
            guard let token else {
                return options + ["-u", "\(SecureServer.user):\(SecureServer.password)"]
            }
            return options + ["-u", SecureServer.user + ":", "--oauth2-bearer", token]
        }

        private func curl(
            _ server: SecureServer,
            _ way: TLSWay,
            _ scheme: String,
            _ port: Int,
            _ path: String,
            _ options: [String]
        ) throws -> CommandOutcome {
            try Command.run(
                "curl",
                [
                    "-sS", "-4", "--ssl-reqd", "--cacert", server.identity.certificate,
                    "\(scheme)://localhost:\(port)/\(path)",
                ] + options
            )
        }
    }
}
