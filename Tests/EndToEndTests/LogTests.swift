// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// The log, as lines on standard output.
    @Suite struct LogTests {
        @Test("A log that nobody reads does not hold up the service")
        func fullPipe() throws {
            let pipe = Pipe()
            var settings = ServerProcess.Settings()
            settings.tables = "[log]\nlevel = \"debug\"\n"
            settings.standardOutput = pipe.fileHandleForWriting
            let server = try ServerProcess(settings)
            try pipe.fileHandleForWriting.close()
            // Each line holds the reverse-path: more than the pipe and the ring before it take.
            let domain = Array(repeating: String(repeating: "d", count: 46), count: 4)
            let writer = "writer@" + domain.joined(separator: ".")
            let message = Message("Subject: short\n\nshort\n")
            for _ in 0..<4 {
                let connection = try server.smtp()
                for _ in 0..<1000 {
                    try connection.submit(message, to: "anna@example.test", from: writer)
                }
            }
            #expect(try server.pop3().stat().count == 4000)

            // Whoever reads at last learns that lines are missing, and the server ends in peace.
            server.signal(SIGTERM)
            let log = try #require(try pipe.fileHandleForReading.readToEnd())
            #expect(String(decoding: log, as: UTF8.self).contains("lines were dropped"))
            #expect(server.terminate() == 0)
        }

        @Test("A server whose log is never read can still be ended")
        func endsWithFullPipe() throws {
            let pipe = Pipe()
            var settings = ServerProcess.Settings()
            settings.tables = "[log]\nlevel = \"debug\"\n"
            settings.standardOutput = pipe.fileHandleForWriting
            settings.limits = "exempt-networks = [\"127.0.0.0/8\"]"
            let server = try ServerProcess(settings)
            for _ in 0..<1000 { _ = try server.smtp() }
            #expect(server.terminate() == 0)
            _ = pipe
        }

        @Test("Lines are JSON with the session on each, and hold neither passwords nor content")
        func discreet() throws {
            var settings = ServerProcess.Settings()
            settings.tables = "[log]\nlevel = \"debug\"\nformat = \"json\"\n"
            let server = try ServerProcess(settings)
            try server.smtp().submit(
                Message("Subject: confidential\n\nconfidential\n"),
                to: "anna@example.test"
            )
            try server.pop3().ask("QUIT")
            let refused = try Connection(port: server.pop3Port)
            try refused.expectOK()
            try refused.ask("USER anna@example.test")
            _ = try refused.askInVain("PASS mistaken")
            try #require(server.terminate() == 0)

            let log = server.log
            for word in ["confidential", ServerProcess.password, "mistaken"] {
                #expect(!log.contains(word))
            }
            let lines = try log.split(separator: "\n").map { line in
                try JSONDecoder().decode(LogLine.self, from: Data(line.utf8))
            }
            #expect(lines.contains { $0.message == "message stored" && $0.session != nil })
            #expect(lines.contains { $0.message == "login failed" && $0.session != nil })
        }
    }
}

/// The part of a log line that the tests look at.
private struct LogLine: Decodable {
    let message: String
    let session: String?
}
