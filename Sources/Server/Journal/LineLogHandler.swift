// SPDX-License-Identifier: Apache-2.0
//
// swift-log's back end: formats an event as one line, for people or as JSON, and hands it to the
// ring. It never blocks. What comes from a peer is escaped, so that no line can be forged.

package import Logging
internal import MailSyntax

/// How log lines look.
package enum LogFormat: String, Sendable {
    /// time level message key=value …
    case text
    /// One JSON object a line.
    case json
}

/// A log handler that writes lines into a `LogRing`.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let ring: LogRing
    private let format: LogFormat
    private let wallClock: @Sendable () -> (seconds: Int64, milliseconds: Int)

    package init(
        ring: LogRing,
        format: LogFormat,
        level: Logger.Level,
        wallClock: @escaping @Sendable () -> (seconds: Int64, milliseconds: Int)
    ) {
        self.ring = ring
        self.format = format
        self.logLevel = level
        self.wallClock = wallClock
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let (seconds, milliseconds) = self.wallClock()
        var line: [UInt8] = []
        line.reserveCapacity(256)
        let time = MailDate.iso8601(secondsSince1970: seconds, milliseconds: milliseconds)
        let pairs = (event.metadata ?? [:]).sorted { $0.key < $1.key }
        switch self.format {
        case .text:
            line += "\(time) \(event.level.rawValue) \(event.message)".utf8
            for (key, value) in pairs {
                line += " \(key)=".utf8
                Self.appendText("\(value)", to: &line)
            }
        case .json:
            line += "{\"time\":\"\(time)\",\"level\":\"\(event.level.rawValue)\",\"message\":".utf8
            Self.appendJSON("\(event.message)", to: &line)
            for (key, value) in pairs {
                line.append(UInt8(ascii: ","))
                Self.appendJSON(key, to: &line)
                line.append(UInt8(ascii: ":"))
                Self.appendJSON("\(value)", to: &line)
            }
            line.append(UInt8(ascii: "}"))
        }
        line.append(UInt8(ascii: "\n"))
        self.ring.put(line)
    }

    /// Values with spaces, quotes or control characters are quoted and escaped.
    private static func appendText(_ text: String, to line: inout [UInt8]) {
        let needsQuotes = text.utf8.contains { $0 <= 0x20 || $0 == 0x22 || $0 == 0x7f }
        if needsQuotes || text.isEmpty {
            Self.appendJSON(text, to: &line)
        } else {
            line += text.utf8
        }
    }

    private static func appendJSON(_ text: String, to line: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        line.append(0x22)
        for octet in text.utf8 {
            switch octet {
            case 0x22, 0x5c:
                line += [0x5c, octet]
            case 0..<0x20, 0x7f:
                line += "\\u00".utf8
                line += [digits[Int(octet >> 4)], digits[Int(octet & 15)]]
            default:
                line.append(octet)
            }
        }
        line.append(0x22)
    }
}
