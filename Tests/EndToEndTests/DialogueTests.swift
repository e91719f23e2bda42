// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

extension EndToEnd {
    /// Conversations that need real sockets: half-closed, in one write, in odd pieces, malicious.
    @Suite struct DialogueTests {
        private static let pipelined = """
            EHLO client.example.org
            MAIL FROM:<writer@example.org>
            RCPT TO:<anna@example.test>
            DATA

            """

        @Test("A client that sends everything at once and half-closes gets every reply")
        func halfCloseAfterPipelinedSession() throws {
            let server = try ServerProcess()
            let connection = try Connection(port: server.smtpPort)
            try connection.expect(220)
            let message = Message(seed: 30)
            try connection.send(Message(Self.pipelined).octets + message.dotStuffed)
            try connection.send("QUIT\r\n")
            connection.closeSending()
            let codes = try connection.rest().split(separator: "\r\n").map { $0.prefix(4) }
                .filter { $0.hasSuffix(" ") }
            #expect(codes == ["250 ", "250 ", "250 ", "354 ", "250 ", "221 "])
            #expect(try server.maildrop().map(\.content.withoutTrace) == [message])
        }

        @Test("netcat half-closes after its input and prints every reply")
        func netcat() throws {
            let server = try ServerProcess()
            let session = "USER anna@example.test\r\nPASS secret\r\nSTAT\r\nQUIT\r\n"
            // The pause lets the greeting come first, as the protocol wants it.
            let outcome = try Command.run(
                "sh",
                ["-c", "{ sleep 0.3; cat; } | nc -N 127.0.0.1 \(server.pop3Port)"],
                input: Data(session.utf8),
                seconds: 20
            )
            let lines = outcome.text.split(separator: "\r\n")
            #expect(lines.count == 5 && lines.allSatisfy { $0.hasPrefix("+OK") }, "\(outcome)")
        }

        @Test("Content without its final dot is discarded when the client goes")
        func endBeforeFinalDot() throws {
            let server = try ServerProcess()
            let connection = try server.smtp()
            try connection.exchange("MAIL FROM:<writer@example.org>", 250)
            try connection.exchange("RCPT TO:<anna@example.test>", 250)
            try connection.exchange("DATA", 354)
            try connection.send("Subject: half\r\n\r\nnever ended\r\n")
            connection.closeSending()
            #expect(!(try connection.rest().contains("250 ")))
            #expect(try server.pop3().stat().count == 0)
        }

        @Test("BDAT chunks arrive as they are, whatever the pieces")
        func chunks() throws {
            let server = try ServerProcess()
            let message = Message(seed: 31, octets: 70_000, eightBit: true)
            let connection = try server.smtp()
            try connection.exchange("MAIL FROM:<writer@example.org> BODY=8BITMIME", 250)
            try connection.exchange("RCPT TO:<anna@example.test>", 250)
            var rest = message.octets[...]
            for size in [1, 999, 40_000] {
                try connection.send(Array("BDAT \(size)\r\n".utf8) + rest.prefix(size))
                try connection.expect(250)
                rest = rest.dropFirst(size)
            }
            try connection.send(Array("BDAT \(rest.count)\r\n".utf8) + rest)
            try connection.expect(250)
            try connection.exchange("BDAT 0 LAST", 250)
            #expect(try server.maildrop().map(\.content.withoutTrace) == [message])
        }

        @Test("The payload of a refused BDAT is swallowed and never read as commands")
        func refusedChunk() throws {
            let server = try ServerProcess()
            let connection = try server.smtp()
            let payload = "MAIL FROM:<smuggler@example.org>\r\n"
            try connection.send("BDAT \(payload.utf8.count) LAST\r\n\(payload)NOOP\r\n")
            try connection.expect(503)
            try connection.expect(250)
            try connection.exchange("RCPT TO:<anna@example.test>", 503)
        }

        @Test(
            "Mail data ends at CRLF.CRLF and at nothing else",
            arguments: ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r\n\0.\r\n"]
        )
        func noSmuggling(falseEnd: String) throws {
            let server = try ServerProcess()
            let connection = try server.smtp()
            try connection.exchange("MAIL FROM:<writer@example.org>", 250)
            try connection.exchange("RCPT TO:<anna@example.test>", 250)
            try connection.exchange("DATA", 354)
            try connection.send(
                "Subject: one\r\n\r\nbody\(falseEnd)MAIL FROM:<smuggler@example.org>\r\n"
                    + "RCPT TO:<anna@example.test>\r\nDATA\r\nSubject: two\r\n\r\nsmuggled\r\n.\r\n"
            )
            let reply = try connection.reply()
            try connection.exchange("NOOP", 250)
            let messages = try server.maildrop()
            #expect(messages.count == (reply.code == 250 ? 1 : 0), "\(reply)")
            #expect(falseEnd.contains("\0") || reply.code >= 500, "\(reply)")
        }

        @Test("A message sent octet by octet arrives whole")
        func octetByOctet() throws {
            let server = try ServerProcess()
            let connection = try Connection(port: server.smtpPort)
            try connection.expect(220)
            let message = Message(".one\n..\n\n.\nlast\n")
            for octet in Message(Self.pipelined).octets + message.dotStuffed {
                try connection.send([octet])
            }
            try connection.expect(250)
            for code in [250, 250, 354, 250] { try connection.expect(code) }
            #expect(try server.maildrop().map(\.content.withoutTrace) == [message])
        }

        @Test("Who talks before the greeting, or speaks HTTP, is sent away")
        func otherProtocols() throws {
            let server = try ServerProcess()
            for port in [server.smtpPort, server.pop3Port] {
                let connection = try Connection(port: port)
                _ = try connection.line()
                try connection.send("GET / HTTP/1.1\r\nHost: mail.example.test\r\n\r\n")
                let answer = try connection.rest()
                #expect(answer.split(separator: "\r\n").count <= 1, "\(answer)")
            }
        }

        @Test("Two sessions cannot hold one maildrop, and the second is told [IN-USE]")
        func exclusiveLock() throws {
            let server = try ServerProcess()
            let first = try server.pop3()
            let second = try Connection(port: server.pop3Port)
            try second.expectOK()
            try second.ask("USER anna@example.test")
            #expect(try second.askInVain("PASS \(ServerProcess.password)").hasPrefix("[IN-USE]"))
            try first.ask("QUIT")
            try server.pop3().ask("QUIT")
        }

        @Test("A message of 50 MiB goes through a server that keeps little of it in memory")
        func largeMessage() throws {
            let server = try ServerProcess()
            let message = Message(seed: 32, octets: 50 << 20 - 4096)
            let file = try server.scratch.file("message", holding: message.data)
            func sendAndFetch(_ number: Int) throws {
                try Command.succeed(
                    "python3",
                    [
                        Client.path("send.py"), "smtp", "\(server.smtpPort)", file.path,
                        "anna@example.test",
                    ],
                    seconds: 120
                )
                let connection = try server.pop3()
                try connection.ask("RETR \(number)")
                #expect(Message(octets: try connection.multiLine()).withoutTrace == message)
                try connection.ask("QUIT")
            }

            // The caches of the store fill up once; after that, a message leaves no trace.
            try sendAndFetch(1)
            let before = try server.anonymousMemory()
            #expect(before < 48 << 20)
            let memory = MemoryWatch(of: server)
            try sendAndFetch(2)
            let growth = memory.highest() - before
            #expect(growth < 1 << 20, "grew by \(growth >> 10) KiB")
        }
    }
}
