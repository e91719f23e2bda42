// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import Foundation
import MailBytes
import Testing

/// That a stream keeps its promises when it speaks TLS.
@Suite("TLS: streams", .timeLimit(.minutes(2)))
struct TLSStreamTests {
    @Test("Octets of every length come back", arguments: ["TLSv1_2", "TLSv1_3"])
    func echo(version: String) throws {
        let harness = try LoopHarness(tls: .forTests())
        let said = harness.python(
            """
            s = secure(version="\(version)")
            line(s)
            for count in [1, 10, 1000, 4096, 8144, 8145, 16384, 16385, 70000, 300000]:
                octets = bytes(n * 31 % 251 for n in range(count))
                s.sendall(octets)
                got = b""
                while len(got) < count: got += s.recv(65536)
                assert got == octets
            print("whole")
            """
        )
        #expect(said == "whole")
    }

    @Test("A suspended stream shows nothing, and everything once it is resumed")
    func suspension() throws {
        var deliveries = 0
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            handler.onReceived = { [unowned handler] octets, _ in
                deliveries += 1
                let before = handler.consumed.count
                let next = before == 0 ? 1 : min(octets.count, 100_000 - before % 100_000)
                return Consumption(count: next, next: .suspend)
            }
        }
        harness.often { [unowned harness] in harness.streams.first?.resume() }
        harness.python(
            """
            s = secure()
            line(s)
            s.sendall(bytes(n % 251 for n in range(300000)))
            socket.socket.shutdown(s, socket.SHUT_WR)
            rest(s)
            """
        )
        let handler = harness.handlers[0]
        #expect(handler.consumed == (0..<300_000).map { UInt8($0 % 251) })
        #expect(handler.inputEndedCount == 1)
        #expect(deliveries >= 5)
    }

    @Test("While a stream is suspended, its peer is made to wait")
    func suspensionHoldsThePeer() throws {
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            handler.onReceived = { octets, stream in
                stream.setDeadline(seconds: 0.4)
                return Consumption(count: octets.count, next: .suspend)
            }
            handler.onDeadline = { $0.abort() }
        }
        let said = harness.python(
            """
            s = secure()
            line(s)
            count = 0
            try:
                while True: count += s.send(b"a" * 65536)
            except OSError: pass
            print(count < 32 << 20)
            """
        )
        #expect(said == "True")
        #expect(harness.handlers[0].consumed.count <= 1 << 16)
        #expect(harness.loop.turn < 300, "the loop does not spin on what nobody wants")
        #expect(harness.handlers[0].deadlineCount == 1)
    }

    @Test("Output that the peer does not read yet waits, and arrives whole and in order")
    func backlog() throws {
        let content = Array(
            [[UInt8]](repeating: (0..<251).map { UInt8($0) }, count: 33_000).joined()
        )
        var pending: [Int] = []
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            handler.onSecured = { stream in
                // In pieces of every kind, so that some go straight out and some behind what waits.
                var start = 0
                var counts = [100_000, 1, 16_384, 40, 5000, 300_000]
                while start < content.count {
                    stream.send(Array(content[start..<min(start + counts[0], content.count)]))
                    start += counts[0]
                    counts.append(counts.removeFirst())
                }
                pending.append(stream.pendingOutputCount)
            }
            handler.onDrained = { stream in
                pending.append(stream.pendingOutputCount)
                stream.send("end")
                stream.close()
            }
        }
        let said = harness.python(
            """
            s = dial()
            s = secure(s)
            time.sleep(0.3)
            text = rest(s)
            period = bytes(range(251))
            expected = (period * (len(text) // 251 + 1))[:251 * 33000] + b"end"
            print(text == expected)
            """
        )
        #expect(said == "True")
        #expect(pending.count == 2)
        #expect(pending.first ?? 0 > 0)
        #expect(pending.last == 0)
    }

    @Test("A handler that stops reading over its mark keeps the backlog of a deaf peer bounded")
    func backPressure() throws {
        let mark = 64 << 10
        var longest = 0
        var wasBlocked = false
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            handler.onReceived = { octets, stream in
                guard stream.pendingOutputCount <= mark else {
                    wasBlocked = true
                    return Consumption(count: 0, next: .suspend)
                }
                stream.send([UInt8](repeating: octets[0], count: 1000))
                longest = max(longest, stream.pendingOutputCount)
                return Consumption(count: 1, next: .yield)
            }
            handler.onDrained = { $0.resume() }
        }
        let said = harness.python(
            """
            s = secure()
            line(s)
            s.sendall(b"a" * 20000)
            time.sleep(0.7)
            count = 0
            while count < 20000000: count += len(s.recv(65536))
            print(count)
            """
        )
        #expect(said == "20000000")
        #expect(wasBlocked)
        #expect(longest <= mark + 1000)
    }

    @Test("A client that pipelines and half-closes gets every reply", arguments: [false, true])
    func halfClose(withCloseNotify: Bool) throws {
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            var answering = 0
            handler.onReceived = { octets, stream in
                guard let end = octets.firstIndex(of: .lf) else {
                    return Consumption(count: 0, next: .awaitMore)
                }
                stream.send(Array(octets[...end]) + [UInt8](repeating: 0x61, count: 5000) + [.lf])
                answering += 1
                let next: Consumption.Next = answering % 3 == 0 ? .suspend : .yield
                return Consumption(count: end + 1, next: next)
            }
        }
        harness.often { [unowned harness] in harness.streams.first?.resume() }
        let said = harness.python(
            """
            s = dial()
            inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
            o = context().wrap_bio(inward, outward)
            def flush():
                if outward.pending: s.sendall(outward.read())
            def pump(step):
                while True:
                    try:
                        result = step()
                        flush()
                        return result
                    except ssl.SSLWantReadError:
                        flush()
                        octets = s.recv(65536)
                        if not octets: return b""
                        inward.write(octets)
            pump(o.do_handshake)
            pump(lambda: o.write(b"".join(b"line %d\\n" % n for n in range(400))))
            if \(withCloseNotify ? "True" : "False"):
                try: o.unwrap()
                except ssl.SSLWantReadError: pass
                s.sendall(outward.read())
            s.shutdown(socket.SHUT_WR)
            time.sleep(0.1)
            text = b""
            while True:
                try: more = pump(lambda: o.read(65536))
                except ssl.SSLZeroReturnError: break
                if not more: break
                text += more
            lines = [l for l in text.split(b"\\n") if l.startswith(b"line")]
            print(len(lines), lines[-1].decode(), text.count(b"a" * 5000))
            """
        )
        #expect(said == "400 line 399 400")
        #expect(harness.handlers[0].inputEndedCount == 1)
    }

    @Test("Every end of ours is said: a clean end, and never a cut")
    func closeNotify() throws {
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            handler.onReceived = { octets, stream in
                if octets[0] == UInt8(ascii: "c") {
                    stream.send("bye\n")
                    stream.close()
                } else if octets[0] == UInt8(ascii: "l") {
                    stream.close(lingering: true)
                } else {
                    stream.abort()
                }
                return Consumption(count: octets.count, next: .finished)
            }
        }
        let said = harness.python(
            """
            for version in ["TLSv1_2", "TLSv1_3"]:
                for how in [b"c", b"l", b"a"]:
                    c = context(version=version)
                    s = c.wrap_socket(dial(), suppress_ragged_eofs=False)
                    line(s)
                    s.sendall(how)
                    print(rest(s))
                    s.close()
            """
        )
        #expect(
            said.components(separatedBy: "\n") == [
                "b'bye\\n'", "b''", "b''", "b'bye\\n'", "b''", "b''",
            ]
        )
    }

    @Test("Resets, cuts and half handshakes end their own stream, and leave nothing behind")
    func resets() throws {
        let keys = try TicketKeys(path: nil, hours: 1)
        let harness = try LoopHarness(tls: .forTests { $0.ticketKeys = keys }) { handler, _ in
            handler.onReceived = { octets, stream in
                stream.send([UInt8](repeating: 0x62, count: 100 * octets.count))
                return Consumption(count: min(octets.count, 500), next: .yield)
            }
        }
        #expect(Self.socketCount(at: harness.address) == 1)
        let said = harness.python(
            """
            def hello():
                inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
                o = context().wrap_bio(inward, outward)
                try: o.do_handshake()
                except ssl.SSLWantReadError: pass
                return outward.read()
            octets = hello()
            for n in range(40):
                s = dial(); reset(s)
                s = dial(); s.sendall(octets[:100]); reset(s)
                s = dial(); s.sendall(octets); reset(s)
                s = dial(); s.sendall(octets); s.recv(10); s.close()
                s = dial(); s.sendall(octets[:100]); s.close()
                s = secure(); reset(s)
                s = secure(); line(s); s.sendall(b"command\\n" * 500); reset(s)
                s = secure(); line(s); s.sendall(b"command\\n" * 500); s.close()
                s = secure(); line(s); s.sendall(b"half a comm"); socket.socket.close(s)
            s = secure()
            print(line(s))
            """
        )
        #expect(said == "220 ready")
        #expect(harness.handlers.count == 361)
        #expect(harness.handlers.allSatisfy { $0.endedCount == 1 })
        #expect(harness.loop.connectionCount == 0)
        let counts = harness.loop.handshakes
        #expect(counts.begun == 361 && counts.done + counts.failed == 361)
        #expect(counts.done >= 120)
        #expect(Self.socketCount(at: harness.address) == 1)
    }

    /// The sockets of this process at that address: a listener and what it accepted.
    ///
    /// Those whose peer is gone count, too. Tests beside this one open others.
    private static func socketCount(at address: ListenAddress) -> Int {
        guard case .ip(let own) = address else { return 0 }
        return (0..<Int32(8192)).count { descriptor in
            var name = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = unsafe withUnsafeMutablePointer(to: &name) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe getsockname(descriptor, $0, &size)
                }
            }
            return result == 0 && name.sin_family == sa_family_t(AF_INET)
                && UInt16(bigEndian: name.sin_port) == own.port
        }
    }

    @Test("New certificates are for new connections; those under way keep theirs")
    func reload() throws {
        let files = [TestCertificates.shared.ecdsa, TestCertificates.shared.other]
        var services = try files.map { try TLSService.forTests([$0, files[1]]) }
        weak let first = services[0]
        let harness = try LoopHarness(tls: { services[0] }) { handler, _ in
            handler.onReceived = { octets, stream in
                // The only reference to the first service goes, in the midst of a conversation.
                if services.count == 2 { services.removeFirst() }
                stream.send(octets)
                return Consumption(count: octets.count, next: .awaitMore)
            }
        }
        let said = harness.python(
            """
            def hello(name):
                inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
                o = context(alpn=["x"]).wrap_bio(inward, outward, server_hostname=name)
                try: o.do_handshake()
                except ssl.SSLWantReadError: pass
                return o, inward, outward
            old = secure()
            print(line(old))
            o, inward, outward = hello("other.example.test")
            s = dial()
            octets = outward.read()
            s.sendall(octets[:50])
            time.sleep(0.1)
            old.sendall(b"swap\\n")
            print(line(old))
            s.sendall(octets[50:])
            while True:
                try:
                    o.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    s.sendall(outward.read())
                    inward.write(s.recv(65536))
            under_way = o.getpeercert(True)
            new = secure()
            print(line(new), new.getpeercert(True) != old.getpeercert(True))
            print(under_way == new.getpeercert(True))
            old.sendall(b"still\\n")
            print(line(old))
            """
        )
        #expect(said == "220 ready\nswap\n220 ready True\nTrue\nstill")
        #expect(first == nil)
    }

    @Test(
        "What is wrong with files is said",
        arguments: [
            "missing", "unreadable", "wrong key", "no certificate", "pass phrase",
        ]
    )
    func wrongFiles(what: String) throws {
        let certificates = TestCertificates.shared
        var files = certificates.ecdsa
        switch what {
        case "missing": files.chainPath = certificates.path("missing.pem")
        case "unreadable": files.keyPath = certificates.folder.path
        case "wrong key": files.keyPath = certificates.other.keyPath
        case "no certificate": files.chainPath = files.keyPath
        default:
            files.keyPath = certificates.path("locked.key")
            _ = Command.run([
                "openssl", "pkcs8", "-topk8", "-in", certificates.ecdsa.keyPath, "-passout",
                "pass:secret", "-out", files.keyPath,
            ])
        }
        let error = #expect(throws: TLSError.self) { try TLSService.forTests([files]) }
        let expected =
            ["missing", "no certificate"].contains(what) ? files.chainPath : files.keyPath
        #expect(error?.subject == expected)
        #expect(error?.reason.isEmpty == false)
    }

    @Test("What a certificate says")
    func facts() throws {
        let certificates = TestCertificates.shared
        let ecdsa = try TLSCertificateFacts(
            path: certificates.ecdsa.chainPath,
            keyPath: certificates.ecdsa.keyPath
        )
        #expect(ecdsa.names == ["mail.example.test", "localhost"])
        #expect(ecdsa.keyType == "ECDSA P-256")
        #expect(ecdsa.keyFits == true)
        let now = Date().timeIntervalSince1970
        #expect((now - 3600...now + 1).contains(Double(ecdsa.notBefore)))
        #expect(ecdsa.notAfter - ecdsa.notBefore == 30 * 86400)
        #expect(ecdsa.isFor("MAIL.example.test") && !ecdsa.isFor("example.test"))
        let other = try TLSCertificateFacts(
            path: certificates.other.chainPath,
            keyPath: certificates.rsa.keyPath
        )
        #expect(other.keyFits == false)
        #expect(other.isFor("a.wild.example.test") && !other.isFor("a.b.wild.example.test"))
        #expect(try TLSCertificateFacts(path: certificates.rsa.chainPath).keyType == "RSA 2048")
        #expect(try TLSCertificateFacts(path: certificates.rsa.chainPath).keyFits == nil)
    }
}
