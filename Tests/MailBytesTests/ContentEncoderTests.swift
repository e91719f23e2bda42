// SPDX-License-Identifier: Apache-2.0
//
// Byte-stuffing: given cases, and what a strict reader of RFC 1939 gets back from random content
// in random parts.

import MailBytes
import Testing

@Suite struct ContentEncoderTests {
    /// The wire form of parts given one after the other.
    private func wire(_ parts: [[UInt8]], normalising: Bool = false) -> [UInt8] {
        var encoder = ContentEncoder(normalising: normalising)
        var buffer = ReplyBuffer()
        for part in parts { encoder.encode(part.span, into: &buffer) }
        encoder.finish(into: &buffer)
        return buffer.span.copy()
    }

    /// The same, where every part that needs no stuffing passes as it is.
    private func wirePassing(_ parts: [[UInt8]]) -> [UInt8] {
        var encoder = ContentEncoder()
        var buffer = ReplyBuffer()
        for part in parts {
            if ContentEncoder.mayStuff(part.span) {
                encoder.encode(part.span, into: &buffer)
            } else {
                encoder.pass(part.span)
                buffer.append(part)
            }
        }
        encoder.finish(into: &buffer)
        return buffer.span.copy()
    }

    /// What a reader that knows only CRLF as a line end makes of the wire form; nil when the
    /// terminator is not exactly at the end.
    private func unstuffed(_ wire: [UInt8]) -> [UInt8]? {
        var content: [UInt8] = []
        var rest = wire[...]
        while !rest.isEmpty {
            var end = rest.startIndex
            while end + 1 < rest.endIndex, rest[end] != 0x0d || rest[end + 1] != 0x0a { end += 1 }
            guard end + 1 < rest.endIndex else { return nil }
            let line = rest[rest.startIndex..<end]
            rest = rest[(end + 2)...]
            if line.elementsEqual([0x2e]) { return rest.isEmpty ? content : nil }
            content += line.first == 0x2e ? line.dropFirst() : line
            content += [0x0d, 0x0a]
        }
        return nil
    }

