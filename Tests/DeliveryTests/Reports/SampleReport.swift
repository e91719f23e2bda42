// SPDX-License-Identifier: Apache-2.0

import Delivery
import MailSyntax

/// A report with the parts that tests vary.
struct SampleReport {
    var reporter = DeliveryReport.Reporter(
        hostname: Array("mail.example".utf8),
        postmaster: Array("postmaster@mail.example".utf8)
    )
    var identity = DeliveryReport.Identity(
        id: MessageID(rawValue: 4711),
        token: 0xfeed_face,
        now: 1_700_086_400
    )
    var message = ReportedMessage(
        reversePath: Array("anna@example.org".utf8),
        arrivedAt: 1_700_000_000,
        expiresAt: 1_700_432_000,
        content: Array(
            "Received: from x by y;\r\n\tTue, 14 Nov 2023 22:13:20 +0000\r\nSubject: Hello\r\n"
                .utf8
        ) + Array("Message-ID: <one@example.org>\r\n\r\nThe text.\r\n".utf8),
        isWhole: true
    )
    var recipients = [
        ReportedRecipient(
            address: Array("ben@example.net".utf8),
            action: .failed,
            status: EnhancedStatus(5, 1, 1),
            host: Array("mx.example.net".utf8),
            reply: Array("550 5.1.1 <ben@example.net>: no such user".utf8),
            lastAttemptAt: 1_700_086_399
        )
    ]

    func compose() -> DeliveryReport {
        DeliveryReport(
            from: self.reporter,
            as: self.identity,
            about: self.message,
            recipients: self.recipients
        )
    }

    var text: String { String(decoding: self.compose().content, as: UTF8.self) }
}
