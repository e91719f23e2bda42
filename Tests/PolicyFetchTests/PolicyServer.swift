// SPDX-License-Identifier: Apache-2.0
//
// A web server on the loop of the test, which answers as it is told to.

import EventLoop
import MailBytes

/// What the server does with a request.
enum WebBehaviour: Sendable {
    /// Sends this, head and all, and closes.
    case send(String)
    /// Sends a policy with the head of one.
    case policy(String)
    /// Never says a word.
    case silent
    /// Sends an octet of a policy every so many seconds.
    case drip(seconds: Double)
    /// A head that goes on, or content that goes on, for ever.
    case endless(head: Bool)
    /// Closes without a word.
    case close
}

final class PolicyServer: StreamHandler {
    private let loop: EventLoop
    private let service: TLSService?
    var behaviour: WebBehaviour
    private(set) var requests: [String] = []
    /// Connections at the same time, now and at most.
    private(set) var connections = 0
    private(set) var connectionsMax = 0
    private var listener: Listener?

    /// Without a certificate it speaks no TLS.
    init(
        _ loop: EventLoop,
        _ certificate: PolicyCertificates.Files?,
        _ behaviour: WebBehaviour,
        on address: NetworkAddress = NetworkAddress(ipv4: 0x7f00_0001, port: 0)
    ) throws {
        self.loop = loop
        self.behaviour = behaviour
        self.service = try certificate.map { try TLSService(TLSOptions(certificates: [$0])) }
        self.listener = try loop.listen(on: .ip(address)) { [unowned self] stream in
            self.connections += 1
            self.connectionsMax = max(self.connections, self.connectionsMax)
            stream.handler = self
            if let service = self.service { stream.startTLS(service) }
        }
    }

    var port: UInt16 {
        guard case .ip(let address) = self.listener?.address else { return 0 }
        return address.port
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        let text = String(decoding: octets.copy(), as: UTF8.self)
        guard text.contains("\r\n\r\n") || self.service == nil else {
            return Consumption(count: 0, next: .awaitMore)
        }
        self.requests.append(text)
        switch self.behaviour {
        case .send(let answer):
            stream.send(Array(answer.utf8).span)
            stream.close()
        case .policy(let policy):
            stream.send(Array(Self.answer(policy).utf8).span)
            stream.close()
        case .silent: break
        case .close: stream.close()
        case .drip(let seconds):
            self.drip(Array(Self.answer("version: STSv1\n").utf8)[...], stream, seconds)
        case .endless(let inHead):
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
            stream.send(Array((inHead ? head : head + "\r\n").utf8).span)
            self.fill(stream, inHead ? "X-Filling: up\r\n" : "mx: mail.example.test\r\n")
        }
        return Consumption(count: octets.count, next: .awaitMore)
    }

    static func answer(_ policy: String) -> String {
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: \(policy.utf8.count)\r\n\r\n" + policy
    }

    private func drip(_ octets: ArraySlice<UInt8>, _ stream: any ByteStream, _ seconds: Double) {
        guard let octet = octets.first, self.loop.stream(stream.id) != nil else { return }
        stream.send([octet].span)
        self.loop.after(seconds: seconds) { self.drip(octets.dropFirst(), stream, seconds) }
    }

    func inputEnded(_ stream: any ByteStream) { stream.abort() }

    private func fill(_ stream: any ByteStream, _ line: String) {
        guard self.loop.stream(stream.id) != nil else { return }
        if stream.pendingOutputCount < 1 << 20 {
            stream.send(Array(String(repeating: line, count: 500).utf8).span)
        }
        self.loop.after(seconds: 0.001) { self.fill(stream, line) }
    }

    func drained(_ stream: any ByteStream) {}

    func deadlinePassed(_ stream: any ByteStream) { stream.abort() }

    func ended(_ stream: any ByteStream) { self.connections -= 1 }
}
