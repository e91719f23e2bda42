// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Foundation
import MailBytes
import Testing

/// The way from clear text into TLS (RFC 3207, RFC 2595).
@Suite("TLS: from clear text", .timeLimit(.minutes(2)))
struct StartTLSTests {
    /// Echoes lines; STARTTLS is answered and obeyed, after as many octets as the test wants.
    private static func harness(
        _ service: TLSService,
        before: Int = 0,
        reply: @escaping (String) -> String = { "echo:\($0)" }
    ) throws -> LoopHarness {
        try LoopHarness { handler, _ in
            handler.onReceived = { octets, stream in
                guard let end = octets.firstIndex(of: .lf) else {
                    return Consumption(count: 0, next: .awaitMore)
                }
                let line = String(decoding: octets[..<end], as: UTF8.self)
                if line == "STARTTLS", stream.tls == nil {
                    stream.send([UInt8](repeating: UInt8(ascii: "x"), count: before))
                    stream.send("220 go\n")
                    stream.startTLS(service)
                    // Too early, and never in clear.
                    stream.send("in clear\n")
                    stream.setDeadline(seconds: 0.01)
                } else {
                    stream.send(reply(line) + "\n")
                }
                return Consumption(count: end + 1, next: .yield)
            }
        }
    }

    @Test("What came before TLS is dropped (CVE-2011-0411)", arguments: ["TLSv1_2", "TLSv1_3"])
    func injection(version: String) throws {
        let harness = try Self.harness(.forTests())
        let said = harness.python(
            """
            s = dial()
            s.sendall(b"one\\nSTARTTLS\\nINJECTED\\nhalf a l")
            print(line(s), line(s))
            s = secure(s, version="\(version)")
            s.sendall(b"two\\n")
            print(line(s))
            s.sendall(b"three\\n")
            print(line(s))
            """
        )
        #expect(said == "echo:one 220 go\necho:two\necho:three")
        let seen = harness.handlers[0].consumed
        #expect(!String(decoding: seen, as: UTF8.self).contains("INJECTED"))
        #expect(harness.handlers[0].deadlineCount == 0)
    }

    @Test("Clear text in the place of a handshake ends the connection, unanswered")
    func clearTextAfterwards() throws {
        let harness = try Self.harness(.forTests())
        let said = harness.python(
            """
            s = dial()
            s.sendall(b"STARTTLS\\n")
            print(line(s))
            s.sendall(b"INJECTED\\n" * 50)
            try: text = rest(s)
            except ConnectionResetError: text = b""
            print(b"echo" in text, b"clear" in text)
            """
        )
        #expect(said == "220 go\nFalse False")
        #expect(harness.loop.handshakes == HandshakeCounts(begun: 1, failed: 1))
        #expect(harness.handlers[0].endedCount == 1)
    }

    @Test("After the reply every octet on the wire belongs to a TLS record")
    func rawWire() throws {
        let harness = try Self.harness(.forTests()) { line in
            line + String(repeating: "z", count: line == "much" ? 3_000_000 : 1)
        }
        let said = harness.python(
            """
            s = dial()
            s.sendall(b"STARTTLS\\n")
            print(line(s))
            wire = b""
            inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
            o = context().wrap_bio(inward, outward)
            def pump(step):
                global wire
                while True:
                    try:
                        result = step()
                        s.sendall(outward.read())
                        return result
                    except ssl.SSLWantReadError:
                        s.sendall(outward.read())
                        octets = s.recv(65536)
                        if not octets: return b""
                        wire += octets
                        inward.write(octets)
            pump(o.do_handshake)
            total = 0
            for request, count in [(b"little\\n", 8), (b"much\\n", 3000005), (b"little\\n", 8)]:
                pump(lambda: o.write(request))
                if count > 10: time.sleep(0.2)
                while count > 0: count -= len(pump(lambda: o.read(65536)))
                total += count
            try: o.unwrap()
            except ssl.SSLWantReadError: pass
            s.sendall(outward.read())
            s.shutdown(socket.SHUT_WR)
            wire += rest(s)
            place, types = 0, set()
            while place < len(wire):
                types.add(wire[place])
                assert wire[place + 1] == 3 and wire[place + 2] in (1, 3, 4), wire[place:][:20]
                place += 5 + struct.unpack(">H", wire[place + 3:place + 5])[0]
            print(total, place == len(wire), types <= {20, 21, 22, 23})
            """
        )
        #expect(said == "220 go\n0 True True")
    }

