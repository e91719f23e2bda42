// SPDX-License-Identifier: Apache-2.0

import EventLoop
import MailBytes
import Testing

/// A handler whose every answer a test can choose, and which counts what it hears.
final class ScriptedHandler: StreamHandler {
    var onConnected: (any ByteStream) -> Void = { _ in }
    var onSecured: (any ByteStream) -> Void = { _ in }
    var onReceived: ([UInt8], any ByteStream) -> Consumption = { octets, _ in
        Consumption(count: octets.count, next: .awaitMore)
    }
    var onInputEnded: (any ByteStream) -> Void = { $0.close() }
    var onDrained: (any ByteStream) -> Void = { _ in }
    var onDeadline: (any ByteStream) -> Void = { _ in }
    var onEnded: (any ByteStream) -> Void = { _ in }

    private(set) var connectedCount = 0
    private(set) var securedCount = 0
    private(set) var inputEndedCount = 0
    private(set) var drainedCount = 0
    private(set) var deadlineCount = 0
    private(set) var endedCount = 0
    /// All octets consumed.
    private(set) var consumed: [UInt8] = []
    private var isInCall = false

    func connected(_ stream: any ByteStream) {
        self.call {
            self.connectedCount += 1
            self.onConnected(stream)
        }
    }

    func secured(_ stream: any ByteStream) {
        self.call {
            self.securedCount += 1
            self.onSecured(stream)
        }
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        var copy: [UInt8] = []
        copy.append(octets)
        #expect(self.inputEndedCount == 0)
        // After a yield or a resume the call may come with nothing.
        guard !copy.isEmpty else { return Consumption(count: 0, next: .awaitMore) }
        var consumption = Consumption(count: 0, next: .finished)
        self.call { consumption = self.onReceived(copy, stream) }
        self.consumed += copy.prefix(consumption.count)
        return consumption
    }

    func inputEnded(_ stream: any ByteStream) {
        self.call {
            self.inputEndedCount += 1
            self.onInputEnded(stream)
        }
    }

    func drained(_ stream: any ByteStream) {
        self.call {
            self.drainedCount += 1
            self.onDrained(stream)
        }
    }

    func deadlinePassed(_ stream: any ByteStream) {
        self.call {
            self.deadlineCount += 1
            self.onDeadline(stream)
        }
    }

    func ended(_ stream: any ByteStream) {
        self.call {
            self.endedCount += 1
            self.onEnded(stream)
        }
    }

    /// A handler is never called from within one of its own calls, nor after the last.
    private func call(_ body: () -> Void) {
        #expect(!self.isInCall)
        #expect(self.endedCount == 0)
        self.isInCall = true
        body()
        self.isInCall = false
    }
}

extension ByteStream {
    func send(_ text: String) { self.send(Array(text.utf8)) }

    func send(_ octets: [UInt8]) { self.send(octets.span) }
}
