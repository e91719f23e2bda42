// SPDX-License-Identifier: Apache-2.0
//
// What a library that others wrote makes of reports: Python's email package.

import Foundation
import MailSyntax
import Testing

@testable import Delivery

private let python = "/usr/bin/python3"

@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: python), "there is no python3"))
struct PythonReadingTests {
    /// Prints a report as lines of facts.
    private static let script = """
        import sys, email, email.policy
        report = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
        print(report.get_content_type(), report.get_param("report-type"))
        for name in ("From", "To"):
            value = report[name].addresses[0].addr_spec
            print(value.encode("utf-8", "surrogateescape").decode("utf-8"))
        print(report["Date"].datetime.isoformat(), report["Auto-Submitted"])
        text, status, original = report.iter_parts()
        print(text.get_content_type(), "ben@example.net" in text.get_content())
        print(status.get_content_type())
        for block in status.iter_parts():
            print("; ".join(f"{name}={value}" for name, value in block.items()))
        print(original.get_content_type(), original.get("Content-Transfer-Encoding"))
        if original.get_content_maintype() == "text":
            print(repr(original.get_content()))
        if original.get_content_type() == "message/rfc822":
            inner = original.get_content()
            print(inner["Subject"], repr(inner.get_content()))
        print([d for part in report.walk() for d in part.defects])
        """

    private static func facts(of report: DeliveryReport) throws -> [String] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", self.script]
        process.environment = ["PYTHONIOENCODING": "utf-8"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(report.content))
        try input.fileHandleForWriting.close()
        let read = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: read, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func headersOnly() throws {
        var sample = SampleReport()
        sample.message.options.envelopeID = Array("QQ314+2B159".utf8)
        sample.recipients[0].originalRecipient = Array("rfc822;Ben+40example.net".utf8)
        sample.recipients[0].reply = Array(
            ("550-5.1.1 The account that you tried to reach does not exist.\r\n"
                + "550 5.1.1 Check it for typing errors").utf8
        )
        #expect(
            try Self.facts(of: sample.compose()) == [
                "multipart/report delivery-status",
                "postmaster@mail.example",
                "anna@example.org",
                "2023-11-15T22:13:20+00:00 auto-replied",
                "text/plain True",
                "message/delivery-status",
                "Original-Envelope-Id=QQ314+159; Reporting-MTA=dns; mail.example; "
                    + "Arrival-Date=Tue, 14 Nov 2023 22:13:20 +0000",
                "Original-Recipient=rfc822; Ben@example.net; "
                    + "Final-Recipient=rfc822; ben@example.net; Action=failed; Status=5.1.1; "
                    + "Remote-MTA=dns; mx.example.net; Diagnostic-Code=smtp; 550-5.1.1 The account "
                    + "that you tried to reach does not exist. 550 5.1.1 Check it for typing "
                    + "errors; Last-Attempt-Date=Wed, 15 Nov 2023 22:13:19 +0000",
                "text/rfc822-headers None",
                #"'Received: from x by y;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\n"#
                    + #"Subject: Hello\r\nMessage-ID: <one@example.org>\r\n'"#,
                "[]",
            ]
        )
    }

    @Test func eightBitHeaders() throws {
        var sample = SampleReport()
        sample.message.content = Array("Subject: Grüße\r\n\r\nHallo, Jörg\r\n".utf8)
        let facts = try Self.facts(of: sample.compose())
        #expect(facts.contains("text/rfc822-headers quoted-printable"))
        #expect(facts.last == "[]")
    }

    @Test func wholeMessage() throws {
        var sample = SampleReport()
        sample.message.options.returnedContent = .full
        sample.message.content = Array(
            ("Subject: Hello\r\nContent-Type: text/plain; charset=utf-8\r\n"
                + "Content-Transfer-Encoding: 8bit\r\n\r\nHallo, Jörg\r\n\r\n").utf8
        )
        sample.recipients += (0..<199).map { index in
            ReportedRecipient(
                address: Array("r\(index)@example.net".utf8),
                action: .failed,
                status: EnhancedStatus(5, 1, 1)
            )
        }
        let facts = try Self.facts(of: sample.compose())
        #expect(facts.contains("message/rfc822 8bit"))
        #expect(facts.contains("Hello 'Hallo, Jörg\\r\\n\\r\\n'"))
        #expect(facts.count { $0.hasPrefix("Final-Recipient=") } == 200)
        #expect(facts.last == "[]")
    }

    @Test func internationalReport() throws {
        var sample = SampleReport()
        sample.message.reversePath = Array("änna@example.org".utf8)
        sample.message.options.needsUTF8 = true
        let facts = try Self.facts(of: sample.compose())
        #expect(facts.contains("änna@example.org"))
        #expect(facts.contains("message/global-delivery-status"))
    }
}
