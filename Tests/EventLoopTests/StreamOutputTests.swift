// SPDX-License-Identifier: Apache-2.0

import EventLoop
import MailBytes
import Testing

/// How output leaves, and how it ends.
@Suite(.timeLimit(.minutes(1)))
struct StreamOutputTests {
    @Test("A short reply leaves at once, with nothing pending")
    func directSend() throws {
        var pending: [Int] = []
        let harness = try LoopHarness { handler, stream in
            stream.send("220 ready\n")
            pending.append(stream.pendingOutputCount)
        }
        let findings = Findings<String>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            findings.add(peer.readLine())
            peer.close()
        }
        #expect(findings.all == ["220 ready"])
        #expect(pending == [0])
        #expect(harness.handlers[0].drainedCount == 0)
    }

    @Test("Output that the peer does not read yet waits, arrives whole, and is told when drained")
    func backlog() throws {
        let content = pattern(8 << 20)
        var pending: [Int] = []
        let harness = try LoopHarness { handler, stream in
            // In pieces, so that some go straight out and some behind what waits.
            for start in stride(from: 0, to: content.count, by: 100_000) {
                stream.send(Array(content[start..<min(start + 100_000, content.count)]))
            }
            pending.append(stream.pendingOutputCount)
            handler.onDrained = { stream in
                pending.append(stream.pendingOutputCount)
                stream.send("end")
                stream.close()
            }
        }
        let findings = Findings<([UInt8], Peer.End)>()
        harness.run { address in
            guard let peer = Peer(to: address, receiveBuffer: 4096) else { return }
            WorkerThread.sleep(milliseconds: 100)
            findings.add(peer.readToEnd())
            peer.close()
        }
        #expect(findings.all[0].0 == content + Array("end".utf8))
        #expect(findings.all[0].1 == .closed)
        #expect(pending.count == 2)
        #expect(pending[0] > 0)
        #expect(pending[1] == 0)
        #expect(harness.handlers[0].drainedCount == 1)
    }

    @Test("Three runs go out in order, and what is not taken of them waits", arguments: [0, 1])
    func threeRuns(empty: Int) throws {
        let content = pattern(3 << 20)
        var pending: [Int] = []
        let harness = try LoopHarness { handler, stream in
            // Short ones that the socket takes, long ones of which it takes a part, and others
            // behind those; each of the three is empty in its turn.
            for (index, size) in [10, 300, 1 << 20, 20, 1 << 20, 1000].enumerated() {
                let parts = (0..<3).map { part in
                    Array(content[0..<((index + part) % 3 == empty ? 0 : size + part)])
                }
                let (first, second, third) = (parts[0], parts[1], parts[2])
                stream.send(first.span, second.span, third.span)
                pending.append(stream.pendingOutputCount)
            }
            stream.close()
        }
        let findings = Findings<([UInt8], Peer.End)>()
        harness.run { address in
            guard let peer = Peer(to: address, receiveBuffer: 4096) else { return }
            WorkerThread.sleep(milliseconds: 100)
            findings.add(peer.readToEnd())
            peer.close()
        }
        var expected: [UInt8] = []
        for (index, size) in [10, 300, 1 << 20, 20, 1 << 20, 1000].enumerated() {
            for part in 0..<3 where (index + part) % 3 != empty {
                expected += content[0..<(size + part)]
            }
        }
        #expect(findings.all[0].0 == expected)
        #expect(findings.all[0].1 == .closed)
        #expect(pending[..<2] == [0, 0])
        #expect(pending.last ?? 0 > 0)
    }

    @Test("A handler that stops reading over its mark keeps the backlog of a deaf peer bounded")
    func backPressure() throws {
        let mark = 64 << 10
        var longest = 0
        let isBlocked = Findings<Void>()
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { octets, stream in
                guard stream.pendingOutputCount <= mark else {
                    isBlocked.add(())
                    return Consumption(count: 0, next: .suspend)
                }
                stream.send([UInt8](repeating: octets[0], count: 1000))
                longest = max(longest, stream.pendingOutputCount)
                return Consumption(count: 1, next: .yield)
            }
            handler.onDrained = { $0.resume() }
        }
        let findings = Findings<Int>()
        harness.run { address in
            guard let peer = Peer(to: address, receiveBuffer: 4096) else { return }
            peer.write([UInt8](repeating: 0x61, count: 20_000))
            peer.shutDown()
            for _ in 0..<5000 where isBlocked.all.isEmpty { WorkerThread.sleep(milliseconds: 1) }
            findings.add(peer.readToEnd().0.count)
            peer.close()
        }
        #expect(findings.all == [20_000_000])
        #expect(longest > 0)
        #expect(longest <= mark + 1000)
    }

    @Test("close() lets pending output go out, then ends")
    func closeFlushes() throws {
        let content = pattern(4 << 20)
        let harness = try LoopHarness { handler, stream in
            stream.send(content)
            stream.close()
            // Too late.
            stream.send("after the end")
        }
        let findings = Findings<([UInt8], Peer.End)>()
        harness.run { address in
            guard let peer = Peer(to: address, receiveBuffer: 4096) else { return }
            WorkerThread.sleep(milliseconds: 50)
            findings.add(peer.readToEnd())
            peer.close()
        }
        #expect(findings.all[0].0 == content)
        #expect(findings.all[0].1 == .closed)
    }

    @Test("A peer that still talks reads our last words, not a reset")
    func lastWords() throws {
        let harness = try LoopHarness { handler, stream in
            // With input that was never read, closing at once would make the system send a reset.
            handler.onReceived = { _, stream in
                stream.setDeadline(seconds: 0.1)
                return Consumption(count: 0, next: .suspend)
            }
            handler.onDeadline = { stream in
                stream.send("421 good bye\n")
                stream.close()
            }
        }
        let findings = Findings<([UInt8], Peer.End)>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            peer.write(pattern(1 << 20))
            WorkerThread.sleep(milliseconds: 100)
            findings.add(peer.readToEnd())
            peer.write("more")
            peer.close()
        }
        #expect(findings.all[0].0 == Array("421 good bye\n".utf8))
        #expect(findings.all[0].1 == .closed)
        #expect(harness.handlers[0].endedCount == 1)
    }

    @Test("A peer that never stops talking after the end is left after a short while")
    func lingerEnds() throws {
        let harness = try LoopHarness { handler, _ in
            handler.onReceived = { _, stream in
                stream.close()
                return Consumption(count: 0, next: .finished)
            }
        }
        let findings = Findings<Int>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            var rounds = 0
            while rounds < 800, peer.write([UInt8](repeating: 0x61, count: 1 << 16)) > 0 {
                rounds += 1
                WorkerThread.sleep(milliseconds: 5)
            }
            findings.add(rounds)
            peer.close()
        }
        #expect(findings.all[0] < 800)
        #expect(harness.handlers[0].endedCount == 1)
    }

    @Test("A peer blocked in sending is read on while our output waits for it")
    func closeReadsOn() throws {
        let content = pattern(4 << 20)
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { _, stream in
                stream.send(content)
                stream.close()
                return Consumption(count: 0, next: .finished)
            }
        }
        let findings = Findings<[UInt8]>()
        harness.run { address in
            guard let peer = Peer(to: address, receiveBuffer: 4096) else { return }
            // More than all buffers between hold, before the first octet is read.
            #expect(peer.write([UInt8](repeating: 0x61, count: 32 << 20)) == 32 << 20)
            peer.shutDown()
            findings.add(peer.readToEnd().0)
            peer.close()
        }
        #expect(findings.all[0] == content)
    }

    @Test("abort() ends at once, whatever is pending")
    func abort() throws {
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { octets, stream in
                stream.send(pattern(32 << 20))
                stream.abort()
                stream.abort()
                stream.close()
                return Consumption(count: 0, next: .awaitMore)
            }
        }
        let findings = Findings<([UInt8], Peer.End)>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            peer.write("go")
            findings.add(peer.readToEnd())
            peer.close()
        }
        #expect(findings.all[0].0.count < 32 << 20)
        #expect(findings.all[0].1 != .timedOut)
        #expect(harness.handlers[0].endedCount == 1)
        #expect(harness.handlers[0].inputEndedCount == 0)
    }
}
