// SPDX-License-Identifier: Apache-2.0
//
// What the store tells of the queue, as rows of fields and back: the server writes them, the
// command line reads them. A row begins with a word that says what it is.

package import MailStore
internal import MailSyntax

/// The rows that answer a request about the queue.
package enum QueueAnswer {
    // MARK: - Rows

    static func rows(_ page: QueuePage) -> [[[UInt8]]] {
        page.rows.map { ["row".octets] + self.fields($0) } + self.rows(next: page.next)
    }

    static func rows(changed count: Int, next: QueuePosition?) -> [[[UInt8]]] {
        [["changed".octets, String(count).octets]] + self.rows(next: next)
    }

    static func rows(_ detail: QueueDetail) -> [[[UInt8]]] {
        var rows = [["message".octets] + self.fields(detail)]
        for recipient in detail.recipients {
            rows.append(
                ["recipient".octets] + self.fields(recipient.row) + [
                    String(recipient.notify.rawValue).octets, recipient.originalRecipient,
                ]
            )
            rows += recipient.history.map { entry in
                [
                    "attempt".octets, String(entry.attempt.at).octets, entry.attempt.host,
                    entry.attempt.tls, (entry.status?.description ?? "").octets, entry.reply,
                ]
            }
        }
        let next = detail.next.map { QueuePosition(message: detail.message.id, number: $0) }
        return rows + self.rows(next: next)
    }

    private static func rows(next: QueuePosition?) -> [[[UInt8]]] {
        next.map { [["next".octets, $0.message.text.octets, String($0.number).octets]] } ?? []
    }

    private static func fields(_ row: QueueRow) -> [[UInt8]] {
        [
            row.position.message.text.octets, String(row.position.number).octets, row.reversePath,
            String(row.octets).octets, String(row.queuedAt).octets, String(row.expiresAt).octets,
            row.address, row.destination, String(row.state.rawValue).octets,
            String(row.nextAt).octets, String(row.attempts).octets,
            (row.status?.description ?? "").octets, row.reply,
            (row.rest.map { String($0.until) } ?? "").octets,
            (row.rest.map { String($0.failures) } ?? "").octets, row.rest?.reason ?? [],
        ]
    }

    private static func fields(_ detail: QueueDetail) -> [[UInt8]] {
        let message = detail.message
        let options = message.options
        return [
            message.id.text.octets, message.reversePath, String(message.octets).octets,
            String(message.queuedAt).octets, String(message.expiresAt).octets,
            (message.warnAt.map { String($0) } ?? "").octets, detail.submitter?.octets ?? [],
            String(options.body.rawValue).octets, (options.needsUTF8 ? "utf8" : "").octets,
            (options.requiresTLS ? "tls" : "").octets,
            String(options.returnedContent.rawValue).octets, options.envelopeID,
            (message.endsWithCRLF ? "whole" : "").octets,
        ]
    }

    // MARK: - And back

    /// A part of a listing.
    package static func page(_ rows: [[[UInt8]]]) -> QueuePage {
        QueuePage(rows: self.rows("row", of: rows).compactMap(self.row), next: self.next(of: rows))
    }

    /// How many recipients were changed, and where to go on.
    package static func changed(_ rows: [[[UInt8]]]) -> (count: Int, next: QueuePosition?) {
        let count = self.rows("changed", of: rows).first.flatMap { $0.first?.number } ?? 0
        return (count, self.next(of: rows))
    }

    /// A message with some of its recipients; nil when the rows are no such answer.
    package static func detail(_ rows: [[[UInt8]]]) -> QueueDetail? {
        guard let fields = self.rows("message", of: rows).first,
            let message = self.message(fields)
        else { return nil }
        var recipients: [QueueDetail.Recipient] = []
        var history: [QueueDetail.Attempt] = []
        // From the last to the first: attempts follow the recipient whose they are.
        for row in rows.reversed() {
            switch row.first?.text {
            case "attempt":
                if let attempt = self.attempt(Array(row.dropFirst())) { history.append(attempt) }
            case "recipient":
                let fields = Array(row.dropFirst())
                guard let row = self.row(fields), fields.count > 17 else { return nil }
                recipients.append(
                    QueueDetail.Recipient(
                        row: row,
                        notify: NotifyConditions(rawValue: UInt8(fields[16].text) ?? 0),
                        originalRecipient: fields[17],
                        history: history.reversed()
                    )
                )
                history = []
            default:
                continue
            }
        }
        let submitter = fields[6]
        return QueueDetail(
            message: message,
            submitter: Address(octets: submitter.span),
            recipients: recipients.reversed(),
            next: self.next(of: rows)?.number
        )
    }

    private static func rows(_ word: String, of rows: [[[UInt8]]]) -> [[[UInt8]]] {
        rows.filter { $0.first == word.octets }.map { Array($0.dropFirst()) }
    }

    private static func next(of rows: [[[UInt8]]]) -> QueuePosition? {
        guard let fields = self.rows("next", of: rows).first, fields.count > 1,
            let message = MessageID(text: fields[0].text), let number = fields[1].number
        else { return nil }
        return QueuePosition(message: message, number: number)
    }

    private static func row(_ fields: [[UInt8]]) -> QueueRow? {
        guard fields.count >= 16, let message = MessageID(text: fields[0].text),
            let number = fields[1].number,
            let state = UInt8(fields[8].text).flatMap(QueueState.init)
        else { return nil }
        let rest = Int64(fields[13].text).map {
            QueueRest(until: $0, failures: fields[14].number ?? 0, reason: fields[15])
        }
        return QueueRow(
            position: QueuePosition(message: message, number: number),
            reversePath: fields[2],
            octets: fields[3].number ?? 0,
            queuedAt: Int64(fields[4].text) ?? 0,
            expiresAt: Int64(fields[5].text) ?? 0,
            address: fields[6],
            destination: fields[7],
            state: state,
            nextAt: Int64(fields[9].text) ?? 0,
            attempts: fields[10].number ?? 0,
            status: self.status(fields[11]),
            reply: fields[12],
            rest: rest
        )
    }

    private static func message(_ fields: [[UInt8]]) -> QueuedMessage? {
        guard fields.count >= 13, let id = MessageID(text: fields[0].text) else { return nil }
        var options = EnvelopeOptions()
        options.body = fields[7].number == 1 ? .eightBitMIME : .sevenBit
        options.needsUTF8 = !fields[8].isEmpty
        options.requiresTLS = !fields[9].isEmpty
        options.returnedContent =
            UInt8(fields[10].text).flatMap(ReturnedContent.init) ?? .unspecified
        options.envelopeID = fields[11]
        return QueuedMessage(
            id: id,
            reversePath: fields[1],
            octets: fields[2].number ?? 0,
            endsWithCRLF: !fields[12].isEmpty,
            options: options,
            account: nil,
            queuedAt: Int64(fields[3].text) ?? 0,
            expiresAt: Int64(fields[4].text) ?? 0,
            warnAt: Int64(fields[5].text)
        )
    }

    private static func attempt(_ fields: [[UInt8]]) -> QueueDetail.Attempt? {
        guard fields.count >= 5, let at = Int64(fields[0].text) else { return nil }
        return QueueDetail.Attempt(
            attempt: QueueAttempt(at: at, host: fields[1], tls: fields[2]),
            status: self.status(fields[3]),
            reply: fields[4]
        )
    }

    private static func status(_ field: [UInt8]) -> EnhancedStatus? {
        let numbers = field.text.split(separator: ".").compactMap { UInt16($0) }
        guard numbers.count == 3, let statusClass = UInt8(exactly: numbers[0]) else { return nil }
        return EnhancedStatus(statusClass, numbers[1], numbers[2])
    }
}

extension [UInt8] {
    fileprivate var number: Int? { Int(self.text) }
}
