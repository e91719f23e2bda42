// SPDX-License-Identifier: Apache-2.0
//
// Random handlers at both ends of TLS connections on one loop, under a seed: whatever the two do to
// each other, octets come in order and once, each stream ends once, and nothing is left behind.

@testable import EventLoop
import MailBytes
import Testing

@Suite("TLS: chaos", .timeLimit(.minutes(2)))
struct TLSChaosTests {
    @Test("Nothing is lost, repeated or left behind", arguments: UInt64(1)...8)
    func chaos(seed: UInt64) throws {
        let world = try TLSChaosWorld(seed: seed)
        world.run(operations: 1500)
        #expect(world.isOver, "seed \(seed)")
        #expect(world.loop.connectionCount == 0, "seed \(seed)")
        #expect(world.endedCount == world.begunCount, "seed \(seed)")
        #expect(world.securedCount > 40, "seed \(seed)")
        #expect(world.receivedCount > 100_000, "seed \(seed)")
        #expect(world.problems.isEmpty, "seed \(seed): \(world.problems)")
        let counts = world.loop.handshakes
        #expect(counts.begun == counts.done + counts.failed, "seed \(seed)")
        #expect(counts.resumed > 0, "seed \(seed)")
    }
}

/// One loop with both ends of its connections.
private final class TLSChaosWorld {
    let loop: EventLoop
    var begunCount = 0
    var securedCount = 0
    var endedCount = 0
    var receivedCount = 0
    var problems: [String] = []
    private(set) var isOver = false
    private let service: TLSService
    private let clients: [TLSService]
    private var dice: SeededGenerator
    private var ends: [ConnectionID: TLSChaosEnd] = [:]
    private var listener: Listener?
    private var operationsLeft = 0

    init(seed: UInt64) throws {
        self.dice = SeededGenerator(state: seed)
        self.loop = try EventLoop(connectionsMax: 64)
        let keys = try TicketKeys(path: nil, hours: 1)
        self.service = try .forTests { $0.ticketKeys = keys }
        self.clients = try [TLSOptions.Version.tls12, .tls13].map { version in
            var options = TLSClientOptions()
            options.version = version
            options.resumesSessions = true
            return try TLSService(options)
        }
        self.listener = try self.loop.listen(on: Loopback.ipv4) { [unowned self] stream in
            self.begin(stream)
            stream.startTLS(self.service)
        }
    }

    func run(operations: Int) {
        self.operationsLeft = operations
        self.loop.after(seconds: 0) { [unowned self] in self.operate() }
        self.loop.after(seconds: 40) { [unowned loop] in loop.stop() }
        self.loop.run()
    }

    func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self.dice) }

    func oneIn(_ count: Int) -> Bool { self.pick(count) == 0 }

    private func begin(_ stream: any ByteStream) {
        self.begunCount += 1
        let end = TLSChaosEnd(self)
        stream.handler = end
        self.ends[stream.id] = end
    }

    func ended(_ id: ConnectionID) {
        self.endedCount += 1
        if self.ends.removeValue(forKey: id) == nil { self.problems.append("ended twice") }
    }

    private func operate() {
        for _ in 0...self.pick(6) {
            self.operationsLeft -= 1
            if self.oneIn(4) { self.connect() } else { self.actOnSomebody() }
        }
        guard self.operationsLeft > 0 else { return self.finish() }
        self.loop.after(seconds: self.oneIn(6) ? 0.003 : 0) { [unowned self] in self.operate() }
    }

    private func connect() {
        guard self.ends.count < 40, let address = self.listener?.address,
            let stream = try? self.loop.connect(to: address)
        else { return }
        self.begin(stream)
        // Some ask before they are connected.
        if self.oneIn(3) { self.secure(stream) }
    }

    func secure(_ stream: any ByteStream) {
        guard self.ends[stream.id]?.isSecuring == false else { return }
        self.ends[stream.id]?.isSecuring = true
        stream.startTLS(self.clients[self.pick(2)])
    }

    private func actOnSomebody() {
        // The order of a dictionary is not the seed's.
        let ids = self.ends.keys.sorted { $0.rawValue < $1.rawValue }
        guard let id = ids.randomElement(using: &self.dice), let stream = self.loop.stream(id),
            let end = self.ends[id]
        else { return }
        self.act(on: stream, of: end)
    }

    func act(on stream: any ByteStream, of end: TLSChaosEnd) {
        switch self.pick(40) {
        case 0...19: end.send(1 + self.pick(self.oneIn(6) ? 120_000 : 400), on: stream)
        case 20...26: stream.resume()
        case 27: stream.setDeadline(seconds: Double(self.pick(40)) / 1000)
        case 28: end.close(stream)
        case 29 where self.oneIn(3): stream.abort()
        case 30: self.actOnSomebody()
        case 31 where self.oneIn(3): stream.close(lingering: true)
        default: break
        }
    }

    /// All streams are resumed and closed, until none is left.
    private func finish() {
        for (id, end) in self.ends {
            guard let stream = self.loop.stream(id) else { continue }
            stream.resume()
            if end.hasMuch { stream.abort() } else { end.close(stream) }
        }
        guard !self.ends.isEmpty else {
            self.isOver = true
            return self.loop.stop()
        }
        self.loop.after(seconds: 0.01) { [unowned self] in self.finish() }
    }
}