    @Test(arguments: [
        ("", ".\r\n"),
        ("a", "a\r\n.\r\n"),
        ("a\r\n", "a\r\n.\r\n"),
        (".", "..\r\n.\r\n"),
        (".\r\n", "..\r\n.\r\n"),
        ("..\r\n", "...\r\n.\r\n"),
        ("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"),
        ("a.b\r\n.c.\r\n", "a.b\r\n..c.\r\n.\r\n"),
        ("\r\n\r\n", "\r\n\r\n.\r\n"),
        ("a\r\n.", "a\r\n..\r\n.\r\n"),
        ("a\r", "a\r\r\n.\r\n"),
        ("a\n", "a\n\r\n.\r\n"),
        ("a\n.b\r\n", "a\n.b\r\n.\r\n"),
        ("a\r.b\r\n", "a\r.b\r\n.\r\n"),
        ("a\r\r\n.b", "a\r\r\n..b\r\n.\r\n"),
        ("\n.\r\n", "\n.\r\n.\r\n"),
        ("\n\r.\r\n", "\n\r.\r\n.\r\n"),
    ])
    func stuffsOnlyLineStarts(content: String, expected: String) {
        let octets = Array(content.utf8)
        #expect(self.wire([octets]) == Array(expected.utf8))
        // The same, split at every place and into single octets.
        for cut in 0...octets.count {
            #expect(
                self.wire([Array(octets[..<cut]), [], Array(octets[cut...])])
                    == Array(expected.utf8)
            )
        }
        #expect(self.wire(octets.map { [$0] }) == Array(expected.utf8))
    }

    @Test(arguments: [
        ("", ".\r\n"), ("a", "a\r\n.\r\n"), ("a\r\n", "a\r\n.\r\n"), (".", "..\r\n.\r\n"),
        ("a\r", "a\r\n.\r\n"), ("a\n", "a\r\n.\r\n"), ("a\r\r\n", "a\r\n\r\n.\r\n"),
        ("a\n.\nQUIT\r\n", "a\r\n..\r\nQUIT\r\n.\r\n"),
        ("a\r.\rMAIL", "a\r\n..\r\nMAIL\r\n.\r\n"),
        ("a\n.\r\nb", "a\r\n..\r\nb\r\n.\r\n"), ("a\r\n.\nb", "a\r\n..\r\nb\r\n.\r\n"),
        ("\n\r.", "\r\n\r\n..\r\n.\r\n"), ("a.b\0\r\n\n.", "a.b\0\r\n\r\n..\r\n.\r\n"),
    ])
    func bareLineEndsBecomeWhole(content: String, expected: String) {
        let octets = Array(content.utf8)
        for cut in 0...octets.count {
            let parts = [Array(octets[..<cut]), [], Array(octets[cut...])]
            #expect(self.wire(parts, normalising: true) == Array(expected.utf8))
        }
        #expect(self.wire(octets.map { [$0] }, normalising: true) == Array(expected.utf8))
    }

    @Test(arguments: [
        ("", true), ("a\r\nb.c\r\n", true), ("a", true), (".", false), ("a\r\n.b", false),
        ("a\r", false), ("a\n", false), ("\r\n\r\n", true), ("a\rb", false),
    ])
    func tellsWhatIsPlain(content: String, expected: Bool) {
        #expect(ContentEncoder.isPlain(Array(content.utf8).span) == expected)
    }

    /// Whatever is in it, what a strict encoder makes has whole line ends alone, and one lone dot.
    @Test func nothingLooksLikeASecondMessage() {
        var random = SeededGenerator(seed: 5321)
        let alphabet: [UInt8] = [0x2e, 0x0d, 0x0a, 0x61]
        for round in 0..<4000 {
            let count = Int.random(in: 0...200, using: &random)
            let content = (0..<count).map { _ in alphabet[Int.random(in: 0..<4, using: &random)] }
            let cut = Int.random(in: 0...count, using: &random)
            let wire = self.wire(
                [Array(content[..<cut]), Array(content[cut...])],
                normalising: true
            )
            let text = String(decoding: wire, as: UTF8.self)
            let bare = text.unicodeScalars.split(separator: "\r\n".unicodeScalars)
            #expect(bare.allSatisfy { !$0.contains("\r") && !$0.contains("\n") }, "round \(round)")
            #expect(self.unstuffed(wire) != nil, "round \(round)")
        }
    }

    @Test(arguments: [
        ("", false), ("a.b\r\nc.\r\n", false), ("\n.", true), ("a\n.b", false), ("\r.", false),
        ("a\r.\r\n", false), (".", true), ("a.", false), ("a\r\n.", true), ("a\r\n\r\n.b", true),
        ("\r\n.", true), ("a.b.c\r\n..", true),
    ])
    func tellsWhatMayNeedStuffing(part: String, expected: Bool) {
        #expect(ContentEncoder.mayStuff(Array(part.utf8).span) == expected)
    }

    @Test func randomContentComesBackWhole() {
        var random = SeededGenerator(seed: 20_240_601)
        let alphabet: [UInt8] = [0x2e, 0x2e, 0x0d, 0x0a, 0x0d, 0x0a, 0x61, 0x00, 0xff]
        for round in 0..<4000 {
            var content: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                if Int.random(in: 0..<4, using: &random) == 0 {
                    content += [0x0d, 0x0a]
                } else {
                    content.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
                }
            }
            var parts: [[UInt8]] = []
            var start = 0
            while start < content.count {
                let end = min(content.count, start + Int.random(in: 0...9, using: &random))
                parts.append(Array(content[start..<end]))
                start = end
            }
            var expected = content
            if !content.isEmpty, content.suffix(2) != [0x0d, 0x0a] { expected += [0x0d, 0x0a] }
            #expect(self.unstuffed(self.wire(parts)) == expected, "round \(round)")
            #expect(self.wire(parts) == self.wire([content]), "round \(round)")
            #expect(self.wirePassing(parts) == self.wire([content]), "round \(round)")
        }
    }
}

/// SplitMix64: random numbers that a seed repeats.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
