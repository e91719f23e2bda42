// SPDX-License-Identifier: Apache-2.0
//
// One line of the log, for people or as JSON, written into a buffer that is used again: two lines
// are written for each message or login, and should cost next to nothing. What comes from a peer is
// escaped, so that no line can be forged and no terminal be controlled.

internal import MailBytes
internal import MailSyntax

/// How log lines look.
package enum LogFormat: String, Sendable {
    /// time level message key=value …
    case text
    /// One JSON object a line.
    case json
}

/// Writes one line at a time.
struct LogLine: ~Copyable {
    private var buffer = ReplyBuffer(capacity: 512)
    private let format: LogFormat
    private var second = Int64.min
    /// The time without its milliseconds, written once a second.
    private var stamp: [UInt8] = []

    init(format: LogFormat) {
        self.format = format
    }

    /// Begins a line.
    mutating func begin(
        _ time: (seconds: Int64, milliseconds: Int),
        level: StaticString,
        _ message: StaticString
    ) {
        self.beginMessage(time, level)
        self.buffer.append(message)
        self.endMessage()
    }

    /// Begins a line with a message of swift-log.
    mutating func begin(
        _ time: (seconds: Int64, milliseconds: Int),
        level: StaticString,
        string message: String
    ) {
        self.beginMessage(time, level)
        self.appendEscaped(Array(message.utf8).span)
        self.endMessage()
    }

    private mutating func beginMessage(
        _ time: (seconds: Int64, milliseconds: Int),
        _ level: StaticString
    ) {
        self.buffer.removeAll()
        if time.seconds != self.second {
            self.second = time.seconds
            let text = MailDate.iso8601(secondsSince1970: time.seconds, milliseconds: 0)
            self.stamp = Array(text.utf8.dropLast(4))
        }
        if self.format == .json { self.buffer.append("{\"time\":\"") }
        self.buffer.append(self.stamp)
        self.buffer.append(decimal: time.milliseconds, digits: 3)
        self.buffer.append(UInt8(ascii: "Z"))
        self.buffer.append(self.format == .json ? "\",\"level\":\"" : " ")
        self.buffer.append(level)
        self.buffer.append(self.format == .json ? "\",\"message\":\"" : " ")
    }

    private mutating func endMessage() {
        if self.format == .json { self.buffer.append(UInt8(ascii: "\"")) }
    }

    mutating func field(_ key: StaticString, _ number: Int) {
        self.beginField(key)
        self.buffer.append(decimal: number)
    }

    /// A phrase that needs no escapes.
    mutating func field(_ key: StaticString, _ value: StaticString) {
        self.beginField(key)
        self.buffer.append(UInt8(ascii: "\""))
        self.buffer.append(value)
        self.buffer.append(UInt8(ascii: "\""))
    }

    mutating func field(_ key: StaticString, _ value: borrowing Span<UInt8>) {
        self.beginField(key)
        self.appendValue(value)
    }

    /// A field of swift-log.
    mutating func field(string key: String, _ value: String) {
        self.beginField(string: key)
        self.appendValue(Array(value.utf8).span)
    }

    /// A field of swift-log that is a number.
    mutating func field(string key: String, number: Int) {
        self.beginField(string: key)
        self.buffer.append(decimal: number)
    }

    private mutating func beginField(string key: String) {
        self.buffer.append(self.format == .json ? ",\"" : " ")
        self.appendEscaped(Array(key.utf8).span)
        self.buffer.append(self.format == .json ? "\":" : "=")
    }

    /// The id of a session, or of a message, by a function that writes it.
    mutating func field(_ key: StaticString, _ write: (inout ReplyBuffer) -> Void) {
        self.beginField(key)
        if self.format == .json { self.buffer.append(UInt8(ascii: "\"")) }
        write(&self.buffer)
        if self.format == .json { self.buffer.append(UInt8(ascii: "\"")) }
    }

    /// Ends the line and hands it over.
    mutating func end(into ring: LogRing) {
        if self.format == .json { self.buffer.append(UInt8(ascii: "}")) }
        self.buffer.append(.lf)
        ring.put(self.buffer.span)
    }

    private mutating func beginField(_ key: StaticString) {
        switch self.format {
        case .text:
            self.buffer.append(.space)
            self.buffer.append(key)
            self.buffer.append(UInt8(ascii: "="))
        case .json:
            self.buffer.append(",\"")
            self.buffer.append(key)
            self.buffer.append("\":")
        }
    }

    /// Values with spaces or anything that must be escaped stand in quotes.
    private mutating func appendValue(_ value: borrowing Span<UInt8>) {
        let isQuoted = self.format == .json || !Self.isPlain(value)
        if isQuoted { self.buffer.append(UInt8(ascii: "\"")) }
        self.appendEscaped(value)
        if isQuoted { self.buffer.append(UInt8(ascii: "\"")) }
    }

    private static func isPlain(_ value: borrowing Span<UInt8>) -> Bool {
        for index in value.indices where !(0x21...0x7e ~= value[index]) || value[index] == 0x22 {
            return false
        }
        return value.count > 0
    }

    private mutating func appendEscaped(_ value: borrowing Span<UInt8>) {
        var index = 0
        while index < value.count {
            let octet = value[index]
            switch octet {
            case 0x22, 0x5c:
                self.buffer.append(UInt8(ascii: "\\"))
                self.buffer.append(octet)
            case 0x20...0x7e:
                self.buffer.append(octet)
            default:
                let length = Self.printableUTF8(value, at: index)
                guard length > 0 else {
                    self.appendHexadecimal(octet)
                    break
                }
                for offset in 0..<length { self.buffer.append(value[index + offset]) }
                index += length - 1
            }
            index += 1
        }
    }

    private mutating func appendHexadecimal(_ octet: UInt8) {
        self.buffer.append("\\u00")
        if octet < 0x10 { self.buffer.append(UInt8(ascii: "0")) }
        self.buffer.append(hexadecimal: UInt64(octet))
    }

    /// The length of the character that begins at `index` when it is whole and no control
    /// character, else 0.
    private static func printableUTF8(_ value: borrowing Span<UInt8>, at index: Int) -> Int {
        let first = value[index]
        let length =
            switch first {
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 0
            }
        guard length > 0, index + length <= value.count else { return 0 }
        var octets: [UInt8] = []
        for offset in 0..<length { octets.append(value[index + offset]) }
        guard let scalar = String(validating: octets, as: UTF8.self)?.unicodeScalars.first else {
            return 0
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
            .paragraphSeparator:
            return 0
        default:
            return length
        }
    }
}
