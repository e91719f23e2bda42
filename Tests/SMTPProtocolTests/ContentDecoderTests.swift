// SPDX-License-Identifier: Apache-2.0
//
// The decoder by itself: one input a line, and the pieces it is cut into.

import MailBytes
import Testing

@Suite struct ContentDecoderTests {
    struct Fixture: Sendable, CustomTestStringConvertible {
        let input: String
        let pieces: String
        let testDescription: String

        init(_ input: String, _ pieces: String) {
            self.input = input
            self.pieces = pieces
            self.testDescription = input.debugDescription
        }
    }

    private func pieces(of input: String, transparency: Bool, normalising: Bool) -> String {
        var decoder = ContentDecoder(transparency: transparency, normalising: normalising)
        var rest = Array(input.utf8)
        var names: [String] = []
        while names.count < 20 {
            let octets = rest
            let step = decoder.decode(octets.span)
            switch step.piece {
            case .content(let range):
                names.append(
                    String(decoding: octets[range.indices], as: UTF8.self).debugDescription
                )
            case .lineEnd: names.append("lineEnd")
            case .bareLineEnd: names.append("bare")
            case .incomplete: names.append("incomplete \(octets.count - step.consumed)")
            case .end: names.append("end \(octets.count - step.consumed)")
            }
            rest.removeFirst(step.consumed)
            if step.piece == .incomplete || step.piece == .end { break }
        }
        return names.joined(separator: " ")
    }

    @Test(arguments: [
        Fixture("", #"incomplete 0"#),
        Fixture(".\r\n", #"end 0"#),
        Fixture(".\r\nQUIT", #"end 4"#),
        Fixture(".", #"incomplete 1"#),
        Fixture(".\r", #"incomplete 2"#),
        Fixture("..\r\n", #"".\r\n" incomplete 0"#),
        Fixture(".x", #""x" incomplete 0"#),
        Fixture("one\r\ntwo\r\n.\r\n", #""one\r\ntwo\r\n" end 0"#),
        Fixture("one\r\n..two\r\n.\r\n", #""one\r\n" ".two\r\n" end 0"#),
        Fixture("one\r\n.", #""one\r\n" incomplete 1"#),
        Fixture("one\r", #""one" incomplete 0"#),
        Fixture("\r", #"incomplete 0"#),
        Fixture("one\r\n", #""one\r\n" incomplete 0"#),
        Fixture("x.y\r\nz.\r\n.\r\n", #""x.y\r\nz.\r\n" end 0"#),
        Fixture("one\ntwo", #""one" bare "two" incomplete 0"#),
        Fixture("one\rtwo", #""one" bare "two" incomplete 0"#),
        Fixture(".\rx", #"bare "x" incomplete 0"#),
        Fixture(".\nx", #"bare "x" incomplete 0"#),
        Fixture("\n.\r\n", #"bare ".\r\n" incomplete 0"#),
    ])
    func refusing(fixture: Fixture) {
        let pieces = self.pieces(of: fixture.input, transparency: true, normalising: false)
        #expect(pieces == fixture.pieces)
    }

    @Test(arguments: [
        Fixture("one\r\n.\r\n", #""one\r\n" end 0"#),
        Fixture("one\ntwo", #""one" lineEnd "two" incomplete 0"#),
        Fixture("one\rtwo", #""one" lineEnd "two" incomplete 0"#),
        Fixture("one\r", #""one" incomplete 0"#),
        Fixture("\r", #"incomplete 0"#),
        Fixture("\r\r\n", #"lineEnd "\r\n" incomplete 0"#),
        Fixture("\n.\r\n", #"lineEnd ".\r\n" incomplete 0"#),
        Fixture("\r\n.\n.\r\n", #""\r\n" lineEnd ".\r\n" incomplete 0"#),
        Fixture(".\rx", #"lineEnd "x" incomplete 0"#),
        Fixture("\r\n\n.\r\n.\r\n", #""\r\n" lineEnd ".\r\n" end 0"#),
    ])
    func normalising(fixture: Fixture) {
        let pieces = self.pieces(of: fixture.input, transparency: true, normalising: true)
        #expect(pieces == fixture.pieces)
    }

    @Test(arguments: [
        Fixture(".\r\n..\r\n", #"".\r\n..\r\n" incomplete 0"#),
        Fixture("one\r\n.\r\n", #""one\r\n.\r\n" incomplete 0"#),
        Fixture(".", #""." incomplete 0"#),
        Fixture("one\n.", #""one" bare "." incomplete 0"#),
    ])
    func withoutTransparency(fixture: Fixture) {
        let pieces = self.pieces(of: fixture.input, transparency: false, normalising: false)
        #expect(pieces == fixture.pieces)
    }

    @Test func whatAFinalCRIs() {
        for (normalising, piece) in [
            (true, ContentDecoder.Piece.lineEnd), (false, ContentDecoder.Piece.bareLineEnd),
        ] {
            var decoder = ContentDecoder(transparency: false, normalising: normalising)
            let octets: [UInt8] = [0x78, 0x0d]
            _ = decoder.decode(octets.span)
            #expect(decoder.isAfterCR)
            #expect(decoder.endAfterCR() == piece)
            #expect(!decoder.isAfterCR)
        }
    }

    /// Skipping finds the same end as decoding, from wherever decoding stopped.
    @Test(arguments: [
        ".\r\nQUIT", "x\r\n.\r\nQUIT", "x\n.\r\ny\r\n..\r\n.x\r\n.\r\nQUIT", "\r\r\n.\r\nQUIT",
    ])
    func skipping(text: String) {
        let octets = Array(text.utf8)
        for start in 0...(octets.count - 4) {
            var decoder = ContentDecoder(transparency: true, normalising: false)
            var consumed = 0
            var isEnd = false
            while consumed < start {
                let part = Array(octets[consumed..<start])
                let step = decoder.decode(part.span)
                consumed += step.consumed
                isEnd = step.piece == .end
                if step.piece == .incomplete || isEnd { break }
            }
            if !isEnd {
                let rest = Array(octets[consumed...])
                let step = decoder.skip(rest.span)
                #expect(step.piece == .end, "from \(start)")
                consumed += step.consumed
            }
            #expect(octets.count - consumed == 4, "from \(start)")
        }
    }
}
