// SPDX-License-Identifier: Apache-2.0
//
// Postfix and Dovecot as next hops, and Postfix as a sender.

import Foundation
import Testing

extension EndToEnd {
    @Suite struct RealHostTests {
        @Test(
            "Postfix takes what is relayed to it, within TLS, and refuses what it refuses",
            .enabled(if: RealPostfix.isPossible, RealPostfix.whyNot)
        )
        func postfix() throws {
            let identity = try TLSIdentity(client: "anna@example.test")
            let postfix = try RealPostfix(domain: "pf.example", identity: identity)
            let world = try DeliveryWorld(
                routes: """
                    [[route]]
                    domain = "pf.example"
                    to = "smtp:127.0.0.1:\(postfix.port)"
                    """
            )
            let message = Message(seed: 11, octets: 60_000, eightBit: true)
            try world.send(message, to: "bert@pf.example", "nobody@pf.example")
            let taken = try #require(postfix.mail(1).first)
            #expect(taken.text.contains("using TLSv1.3"))
            #expect(taken.body == message.body)
            let report = try #require(try world.reports().first)
            let recipient = try #require(report.recipient("nobody@pf.example"))
            #expect(recipient["status"]?.hasPrefix("5.1.1") == true)
            #expect(recipient["diagnostic-code"]?.contains("User unknown") == true)
            #expect(report.status.count == 2)
            #expect(try world.queueIsEmpty())
        }

        @Test(
            "A success report that is asked for comes from Postfix, which knows DSN",
            .enabled(if: RealPostfix.isPossible, RealPostfix.whyNot)
        )
        func postfixReports() throws {
            let server = try DeliveryWorld()
            let postfix = try RealPostfix(
                domain: "pf.example",
                relayPort: server.server.smtpPort
            )
            let world = try DeliveryWorld(
                routes: """
                    [[route]]
                    domain = "pf.example"
                    to = "smtp:127.0.0.1:\(postfix.port)"
                    """
            )
            let connection = try world.server.smtp()
            try connection.exchange("MAIL FROM:<anna@example.test> RET=HDRS ENVID=x+2Bid", 250)
            try connection.exchange(
                "RCPT TO:<bert@pf.example> NOTIFY=SUCCESS ORCPT=rfc822;Bert@old.example",
                250
            )
            try connection.exchange("DATA", 354)
            try connection.send(Message(seed: 5).dotStuffed)
            try connection.expect(250)
            #expect(postfix.mail(1).count == 1)
            #expect(try world.queueIsEmpty())
            // Postfix reports to anna@example.test by way of the other server.
            let report = try #require(try server.reports().first)
            let recipient = try #require(report.recipient("bert@pf.example"))
            #expect(recipient["action"] == "delivered")
            #expect(recipient["original-recipient"] == "rfc822;Bert@old.example")
            #expect(report.status.first?["original-envelope-id"] == "x+id")
            #expect(try world.server.pop3().stat().count == 0)
        }

        @Test(
            "Postfix sends to us what it has, over one connection and many",
            .enabled(if: RealPostfix.isPossible, RealPostfix.whyNot)
        )
        func fromPostfix() throws {
            let server = try ServerProcess()
            let postfix = try RealPostfix(domain: "pf.example", relayPort: server.smtpPort)
            let messages = (0..<20).map { Message(seed: $0, octets: 5000) }
            let connection = try Connection.greeted(smtp: postfix.port)
            for message in messages { try connection.submit(message, to: "anna@example.test") }
            let deadline = Date(timeIntervalSinceNow: 20)
            while try server.pop3().stat().count < 20, Date() < deadline {
                Thread.sleep(forTimeInterval: 0.1)
            }
            let got = try server.maildrop().map(\.content.body)
            #expect(got.count == 20, "\(postfix.log)")
            #expect(Set(got) == Set(messages.map(\.body)))
        }

        @Test(
            "Dovecot takes mail by LMTP, and answers for each recipient",
            .enabled(if: RealDovecot.isPossible, RealDovecot.whyNot)
        )
        func dovecot() throws {
            let dovecot = try RealDovecot(users: ["bert@box.example", "carl@box.example"])
            let world = try DeliveryWorld(
                routes: """
                    [[route]]
                    domain = "box.example"
                    to = "lmtp:127.0.0.1:\(dovecot.port)"
                    """
            )
            let message = Message(seed: 12, octets: 20_000)
            try world.send(
                message,
                to: "bert@box.example",
                "none@box.example",
                "carl@box.example"
            )
            for user in ["bert@box.example", "carl@box.example"] {
                let taken = try #require(dovecot.mail(of: user, 1).first)
                #expect(taken.text.contains("Return-Path: <anna@example.test>"))
                #expect(taken.body == message.body)
            }
            let report = try #require(try world.reports().first)
            #expect(report.status.count == 2)
            let recipient = try #require(report.recipient("none@box.example"))
            #expect(recipient["status"]?.hasPrefix("5.1.1") == true)
            #expect(try world.queueIsEmpty())
        }

        @Test("By LMTP each recipient has a fate of its own after the content")
        func recipientStatus() throws {
            let world = try DeliveryWorld()
            try world.hops.script(
                "127.0.0.2",
                [
                    "lmtp": true, "EHLO": "250-sink\n250-PIPELINING\n250 8BITMIME",
                    "dot full@box.example": "552 5.2.2 Over quota",
                    "dot late@box.example": ["451 4.2.0 Locked", "250 2.0.0 OK"],
                ]
            )
            let routed = try DeliveryWorld(
                routes: """
                    [[route]]
                    domain = "box.example"
                    to = "lmtp:127.0.0.2:\(world.hops.port)"
                    """
            )
            try routed.send(
                to: "good@box.example",
                "full@box.example",
                "late@box.example"
            )
            let report = try #require(try routed.reports().first)
            #expect(report.status.count == 2)
            #expect(report.recipient("full@box.example")?["status"]?.hasPrefix("5.2.2") == true)
            #expect(
                world.hops.taken(2).map(\.to) == [["good@box.example"], ["late@box.example"]]
            )
            #expect(try routed.queueIsEmpty())
        }
    }
}
