// SPDX-License-Identifier: Apache-2.0

@testable import EventLoop
import MailBytes
import Testing

/// How input comes to a handler.
@Suite(.timeLimit(.minutes(1)))
struct StreamInputTests {
    @Test("A stream echoes what its peer sends")
    func echo() throws {
        let harness = try LoopHarness { handler, _ in
            handler.onReceived = { octets, stream in
                stream.send(octets)
                return Consumption(count: octets.count, next: .awaitMore)
            }
        }
        let findings = Findings<[UInt8]>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            for count in [1, 10, 1000, 70_000] {
                peer.write(pattern(count, seed: count))
                findings.add(peer.read(count))
            }
            peer.close()
        }
        #expect(findings.all == [1, 10, 1000, 70_000].map { pattern($0, seed: $0) })
        #expect(harness.handlers.map(\.endedCount) == [1])
    }

    @Test("Octets left with awaitMore are shown again with those that follow")
    func splitReads() throws {
        var shown: [[UInt8]] = []
        let harness = try LoopHarness { handler, _ in
            handler.onReceived = { octets, stream in
                shown.append(octets)
                guard let end = octets.firstIndex(of: .lf) else {
                    stream.send("more\n")
                    return Consumption(count: 0, next: .awaitMore)
                }
                stream.send("line\n")
                return Consumption(count: end + 1, next: .yield)
            }
        }
        let findings = Findings<String>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            for piece in ["a", "bc", "d\nef", "g\nh\n"] {
                peer.write(piece)
                findings.add(peer.readLine())
            }
            findings.add(peer.readLine())
            findings.add(peer.readLine())
            peer.close()
        }
        #expect(
            shown.map { String(decoding: $0, as: UTF8.self) }
                == ["a", "abc", "abcd\nef", "ef", "efg\nh\n", "h\n"]
        )
        #expect(findings.all == ["more", "more", "line", "more", "line", "line"])
        #expect(harness.handlers[0].consumed == Array("abcd\nefg\nh\n".utf8))
    }

    @Test("A line longer than the unread limit is read no further")
    func endlessLine() throws {
        var longest = 0
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { octets, stream in
                longest = max(longest, octets.count)
                stream.setDeadline(seconds: 0.3)
                return Consumption(count: 0, next: .awaitMore)
            }
            handler.onDeadline = { $0.abort() }
        }
        let sent = Findings<Int>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            sent.add(peer.write([UInt8](repeating: 0x61, count: 64 << 20)))
            peer.close()
        }
        #expect(longest >= 1 << 16)
        #expect(longest < 2 << 16)
        #expect(sent.all[0] < 64 << 20)
        #expect(harness.handlers[0].endedCount == 1)
    }

    @Test("A suspended stream shows nothing, and everything once it is resumed")
    func suspension() throws {
        let content = pattern(300_000)
        var deliveries = 0
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { [unowned handler] octets, stream in
                deliveries += 1
                // The first octet suspends, and so does every hundred thousandth.
                let before = handler.consumed.count
                let next = before == 0 ? 1 : min(octets.count, 100_000 - before % 100_000)
                return Consumption(count: next, next: .suspend)
            }
        }
        harness.often { [unowned harness] in
            let before = deliveries
            harness.streams.first?.resume()
            #expect(deliveries == before, "not from within resume")
        }
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            peer.write(content)
            peer.shutDown()
            _ = peer.readToEnd()
            peer.close()
        }
        #expect(harness.handlers[0].consumed == content)
        #expect(harness.handlers[0].inputEndedCount == 1)
        // 65 536 octets at a time at most, each after a resumption.
        #expect(deliveries >= 5)
    }

    @Test("While a stream is suspended, its peer is made to wait")
    func suspensionHoldsThePeer() throws {
        let harness = try LoopHarness { handler, stream in
            handler.onReceived = { octets, stream in
                stream.setDeadline(seconds: 0.3)
                return Consumption(count: octets.count, next: .suspend)
            }
            handler.onDeadline = { $0.abort() }
        }
        let sent = Findings<Int>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            sent.add(peer.write([UInt8](repeating: 0x61, count: 64 << 20)))
            peer.close()
        }
        #expect(sent.all[0] < 32 << 20)
        #expect(harness.handlers[0].consumed.count <= 1 << 16)
        #expect(harness.loop.turn < 100, "the loop does not spin on what nobody wants")
        #expect(harness.handlers[0].deadlineCount == 1)
    }

    @Test("resume() from within received takes back the suspension")
    func resumeWithinReceived() throws {
        let harness = try LoopHarness { handler, _ in
            handler.onReceived = { octets, stream in
                stream.resume()
                stream.send([octets[0]])
                return Consumption(count: 1, next: .suspend)
            }
        }
        let findings = Findings<[UInt8]>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            peer.write("answers at once")
            findings.add(peer.read(15))
            peer.close()
        }
        #expect(findings.all == [Array("answers at once".utf8)])
    }

    @Test("A client that pipelines and half-closes gets every reply", arguments: [1, 7, 64])
    func halfClose(linesPerDelivery: Int) throws {
        let harness = try LoopHarness { handler, _ in
            var answering = 0
            handler.onReceived = { octets, stream in
                var count = 0
                for _ in 0..<linesPerDelivery {
                    guard let end = octets[count...].firstIndex(of: .lf) else { break }
                    stream.send(Array(octets[count...end]))
                    count = end + 1
                }
                answering += 1
                // Some answers come from elsewhere, later.
                guard answering % 3 == 0 else { return Consumption(count: count, next: .yield) }
                return Consumption(count: count, next: .suspend)
            }
        }
        harness.often { [unowned harness] in harness.streams.first?.resume() }
        let lines = (0..<500).map { "line \($0)\n" }.joined()
        let findings = Findings<([UInt8], Peer.End)>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            peer.write(lines)
            peer.shutDown()
            findings.add(peer.readToEnd())
            peer.close()
        }
        #expect(findings.all[0].0 == Array(lines.utf8))
        #expect(findings.all[0].1 == .closed)
        #expect(harness.handlers[0].inputEndedCount == 1)
    }

    @Test("The end of input is told once, although a part of a line was left")
    func endWithinALine() throws {
        let harness = try LoopHarness { handler, _ in
            handler.onReceived = { _, _ in Consumption(count: 0, next: .awaitMore) }
            handler.onInputEnded = { stream in
                stream.send("unfinished\n")
                stream.close()
            }
        }
        let findings = Findings<String>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            peer.write("no line end")
            peer.shutDown()
            findings.add(peer.readLine())
            peer.close()
        }
        #expect(findings.all == ["unfinished"])
        #expect(harness.handlers[0].inputEndedCount == 1)
        #expect(harness.handlers[0].consumed.isEmpty)
    }

    @Test("After finished, input is thrown away and its end still told")
    func finished() throws {
        var deliveries = 0
        let harness = try LoopHarness { handler, _ in
            handler.onReceived = { _, stream in
                deliveries += 1
                stream.send("enough\n")
                return Consumption(count: 0, next: .finished)
            }
        }
        let findings = Findings<([UInt8], Peer.End)>()
        harness.run { address in
            guard let peer = Peer(to: address) else { return }
            peer.write("some")
            _ = peer.readLine()
            peer.write(pattern(500_000))
            peer.shutDown()
            findings.add(peer.readToEnd())
            peer.close()
        }
        #expect(deliveries == 1)
        #expect(findings.all[0] == ([], .closed))
        #expect(harness.handlers[0].inputEndedCount == 1)
    }

    @Test("A busy stream that yields lets the others have their turns")
    func fairness() throws {
        var order: [Int] = []
        let harness = try LoopHarness { handler, stream in
            let number = Int(stream.id.slot)
            handler.onReceived = { octets, stream in
                order.append(number)
                return Consumption(count: 1, next: .yield)
            }
        }
        harness.run { address in
            guard let first = Peer(to: address), let second = Peer(to: address) else { return }
            first.write([UInt8](repeating: 0x61, count: 20_000))
            _ = first.read(0)
            second.write([UInt8](repeating: 0x62, count: 2_000))
            second.shutDown()
            _ = second.readToEnd()
            first.close()
            second.close()
        }
        // From the second stream's first octet to its last, the two alternate.
        let first = try #require(order.firstIndex(of: 1))
        let last = try #require(order.lastIndex(of: 1))
        let span = order[first...last]
        #expect(span.count(where: { $0 == 1 }) == 2_000)
        #expect(span.count(where: { $0 == 0 }) <= 2_001)
    }

    @Test("Early talk is seen before the greeting")
    func readableInput() throws {
        var seen: [Bool] = []
        let harness = try LoopHarness { handler, stream in
            handler.onDeadline = { stream in
                seen.append(stream.hasReadableInput)
                stream.send("greeting\n")
                stream.close()
            }
            handler.onReceived = { _, _ in Consumption(count: 0, next: .suspend) }
            stream.setDeadline(seconds: 0.05)
        }
        harness.run { address in
            guard let talker = Peer(to: address) else { return }
            talker.write("EHLO early\r\n")
            _ = talker.readToEnd()
            talker.close()
            guard let listener = Peer(to: address) else { return }
            _ = listener.readToEnd()
            listener.close()
        }
        #expect(seen == [true, false])
    }
}
