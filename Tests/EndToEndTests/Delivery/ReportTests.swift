// SPDX-License-Identifier: Apache-2.0
//
// Reports of ours to the sender (RFC 3461 to 3464), as Python's email package reads them.

import Foundation
import Testing

extension EndToEnd {
    @Suite(.enabled(if: DeliveryWorld.isPossible, DeliveryWorld.whyNot))
    struct ReportTests {
        private func world(delivery: String = "") throws -> DeliveryWorld {
            let world = try DeliveryWorld("plain MX 10 mx2.hosts", delivery: delivery)
            try world.hops.script(
                "127.0.0.2",
                [
                    "keywords": ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"],
                    "RCPT none@plain.example": "550 5.1.1 Nobody of that name",
                ]
            )
            return world
        }

        /// Sends one message with parameters to MAIL and RCPT.
        private func send(
            _ world: DeliveryWorld,
            _ mail: String,
            _ recipients: [String],
            _ message: Message = Message("Subject: precious\n\nThe text.\n")
        ) throws {
            let connection = try world.server.smtp()
            try connection.exchange("MAIL FROM:\(mail)", 250)
            for recipient in recipients { try connection.exchange("RCPT TO:\(recipient)", 250) }
            try connection.exchange("DATA", 354)
            try connection.send(message.dotStuffed)
            try connection.expect(250)
        }

        @Test("A failure names the message, each recipient, and the host's words")
        func failure() throws {
            let world = try self.world()
            try self.send(
                world,
                "<anna@example.test> RET=FULL ENVID=QQ314159",
                ["<none@plain.example> ORCPT=rfc822;Dana@old.example", "<good@plain.example>"]
            )
            let report = try #require(try world.reports().first)
            let about = try #require(report.status.first)
            #expect(about["reporting-mta"] == "dns; mail.example.test")
            #expect(about["original-envelope-id"] == "QQ314159")
            #expect(report.status.count == 2)
            let recipient = try #require(report.recipient("none@plain.example"))
            #expect(recipient["original-recipient"]?.hasSuffix("Dana@old.example") == true)
            #expect(recipient["action"] == "failed")
            #expect(recipient["diagnostic-code"]?.contains("Nobody of that name") == true)
            #expect(report.returned["subject"] == "precious")
            #expect(report.returnedText.contains("The text."), "RET=FULL")
            #expect(report.fields["to"]?.contains("anna@example.test") == true)
            #expect(world.hops.taken(1).map(\.to) == [["good@plain.example"]])
        }

        @Test("RET=HDRS returns the header alone, NOTIFY=NEVER returns nothing")
        func returned() throws {
            let world = try self.world()
            try self.send(
                world,
                "<anna@example.test> RET=HDRS",
                ["<none@plain.example>"]
            )
            let report = try #require(try world.reports().first)
            #expect(report.parts.last == "text/rfc822-headers")
            #expect(!report.returnedText.contains("The text."))
            try self.send(
                world,
                "<anna@example.test>",
                ["<none@plain.example> NOTIFY=NEVER"]
            )
            #expect(try world.queueIsEmpty())
            #expect(try world.server.pop3().stat().count == 1)
        }

        @Test("Success is reported where it was asked for: relayed, when the host knows no DSN")
        func success() throws {
            let world = try self.world()
            try self.send(
                world,
                "<anna@example.test> ENVID=7",
                [
                    "<good@plain.example> NOTIFY=SUCCESS,FAILURE", "<also@plain.example>",
                ]
            )
            let report = try #require(try world.reports().first)
            #expect(report.status.count == 2)
            let recipient = try #require(report.recipient("good@plain.example"))
            #expect(recipient["action"] == "relayed")
            #expect(recipient["status"]?.hasPrefix("2.") == true)
            #expect(report.parts.last == "text/rfc822-headers")
        }

        @Test("A local recipient that wants to know is told \"delivered\"")
        func delivered() throws {
            let world = try DeliveryWorld(accounts: ["anna@example.test", "bert@example.test"])
            try self.send(
                world,
                "<anna@example.test>",
                ["<bert@example.test> NOTIFY=SUCCESS"]
            )
            let report = try #require(try world.reports().first)
            #expect(report.recipient("bert@example.test")?["action"] == "delivered")
            #expect(try world.server.maildrop(of: "bert@example.test").count == 1)
        }

        @Test("No report is sent for a report: what has no reverse-path is dropped")
        func nullReversePath() throws {
            let world = try self.world()
            try self.send(world, "<>", ["<none@plain.example>"])
            #expect(try world.queueIsEmpty())
            Thread.sleep(forTimeInterval: 0.5)
            #expect(try world.server.pop3().stat().count == 0)
        }

        @Test("A report to a sender elsewhere goes through the queue like any mail")
        func elsewhere() throws {
            let world = try self.world()
            try self.send(world, "<writer@plain.example>", ["<none@plain.example>"])
            let taken = try #require(world.hops.taken(1).first)
            #expect(taken.from == "<>" && taken.to == ["writer@plain.example"])
            let octets = taken.content.unicodeScalars.map { UInt8($0.value) }
            let fields = String(decoding: octets, as: UTF8.self)
            #expect(fields.contains("multipart/report"))
        }

        @Test("DSN parameters are passed on to a host that knows them")
        func passedOn() throws {
            let world = try self.world()
            try world.hops.script("127.0.0.2", [:])
            try self.send(
                world,
                "<anna@example.test> RET=HDRS ENVID=a+2Bb",
                ["<good@plain.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Dana@old.example"]
            )
            let taken = try #require(world.hops.taken(1).first)
            #expect(taken.parameters.contains("RET=HDRS"))
            #expect(taken.parameters.contains("ENVID=a+2Bb"))
            let parameters = try #require(taken.toParameters.first)
            #expect(parameters.contains("ORCPT=rfc822;Dana@old.example"))
            #expect(parameters.contains { $0.hasPrefix("NOTIFY=") && $0.contains("SUCCESS") })
            #expect(try world.queueIsEmpty())
            #expect(try world.server.pop3().stat().count == 0, "the other host reports")
        }

        @Test("REQUIRETLS fails where a host has it not, and goes with the message where it has")
        func requireTLS() throws {
            let world = try DeliveryWorld("plain MX 10 mx2.hosts")
            let connection = try world.server.smtp()
            // It is for sessions within TLS alone (RFC 8689, section 4.1).
            try connection.send("MAIL FROM:<anna@example.test> REQUIRETLS\r\n")
            let reply = try connection.reply()
            #expect(reply.code >= 500, "\(reply)")
        }
    }
}
