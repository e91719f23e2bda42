// SPDX-License-Identifier: Apache-2.0
//
// What the command line asks of the queue, and its form on the control socket. A field that may be
// absent is empty then, and begins with `=` otherwise: the null reverse-path is a sender, too.

package import MailStore
package import MailSyntax

/// One change of, or question about, the queue.
package enum QueueRequest: Sendable, Equatable {
    case list(QueueSelector, after: QueuePosition?, count: Int)
    case show(MessageID, after: Int?, count: Int)
    case change(QueueChange, QueueSelector, after: QueuePosition?, now: Int64)

    /// At most so many rows come with one part of a listing; they are longer than those of
    /// accounts.
    package static let rowsMax = 200
}

extension QueueRequest {
    /// The call of the store that carries a request out.
    var step: AdministrationRequest.Step {
        switch self {
        case .list(let selector, let after, let count):
            .read(.queueRows(selector, after: after, count: count))
        case .show(let message, let after, let count):
            .read(.queueMessage(message, after: after, count: count))
        case .change(let change, let selector, let after, let now):
            .write(.changeQueue(change, selector, after: after, now: now))
        }
    }

    /// The request as fields.
    var fields: [[UInt8]] {
        switch self {
        case .list(let selector, let after, let count):
            ["queue-list".octets] + Self.fields(selector, after) + [String(count).octets]
        case .show(let message, let after, let count):
            [
                "queue-show".octets, message.text.octets, Self.field(after.map(String.init)),
                String(count).octets,
            ]
        case .change(let change, let selector, let after, let now):
            ["queue-\(change.word)".octets] + Self.fields(selector, after) + [String(now).octets]
        }
    }

    private static func fields(_ selector: QueueSelector, _ after: QueuePosition?) -> [[UInt8]] {
        [
            self.field(selector.message?.text), self.field(selector.destination),
            self.field(selector.sender), self.field(selector.recipient),
            self.field(selector.queuedUntil.map { String($0) }),
            self.field(selector.state.map { String($0.rawValue) }),
            self.field(after?.message.text), self.field(after.map { String($0.number) }),
        ]
    }

    private static func field(_ value: [UInt8]?) -> [UInt8] {
        value.map { [UInt8(ascii: "=")] + $0 } ?? []
    }

    private static func field(_ value: String?) -> [UInt8] { self.field(value?.octets) }

    /// Reads the fields of a request; nil when they are none.
    init?(fields: [[UInt8]]) {
        guard let verb = fields.first?.text, verb.hasPrefix("queue-") else { return nil }
        switch (verb, fields.count) {
        case ("queue-list", 10):
            guard let (selector, after) = Self.selector(fields), let count = Self.count(fields[9])
            else { return nil }
            self = .list(selector, after: after, count: count)
        case ("queue-show", 4):
            guard let message = MessageID(text: fields[1].text),
                let after = Self.optional(fields[2], Self.number),
                let count = Self.count(fields[3])
            else { return nil }
            self = .show(message, after: after, count: count)
        case (_, 10):
            guard let change = QueueChange(word: verb.dropFirst("queue-".count)),
                let (selector, after) = Self.selector(fields), let now = Int64(fields[9].text)
            else { return nil }
            self = .change(change, selector, after: after, now: now)
        default:
            return nil
        }
    }

    /// The selector and the place in the fields 1 to 8.
    private static func selector(_ fields: [[UInt8]]) -> (QueueSelector, QueuePosition?)? {
        guard let message = self.optional(fields[1], { MessageID(text: $0.text) }),
            let destination = self.optional(fields[2], { $0 }),
            let sender = self.optional(fields[3], { $0 }),
            let recipient = self.optional(fields[4], { $0 }),
            let queuedUntil = self.optional(fields[5], { Int64($0.text) }),
            let state = self.optional(fields[6], { UInt8($0.text).flatMap(QueueState.init) }),
            let place = self.optional(fields[7], { MessageID(text: $0.text) }),
            let number = self.optional(fields[8], self.number), (place == nil) == (number == nil)
        else { return nil }
        var selector = QueueSelector()
        selector.message = message
        selector.destination = destination
        selector.sender = sender
        selector.recipient = recipient
        selector.queuedUntil = queuedUntil
        selector.state = state
        guard let place, let number else { return (selector, nil) }
        return (selector, QueuePosition(message: place, number: number))
    }

    /// What a field holds, which may be nothing; nil when it cannot be read.
    private static func optional<Value>(
        _ field: [UInt8],
        _ read: ([UInt8]) -> Value?
    ) -> Value?? {
        guard let mark = field.first else { return .some(nil) }
        guard mark == UInt8(ascii: "="), let value = read(Array(field.dropFirst())) else {
            return nil
        }
        return .some(value)
    }

    private static func number(_ field: [UInt8]) -> Int? {
        Int(field.text).flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func count(_ field: [UInt8]) -> Int? {
        self.number(field).flatMap { (1...Self.rowsMax).contains($0) ? $0 : nil }
    }
}

extension QueueChange {
    fileprivate var word: String {
        switch self {
        case .hold: "hold"
        case .release: "release"
        case .retry: "retry"
        case .remove(reporting: false): "remove"
        case .remove(reporting: true): "bounce"
        }
    }

    fileprivate init?(word: Substring) {
        let all: [QueueChange] = [
            .hold, .release, .retry, .remove(reporting: false), .remove(reporting: true),
        ]
        guard let change = all.first(where: { $0.word == word }) else { return nil }
        self = change
    }
}

extension String {
    var octets: [UInt8] { Array(self.utf8) }
}

extension [UInt8] {
    var text: String { String(decoding: self, as: UTF8.self) }
}
