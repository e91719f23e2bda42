// SPDX-License-Identifier: Apache-2.0

internal import EventLoop

/// A stream that is being connected: tells once whether it is, or why not.
final class ConnectingStream: StreamHandler {
    let stream: any ByteStream
    private var done: ((String?) -> Void)?

    /// `done` gets nil when the stream is connected.
    init(_ stream: any ByteStream, _ done: @escaping (String?) -> Void) {
        self.stream = stream
        self.done = done
        stream.handler = self
    }

    /// Nobody wants it any more.
    func cancel() {
        self.done = nil
        self.stream.abort()
    }

    func connected(_ stream: any ByteStream) {
        stream.setDeadline(seconds: nil)
        self.done.take()?(nil)
    }

    /// What comes before somebody listens stays for whoever takes the stream over.
    func received(
        _ octets: borrowing Span<UInt8>,
        from stream: any ByteStream
    ) -> Consumption {
        Consumption(count: 0, next: .awaitMore)
    }

    func inputEnded(_ stream: any ByteStream) {}

    func drained(_ stream: any ByteStream) {}

    func deadlinePassed(_ stream: any ByteStream) {
        self.done.take()?("timed out")
        stream.abort()
    }

    func ended(_ stream: any ByteStream) {
        self.done.take()?(stream.connectFailure ?? "the connection ended")
    }
}
