// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import MailBytes
import Testing

/// The ways in which a connection ends, and what is left of it.
@Suite(.timeLimit(.minutes(1)))
struct StreamEndTests {
    @Test("A reset ends the stream once", arguments: [false, true])
    func reset(withOutputPending: Bool) throws {
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { octets, stream in
                stream.send(pattern(withOutputPending ? 32 << 20 : 1))
                return Consumption(count: octets.count, next: .awaitMore)
            }
        }
        harness.run { address in
            for _ in 0..<20 {
                guard let peer = Peer(to: address) else { return }
                peer.write("something")
                _ = peer.read(1)
                peer.reset()
            }
        }
        #expect(harness.handlers.count == 20)
        #expect(harness.handlers.allSatisfy { $0.endedCount == 1 })
        #expect(harness.loop.connectionCount == 0)
    }

    /// The calls of a handler in which it may end its stream.
    enum Call: CaseIterable, Sendable {
        case accept
        case received
        case inputEnded
        case drained
        case deadline
    }

    @Test("A handler may end its stream in any call", arguments: Call.allCases, [false, true])
    func endWithin(call: Call, aborting: Bool) throws {
        let harness = try LoopHarness { handler, stream in
            func end(_ stream: any ByteStream) {
                if aborting { stream.abort() } else { stream.close() }
            }
            switch call {
            case .accept:
                end(stream)
            case .received:
                handler.onReceived = { octets, stream in
                    end(stream)
                    return Consumption(count: 1, next: .yield)
                }
            case .inputEnded:
                handler.onInputEnded = end
            case .drained:
                handler.onDrained = end
                stream.send(pattern(16 << 20))
            case .deadline:
                handler.onDeadline = end
                stream.setDeadline(seconds: 0.02)
            }
        }
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            peer.write("three lines")
            if call == .inputEnded { peer.shutDown() }
            _ = peer.readToEnd()
            peer.close()
        }
        #expect(harness.handlers.map(\.endedCount) == [1])
        #expect(harness.handlers[0].deadlineCount == (call == .deadline ? 1 : 0))
        #expect(harness.handlers[0].drainedCount == (call == .drained ? 1 : 0))
    }

    @Test("A stream that is gone is found no more, takes calls, and does nothing")
    func staleStream() throws {
        var ids: [ConnectionID] = []
        let harness = try LoopHarness { handler, stream in
            ids.append(stream.id)
            handler.onReceived = { octets, stream in
                stream.close()
                return Consumption(count: octets.count, next: .finished)
            }
        }
        harness.run { address in
            for _ in 0..<3 {
                guard let peer = Peer(to: address) else { return }
                peer.write("x")
                _ = peer.readToEnd()
                peer.close()
            }
        }
        #expect(Set(ids).count == 3)
        #expect(Set(ids.map(\.slot)).count == 1, "the slot is used again")
        for (id, stream) in zip(ids, harness.streams) {
            #expect(harness.loop.stream(id) == nil)
            stream.send("too late")
            stream.resume()
            stream.setDeadline(seconds: 1)
            stream.close()
            stream.abort()
            #expect(stream.pendingOutputCount == 0)
            #expect(!stream.hasReadableInput)
            #expect(stream.local == .unix)
            #expect(stream.peerUser == nil)
            #expect(stream.handler == nil)
        }
        #expect(harness.handlers.allSatisfy { $0.endedCount == 1 })
    }

    @Test("Streams, listeners and timers may outlive their loop")
    func outliving() throws {
        var loop: EventLoop? = try EventLoop(connectionsMax: 4)
        let listener = try #require(try loop?.listen(on: Loopback.ipv4) { _ in })
        let stream = try #require(try loop?.connect(to: listener.address))
        let handler = ScriptedHandler()
        handler.onInputEnded = { _ in }
        stream.handler = handler
        let timer = loop?.after(seconds: 60) {}
        loop?.after(seconds: 0.05) { [unowned loop] in loop?.stop() }
        loop?.run()
        loop = nil
        stream.send("nobody there")
        stream.resume()
        stream.close()
        timer?.cancel()
        listener.close()
        #expect(handler.connectedCount == 1)
        #expect(handler.endedCount == 0)
    }

    @Test("A stream that ends before the loop turns is told without waiting for anything")
    func endBeforeTurning() throws {
        let loop = try EventLoop(connectionsMax: 4)
        let listener = try loop.listen(on: Loopback.ipv4) { _ in }
        let handler = ScriptedHandler()
        let stream = try loop.connect(to: listener.address)
        stream.handler = handler
        handler.onEnded = { [unowned loop] _ in loop.stop() }
        stream.abort()
        let limit = loop.after(seconds: 20) { [unowned loop] in loop.stop() }
        let clock = ContinuousClock()
        #expect(clock.measure { loop.run() } < .seconds(10))
        limit.cancel()
        #expect(handler.endedCount == 1)
    }

    @Test("A refused connection ends without having been connected")
    func refused() throws {
        let loop = try EventLoop(connectionsMax: 4)
        // A port that is free: a listener had it until now.
        let listener = try loop.listen(on: Loopback.ipv4) { _ in }
        let address = listener.address
        listener.close()
        let handler = ScriptedHandler()
        let stream = try loop.connect(to: address)
        stream.handler = handler
        stream.send("into the void")
        stream.setDeadline(seconds: 5)
        handler.onEnded = { _ in loop.stop() }
        loop.run()
        #expect(handler.connectedCount == 0)
        #expect(handler.endedCount == 1)
        #expect(handler.deadlineCount == 0)
    }

    @Test("An outgoing connection sends what was given before it was connected")
    func outgoing() throws {
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { octets, stream in
                stream.send(octets)
                return Consumption(count: octets.count, next: .awaitMore)
            }
        }
        let client = ScriptedHandler()
        let stream = try harness.loop.connect(
            to: harness.address,
            localAddress: NetworkAddress(ipv4: 0x7f00_0002, port: 0)
        )
        stream.handler = client
        stream.send("early ")
        client.onConnected = { $0.send("late") }
        var echoed: [UInt8] = []
        client.onReceived = { octets, stream in
            echoed += octets
            if echoed.count == 10 { stream.close() }
            return Consumption(count: octets.count, next: .awaitMore)
        }
        harness.run { _ in }
        #expect(echoed == Array("early late".utf8))
        #expect(client.connectedCount == 1)
        #expect(client.endedCount == 1)
        #expect(harness.streams[0].peer.host == "127.0.0.2")
        #expect(stream.peer == harness.streams[0].local || stream.peer.port != 0)
    }
}
