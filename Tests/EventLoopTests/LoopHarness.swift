// SPDX-License-Identifier: Apache-2.0
//
// Runs a loop on the thread of the test and its peers on another, for a bounded time.

import EventLoop
import MailBytes
import Synchronization
import Testing

/// Loopback addresses with a port of the system's choice.
enum Loopback {
    static let ipv4 = ListenAddress.ip(NetworkAddress(ipv4: 0x7f00_0001, port: 0))
    static let ipv6 = ListenAddress.ip(NetworkAddress(ipv6: 0, 1, port: 0))
}

/// A loop with one listener, whose streams all get a handler of the test's making.
final class LoopHarness {
    let loop: EventLoop
    private(set) var handlers: [ScriptedHandler] = []
    private(set) var streams: [any ByteStream] = []
    private var listener: Listener?

    private enum PeerEnd: Sendable { case done }

    init(
        on address: ListenAddress = Loopback.ipv4,
        configure: @escaping (ScriptedHandler, any ByteStream) -> Void
    ) throws {
        self.loop = try EventLoop(connectionsMax: 64)
        self.listener = try self.loop.listen(on: address) { [unowned self] stream in
            let handler = ScriptedHandler()
            stream.handler = handler
            self.handlers.append(handler)
            self.streams.append(stream)
            configure(handler, stream)
        }
    }

    var address: ListenAddress { self.listener?.address ?? Loopback.ipv4 }

    /// Runs the loop until the peers are done and, in addition, all streams have ended.
    func run(
        seconds: Double = 30,
        peers: @escaping @Sendable (ListenAddress) -> Void
    ) {
        let address = self.address
        let mailbox = self.loop.makeMailbox { [unowned self] (_: PeerEnd) in
            self.stopWhenEmpty()
        }
        let limit = self.loop.after(seconds: seconds) { [unowned loop] in
            Issue.record("the loop did not end in time")
            loop.stop()
        }
        let thread = WorkerThread(name: "peers") {
            peers(address)
            mailbox.post(.done)
        }
        self.loop.run()
        limit.cancel()
        thread.join()
    }

    private func stopWhenEmpty() {
        if self.loop.connectionCount == 0 { return self.loop.stop() }
        self.loop.after(seconds: 0.005) { [unowned self] in self.stopWhenEmpty() }
    }

    /// Calls `body` every few milliseconds, as long as the loop runs.
    func often(_ body: @escaping () -> Void) {
        self.loop.after(seconds: 0.002) { [unowned self] in
            body()
            self.often(body)
        }
    }
}

/// What a thread of peers found out.
final class Findings<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])

    func add(_ value: Value) { self.values.withLock { $0.append(value) } }

    var all: [Value] { self.values.withLock { $0 } }
}

/// Octets in which each place can be told from its neighbours.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    var octets: [UInt8] = []
    octets.reserveCapacity(count + patternBlock.count)
    octets += patternBlock.suffix(patternBlock.count - seed % patternBlock.count)
    while octets.count < count { octets += patternBlock }
    octets.removeLast(octets.count - count)
    return octets
}

/// Its length is a prime, so that no buffer's length is a multiple of it.
private let patternBlock = (0..<65_537).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
