// SPDX-License-Identifier: Apache-2.0
//
// Random peers against a random handler, under a seed: whatever the two do to each other, octets
// come in order and once, each stream ends once, and nothing is left behind.

@testable import EventLoop
import Glibc
import MailBytes
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ChaosTests {
    @Test("Nothing is lost, repeated or left behind", arguments: UInt64(1)...12)
    func chaos(seed: UInt64) throws {
        let world = try ChaosWorld(seed: seed)
        world.run(operations: 1000)
        #expect(world.isOver, "seed \(seed)")
        #expect(world.loop.connectionCount == 0, "seed \(seed)")
        #expect(world.endedCount == world.acceptedCount, "seed \(seed)")
        #expect(world.acceptedCount > 20, "seed \(seed)")
        #expect(world.problems.isEmpty, "seed \(seed)")
    }
}

/// A linear generator of random numbers, the same for the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state = self.state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        var mixed = self.state
        mixed ^= mixed >> 33
        mixed = mixed &* 0xff51_afd7_ed55_8ccd
        return mixed ^ mixed >> 33
    }
}

/// A loop whose handlers and peers, all on one thread, do what the dice say.
private final class ChaosWorld {
    let loop: EventLoop
    private(set) var acceptedCount = 0
    private(set) var endedCount = 0
    private(set) var isOver = false
    private(set) var problems: [String] = []
    private var dice: SeededGenerator
    private var peers: [ChaosPeer] = []
    private var streams: [ConnectionID: ChaosStream] = [:]
    private var goneIDs: [ConnectionID] = []
    private var byPort: [UInt16: ChaosPeer] = [:]
    private var listener: Listener?
    private var operationsLeft = 0

    init(seed: UInt64) throws {
        self.dice = SeededGenerator(state: seed)
        self.loop = try EventLoop(connectionsMax: 64)
        self.listener = try self.loop.listen(on: Loopback.ipv4) { [unowned self] stream in
            self.accept(stream)
        }
    }

    func run(operations: Int) {
        self.operationsLeft = operations
        self.loop.after(seconds: 0) { [unowned self] in self.operate() }
        self.loop.after(seconds: 20) { [unowned loop] in loop.stop() }
        self.loop.run()
        for peer in self.peers { peer.close() }
    }

    private func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self.dice) }

    private func oneIn(_ count: Int) -> Bool { self.pick(count) == 0 }

    // MARK: - The peers' side

    /// Some random operations, then the loop has its turn.
    private func operate() {
        for _ in 0...self.pick(8) { self.operateOnce() }
        guard self.operationsLeft > 0 else { return self.finish() }
        let pause = self.oneIn(10) ? 0.002 : 0
        self.loop.after(seconds: pause) { [unowned self] in self.operate() }
    }

    private func operateOnce() {
        self.operationsLeft -= 1
        guard !self.peers.isEmpty, !self.oneIn(10) else { return self.connect() }
        let index = self.pick(self.peers.count)
        let peer = self.peers[index]
        switch self.pick(12) {
        case 0...3: peer.send(1 + self.pick(self.oneIn(8) ? 200_000 : 200))
        case 4...6: self.read(peer, atMost: 1 + self.pick(100_000))
        case 7: peer.shutDown()
        case 8 where self.oneIn(3):
            peer.reset()
            self.peers.remove(at: index)
        case 9: self.touchStranger()
        case 10: self.resumeSomebody()
        default: break
        }
    }

    private func connect() {
        guard self.peers.count < 30, let address = self.listener?.address,
            let peer = ChaosPeer(to: address)
        else { return }
        self.peers.append(peer)
        self.byPort[peer.port] = peer
    }

    private func read(_ peer: ChaosPeer, atMost count: Int) {
        if let problem = peer.read(atMost: count) { self.problems.append(problem) }
    }

    /// Ids of the dead must find nobody.
    private func touchStranger() {
        guard let id = self.goneIDs.randomElement(using: &self.dice) else { return }
        if self.loop.stream(id) != nil { self.problems.append("a dead id found a stream") }
    }

    private func resumeSomebody() {
        // The order of a dictionary is not the seed's.
        let ids = self.streams.keys.sorted { $0.rawValue < $1.rawValue }
        guard let id = ids.randomElement(using: &self.dice) else { return }
        self.loop.stream(id)?.resume()
    }

    /// All peers read to the end, all streams are resumed, until none is left.
    private func finish() {
        for peer in self.peers {
            peer.shutDown()
            self.read(peer, atMost: 1 << 20)
        }
        for (id, chaos) in self.streams {
            self.loop.stream(id)?.resume()
            // A handler that waits for more than it may hold is for its deadline to end.
            if chaos.heldCount >= LoopStream.unreadOctetsMax { self.loop.stream(id)?.abort() }
        }
        guard !self.streams.isEmpty else {
            self.isOver = true
            return self.loop.stop()
        }
        self.loop.after(seconds: 0.002) { [unowned self] in self.finish() }
    }

    // MARK: - The handlers' side

    private func accept(_ stream: any ByteStream) {
        self.acceptedCount += 1
        let chaos = ChaosStream(self, stream.peer.port)
        stream.handler = chaos
        self.streams[stream.id] = chaos
        if self.oneIn(3) { stream.setDeadline(seconds: Double(self.pick(50)) / 1000) }
        if self.oneIn(30) { stream.abort() }
    }

    fileprivate func received(
        _ octets: borrowing Span<UInt8>,
        by chaos: ChaosStream,
        from stream: any ByteStream
    ) -> Consumption {
        for index in octets.indices
        where octets[index] != ChaosPeer.octet(chaos.receivedCount + index) {
            self.problems.append("octet \(chaos.receivedCount + index) is wrong")
            break
        }
        self.act(on: stream, of: chaos)
        let count = self.oneIn(2) ? octets.count : self.pick(octets.count + 1)
        chaos.receivedCount += count
        chaos.heldCount = octets.count - count
        return switch self.pick(8) {
        case 0...3: Consumption(count: count, next: .awaitMore)
        case 4, 5: Consumption(count: count, next: .yield)
        case 6: Consumption(count: count, next: .suspend)
        default: Consumption(count: count, next: self.oneIn(10) ? .finished : .awaitMore)
        }
    }

    /// Something or nothing, in any call.
    fileprivate func act(on stream: any ByteStream, of chaos: ChaosStream) {
        switch self.pick(24) {
        case 0...9: chaos.send(1 + self.pick(self.oneIn(10) ? 300_000 : 300), on: stream)
        case 10: stream.setDeadline(seconds: Double(self.pick(40)) / 1000)
        case 11: stream.setDeadline(seconds: nil)
        case 12: stream.resume()
        case 13 where self.oneIn(2): chaos.close(stream)
        case 14 where self.oneIn(4): stream.abort()
        case 15: self.resumeSomebody()
        case 16 where self.oneIn(4):
            let ids = self.streams.keys.sorted { $0.rawValue < $1.rawValue }
            if let id = ids.randomElement(using: &self.dice) { self.loop.stream(id)?.abort() }
        default: break
        }
    }

    fileprivate func inputEnded(_ chaos: ChaosStream, _ stream: any ByteStream) {
        if let peer = self.byPort[chaos.port], peer.sentCount < chaos.receivedCount {
            self.problems.append("more was received than sent")
        }
        chaos.close(stream)
    }

    fileprivate func ended(_ chaos: ChaosStream, _ stream: any ByteStream) {
        self.endedCount += 1
        if self.streams.removeValue(forKey: stream.id) == nil {
            self.problems.append("a stream ended twice")
        }
        self.goneIDs.append(stream.id)
    }
}

