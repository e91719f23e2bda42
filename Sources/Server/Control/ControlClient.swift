// SPDX-License-Identifier: Apache-2.0
//
// The command line's end of the control socket: sends requests, many ahead of their answers, and
// gathers what comes back. It runs a small loop of its own and returns when all are answered.

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
    private let requests: [AdministrationRequest]
    private var sentCount = 0
    private var results: [AdministrationResult] = []
    private var current = AdministrationResult(rows: [], failure: nil)

    /// So many requests are sent ahead of their answers.
    private static let aheadMax = 1024
    private static let patienceSeconds: Double = 60

    private init(loop: EventLoop, requests: [AdministrationRequest]) {
        self.loop = loop
        self.requests = requests
    }

    /// Has the server at `path` carry out `requests`, in order.
    package static func perform(
        _ requests: [AdministrationRequest],
        at path: String
    ) throws(Failure) -> [AdministrationResult] {
        guard !requests.isEmpty else { return [] }
        let client: ControlClient
        do throws(EventLoopError) {
            let loop = try EventLoop(connectionsMax: 4)
            client = ControlClient(loop: loop, requests: requests)
            let stream = try loop.connect(to: .unix(path: path), localAddress: nil)
            stream.handler = client
            client.sendMore(to: stream)
            loop.run()
        } catch {
            throw .unreachable("\(path): \(error)")
        }
        guard client.results.count == requests.count else { throw .brokenOff }
        return client.results
    }

    private func sendMore(to stream: any ByteStream) {
        stream.setDeadline(seconds: Self.patienceSeconds)
        // Refilled by halves, so that many requests go with one send.
        guard self.sentCount - self.results.count <= Self.aheadMax / 2 else { return }
        let end = min(self.results.count + Self.aheadMax, self.requests.count)
        guard self.sentCount < end else { return }
        var lines: [UInt8] = []
        for request in self.requests[self.sentCount..<end] { lines += request.line + [.lf] }
        self.sentCount = end
        stream.send(lines.span)
    }

    package func received(
        _ octets: borrowing Span<UInt8>,
        from stream: any ByteStream
    ) -> Consumption {
        var offset = 0
        while let end = octets.firstIndex(of: .lf, from: offset) {
            self.take(octets.copy(ByteRange(at: offset, count: end - offset)))
            offset = end + 1
        }
        if self.results.count == self.requests.count {
            stream.abort()
            self.loop.stop()
            return Consumption(count: octets.count, next: .finished)
        }
        self.sendMore(to: stream)
        return Consumption(count: offset, next: .awaitMore)
    }

    private func take(_ line: [UInt8]) {
        let fields = ControlLine.decode(line) ?? []
        switch fields.first {
        case [UInt8(ascii: "=")]:
            self.current.rows.append(Array(fields.dropFirst()))
            return
        case [UInt8(ascii: "!")]:
            self.current.failure = fields.dropFirst().map { String(decoding: $0, as: UTF8.self) }
                .joined(separator: " ")
        default:
            break
        }
        self.results.append(self.current)
        self.current = AdministrationResult(rows: [], failure: nil)
    }

    package func inputEnded(_ stream: any ByteStream) { self.loop.stop() }

    package func drained(_ stream: any ByteStream) {}

    package func deadlinePassed(_ stream: any ByteStream) { self.loop.stop() }

    package func ended(_ stream: any ByteStream) { self.loop.stop() }
}
