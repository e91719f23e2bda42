// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

private let isRoot = geteuid() == 0

extension EndToEnd {
    /// What the process gives up, and what it goes on with.
    @Suite struct PrivilegeTests {
        /// A value of /proc/PID/status, for every thread.
        private func status(_ name: String, of server: ServerProcess) throws -> Set<String> {
            let folder = "/proc/\(server.processIdentifier)/task"
            let threads = try FileManager.default.contentsOfDirectory(atPath: folder)
            try #require(threads.count > 3)
            return Set(
                try threads.map { thread in
                    let text = try String(
                        contentsOfFile: "\(folder)/\(thread)/status",
                        encoding: .utf8
                    )
                    let line = text.split(separator: "\n").first { $0.hasPrefix("\(name):") }
                    let fields = line?.split(whereSeparator: \.isWhitespace).dropFirst() ?? []
                    return fields.joined(separator: " ")
                }
            )
        }

        @Test("Started by root, it is another user and owns its data", .enabled(if: isRoot))
        func becomesAnotherUser() throws {
            var settings = ServerProcess.Settings()
            settings.top = "user = \"nobody\""
            let server = try ServerProcess(settings)
            #expect(try self.status("Uid", of: server) == ["65534 65534 65534 65534"])
            #expect(try self.status("CapEff", of: server) == ["0000000000000000"])
            #expect(try self.status("CapPrm", of: server) == ["0000000000000000"])
            #expect(try !self.status("Groups", of: server).contains("0"))
            #expect(server.tells("no longer root"))
            // Offline and online, what root does as an administrator leaves the user's files.
            #expect(try server.martlet("user", "list").exitCode == 0)
            #expect(server.terminate() == 0)
            let added = try server.martlet(
                "user",
                "add",
                "bert@example.test",
                "--password-stdin",
                input: ServerProcess.password
            )
            #expect(added.exitCode == 0, "\(added)")
            for name in try FileManager.default.contentsOfDirectory(atPath: server.dataDirectory) {
                let path = "\(server.dataDirectory)/\(name)"
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                #expect(attributes[.ownerAccountID] as? Int == 65534, "\(path)")
            }
            try server.start()
            #expect(try server.maildrop(of: "bert@example.test").isEmpty)
        }

        @Test("Low ports are opened before root is given up", .enabled(if: isRoot))
        func lowPorts() throws {
            var settings = ServerProcess.Settings()
            settings.top = "user = \"nobody\""
            settings.tables = """
                [[listener]]
                service = "smtp"
                address = "127.0.0.77:25"
                """
            let server = try ServerProcess(settings)
            #expect(server.tells("127.0.0.77:25"))
        }

        @Test("A user that does not exist is told of", .enabled(if: isRoot))
        func unknownUser() throws {
            var settings = ServerProcess.Settings()
            settings.accounts = []
            let server = try ServerProcess(settings)
            let text = try String(contentsOfFile: server.configurationPath, encoding: .utf8)
            try "user = \"no-such-user\"\n\(text)"
                .write(toFile: server.configurationPath, atomically: true, encoding: .utf8)
            for command in ["check", "serve"] {
                let outcome = try server.martlet(command)
                #expect(outcome.exitCode == 78, "\(outcome)")
                #expect(outcome.errorText.contains("there is no user no-such-user"), "\(outcome)")
            }
        }

        @Test("Neither cores nor new privileges, for any thread")
        func givesUpForGood() throws {
            let server = try ServerProcess()
            #expect(try self.status("NoNewPrivs", of: server) == ["1"])
            let limits = try String(
                contentsOfFile: "/proc/\(server.processIdentifier)/limits",
                encoding: .utf8
            )
            let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
            let fields = core?.split(whereSeparator: \.isWhitespace) ?? []
            #expect(Array(fields.suffix(3)) == ["0", "0", "bytes"])
            // What of it the kernel offers is said.
            #expect(server.tells("confined"))
        }

        @Test("Without confinement it says so")
        func unconfined() throws {
            var settings = ServerProcess.Settings()
            settings.top = "confine = \"off\""
            let server = try ServerProcess(settings)
            #expect(server.tells("not confined: confine = "))
        }

        @Test("Sockets that were passed are used, and only once")
        func passedSockets() throws {
            var settings = ServerProcess.Settings()
            // The ports are taken by whoever passes them: nobody else could open them.
            settings.launcher = "exec '\(Client.path("pass-sockets"))' \"$@\""
            let server = try ServerProcess(settings)
            let connection = try server.smtp()
            try connection.exchange("NOOP", 250)
            #expect(try server.pop3().stat().count == 0)
            #expect(server.terminate() == 0)
            #expect(!server.log.contains("a socket was passed"))
        }
    }
}
