// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// `martlet user` and `martlet alias`, beside a running server and without one.
    @Suite struct AdministrationTests {
        @Test("Accounts are added, listed, changed and removed", arguments: [true, false])
        func accounts(whileServing isServing: Bool) throws {
            let server = try ServerProcess()
            func changing(_ body: () throws -> CommandOutcome) throws -> CommandOutcome {
                if !isServing { try #require(server.terminate() == 0) }
                let outcome = try body()
                if !isServing { try server.start() }
                return outcome
            }

            let added = try changing {
                try server.martlet(
                    "user",
                    "add",
                    "bert@example.test",
                    "--password-stdin",
                    input: "one\n"
                )
            }
            #expect(added.exitCode == 0, "\(added)")
            try server.smtp().submit(Message(seed: 70), to: "bert@example.test")
            try server.pop3("bert@example.test", "one").ask("QUIT")

            let listed = try server.martlet("user", "list", "--json")
            let rows = try listed.text.split(separator: "\n").map { line in
                try JSONDecoder().decode(AccountRow.self, from: Data(line.utf8))
            }
            #expect(rows.contains { $0.address == "bert@example.test" && $0.messages == 1 })

            let changed = try changing {
                try server.martlet(
                    "user",
                    "passwd",
                    "bert@example.test",
                    "--password-stdin",
                    input: "two\n"
                )
            }
            #expect(changed.exitCode == 0, "\(changed)")
            try self.expectRefusedLogin(server, "bert@example.test", "one")
            try server.pop3("bert@example.test", "two").ask("QUIT")

            let removed = try changing { try server.martlet("user", "remove", "bert@example.test") }
            #expect(removed.exitCode == 0, "\(removed)")
            try self.expectRefusedLogin(server, "bert@example.test", "two")
            let smtp = try server.smtp()
            try smtp.exchange("MAIL FROM:<>", 250)
            try smtp.exchange("RCPT TO:<bert@example.test>", 550)
        }

        @Test("An account made again has none of the old mail, and other unique-ids")
        func accountMadeAgain() throws {
            let server = try ServerProcess()
            try server.smtp().submit(Message(seed: 71), to: "anna@example.test")
            let before = try server.maildrop().map(\.uniqueID)
            #expect(try server.martlet("user", "remove", "anna@example.test").exitCode == 0)
            let password = ServerProcess.password + "\n"
            let added = try server.martlet(
                "user",
                "add",
                "anna@example.test",
                "--password-stdin",
                input: password
            )
            #expect(added.exitCode == 0, "\(added)")
            #expect(try server.pop3().stat().count == 0)
            try server.smtp().submit(Message(seed: 71), to: "anna@example.test")
            #expect(Set(try server.maildrop().map(\.uniqueID)).isDisjoint(with: before))
        }

        @Test("After a restored backup the mail is there, with other unique-ids")
        func restoredBackup() throws {
            let server = try ServerProcess()
            try server.smtp().submit(Message(seed: 72), to: "anna@example.test")
            let before = try server.maildrop()
            // Not while the server has the store: its sessions have the old ids.
            #expect(try server.martlet("restored").exitCode == 75)
            try #require(server.terminate() == 0)
            let outcome = try server.martlet("restored")
            #expect(outcome.exitCode == 0, "\(outcome)")
            try server.start()
            let after = try server.maildrop()
            #expect(after.map(\.content) == before.map(\.content))
            #expect(Set(after.map(\.uniqueID)).isDisjoint(with: before.map(\.uniqueID)))
        }

        @Test("A file with passwords and crypt(3) hashes becomes accounts")
        func importsAccounts() throws {
            let server = try ServerProcess()
            let hash = try Command.succeed("openssl", ["passwd", "-6", "hashed secret"])
            let lines = [
                "hash@example.test\t\(hash.text)",
                "dovecot@example.test\t{SHA512-CRYPT}\(hash.text)",
            ]
            let plain = (0..<500).map { "user\($0)@example.test\tsecret \($0)\n" }
            let input = lines.joined() + plain.joined()
            let outcome = try server.martlet("user", "import", "-", input: input)
            #expect(outcome.exitCode == 0, "\(outcome)")

            for _ in 0..<2 {
                try server.pop3("hash@example.test", "hashed secret").ask("QUIT")
                try server.pop3("dovecot@example.test", "hashed secret").ask("QUIT")
            }
            try server.pop3("user499@example.test", "secret 499").ask("QUIT")
            try self.expectRefusedLogin(server, "hash@example.test", "another")

            let again = try server.martlet(
                "user",
                "import",
                "-",
                input: plain[0] + "x@example.test\ty\nscheme@example.test\t{SSHA256}c2FsdA==\n"
            )
            #expect(again.exitCode == 65, "\(again)")
            #expect(again.errorText.contains("-:1: user0@example.test"), "\(again)")
            #expect(again.errorText.contains("-:3: scheme@example.test"), "\(again)")
            try self.expectRefusedLogin(server, "scheme@example.test", "{SSHA256}c2FsdA==")
            try server.pop3("x@example.test", "y").ask("QUIT")
        }

        @Test("Aliases deliver to each target once, and may lead elsewhere; loops are refused")
        func aliases() throws {
            var settings = ServerProcess.Settings()
            settings.accounts = ["anna@example.test", "bert@example.test"]
            let server = try ServerProcess(settings)
            func alias(_ arguments: String...) throws -> CommandOutcome {
                try Command.run(
                    ServerProcess.binary,
                    ["alias"] + arguments + ["--config", server.configurationPath]
                )
            }
            #expect(
                try alias("add", "team@example.test", "anna@example.test", "bert@example.test")
                    .exitCode == 0
            )
            #expect(
                try alias("add", "all@example.test", "team@example.test", "anna@example.test")
                    .exitCode == 0
            )
            #expect(try alias("add", "far@example.test", "friend@example.net").exitCode == 0)
            #expect(try alias("add", "far@example.net", "anna@example.test").exitCode != 0)
            let loop = try alias("add", "loop@example.test", "loop@example.test")
            #expect(loop.exitCode != 0, "\(loop)")
            #expect(try alias("add", "one@example.test", "two@example.test").exitCode == 0)
            let longLoop = try alias("add", "two@example.test", "one@example.test")
            #expect(longLoop.exitCode != 0, "\(longLoop)")

            try server.smtp().submit(
                Message(seed: 72),
                to: "all@example.test",
                "anna+list@example.test"
            )
            #expect(try server.maildrop().count == 1)
            #expect(try server.maildrop(of: "bert@example.test").count == 1)

            #expect(try alias("list").text.contains("all@example.test\t"))
            #expect(try alias("remove", "all@example.test").exitCode == 0)
            let smtp = try server.smtp()
            try smtp.exchange("MAIL FROM:<>", 250)
            try smtp.exchange("RCPT TO:<all@example.test>", 550)
        }

        @Test("Requests that make no sense fail with the exit codes of sysexits(3)")
        func failures() throws {
            let server = try ServerProcess()
            let known = try server.martlet(
                "user",
                "add",
                "anna@example.test",
                "--password-stdin",
                input: "x\n"
            )
            #expect(known.exitCode == 65, "\(known)")
            #expect(try server.martlet("user", "remove", "nobody@example.test").exitCode == 67)
            #expect(try server.martlet("user", "remove", "no address").exitCode == 64)
            let foreign = try server.martlet(
                "user",
                "add",
                "a@example.net",
                "--password-stdin",
                input: "x\n"
            )
            #expect(foreign.exitCode == 65, "\(foreign)")
            let second = try server.martlet("serve")
            #expect(
                second.exitCode == 75 && second.errorText.contains("another process"),
                "\(second)"
            )
            #expect(server.isRunning)
        }

        @Test("Postmaster and a full maildrop are treated as promised")
        func postmasterAndQuota() throws {
            let server = try ServerProcess()
            let smtp = try server.smtp()
            try smtp.submit(Message(seed: 73), to: "postmaster")
            try smtp.submit(Message(seed: 73), to: "PostMaster@Example.TEST")
            let rows = try server.martlet("user", "list").text
            #expect(rows.contains("postmaster@example.test\t2 messages"), "\(rows)")

            #expect(try server.martlet("user", "quota", "anna@example.test", "5000").exitCode == 0)
            try smtp.submit(Message(seed: 74), to: "anna@example.test")
            try smtp.exchange("MAIL FROM:<> SIZE=4000", 250)
            try smtp.send("RCPT TO:<anna@example.test>\r\n")
            let reply = try smtp.reply()
            #expect([452, 552].contains(reply.code) && reply.lines[0].contains(".2.2"), "\(reply)")
        }

        private func expectRefusedLogin(
            _ server: ServerProcess,
            _ user: String,
            _ password: String,
            at location: SourceLocation = #_sourceLocation
        ) throws {
            let connection = try Connection(port: server.pop3Port)
            try connection.expectOK(at: location)
            try connection.ask("USER \(user)", at: location)
            let refusal = try connection.askInVain("PASS \(password)", at: location)
            #expect(refusal.hasPrefix("[AUTH]"), sourceLocation: location)
        }
    }
}

/// A line of `user list --json`.
private struct AccountRow: Decodable {
    let address: String
    let quota: Int?
    let apop: Bool
    let messages: Int
    let octets: Int
}
