// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// `martlet check`, and the files in conf/.
    @Suite struct ConfigurationFileTests {
        @Test(
            "Every error of a file is told with its line and key, in one run",
            arguments: ["check", "serve"]
        )
        func tellsEveryError(command: String) throws {
            let outcome = try self.run(
                command,
                """
                hostname = "mail.example.test"
                data-directory = "data"
                local-domains = "example.test"

                [[listener]]
                service = "smtp"
                address = "127.0.0.1:99999"

                [limits]
                idle-secnds = 300
                connections = -1
                """
            )
            #expect(outcome.exitCode == 78, "\(outcome)")
            for (line, key) in [
                (3, "local-domains"), (7, "address"), (10, "limits.idle-secnds"),
                (11, "limits.connections"),
            ] {
                let isTold = outcome.errorText.split(separator: "\n").contains {
                    $0.contains("martlet.toml:\(line): ") && $0.contains(key)
                }
                #expect(isTold, "line \(line), \(key): \(outcome)")
            }
            #expect(outcome.errorText.contains("idle-seconds"), "the nearest known key")
        }

        @Test("A syntax error is told with its line")
        func syntaxError() throws {
            let outcome = try self.run(
                "check",
                "hostname = \"mail.example.test\"\nlocal-domains = [\n"
            )
            #expect(outcome.exitCode == 78)
            #expect(outcome.errorText.contains("martlet.toml:"), "\(outcome)")
        }

        @Test("A file that does not exist is told of")
        func noFile() throws {
            let outcome = try Command.run(
                ServerProcess.binary,
                ["check", "--config", "/nonexistent.toml"]
            )
            #expect(outcome.exitCode == 78)
            #expect(outcome.errorText.contains("/nonexistent.toml"), "\(outcome)")
        }

        @Test("Passwords without TLS are refused on an address that is not loopback")
        func plaintextAnywhere() throws {
            let outcome = try self.run(
                "check",
                """
                hostname = "mail.example.test"
                data-directory = "data"
                local-domains = ["example.test"]

                [[listener]]
                service = "pop3"
                address = "0.0.0.0:2110"
                plaintext-auth = true
                """
            )
            #expect(outcome.exitCode == 78, "\(outcome)")
            #expect(outcome.errorText.contains("allow-plaintext-auth-anywhere"), "\(outcome)")
        }

        @Test("The files in conf/ are in order")
        func shippedFiles() throws {
            let scratch = try ScratchDirectory()
            let folder = scratch.url.appending(path: "conf")
            try FileManager.default.copyItem(
                at: Client.repository.appending(path: "conf"),
                to: folder
            )
            // Where `make run` puts the demo's certificate.
            let tls = scratch.url.appending(path: "var/tls")
            try FileManager.default.createDirectory(at: tls, withIntermediateDirectories: true)
            let identity = try TLSIdentity(client: "anna@example.test")
            for file in [identity.certificate, identity.key] {
                let source = URL(filePath: file)
                try FileManager.default.copyItem(
                    at: source,
                    to: tls.appending(path: source.lastPathComponent)
                )
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
                .filter { $0.hasSuffix(".toml") }
            #expect(files.contains("martlet.toml"))
            for file in files {
                let path = folder.appending(path: file).path
                let outcome = try Command.run(ServerProcess.binary, ["check", "--config", path])
                // The certificate of the demo is made when it is run for the first time.
                let isMissing = outcome.errorText.contains("var/tls/server.pem: No such file")
                #expect(outcome.exitCode == 0 || isMissing, "\(outcome)")
            }
        }

        @Test("An address that is taken stops the server, unless the listener is optional")
        func addressInUse() throws {
            let holder = try ServerProcess()
            let taken = """
                [[listener]]
                service = "smtp"
                address = "127.0.0.1:\(holder.smtpPort)"

                """
            var settings = ServerProcess.Settings()
            settings.tables = taken + "optional = true\n"
            let server = try ServerProcess(settings)
            try server.smtp().exchange("NOOP", 250)
            #expect(server.terminate() == 0)
            #expect(server.log.contains("optional listener left out"))
            #expect(server.log.contains("127.0.0.1:\(holder.smtpPort)"))

            settings.tables = taken
            #expect(throws: ConnectionFailure.self) { try ServerProcess(settings) }
        }

        private func run(_ command: String, _ text: String) throws -> CommandOutcome {
            let scratch = try ScratchDirectory()
            let file = try scratch.file("martlet.toml", holding: Data(text.utf8))
            return try Command.run(
                ServerProcess.binary,
                [command, "--config", file.path],
                seconds: 10
            )
        }
    }
}