    @Test("Output that waits goes out in clear before the handshake")
    func pendingOutput() throws {
        let harness = try Self.harness(.forTests(), before: 8 << 20)
        let said = harness.python(
            """
            s = dial()
            s.sendall(b"STARTTLS\\nINJECTED\\n")
            time.sleep(0.1)
            count = 0
            while count < 8 << 20:
                octets = s.recv(min(65536, (8 << 20) - count))
                assert octets == b"x" * len(octets)
                count += len(octets)
            print(line(s))
            s = secure(s)
            s.sendall(b"two\\n")
            print(line(s))
            """
        )
        #expect(said == "220 go\necho:two")
    }

    @Test("No more is received than was asked for, so TLS begins right behind a header")
    func exactHeader() throws {
        let service = try TLSService.forTests()
        var header: [UInt8] = []
        let harness = try LoopHarness { handler, stream in
            stream.receiveOctetsLimit = 16
            handler.onSecured = { $0.send("220 ready\n") }
            handler.onReceived = { octets, stream in
                guard octets.count == 16 else {
                    stream.receiveOctetsLimit = 16 - octets.count
                    return Consumption(count: 0, next: .awaitMore)
                }
                header = octets
                stream.receiveOctetsLimit = nil
                stream.startTLS(service)
                return Consumption(count: octets.count, next: .awaitMore)
            }
        }
        let said = harness.python(
            """
            for pause in [0, 0.05]:
                inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
                o = context().wrap_bio(inward, outward)
                try: o.do_handshake()
                except ssl.SSLWantReadError: pass
                s = dial()
                octets = b"0123456789abcdef" + outward.read()
                s.sendall(octets[:10])
                time.sleep(pause)
                s.sendall(octets[10:])
                text = b""
                while not text:
                    inward.write(s.recv(65536))
                    try:
                        o.do_handshake()
                        s.sendall(outward.read())
                        text = o.read(100)
                    except ssl.SSLWantReadError: pass
                print(text.decode(), end="")
            """
        )
        #expect(said == "220 ready\n220 ready")
        #expect(header == Array("0123456789abcdef".utf8))
    }

    @Test(
        "A handshake has one deadline, whatever comes in the meantime",
        arguments: [
            "", "s.sendall(hello[:60])", "drip(hello)", "s.sendall(hello)",
        ]
    )
    func stalled(doing: String) throws {
        var failure: String?
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            handler.onEnded = { failure = $0.handshakeFailure }
        }
        harness.loop.handshakeSecondsMax = 0.6
        let said = harness.python(
            """
            inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
            o = context().wrap_bio(inward, outward)
            try: o.do_handshake()
            except ssl.SSLWantReadError: pass
            hello = outward.read()
            def drip(octets):
                for octet in octets:
                    s.sendall(bytes([octet]))
                    time.sleep(0.02)
            began = time.time()
            s = dial()
            try:
                \(doing)
                rest(s)
            except OSError: pass
            taken = time.time() - began
            print(0.5 < taken < 3 or taken)
            """
        )
        #expect(said == "True")
        #expect(failure == "the handshake took too long")
        #expect(harness.loop.handshakes == HandshakeCounts(begun: 1, failed: 1))
        #expect(harness.handlers[0].deadlineCount == 0, "it is no deadline of the handler's")
        #expect(harness.handlers[0].endedCount == 1)
    }

    @Test("A stream that ends while it is to be secured ends at once", arguments: 0...2)
    func endWhileSecuring(how: Int) throws {
        let service = try TLSService.forTests()
        let harness = try LoopHarness { handler, stream in
            stream.send(pattern(how == 2 ? 18 << 20 : 1))
            stream.startTLS(service)
            if how == 0 { stream.close() } else { stream.abort() }
        }
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            _ = peer.readToEnd()
            peer.close()
        }
        #expect(harness.handlers[0].endedCount == 1)
        #expect(harness.loop.handshakes == HandshakeCounts(begun: 1, failed: 1))
    }
}
