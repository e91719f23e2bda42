// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Glibc
import MailBytes
import Testing

/// That whoever connects hears why it did not work.
@Suite("Connecting that fails", .timeLimit(.minutes(1)))
struct ConnectFailureTests {
    /// What the handler heard, and what the stream said at its end.
    private func outcome(
        of address: ListenAddress,
        prepare: (ScriptedHandler, any ByteStream) -> Void = { _, _ in }
    ) throws -> (handler: ScriptedHandler, failure: String?) {
        let loop = try EventLoop(connectionsMax: 4)
        let stream = try loop.connect(to: address)
        let handler = ScriptedHandler()
        stream.handler = handler
        handler.onDeadline = { $0.abort() }
        prepare(handler, stream)
        var failure: String?
        let limit = loop.after(seconds: 10) { [unowned loop] in loop.stop() }
        // Without the limit nothing would be left to wait for.
        handler.onEnded = { [unowned loop] stream in
            failure = stream.connectFailure
            loop.stop()
        }
        loop.run()
        limit.cancel()
        #expect(handler.endedCount == 1)
        return (handler, failure)
    }

    /// An address where something listens, and one where nothing does any more.
    private func addresses() throws -> (open: Listener, closed: ListenAddress, loop: EventLoop) {
        let loop = try EventLoop(connectionsMax: 4)
        let closed = try loop.listen(on: Loopback.ipv4) { $0.abort() }
        let address = closed.address
        closed.close()
        return (try loop.listen(on: Loopback.ipv4) { $0.abort() }, address, loop)
    }

    @Test("Nobody listens there")
    func refused() throws {
        let (_, closed, _) = try self.addresses()
        let (handler, failure) = try self.outcome(of: closed)
        #expect(failure == "connection refused")
        #expect(handler.connectedCount == 0)
    }

    @Test("Nobody listens there, and TLS was to be spoken at once")
    func refusedBeforeTLS() throws {
        let (_, closed, _) = try self.addresses()
        let client = try TLSService(TLSClientOptions())
        let (handler, failure) = try self.outcome(of: closed) { $1.startTLS(client) }
        #expect(failure == "connection refused")
        #expect(handler.connectedCount == 0 && handler.securedCount == 0)
    }

    @Test("Nobody answers before the deadline", arguments: [false, true])
    func timedOut(withTLS: Bool) throws {
        // A queue of one that is full: the system answers nobody else.
        let (silent, held) = try Self.silentAddress()
        defer { for descriptor in held { close(descriptor) } }
        let client = try TLSService(TLSClientOptions())
        let (handler, failure) = try self.outcome(of: silent) { _, stream in
            if withTLS {
                stream.loopForTests?.handshakeSecondsMax = 0.2
                stream.startTLS(client)
            } else {
                stream.setDeadline(seconds: 0.2)
            }
        }
        #expect(failure == "timed out")
        #expect(handler.connectedCount == 0)
        #expect(handler.deadlineCount == (withTLS ? 0 : 1))
    }

    @Test("Whoever gives up by himself knows why, and a connection that was there did not fail")
    func noFailure() throws {
        let (silent, held) = try Self.silentAddress()
        defer { for descriptor in held { close(descriptor) } }
        #expect(try self.outcome(of: silent) { $1.abort() }.failure == nil)
        let harness = try LoopHarness { _, stream in stream.abort() }
        var failure: String? = "none heard"
        harness.visit {
            $0.onInputEnded = { $0.close() }
        } ended: {
            failure = $0.connectFailure
        }
        #expect(failure == nil)
    }

    @Test("What the system refuses at once has words as well")
    func words() {
        #expect(EventLoopError("connect", code: ENETUNREACH).reason == "network is unreachable")
        #expect(EventLoopError("connect", code: EHOSTUNREACH).reason == "no route to host")
        #expect(EventLoopError("connect", code: ETIMEDOUT).reason == "timed out")
        #expect(EventLoopError("connect", code: ECONNREFUSED).reason == "connection refused")
    }

    private static func silentAddress() throws -> (ListenAddress, [Int32]) {
        let local = ListenAddress.ip(NetworkAddress(ipv4: 0x7f00_0001, port: 0))
        let listening = try SocketAddress.listen(on: local, backlog: 0, mode: 0)
        let address = ListenAddress.ip(SocketAddress.local(of: listening))
        var held = [listening]
        for _ in 0..<3 { held.append(try SocketAddress.connect(to: address, from: nil).0) }
        return (address, held)
    }
}

extension ByteStream {
    var loopForTests: EventLoop? { (self as? LoopStream)?.loop }
}
