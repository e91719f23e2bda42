// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// Certificates are read at the start and again when they change.
    @Suite struct CertificateTests {
        private let certificates: ScratchDirectory
        private let port = Port.next()
        private var settings = ServerProcess.Settings()

        init() throws {
            self.certificates = try ScratchDirectory()
            try Self.make("first", in: self.certificates.path)
            try self.use("first")
            self.settings.tables = """
                [[listener]]
                service = "pop3"
                address = "127.0.0.1:\(self.port)"
                tls = "implicit"

                [tls]
                certificate = "\(self.certificates.path)/server.pem"
                private-key = "\(self.certificates.path)/server.key"
                """
        }

        private static func make(_ name: String, in folder: String) throws {
            try Command.succeed(
                "openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "30", "-subj", "/CN=\(name).example.test",
                    "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem",
                ]
            )
        }

        private func use(_ name: String) throws {
            for ending in ["pem", "key"] {
                let from = "\(self.certificates.path)/\(name).\(ending)"
                let content = try Data(contentsOf: URL(filePath: from))
                let to = URL(filePath: "\(self.certificates.path)/server.\(ending)")
                try content.write(to: to, options: .atomic)
            }
        }

        /// Whose certificate a client gets.
        private func subject() throws -> String {
            let outcome = try Command.run(
                "openssl",
                ["s_client", "-connect", "127.0.0.1:\(self.port)"],
                seconds: 10
            )
            let line = outcome.text.split(separator: "\n").first { $0.contains("subject=") }
            return String(line?.split(separator: " ").last ?? "none")
        }

        private func waits(until condition: () throws -> Bool) rethrows -> Bool {
            let deadline = Date(timeIntervalSinceNow: 20)
            while Date() < deadline {
                if try condition() { return true }
                Thread.sleep(forTimeInterval: 0.1)
            }
            return false
        }

        @Test("Renewed files are taken by themselves, and sessions go on")
        func changed() throws {
            let server = try ServerProcess(self.settings)
            #expect(try self.subject() == "first.example.test")
            let session = try server.pop3()
            try Self.make("second", in: self.certificates.path)
            try self.use("second")
            #expect(try self.waits { try self.subject() == "second.example.test" })
            #expect(try session.stat().count == 0)
        }

        @Test("SIGHUP reads them at once; what cannot be used is said, and the old ones stay")
        func refused() throws {
            let server = try ServerProcess(self.settings)
            try Self.make("second", in: self.certificates.path)
            try self.use("second")
            server.signal(SIGHUP)
            #expect(server.tells("certificates read"))
            #expect(try self.subject() == "second.example.test")
            try Data("broken".utf8)
                .write(to: URL(filePath: "\(self.certificates.path)/server.pem"))
            server.signal(SIGHUP)
            #expect(server.tells("the certificates in use stay"))
            #expect(try self.subject() == "second.example.test")
        }

        @Test("A server that is confined reads certificates nowhere else")
        func confined() throws {
            let server = try ServerProcess(self.settings)
            #expect(server.tells("ready"))
            // Where the kernel has no Landlock the log has said so, and there is nothing to see.
            guard server.log.contains("\"landlock\":") || server.log.contains(" landlock=") else {
                #expect(server.log.contains("this kernel has no Landlock"))
                return
            }
            let elsewhere = try ScratchDirectory()
            try Self.make("second", in: elsewhere.path)
            for ending in ["pem", "key"] {
                let path = "\(self.certificates.path)/server.\(ending)"
                try FileManager.default.removeItem(atPath: path)
                try FileManager.default.createSymbolicLink(
                    atPath: path,
                    withDestinationPath: "\(elsewhere.path)/second.\(ending)"
                )
            }
            server.signal(SIGHUP)
            #expect(server.tells("the certificates in use stay"))
            #expect(server.log.contains("Permission denied"))
            #expect(try self.subject() == "first.example.test")
        }

        @Test("A key that does not fit stops check and start", arguments: ["check", "serve"])
        func mismatch(command: String) throws {
            var settings = self.settings
            settings.accounts = []
            let server = try ServerProcess(settings)
            try Self.make("second", in: self.certificates.path)
            let key = "\(self.certificates.path)/server.key"
            try FileManager.default.removeItem(atPath: key)
            try FileManager.default.copyItem(
                atPath: "\(self.certificates.path)/second.key",
                toPath: key
            )
            let outcome = try server.martlet(command)
            #expect(outcome.exitCode == 78, "\(outcome)")
            #expect(outcome.errorText.contains("server.key is not the key of"), "\(outcome)")
        }
    }
}
