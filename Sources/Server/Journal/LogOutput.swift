// SPDX-License-Identifier: Apache-2.0
//
// The log of a serving process: swift-log in front, lines on standard output behind, and a thread
// between them that may block.

package import Configuration
internal import EventLoop
package import Logging

/// The logger and the thread that writes its lines.
///
/// Lines from before the thread starts are kept.
package final class LogOutput {
    package let sink: LogSink
    package let logger: Logger
    private var writer: WorkerThread?

    package init(_ settings: Configuration.Log) {
        let ring = LogRing()
        let format: LogFormat =
            switch settings.format {
            case .text: .text
            case .json: .json
            case .auto: Terminal.isTerminal(1) ? .text : .json
            }
        let sink = LogSink(ring: ring, format: format, level: settings.level.loggerLevel) {
            WallClock.now
        }
        self.sink = sink
        self.logger = Logger(label: "martlet") { _ in LineLogHandler(sink: sink) }
    }

    /// Starts the thread.
    package func start() {
        let ring = self.sink.ring
        self.writer = WorkerThread(name: "log") {
            ring.drain(
                pause: { WorkerThread.sleep(milliseconds: 20) },
                write: { Terminal.write($0, to: 1) }
            )
        }
    }

    /// Writes what is left; waits for it only so long, because standard output may be stuck.
    package func close() {
        if self.writer == nil { self.start() }
        self.sink.ring.close()
        self.writer?.join(atMostSeconds: 2)
    }
}

extension Configuration.Log.Level {
    var loggerLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}
