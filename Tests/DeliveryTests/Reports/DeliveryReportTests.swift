// SPDX-License-Identifier: Apache-2.0

import MailSyntax
import Testing

@testable import Delivery

@Suite struct DeliveryReportTests {
    // MARK: - Whole reports

    @Test func failureOfOneRecipient() {
        let expected = """
            From: Mail Delivery System <postmaster@mail.example>
            To: <anna@example.org>
            Subject: Your message could not be delivered
            Date: Wed, 15 Nov 2023 22:13:20 +0000
            Message-ID: <00000000004K7@mail.example>
            In-Reply-To: <one@example.org>
            References: <one@example.org>
            Auto-Submitted: auto-replied
            Precedence: bulk
            MIME-Version: 1.0
            Content-Type: multipart/report; report-type=delivery-status;
            \tboundary="=_00000000004K7.feedface"

            This is a report on mail, in parts that MIME describes.

            --=_00000000004K7.feedface
            Content-Type: text/plain; charset=us-ascii

            This is the mail server at mail.example, about your message of Tue, 14 Nov
            2023 22:13:20 +0000.

            It could not be delivered to the following, and will not be tried again:

              <ben@example.net>
                mx.example.net said: 550 5.1.1 <ben@example.net>: no such user

            What follows is the same for mail programs, and then the header of your
            message.

            --=_00000000004K7.feedface
            Content-Type: message/delivery-status

            Reporting-MTA: dns; mail.example
            Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000

            Final-Recipient: rfc822; ben@example.net
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mx.example.net
            Diagnostic-Code: smtp; 550 5.1.1 <ben@example.net>: no such user
            Last-Attempt-Date: Wed, 15 Nov 2023 22:13:19 +0000

            --=_00000000004K7.feedface
            Content-Type: text/rfc822-headers

            Received: from x by y;
            \tTue, 14 Nov 2023 22:13:20 +0000
            Subject: Hello
            Message-ID: <one@example.org>

            --=_00000000004K7.feedface--

            """
        Self.expect(SampleReport(), reads: expected)
        let report = SampleReport().compose()
        #expect(report.recipient == Array("anna@example.org".utf8))
        #expect(report.options == EnvelopeOptions())
    }

