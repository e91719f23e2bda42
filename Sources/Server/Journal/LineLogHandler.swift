// SPDX-License-Identifier: Apache-2.0
//
// swift-log's back end: formats an event as one line and hands it to the ring. It never blocks.

package import Logging

/// Where log lines go, how they look, and which are written.
package struct LogSink: Sendable {
    package let ring: LogRing
    package let format: LogFormat
    package let level: Logger.Level
    /// Seconds since 1970 and milliseconds.
    package let wallClock: @Sendable () -> (seconds: Int64, milliseconds: Int)

    package init(
        ring: LogRing,
        format: LogFormat,
        level: Logger.Level,
        wallClock: @escaping @Sendable () -> (seconds: Int64, milliseconds: Int)
    ) {
        self.ring = ring
        self.format = format
        self.level = level
        self.wallClock = wallClock
    }
}

/// A log handler that writes lines into a `LogRing`.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let sink: LogSink

    package init(sink: LogSink) {
        self.sink = sink
        self.logLevel = sink.level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = LogLine(format: self.sink.format)
        line.begin(
            self.sink.wallClock(),
            level: event.level.name,
            string: "\(event.message)"
        )
        let all = self.metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            if case .stringConvertible(let number as Int) = value {
                line.field(string: key, number: number)
            } else {
                line.field(string: key, "\(value)")
            }
        }
        line.end(into: self.sink.ring)
    }
}

extension Logger.Level {
    /// The name in log lines.
    var name: StaticString {
        switch self {
        case .trace: "trace"
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        case .critical: "critical"
        }
    }
}
