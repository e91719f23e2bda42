// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// fetchmail leaves mail on the server and remembers unique-ids.
    @Suite struct FetchmailTests {
        @Test("fetchmail fetches each message once over several runs and a restart")
        func keepsState() throws {
            let server = try ServerProcess()
            let fetchmail = try Fetchmail(of: server)
            let messages = (10..<14).map { Message(seed: $0) }
            let smtp = try server.smtp()
            for message in messages[..<2] { try smtp.submit(message, to: "anna@example.test") }

            #expect(try fetchmail.run() == Self.fetched)
            #expect(try fetchmail.delivered() == Set(messages[..<2].map(\.withBareNewlines)))
            #expect(try fetchmail.run() == Self.nothingNew)

            try smtp.submit(messages[2], to: "anna@example.test")
            #expect(try fetchmail.run() == Self.fetched)
            #expect(try fetchmail.delivered() == Set(messages[..<3].map(\.withBareNewlines)))

            try #require(server.terminate() == 0)
            try server.start()
            #expect(try fetchmail.run() == Self.nothingNew)
            try server.smtp().submit(messages[3], to: "anna@example.test")
            #expect(try fetchmail.run() == Self.fetched)
            #expect(try fetchmail.delivered() == Set(messages.map(\.withBareNewlines)))
            #expect(try server.pop3().stat().count == 4)
        }

        @Test("fetchmail empties the maildrop when told so")
        func flushes() throws {
            let server = try ServerProcess()
            let fetchmail = try Fetchmail(of: server, keeping: false)
            let messages = (20..<25).map { Message(seed: $0) }
            let smtp = try server.smtp()
            for message in messages { try smtp.submit(message, to: "anna@example.test") }
            #expect(try fetchmail.run() == Self.fetched)
            #expect(try fetchmail.delivered() == Set(messages.map(\.withBareNewlines)))
            #expect(try server.pop3().stat().count == 0)
        }

        private static let fetched: Int32 = 0
        private static let nothingNew: Int32 = 1
    }
}

/// fetchmail with a home of its own.
private struct Fetchmail {
    private let home: ScratchDirectory
    private let mail: URL

    init(of server: ServerProcess, keeping: Bool = true) throws {
        self.home = try ScratchDirectory()
        self.mail = self.home.url.appending(path: "mail")
        try FileManager.default.createDirectory(at: self.mail, withIntermediateDirectories: true)
        // Each message becomes a file, named so that the order stays. fetchmail's own Received
        // field is left out, and no header is rewritten.
        let deliver = "cat >$(date +\(self.mail.path)/%s.%N)"
        let settings = """
            set invisible
            poll 127.0.0.1 protocol pop3 service \(server.pop3Port) uidl timeout 20
                user "anna@example.test" password "\(ServerProcess.password)"
                \(keeping ? "keep" : "nokeep") no rewrite sslproto '' mda "\(deliver)"

            """
        let file = try self.home.file("fetchmailrc", holding: Data(settings.utf8))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
    }

    /// Polls once; answers the exit code.
    func run() throws -> Int32 {
        let outcome = try Command.run(
            "fetchmail",
            [
                "--fetchmailrc", self.home.path + "/fetchmailrc", "--idfile",
                self.home.path + "/ids",
                "--pidfile", self.home.path + "/pid", "--nosyslog",
            ],
            environment: ["HOME": self.home.path]
        )
        if outcome.exitCode > 1 { Issue.record("\(outcome)") }
        return outcome.exitCode
    }

    /// What was delivered, without the fields that delivery by Martlet added.
    ///
    /// Each message went into a file of its own, in no order that the names would tell.
    func delivered() throws -> Set<Data> {
        let names = try FileManager.default.contentsOfDirectory(atPath: self.mail.path)
        let messages = try names.map { name in
            let text = String(
                decoding: try Data(contentsOf: self.mail.appending(path: name)),
                as: UTF8.self
            )
            return try #require(Message(text).withoutTrace, "\(text.prefix(300))").withBareNewlines
        }
        #expect(Set(messages).count == names.count)
        return Set(messages)
    }
}
