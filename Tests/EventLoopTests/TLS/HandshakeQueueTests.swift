// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Foundation
import MailBytes
import Testing

/// That a storm of handshakes leaves the others their share.
@Suite("TLS: the queue of handshakes", .timeLimit(.minutes(1)))
struct HandshakeQueueTests {
    private static let clientsMax = 60

    /// The hello of some client, which any connection may send.
    private static func hello() throws -> [UInt8] {
        let made = Command.python(
            """
            inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
            o = context().wrap_bio(inward, outward)
            try: o.do_handshake()
            except ssl.SSLWantReadError: pass
            print(outward.read().hex())
            """,
            to: Loopback.ipv4
        )
        let text = Array(made.output.trimmingCharacters(in: ["\n"]).utf8)
        return try stride(from: 0, to: text.count, by: 2).map { place in
            let pair = String(decoding: text[place..<(place + 2)], as: UTF8.self)
            return try #require(UInt8(pair, radix: 16))
        }
    }

    @Test(
        "No more begin in a turn than may, and a plain client is served between them",
        arguments: [
            1, 2, 8,
        ]
    )
    func cap(perTurn: Int) throws {
        let hello = try Self.hello()
        let service = try TLSService.forTests()
        var echoes = 0
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { octets, stream in
                // The first octet of a plain client; those of TLS begin with 0x16.
                echoes += 1
                stream.send(octets)
                return Consumption(count: octets.count, next: .awaitMore)
            }
        }
        harness.loop.handshakesPerTurnMax = perTurn
        let tls = try harness.loop.listen(on: Loopback.ipv4) { stream in
            let handler = ScriptedHandler()
            stream.handler = handler
            stream.startTLS(service)
        }
        let secured = tls.address
        var samples: [(turn: Int, begun: Int, echoes: Int)] = []
        let isReady = Findings<Void>()
        harness.everyTurn { [unowned harness] in
            // All hellos are there before the first handshake.
            if isReady.all.isEmpty { return WorkerThread.sleep(milliseconds: 20) }
            samples.append((harness.loop.turn, harness.loop.handshakesBegun, echoes))
        }
        harness.run { address in
            guard let plain = Peer(to: address) else { return }
            let clients = (0..<Self.clientsMax).compactMap { _ in Peer(to: secured) }
            for client in clients { client.write(hello) }
            isReady.add(())
            for _ in 0..<2000 {
                plain.write("x")
                guard plain.read(1).count == 1 else { break }
            }
            for client in clients { client.close() }
            plain.close()
        }
        #expect(harness.loop.handshakesBegun == Self.clientsMax)
        for (earlier, later) in zip(samples, samples.dropFirst()) {
            let turns = later.turn - earlier.turn
            #expect(later.begun - earlier.begun <= turns * perTurn)
        }
        let storm = samples.filter { (1..<Self.clientsMax).contains($0.begun) }
        let first = try #require(storm.first)
        let last = try #require(storm.last)
        #expect(last.turn - first.turn >= Self.clientsMax / perTurn - 2)
        if perTurn <= 2 { #expect(last.echoes - first.echoes >= 5) }
        tls.close()
    }
}

extension LoopHarness {
    /// Calls `body` once in each turn, as long as the loop runs.
    func everyTurn(_ body: @escaping () -> Void) {
        self.loop.after(seconds: 0) { [unowned self] in
            body()
            self.everyTurn(body)
        }
    }
}