/// The handler of one stream in the chaos.
private final class ChaosStream: StreamHandler {
    private unowned let world: ChaosWorld
    let port: UInt16
    var receivedCount = 0
    /// What was left unconsumed the last time.
    var heldCount = 0
    private var sentCount = 0
    private var isClosed = false

    init(_ world: ChaosWorld, _ port: UInt16) {
        self.world = world
        self.port = port
    }

    func send(_ count: Int, on stream: any ByteStream) {
        guard !self.isClosed else { return }
        stream.send((0..<count).map { ChaosPeer.octet(self.sentCount + $0) })
        self.sentCount += count
    }

    func close(_ stream: any ByteStream) {
        self.isClosed = true
        stream.close()
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        self.world.received(octets, by: self, from: stream)
    }

    func inputEnded(_ stream: any ByteStream) { self.world.inputEnded(self, stream) }

    func drained(_ stream: any ByteStream) { self.world.act(on: stream, of: self) }

    func deadlinePassed(_ stream: any ByteStream) { self.world.act(on: stream, of: self) }

    func ended(_ stream: any ByteStream) { self.world.ended(self, stream) }
}

/// A socket that never waits.
private final class ChaosPeer {
    let port: UInt16
    private(set) var sentCount = 0
    private var readCount = 0
    private var mayWrite = true
    private let descriptor: Int32

    init?(to address: ListenAddress) {
        guard let connection = try? SocketAddress.connect(to: address, from: nil) else {
            return nil
        }
        self.descriptor = connection.0
        self.port = SocketAddress.local(of: self.descriptor).port
    }

    /// What stands at a place of every stream of octets.
    static func octet(_ place: Int) -> UInt8 { UInt8(truncatingIfNeeded: place &* 131 >> 3) }

    func send(_ count: Int) {
        guard self.mayWrite else { return }
        let octets = (0..<count).map { Self.octet(self.sentCount + $0) }
        let sent = unsafe octets.withUnsafeBytes { buffer in
            unsafe Glibc.send(
                self.descriptor,
                buffer.baseAddress,
                buffer.count,
                Int32(MSG_NOSIGNAL)
            )
        }
        if sent > 0 { self.sentCount += sent }
    }

    /// Reads what there is, and returns what is wrong with it.
    func read(atMost count: Int) -> String? {
        var chunk = [UInt8](repeating: 0, count: count)
        let got = unsafe recv(self.descriptor, &chunk, count, 0)
        guard got > 0 else { return nil }
        defer { self.readCount += got }
        for index in 0..<got where chunk[index] != Self.octet(self.readCount + index) {
            return "peer: octet \(self.readCount + index) is wrong"
        }
        return nil
    }

    func shutDown() {
        self.mayWrite = false
        shutdown(self.descriptor, Int32(SHUT_WR))
    }

    func reset() {
        var abrupt = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        unsafe setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &abrupt, size)
        self.close()
    }

    func close() { Glibc.close(self.descriptor) }
}
