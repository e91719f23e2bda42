// SPDX-License-Identifier: Apache-2.0
//
// Waits for the header of a proxy, before TLS, a greeting or anything else, and hands the
// connection over for the client that the header names. What is no header, or comes too late, ends
// the connection without a word: whoever is at the other end does not speak our protocols yet.

internal import EventLoop
internal import MailBytes

/// A connection of a trusted proxy whose header has not come.
final class PROXYDriver: Conversation {
    let stream: any ByteStream
    private unowned let server: MailServer
    private let profile: ServiceProfile
    private var isComplete = false
    private var isClosing = false

    init(stream: any ByteStream, server: MailServer, profile: ServiceProfile) {
        self.stream = stream
        self.server = server
        self.profile = profile
    }

    func begin() {
        self.stream.setDeadline(seconds: self.server.limits.proxyHeaderSeconds)
        guard case .wants(let octets) = PROXYHeader.read(Span()) else { return }
        self.stream.receiveOctetsLimit = octets
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        guard !self.isClosing else { return Consumption(count: octets.count, next: .finished) }
        guard !self.isComplete else { return self.handOver() }
        switch PROXYHeader.read(octets) {
        case .wants(let more):
            stream.receiveOctetsLimit = more
            return Consumption(count: 0, next: .awaitMore)
        case .complete(let header, let count):
            if case .proxied(let source, _) = header { stream.client = source }
            self.isComplete = true
            stream.receiveOctetsLimit = nil
            // In a call of its own, when the header is out of the input: what is there then was
            // sent by a client that does not wait for the greeting.
            return Consumption(count: count, next: .yield)
        case .malformed:
            self.refuse("malformed PROXY header")
            return Consumption(count: octets.count, next: .finished)
        }
    }

    private func handOver() -> Consumption {
        self.stream.setDeadline(seconds: nil)
        self.server.proxied(self, for: self.profile)
        return Consumption(count: 0, next: .yield)
    }

    func inputEnded(_ stream: any ByteStream) { self.refuse("no PROXY header") }

    func deadlinePassed(_ stream: any ByteStream) { self.refuse("no PROXY header in time") }

    func drained(_ stream: any ByteStream) {}

    func ended(_ stream: any ByteStream) { self.server.ended(self) }

    func answered(_ reply: StorageReply, serial: UInt32) {}

    func stop() {
        self.isClosing = true
        self.stream.abort()
    }

    private func refuse(_ why: String) {
        guard !self.isClosing else { return }
        self.isClosing = true
        self.server.journal.connectionRefused(self.stream, self.profile.name, why)
        self.stream.abort()
    }
}
