// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// msmtp submits and mpop fetches, by every mechanism that they know, in both ways to TLS.
    ///
    /// They use GnuTLS, GNU SASL and implementations of OAUTHBEARER and XOAUTH2 of their own.
    @Suite struct SecureMSMTPTests {
        private static let mechanisms = [
            "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256", "external", "oauthbearer",
            "xoauth2",
        ]

        @Test("msmtp logs in and submits", arguments: TLSWay.allCases)
        func submits(way: TLSWay) throws {
            let server = try SecureServer()
            for (number, mechanism) in Self.mechanisms.enumerated() {
                let outcome = try self.msmtp(server, way, mechanism, number)
                #expect(outcome.exitCode == 0, "\(outcome)")
            }
            let all = Self.mechanisms.indices.map(SecureServer.message)
            #expect(try server.delivered() == all)
        }

        @Test("mpop logs in and fetches", arguments: TLSWay.allCases)
        func fetches(way: TLSWay) throws {
            let server = try SecureServer()
            let mechanisms = Self.mechanisms + ["user", "apop"]
            for (number, mechanism) in mechanisms.enumerated() {
                let message = SecureServer.message(number)
                try server.deliver(message)
                let mail = try ScratchDirectory()
                let outcome = try self.mpop(server, way, mechanism, into: mail)
                #expect(outcome.exitCode == 0, "\(outcome)")
                #expect(try self.contents(of: mail) == [message], "\(mechanism)")
            }
            #expect(try server.delivered().isEmpty)
        }

        @Test("the password never has to be told without TLS")
        func needsNoTLS() throws {
            let server = try SecureServer()
            for mechanism in ["scram-sha-256", "scram-sha-1", "cram-md5"] {
                let sent = try self.msmtp(server, nil, mechanism, 1)
                #expect(sent.exitCode == 0, "\(sent)")
                let mail = try ScratchDirectory()
                let fetched = try self.mpop(server, nil, mechanism, into: mail)
                #expect(fetched.exitCode == 0, "\(fetched)")
                #expect(try self.contents(of: mail).count == 1)
            }
        }

        @Test("wrong passwords, foreign tokens and old ones are refused")
        func refuses() throws {
            let server = try SecureServer(limits: SecureServer.patientWithFailures)
            let old = try server.issuer.token(
                for: SecureServer.user,
                issuedAt: Date(timeIntervalSinceNow: -3600)
            )
            let foreign = try TokenIssuer(.es256).token(for: SecureServer.user)
            let secrets = [
                ("plain", "wrong"), ("login", "wrong"), ("cram-md5", "wrong"),
                ("scram-sha-1", "wrong"), ("scram-sha-256", "wrong"), ("oauthbearer", old),
                ("xoauth2", foreign), ("oauthbearer", "no.token.atall"),
            ]
            for (mechanism, secret) in secrets {
                let sent = try self.msmtp(server, .implicit, mechanism, 1, secret: secret)
                // EX_NOPERM
                #expect(sent.exitCode == 77, "\(sent)")
                let mail = try ScratchDirectory()
                let fetched = try self.mpop(
                    server,
                    .implicit,
                    mechanism,
                    into: mail,
                    secret: secret
                )
                #expect(fetched.exitCode == 77, "\(fetched)")
            }
            #expect(try server.delivered().isEmpty)
        }

        private func msmtp(
            _ server: SecureServer,
            _ way: TLSWay?,
            _ mechanism: String,
            _ number: Int,
            secret: String? = nil
        ) throws -> CommandOutcome {
            let port = way?.submission(of: server) ?? server.submissionPort
            return try Command.run(
                "msmtp",
                try self.options(server, way, port, mechanism, secret) + [
                    "--from=\(SecureServer.user)", "--set-date-header=off",
                    "--set-msgid-header=off", SecureServer.user,
                ],
                input: SecureServer.message(number).withBareNewlines
            )
        }

        private func mpop(
            _ server: SecureServer,
            _ way: TLSWay?,
            _ mechanism: String,
            into mail: ScratchDirectory,
            secret: String? = nil
        ) throws -> CommandOutcome {
            for folder in ["cur", "new", "tmp"] {
                try FileManager.default.createDirectory(
                    at: mail.url.appending(path: folder),
                    withIntermediateDirectories: true
                )
            }
            let port = way?.pop3(of: server) ?? server.pop3Port
            return try Command.run(
                "mpop",
                try self.options(server, way, port, mechanism, secret) + [
                    "--keep=off", "--received-header=off", "--uidls-file=\(mail.path)/uidls",
                    "--delivery=maildir,\(mail.path)", "--quiet",
                ]
            )
        }

        /// What both programs are told alike.
        private func options(
            _ server: SecureServer,
            _ way: TLSWay?,
            _ port: Int,
            _ mechanism: String,
            _ secret: String?
        ) throws -> [String] {
            var options = [
                "--file=/dev/null", "--host=localhost", "--port=\(port)", "--auth=\(mechanism)",
                "--user=\(SecureServer.user)",
            ]
            if way == nil {
                options.append("--tls=off")
            } else {
                options += [
                    "--tls=on", "--tls-starttls=\(way == .upgraded ? "on" : "off")",
                    "--tls-trust-file=\(server.identity.certificate)",
                ]
            }
            switch mechanism {
            case "external":
                options += [
                    "--tls-cert-file=\(server.identity.clientCertificate)",
                    "--tls-key-file=\(server.identity.clientKey)",
                ]
            case "oauthbearer", "xoauth2":
                let token = try secret ?? server.issuer.token(for: SecureServer.user)
                options.append("--passwordeval=echo \(token)")
            default:
                options.append("--passwordeval=echo \(secret ?? SecureServer.password)")
            }
            return options
        }

        private func contents(of mail: ScratchDirectory) throws -> [Message] {
            try FileManager.default.contentsOfDirectory(atPath: mail.path + "/new").map { name in
                let text = String(
                    decoding: try Data(contentsOf: mail.url.appending(path: "new/\(name)")),
                    as: UTF8.self
                )
                return try #require(Message(text).withoutTrace, "\(text)")
            }
        }
    }
}
