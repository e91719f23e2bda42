// SPDX-License-Identifier: Apache-2.0
//
// The command line's end of the control socket: sends requests one after another and gathers what
// comes back. It runs a small loop of its own and returns when all are answered.

package import EventLoop
internal import MailBytes

/// A conversation with the running server.
package final class ControlClient: StreamHandler {
    /// Why the server could not be asked.
    package enum Failure: Error {
        case unreachable(String)
        case brokenOff
    }

    private let loop: EventLoop
    private var waiting: [[UInt8]]
    private var results: [AdministrationResult] = []
    private var current = AdministrationResult(rows: [], failure: nil)
    private let count: Int

    private init(loop: EventLoop, requests: [AdministrationRequest]) {
        self.loop = loop
        self.count = requests.count
        self.waiting = requests.reversed().map { $0.line + [.lf] }
    }

    /// Has the server at `path` carry out `requests`, in order.
    package static func perform(
        _ requests: [AdministrationRequest],
        at path: String
    ) throws(Failure) -> [AdministrationResult] {
        let client: ControlClient
        do throws(EventLoopError) {
            let loop = try EventLoop(connectionsMax: 4)
            client = ControlClient(loop: loop, requests: requests)
            let stream = try loop.connect(to: .unix(path: path), localAddress: nil)
            stream.handler = client
            client.sendNext(to: stream)
            stream.setDeadline(seconds: 60)
            loop.run()
        } catch {
            throw .unreachable("\(path): \(error)")
        }
        guard client.results.count == requests.count else { throw .brokenOff }
        return client.results
    }

    private func sendNext(to stream: any ByteStream) {
        guard let line = self.waiting.popLast() else {
            stream.abort()
            self.loop.stop()
            return
        }
        stream.send(line.span)
        stream.setDeadline(seconds: 60)
    }

    package func received(
        _ octets: borrowing Span<UInt8>,
        from stream: any ByteStream
    ) -> Consumption {
        guard let end = octets.firstIndex(of: .lf) else {
            return Consumption(count: 0, next: .awaitMore)
        }
        let fields = ControlLine.decode(octets.copy(ByteRange(at: 0, count: end))) ?? []
        switch fields.first {
        case [UInt8(ascii: "=")]:
            self.current.rows.append(Array(fields.dropFirst()))
        case [UInt8(ascii: "!")]:
            self.current.failure = fields.dropFirst().map { String(decoding: $0, as: UTF8.self) }
                .joined(separator: " ")
            self.finish(stream)
        default:
            self.finish(stream)
        }
        return Consumption(count: end + 1, next: .yield)
    }

    private func finish(_ stream: any ByteStream) {
        self.results.append(self.current)
        self.current = AdministrationResult(rows: [], failure: nil)
        self.sendNext(to: stream)
    }

    package func inputEnded(_ stream: any ByteStream) { self.loop.stop() }

    package func drained(_ stream: any ByteStream) {}

    package func deadlinePassed(_ stream: any ByteStream) { self.loop.stop() }

    package func ended(_ stream: any ByteStream) { self.loop.stop() }
}