/// The handler of one end: it sends the octets of a pattern, and expects them.
private final class TLSChaosEnd: StreamHandler {
    private unowned let world: TLSChaosWorld
    var isSecuring = false
    private var isSecured = false
    private var isClosed = false
    private var hasEnded = false
    private var inputHasEnded = false
    private var sentCount = 0
    private var receivedCount = 0
    private(set) var hasMuch = false

    init(_ world: TLSChaosWorld) { self.world = world }

    private static func octet(_ place: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: place &* 131 >> 3)
    }

    func send(_ count: Int, on stream: any ByteStream) {
        guard self.isSecured, !self.isClosed, stream.pendingOutputCount < 1 << 20 else { return }
        stream.send((0..<count).map { Self.octet(self.sentCount + $0) })
        self.sentCount += count
    }

    func close(_ stream: any ByteStream) {
        self.isClosed = true
        stream.close()
    }

    func connected(_ stream: any ByteStream) { self.world.secure(stream) }

    func secured(_ stream: any ByteStream) {
        if self.isSecured { self.world.problems.append("secured twice") }
        self.isSecured = true
        self.world.securedCount += 1
        if stream.tls == nil { self.world.problems.append("secured without TLS") }
        self.world.act(on: stream, of: self)
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        if !self.isSecured { self.world.problems.append("received before it was secured") }
        if self.hasEnded || self.inputHasEnded { self.world.problems.append("received after") }
        for place in 0..<octets.count where octets[place] != Self.octet(self.receivedCount + place)
        {
            self.world.problems.append("octet \(self.receivedCount + place) is wrong")
            break
        }
        if self.world.oneIn(4) { self.world.act(on: stream, of: self) }
        let all = octets.count
        let count = self.world.oneIn(2) ? all : self.world.pick(all + 1)
        self.receivedCount += count
        self.world.receivedCount += count
        self.hasMuch = all - count >= LoopStream.unreadOctetsMax
        switch self.world.pick(8) {
        case 0: return Consumption(count: count, next: .suspend)
        case 1...2: return Consumption(count: count, next: .yield)
        default: return Consumption(count: count, next: .awaitMore)
        }
    }

    func inputEnded(_ stream: any ByteStream) {
        if self.inputHasEnded { self.world.problems.append("the input ended twice") }
        self.inputHasEnded = true
        self.close(stream)
    }

    func drained(_ stream: any ByteStream) { self.world.act(on: stream, of: self) }

    func deadlinePassed(_ stream: any ByteStream) { self.world.act(on: stream, of: self) }

    func ended(_ stream: any ByteStream) {
        self.hasEnded = true
        self.world.ended(stream.id)
    }
}
