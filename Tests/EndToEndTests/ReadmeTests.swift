// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// What README.md shows.
    @Suite struct ReadmeTests {
        @Test("The session in README.md is what a client sees, but for the message id")
        func session() throws {
            let identity = try TLSIdentity(client: "demo@example.test")
            let port = Port.next()
            var settings = ServerProcess.Settings()
            settings.accounts = ["demo@example.test"]
            settings.tables = """
                [[listener]]
                service = "smtp"
                address = "127.0.0.1:\(port)"
                tls = "starttls"

                [tls]
                certificate = "\(identity.certificate)"
                private-key = "\(identity.key)"
                """
            let server = try ServerProcess(settings)
            let connection = try Connection(port: port)
            let lines = try Self.session().map { (who: $0.prefix(2), text: $0.dropFirst(3)) }
            try #require(lines.count > 20)
            for (who, text) in lines {
                if who == "C:" {
                    try connection.send(text + "\r\n")
                } else {
                    let line = try #require(try connection.line())
                    #expect(Self.withoutID(line) == Self.withoutID(String(text)))
                }
            }
            #expect(connection.isClosedByPeer())
            #expect(try server.pop3("demo@example.test").stat().count == 1)
        }

        private static func session() throws -> [Substring] {
            let readme = Client.repository.appending(path: "README.md")
            return try String(contentsOf: readme, encoding: .utf8).split(separator: "\n")
                .filter { $0.hasPrefix("C:") || $0.hasPrefix("S:") }
        }

        private static func withoutID(_ line: String) -> String {
            line.replacing(#/[0-9A-Za-z]{13}/#, with: "ID")
        }
    }
}