    /// ENVID and ORCPT come back decoded, and the message comes back whole (RFC 3461, section 6).
    @Test func allThatMayBeAskedFor() {
        var sample = SampleReport()
        sample.message.options.envelopeID = Array("QQ314+2B159".utf8)
        sample.message.options.returnedContent = .full
        sample.recipients[0].originalRecipient = Array("rfc822;Ben+40example.net".utf8)
        let text = sample.text
        #expect(text.contains("\r\nOriginal-Envelope-Id: QQ314+159\r\nReporting-MTA: dns; "))
        #expect(
            text.contains(
                """

                Original-Recipient: rfc822; Ben@example.net
                Final-Recipient: rfc822; ben@example.net

                """.inLines
            )
        )
        #expect(text.contains("for mail programs, and then your message."))
        #expect(
            text.hasSuffix(
                "Content-Type: message/rfc822\r\n\r\n"
                    + String(decoding: sample.message.content, as: UTF8.self)
                    + "\r\n--=_00000000004K7.feedface--\r\n"
            )
        )
    }

    /// A report tells what was done in the words of each outcome, the worst in its subject.
    @Test func everyOutcomeInOneReport() {
        var sample = SampleReport()
        sample.recipients += [
            Self.recipient("c@example.com", .delayed, EnhancedStatus(4, 4, 1), "no route to it"),
            Self.recipient("d@example.com", .delivered, EnhancedStatus(2, 1, 5), ""),
            Self.recipient("e@example.com", .relayed, EnhancedStatus(2, 0, 0), "250 fine"),
        ]
        let text = sample.text
        #expect(text.contains("\r\nSubject: Your message could not be delivered\r\n"))
        #expect(
            text.contains(
                """
                It has not been delivered to the following yet. You need not send it again: it
                is tried until Sun, 19 Nov 2023 22:13:20 +0000.

                  <c@example.com>
                    no route to it

                It was delivered to:

                  <d@example.com>

                It was passed on to a server
                """.inLines
            )
        )
        #expect(
            text.contains(
                """
                Final-Recipient: rfc822; c@example.com
                Action: delayed
                Status: 4.4.1
                Diagnostic-Code: X-Martlet; no route to it
                Will-Retry-Until: Sun, 19 Nov 2023 22:13:20 +0000

                Final-Recipient: rfc822; d@example.com
                Action: delivered
                Status: 2.1.5

                Final-Recipient: rfc822; e@example.com
                Action: relayed
                Status: 2.0.0
                Diagnostic-Code: smtp; 250 fine


                """.inLines
            )
        )
    }

    @Test(arguments: [
        (ReportedAction.delayed, "Your message has not been delivered yet"),
        (.relayed, "Your message was passed on"),
        (.delivered, "Your message was delivered"),
    ])
    func subjectTellsTheOutcome(action: ReportedAction, subject: String) {
        var sample = SampleReport()
        sample.recipients[0].action = action
        #expect(sample.text.contains("\r\nSubject: \(subject)\r\n"))
    }

    /// Of mail that waited until it was too old, the last answer does not say why it failed.
    @Test func expiredMailSaysSo() {
        var sample = SampleReport()
        sample.recipients[0].status = EnhancedStatus(4, 4, 7)
        sample.recipients[0].reply = Array("451 4.3.0 later".utf8)
        #expect(
            sample.text.contains(
                """
                    It was tried for as long as mail is kept. At last mx.example.net said: 451
                    4.3.0 later

                """.inLines
            )
        )
        #expect(sample.text.contains("Action: failed\r\nStatus: 4.4.7\r\n"))
        sample.recipients[0].reply = []
        #expect(sample.text.contains("At last the status was 4.4.7.\r\n"))
    }

    /// The class of a status goes with the action, whatever a host answered.
    @Test(arguments: [
        (ReportedAction.failed, EnhancedStatus(2, 1, 5), "5.0.0"),
        (.failed, EnhancedStatus(4, 4, 7), "4.4.7"),
        (.delayed, EnhancedStatus(5, 1, 1), "4.0.0"),
        (.delivered, EnhancedStatus(5, 1, 1), "2.0.0"),
        (.relayed, EnhancedStatus(4, 0, 0), "2.0.0"),
    ])
    func statusGoesWithTheAction(action: ReportedAction, status: EnhancedStatus, text: String) {
        var sample = SampleReport()
        sample.recipients = [Self.recipient("a@b", action, status, "")]
        #expect(sample.text.contains("Action: \(action.rawValue)\r\nStatus: \(text)\r\n"))
    }

    /// A path in the file system says nothing to a sender and is none of his business.
    @Test func socketsAreNotNamed() {
        var sample = SampleReport()
        for host in ["/run/lmtp.sock", "lmtp [/run/lmtp.sock]"] {
            sample.recipients[0].host = Array(host.utf8)
            #expect(!sample.text.contains("/run"))
            #expect(!sample.text.contains("Remote-MTA"))
            #expect(sample.text.contains("    the next server said: 550 5.1.1 "))
        }
    }

    /// People are told the address beside the name, and programs the name.
    @Test func hostsMayHaveAddresses() {
        var sample = SampleReport()
        sample.recipients[0].host = Array("mx.example.net [192.0.2.1]".utf8)
        #expect(sample.text.contains("    mx.example.net [192.0.2.1] said: 550 5.1.1 "))
        #expect(sample.text.contains("\r\nRemote-MTA: dns; mx.example.net\r\n"))
    }

    // MARK: - What comes back

    /// RET speaks of failures only (RFC 3461, section 4.3), and what may pass over TLS only does
    /// not come back whole (RFC 8689, section 5).
    @Test func wholeOnlyWhereItMay() {
        var sample = SampleReport()
        #expect(!sample.text.contains("message/rfc822"))
        sample.message.options.returnedContent = .headers
        #expect(!sample.text.contains("message/rfc822"))
        sample.message.options.returnedContent = .full
        #expect(sample.text.contains("message/rfc822"))
        sample.message.isWhole = false
        #expect(!sample.text.contains("message/rfc822"))
        sample.message.isWhole = true
        sample.recipients[0].action = .delayed
        #expect(!sample.text.contains("message/rfc822"))
        sample.recipients[0].action = .failed
        sample.message.options.requiresTLS = true
        #expect(!sample.text.contains("message/rfc822"))
        #expect(sample.compose().options.requiresTLS)
        sample.message.options.requiresTLS = false
        sample.message.content += [UInt8](repeating: 0x0a, count: DeliveryReport.wholeOctetsMax)
        #expect(!sample.text.contains("message/rfc822"))
    }

    /// What 8BITMIME brought goes back by 8BITMIME, and the header alone needs none.
    @Test func eightBitContent() {
        var sample = SampleReport()
        sample.message.content = Array("Subject: Grüße\r\n\r\nHallo, Jörg\r\n".utf8)
        var report = sample.compose()
        #expect(report.options == EnvelopeOptions())
        #expect(
            String(decoding: report.content, as: UTF8.self).contains(
                "Content-Type: text/rfc822-headers\r\n"
                    + "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                    + "Subject: Gr=C3=BC=C3=9Fe\r\n\r\n--"
            )
        )
        sample.message.options.returnedContent = .full
        report = sample.compose()
        #expect(report.options.body == .eightBitMIME)
        let text = String(decoding: report.content, as: UTF8.self)
        #expect(text.contains("feedface\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"))
        #expect(
            text.contains(
                """
                Content-Type: message/rfc822
                Content-Transfer-Encoding: 8bit

                Subject: Grüße

                Hallo, Jörg

                """.inLines
            )
        )
    }

    /// A message must not be encoded within another one, so that one with lines that nobody need
    /// take does not come back whole.
    @Test func linesThatAreTooLong() {
        var sample = SampleReport()
        sample.message.options.returnedContent = .full
        let long = String(repeating: "x", count: 998)
        sample.message.content = Array("Subject: s\r\n\r\n\(long)\r\n".utf8)
        #expect(sample.text.contains("message/rfc822"))
        sample.message.content = Array("X: 1\r\nSubject: \(long)\r\n\r\ntext\r\n".utf8)
        let text = sample.text
        #expect(text.contains("text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable"))
        #expect(text.contains("\r\nX: 1\r\nSubject: xxx"))
        #expect(!text.contains("text\r\n\r\n--"))
    }

    /// The header ends where it ends, or where what was read of it does.
    @Test(arguments: [
        ("A: 1\r\nB: 2\r\n\r\nbody\r\n", false, "A: 1\r\nB: 2\r\n"),
        ("A: 1\r\nB: 2\r\n", false, "A: 1\r\nB: 2\r\n"),
        ("A: 1\r\nB: 2", false, "A: 1\r\n"),
        ("A: 1\r\nB: 2", true, "A: 1\r\nB: 2\r\n"),
        ("\r\nbody\r\n", true, ""),
        ("", true, ""),
    ])
    func headerEndsWhereItEnds(content: String, isWhole: Bool, header: String) {
        var sample = SampleReport()
        sample.message.content = Array(content.utf8)
        sample.message.isWhole = isWhole
        #expect(
            sample.text.hasSuffix(
                "text/rfc822-headers\r\n\r\n\(header)\r\n--=_00000000004K7.feedface--\r\n"
            )
        )
    }

    @Test func headersAreBounded() throws {
        var sample = SampleReport()
        let field = Array("X-Field: \(String(repeating: "y", count: 69))\r\n".utf8)
        sample.message.content = [[UInt8]](repeating: field, count: 2000).flatMap(\.self)
        let report = sample.compose()
        #expect(report.content.count < DeliveryReport.headerOctetsMax + 4096)
        #expect(report.content.count > DeliveryReport.headerOctetsMax)
        // Whole lines only.
        let reading = try #require(Self.read(report))
        #expect(reading.parts[2].lines.allSatisfy { $0.count == 78 })
    }

    /// A Message-ID is repeated when it is one.
    @Test(arguments: [
        ("Message-Id:<a@b>\r\n", "<a@b>"),
        ("MESSAGE-ID:\r\n <a@b>\r\n", "<a@b>"),
        ("Message-ID: <a@b> <c@d>\r\n", nil),
        ("Message-ID: a@b\r\n", nil),
        ("Message-ID: <ä@b>\r\n", nil),
        ("Message-ID: <>\r\n", nil),
        ("X-Message-ID: <a@b>\r\n", nil),
        ("X: y\r\n\r\nMessage-ID: <a@b>\r\n", nil),
    ])
    func messageIDIsRepeated(content: String, expected: String?) throws {
        var sample = SampleReport()
        sample.message.content = Array(content.utf8)
        let reading = try #require(Self.read(sample.compose()))
        let found = reading.header.filter { ["In-Reply-To", "References"].contains($0.name) }
        #expect(found.map(\.value) == (expected.map { [$0, $0] } ?? []))
    }

    // MARK: - Beyond ASCII

    /// To a mailbox in UTF-8 everything may be UTF-8 (RFC 6533).
    @Test func internationalReport() {
        var sample = SampleReport()
        sample.message.reversePath = Array("änna@example.org".utf8)
        sample.message.options.needsUTF8 = true
        sample.message.content = Array("Subject: Grüße\r\n\r\nHallo\r\n".utf8)
        sample.recipients[0].address = Array("zoë+x@example.com".utf8)
        sample.recipients[0].originalRecipient = Array("utf-8;zo\\x{EB}@example.com".utf8)
        let report = sample.compose()
        #expect(report.options.needsUTF8)
        #expect(report.options.body == .eightBitMIME)
        let text = String(decoding: report.content, as: UTF8.self)
        #expect(text.contains("\r\nTo: <änna@example.org>\r\n"))
        #expect(text.contains("text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"))
        #expect(
            text.contains(
                "message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            )
        )
        #expect(
            text.contains(
                """
                Original-Recipient: utf-8; zoë@example.com
                Final-Recipient: utf-8; zoë\\x{2B}x@example.com

                """.inLines
            )
        )
        #expect(
            text.contains(
                "message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: Grüße"
            )
        )
    }

    /// To a mailbox in ASCII the report is ASCII, addresses beyond it included.
    @Test func internationalRecipientOfAPlainSender() {
        var sample = SampleReport()
        sample.message.options.needsUTF8 = true
        sample.message.content = Array("Subject: Grüße\r\n\r\nHallo\r\n".utf8)
        sample.recipients[0].address = Array("zoë@example.com".utf8)
        sample.recipients[0].originalRecipient = Array("utf-8;zo\\x{EB}@example.com".utf8)
        let report = sample.compose()
        #expect(report.options == EnvelopeOptions())
        let text = String(decoding: report.content, as: UTF8.self)
        #expect(report.content.allSatisfy { $0 < 0x80 })
        #expect(
            text.contains(
                "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
            )
        )
        #expect(text.contains("  <zo=C3=AB@example.com>\r\n"))
        #expect(
            text.contains(
                """
                Original-Recipient: utf-8; zo\\x{EB}@example.com
                Final-Recipient: utf-8; zo\\x{EB}@example.com

                """.inLines
            )
        )
        #expect(
            text.contains(
                """
                message/global-headers
                Content-Transfer-Encoding: quoted-printable

                Subject: Gr=C3=BC=C3=9Fe

                """.inLines
            )
        )
    }

    /// A postmaster whose address the reader's server may not take is named by the host.
    @Test func internationalPostmaster() {
        var sample = SampleReport()
        sample.reporter.postmaster = Array("pöst@mail.example".utf8)
        #expect(sample.text.hasPrefix("From: Mail Delivery System <postmaster@mail.example>\r\n"))
        sample.message.reversePath = Array("änna@example.org".utf8)
        #expect(sample.text.hasPrefix("From: Mail Delivery System <pöst@mail.example>\r\n"))
    }

    // MARK: - Hostile octets

    /// Whatever others wrote, a report has the fields it has and no others.
    @Test(arguments: 0..<400) func nothingLeavesItsPlace(seed: Int) throws {
        var chance = SeededChance(seed: UInt64(seed))
        var sample = SampleReport()
        sample.reporter.hostname = Array("mail.example".utf8)
        sample.message.reversePath = chance.hostileOctets(countMax: 400) + [0x61]
        sample.message.options.envelopeID = chance.hostileOctets(countMax: 150)
        sample.message.options.needsUTF8 = chance.pick(2) == 0
        sample.message.options.returnedContent = chance.pick(from: [.unspecified, .full])
        sample.message.content = chance.hostileOctets(countMax: 5000)
        // Only in a message that is given back whole could a boundary be told from ours, and
        // that it does not hold one is what the token is for.
        sample.identity.token = chance.next() | 1 << 63
        sample.recipients = (0...chance.pick(4)).map { _ in
            ReportedRecipient(
                address: chance.hostileOctets(countMax: 400),
                originalRecipient: chance.pick(from: [[], Array("rfc822;".utf8)])
                    + chance.hostileOctets(countMax: 500),
                action: chance.pick(from: ReportedAction.allCases),
                status: EnhancedStatus(UInt8(2 + chance.pick(4)), 1, 999),
                host: chance.hostileOctets(countMax: 300),
                reply: chance.pick(from: [[], Array("550 ".utf8)])
                    + chance.hostileOctets(countMax: 3000),
                lastAttemptAt: chance.pick(from: [nil, 1_700_000_000])
            )
        }
        let report = sample.compose()
        let reading = try #require(
            ReportReading(
                report.content,
                boundary: "=_00000000004K7.\(String(sample.identity.token, radix: 16))"
            )
        )
        try Self.check(reading, of: report, recipients: sample.recipients.count)
    }

    private static func check(
        _ reading: ReportReading,
        of report: DeliveryReport,
        recipients: Int
    ) throws {
        #expect(reading.isASCII || report.options.body == .eightBitMIME)
        let names = reading.header.map(\.name)
        let expected = [
            "From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
            "Auto-Submitted", "Precedence", "MIME-Version", "Content-Type",
            "Content-Transfer-Encoding",
        ]
        #expect(Set(names).count == names.count)
        #expect(names == expected.filter(names.contains))
        #expect(names.count >= 9)
        try #require(reading.parts.count == 3)
        for part in reading.parts {
            #expect(
                part.header.map(\.name).filter { $0 != "Content-Transfer-Encoding" }
                    == ["Content-Type"]
            )
        }
        var rest = reading.parts[1].lines + [[]]
        var blocks = 0
        while !rest.isEmpty, let block = ReportReading.fields(rest) {
            let names = block.fields.map(\.name)
            let expected = blocks == 0 ? Self.messageFields : Self.recipientFields
            #expect(names == expected.filter(names.contains))
            blocks += 1
            rest.removeFirst(block.end)
        }
        #expect(rest.isEmpty)
        #expect(blocks == recipients + 1)
    }

    private static let messageFields = ["Original-Envelope-Id", "Reporting-MTA", "Arrival-Date"]
    private static let recipientFields = [
        "Original-Recipient", "Final-Recipient", "Action", "Status", "Remote-MTA",
        "Diagnostic-Code", "Last-Attempt-Date", "Will-Retry-Until",
    ]

    // MARK: - Support

    private static func recipient(
        _ address: String,
        _ action: ReportedAction,
        _ status: EnhancedStatus,
        _ reply: String
    ) -> ReportedRecipient {
        ReportedRecipient(
            address: Array(address.utf8),
            action: action,
            status: status,
            reply: Array(reply.utf8)
        )
    }

    private static func read(_ report: DeliveryReport) -> ReportReading? {
        ReportReading(report.content, boundary: "=_00000000004K7.feedface")
    }

    private static func expect(_ sample: SampleReport, reads expected: String) {
        let lines = sample.text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let expectedLines = expected.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == expectedLines.count)
        for (line, expectedLine) in zip(lines, expectedLines) { #expect(line == expectedLine) }
    }
}

extension String {
    /// The text with the line ends of mail.
    fileprivate var inLines: String {
        self.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
    }
}
