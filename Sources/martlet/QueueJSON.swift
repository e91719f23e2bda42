// SPDX-License-Identifier: Apache-2.0
//
// The queue as programs read it: times in seconds since 1970, sizes in octets.

internal import MailStore
internal import MailSyntax

enum QueueJSON {
    /// Prints one recipient as an object on one line.
    static func print(_ row: QueueRow) {
        Swift.print(
            self.object(
                [
                    ("id", self.string(row.position.message.text)),
                    ("sender", self.string(row.reversePath)), ("octets", "\(row.octets)"),
                    ("queued_at", "\(row.queuedAt)"), ("expires_at", "\(row.expiresAt)"),
                ] + self.members(of: row)
            )
        )
    }

    /// Prints a message with all that is known of it as an object on one line.
    static func print(_ detail: QueueDetail) {
        let message = detail.message
        let wishes = message.options.wishes.map(self.string).joined(separator: ",")
        Swift.print(
            self.object([
                ("id", self.string(message.id.text)), ("sender", self.string(message.reversePath)),
                ("account", detail.submitter.map { self.string($0.text) } ?? "null"),
                ("octets", "\(message.octets)"), ("queued_at", "\(message.queuedAt)"),
                ("expires_at", "\(message.expiresAt)"),
                ("warns_at", message.warnAt.map { "\($0)" } ?? "null"),
                ("asked_for", "[\(wishes)]"),
                ("recipients", self.array(detail.recipients.map(self.recipient))),
            ])
        )
    }

    private static func recipient(_ recipient: QueueDetail.Recipient) -> String {
        let history = recipient.history.map { entry in
            self.object([
                ("at", "\(entry.attempt.at)"), ("host", self.string(entry.attempt.host)),
                ("tls", self.string(entry.attempt.tls)),
                ("status", entry.status.map { self.string("\($0)") } ?? "null"),
                ("reply", self.string(entry.reply)),
            ])
        }
        return self.object(
            self.members(of: recipient.row) + [
                ("notify", self.string(recipient.notify.words)),
                ("original_recipient", self.string(recipient.originalRecipient)),
                ("history", self.array(history)),
            ]
        )
    }

    private static func members(of row: QueueRow) -> [(String, String)] {
        let rest = row.rest.map { rest in
            self.object([
                ("until", "\(rest.until)"), ("failures", "\(rest.failures)"),
                ("reason", self.string(rest.reason)),
            ])
        }
        return [
            ("recipient", self.string(row.address)), ("destination", self.string(row.destination)),
            ("state", self.string("\(row.state)")), ("next_at", "\(row.nextAt)"),
            ("attempts", "\(row.attempts)"),
            ("status", row.status.map { self.string("\($0)") } ?? "null"),
            ("reply", self.string(row.reply)), ("destination_rest", rest ?? "null"),
        ]
    }

    private static func object(_ members: [(String, String)]) -> String {
        "{\(members.map { "\(self.string($0)):\($1)" }.joined(separator: ","))}"
    }

    private static func array(_ elements: [String]) -> String {
        "[\(elements.joined(separator: ","))]"
    }

    private static func string(_ text: String) -> String { JSONText.string(text) }

    private static func string(_ octets: [UInt8]) -> String {
        JSONText.string(String(decoding: octets, as: UTF8.self))
    }
}
