// SPDX-License-Identifier: Apache-2.0
//
// `martlet send` among name servers and hosts of the test's making.

import Foundation
import Testing

extension EndToEnd {
    @Suite(.enabled(if: DeliveryWorld.isPossible, DeliveryWorld.whyNot))
    struct SendTests {
        private static let records = """
            a MX 10 mx2.hosts
            a MX 20 mx3.hosts
            b MX 10 mx4.hosts
            null MX 0 .
            dead MX 10 down.hosts
            """

        private static let text = "From: Anna <anna@example.test>\nSubject: hi\n\nhello\n.\n.dot\n"

        private func send(
            _ world: DeliveryWorld,
            _ arguments: [String],
            message: String = Self.text,
            program: String = ServerProcess.binary
        ) throws -> CommandOutcome {
            try Command.run(
                program,
                arguments + ["--config", world.server.configurationPath],
                input: Data(message.utf8)
            )
        }

        @Test("goes straight to the hosts of each domain, with a line for each step")
        func goesStraight() throws {
            let world = try DeliveryWorld(Self.records)
            let outcome = try self.send(
                world,
                ["send", "--to", "Joe.Doe@a.example", "--to", "b@b.example"]
            )
            #expect(outcome.exitCode == 0, "\(outcome)")
            let taken = world.hops.taken(2)
            #expect(taken.map(\.address) == ["127.0.0.2", "127.0.0.4"])
            #expect(taken.map(\.to) == [["Joe.Doe@a.example"], ["b@b.example"]])
            #expect(taken.map(\.from) == ["<anna@example.test>", "<anna@example.test>"])
            let content = try #require(taken.first?.content)
            #expect(content.hasSuffix("\r\nSubject: hi\r\n\r\nhello\r\n.\r\n.dot\r\n"))
            #expect(content.contains("\r\nDate: ") || content.hasPrefix("Date: "))
            #expect(content.contains("Message-ID: <"))
            #expect(
                outcome.text.contains("a.example: MX 10, mx2.hosts.example at 127.0.0.2"),
                "\(outcome)"
            )
            #expect(outcome.text.contains("connected to mx4.hosts.example [127.0.0.4]\n"))
            #expect(
                outcome.text.hasSuffix(
                    """
                    Joe.Doe@a.example: mx2.hosts.example [127.0.0.2] said: 250 2.0.0 Taken
                    b@b.example: mx4.hosts.example [127.0.0.4] said: 250 2.0.0 Taken

                    """
                )
            )
            #expect(!outcome.text.contains("S: "))
        }

        @Test("-v shows each command and reply")
        func verbose() throws {
            let world = try DeliveryWorld(Self.records)
            let outcome = try self.send(world, ["send", "-v", "--to", "b@b.example"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            for line in [
                "S: 220 ", "C: EHLO ", "C: MAIL FROM:<anna@example.test> SIZE=",
                "C: RCPT TO:<b@b.example>\n", "C: DATA\n", "S: 354 ", "C: QUIT\n", "S: 221 ",
            ] {
                #expect(outcome.text.contains("\n\(line)"), "\(line) in \(outcome)")
            }
        }

        @Test(
            "tries the next host when one does not take the message",
            arguments: [
                ["greeting": "421 4.3.2 later"], ["greeting": "554 5.7.1 no"],
                ["EHLO": "!close", "HELO": "!close"], ["MAIL": "451 4.3.0 later"],
                ["RCPT": "450 4.2.1 busy"], ["DATA": "451 4.3.0 later"], ["dot": "452 4.3.1 full"],
                ["DATA": "!half"], ["RCPT": "!reset"], ["MAIL": "!garbage"],
            ]
        )
        func nextHost(script: [String: String]) throws {
            let world = try DeliveryWorld(Self.records)
            try world.hops.script("127.0.0.2", script)
            let outcome = try self.send(world, ["send", "--to", "a@a.example"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(world.hops.taken(1).map(\.address) == ["127.0.0.3"])
        }

        @Test("ends with sysexits' codes and the words of the host")
        func exitCodes() throws {
            let world = try DeliveryWorld(Self.records)
            for address in ["127.0.0.2", "127.0.0.3"] {
                try world.hops.script(
                    address,
                    [
                        "RCPT nobody@a.example": "550 5.1.1 no such user here",
                        "RCPT never@a.example": "554 5.7.1 not from you",
                        "RCPT later@a.example": "450 4.2.1 try again",
                    ]
                )
            }
            let cases: [([String], Int32, String)] = [
                (["--to", "nobody@a.example"], 67, "said: 550 5.1.1 no such user here"),
                (["--to", "never@a.example"], 69, "said: 554 5.7.1 not from you"),
                (["--to", "later@a.example"], 75, "said: 450 4.2.1 try again"),
                (["--to", "x@nx.example"], 68, "nx.example"),
                (["--to", "x@null.example"], 68, "null MX"),
                (["--to", "x@dead.example"], 75, "refused"),
                (["--to", "later@a.example", "--to", "nobody@a.example"], 67, "later@a.example"),
                (["--to", "a@b@c"], 64, "is no address"),
                ([], 64, "--to"),
                (["--to", "a@a.example", "/no/such/file"], 66, "cannot be read"),
                (["-t"], 64, "names no recipients"),
            ]
            for (arguments, code, words) in cases {
                let outcome = try self.send(world, ["send"] + arguments)
                #expect(outcome.exitCode == code, "\(arguments): \(outcome)")
                #expect(outcome.errorText.contains(words), "\(arguments): \(outcome)")
            }
            let unreadable = try self.send(world, ["send", "-t"], message: "To: John Doe\n\nx\n")
            #expect(unreadable.exitCode == 65, "\(unreadable)")
            #expect(world.hops.taken.isEmpty)
        }

        @Test("8-bit content and UTF-8 headers go only to hosts that know them")
        func eightBits() throws {
            let world = try DeliveryWorld(Self.records)
            let arguments = ["send", "--to", "b@b.example"]
            let body = try self.send(world, arguments, message: "Subject: x\n\n\u{e9}\n")
            #expect(body.exitCode == 0, "\(body)")
            #expect(world.hops.taken(1).first?.parameters.contains("BODY=8BITMIME") == true)
            let header = try self.send(world, arguments, message: "Subject: \u{e9}\n\nx\n")
            #expect(header.exitCode == 65, "\(header)")
            #expect(header.errorText.contains("SMTPUTF8"))
            try world.hops.script("127.0.0.4", ["keywords": ["SMTPUTF8", "8BITMIME"]])
            let known = try self.send(world, arguments, message: "Subject: \u{e9}\n\nx\n")
            #expect(known.exitCode == 0, "\(known)")
            #expect(world.hops.taken(2).last?.parameters.contains("SMTPUTF8") == true)
        }

        @Test("-t takes recipients from the message, and Bcc is not sent")
        func recipientsOfTheMessage() throws {
            let world = try DeliveryWorld(Self.records)
            let outcome = try self.send(
                world,
                ["send", "-t", "-i", "-oi", "-froot@example.test", "-F", "Ro\"ot"],
                message: "To: A <a@a.example>\nBcc: b@b.example\nSubject: x\n\ny\n"
            )
            #expect(outcome.exitCode == 0, "\(outcome)")
            let taken = world.hops.taken(2)
            #expect(taken.map(\.to) == [["a@a.example"], ["b@b.example"]])
            #expect(taken.first?.from == "<root@example.test>")
            let content = try #require(taken.first?.content)
            #expect(!content.lowercased().contains("bcc"))
            #expect(content.contains("From: \"Root\" <root@example.test>\r\n"))
        }

        @Test("TLS is spoken where it is offered")
        func speaksTLS() throws {
            let world = try DeliveryWorld(Self.records)
            let identity = try TLSIdentity(client: "a@b.example")
            try world.hops.script(
                "127.0.0.4",
                ["certificate": identity.certificate, "key": identity.key]
            )
            let outcome = try self.send(world, ["send", "--to", "b@b.example"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(outcome.text.contains("TLS: TLSv1."), "\(outcome)")
            #expect(world.hops.taken(1).first?.tls != nil)
        }

        @Test("--queue hands the message to the running server")
        func handsOver() throws {
            let world = try DeliveryWorld(Self.records)
            let outcome = try self.send(world, ["send", "--queue", "--to", "anna"])
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(outcome.text.isEmpty)
            #expect(try world.server.pop3().stat().count == 1)
            let refused = try self.send(world, ["send", "--queue", "--to", "nobody@example.test"])
            #expect(refused.exitCode == 67, "\(refused)")
            #expect(world.server.terminate() == 0)
            let down = try self.send(world, ["send", "--queue", "--to", "anna"])
            #expect(down.exitCode == 75, "\(down)")
        }

        @Test("called as sendmail, it takes sendmail's arguments")
        func asSendmail() throws {
            let world = try DeliveryWorld(Self.records)
            let scratch = try ScratchDirectory()
            let program = scratch.path + "/sendmail"
            try FileManager.default.createSymbolicLink(
                atPath: program,
                withDestinationPath: ServerProcess.binary
            )
            let first = try self.send(
                world,
                ["-oem", "-odb", "-B", "8BITMIME", "-bm", "-fcron@example.test", "anna"],
                message: "Subject: one\n\nx\n.\nnot this\n",
                program: program
            )
            #expect(first.exitCode == 0, "\(first)")
            let second = try self.send(
                world,
                ["-ti"],
                message: "To: anna\nSubject: two\n\nx\n.\nthis too\n",
                program: program
            )
            #expect(second.exitCode == 0, "\(second)")
            let messages = try world.server.maildrop(of: "anna@example.test")
            let texts = messages.map { $0.content.text }
            try #require(texts.count == 2)
            #expect(texts[0].contains("Return-Path: <cron@example.test>"))
            #expect(!texts[0].contains("not this"))
            #expect(texts[1].contains("this too"))
            let daemon = try Command.run(program, ["-bd"])
            #expect(daemon.exitCode == 64, "\(daemon)")
        }

        @Test("Postfix's smtp-sink takes what is sent, through all its own manners")
        func smtpSink() throws {
            let program = try #require(Client.smtpSink)
            let world = try DeliveryWorld(Self.records)
            // -h: what EHLO says; -8, -e: no 8BITMIME, no EHLO at all; -p: no PIPELINING.
            for manners in [[], ["-p"], ["-e"], ["-8"]] {
                let port = Port.next()
                let sink = Process()
                sink.executableURL = URL(filePath: program)
                // As root it asks whom it is to become.
                let user = geteuid() == 0 ? ["-u", "nobody"] : []
                sink.arguments = user + manners + ["127.0.0.1:\(port)", "100"]
                sink.environment = ProcessInfo.processInfo.environment
                    .merging(Client.peerEnvironment) { $1 }
                sink.standardError = FileHandle.nullDevice
                try sink.run()
                defer { sink.killAtOnce() }
                let deadline = Date(timeIntervalSinceNow: 5)
                while Date() < deadline, (try? Connection(port: port)) == nil {
                    Thread.sleep(forTimeInterval: 0.02)
                }
                let outcome = try self.send(
                    world,
                    ["send", "--smtp-port", "\(port)", "--to", "x@[127.0.0.1]", "-v"]
                )
                #expect(outcome.exitCode == 0, "\(manners): \(outcome)")
            }
        }
    }
}
