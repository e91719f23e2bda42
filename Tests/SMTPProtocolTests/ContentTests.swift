// SPDX-License-Identifier: Apache-2.0
//
// Content as it goes through a session, cut anywhere, against the same worked out at once; and all
// the ways in which a dot between line ends might be taken for the end.

import MailBytes
import SMTPProtocol
import Testing

@Suite struct ContentTests {
    private static let policies: [SMTPServerSettings.LineEndings] = [.refuse, .normalise]

    @Test(arguments: 0..<600 as Range<UInt64>)
    func randomContentInRandomSegments(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let wire = self.randomWire(&random)
        let segments = (0..<8).map { _ in
            Int.random(in: 1...(Bool.random(using: &random) ? 5 : 300), using: &random)
        }
        for command in ContentCommand.allCases {
            for policy in Self.policies {
                let expected = try #require(
                    ContentOutcome(reference: wire, command, policy)
                )
                for cut in [segments, [wire.count], [1]] {
                    let outcome = ContentOutcome(wire, command, policy, segments: cut)
                    #expect(
                        outcome == expected,
                        "seed \(seed), \(command), \(policy), \(cut), \(wire)"
                    )
                }
            }
        }
    }

    private func randomWire(_ random: inout SeededGenerator) -> [UInt8] {
        let pieces = [
            "\r\n", "\r\n", "\r\n", ".", "\r\n.", "\r\n..", "\r\n.\r\n", "\n", "\r", "x", "\0",
            String(repeating: "y", count: Int.random(in: 1...130, using: &random)),
        ]
        // Half of the messages have no bare CR or LF, or all would be refused.
        let isPlain = Bool.random(using: &random)
        var text = ""
        for _ in 0..<Int.random(in: 0...24, using: &random) {
            let piece = pieces[Int.random(in: 0..<pieces.count, using: &random)]
            if !isPlain || piece != "\n" && piece != "\r" { text += piece }
        }
        return Array((text + "\r\n.\r\n").utf8)
    }

    /// Whatever stands around a dot, only CRLF.CRLF ends the data.
    @Test(arguments: Self.policies)
    func onlyCRLFDotCRLFEndsTheData(policy: SMTPServerSettings.LineEndings) throws {
        let lineEnds = [
            "", "\r", "\n", "\r\n", "\n\r", "\r\r", "\n\n", "\r\r\n", "\r\n\r", "\n\r\n",
        ]
        for before in lineEnds {
            for after in lineEnds {
                let head = "one\(before).\(after)"
                let wire = Array("\(head)two\r\n.\r\n".utf8)
                let end = before.hasSuffix("\r\n") && after.hasPrefix("\r\n")
                let consumed = end ? "one\(before).\r\n".utf8.count : wire.count
                for segments in [[wire.count], [1], [2], [3]] {
                    let outcome = try #require(
                        ContentOutcome(wire, .data, policy, segments: segments)
                    )
                    let name = head.debugDescription
                    #expect(outcome.consumed == consumed, "\(name), \(segments)")
                    #expect(
                        outcome == ContentOutcome(reference: wire, .data, policy),
                        "\(name), \(segments)"
                    )
                    let hasBare = before.hasBareLineEnd || after.hasBareLineEnd && !end
                    if policy == .refuse { #expect((outcome.content == nil) == hasBare, "\(name)") }
                }
            }
        }
    }

    /// An end that never comes leaves the session waiting, with nothing unconsumed but what may
    /// become the end.
    @Test(arguments: [
        "", "x", ".", ".\r", "\r\n.", "\r\n.\r", "x\r\n.\r", ".\n", "\n.\r\n", "\r.\r\n",
    ])
    func noEnd(text: String) {
        for policy in Self.policies {
            for segments in [[text.utf8.count + 1], [1]] {
                let outcome = ContentOutcome(
                    Array(text.utf8),
                    .data,
                    policy,
                    segments: segments
                )
                #expect(outcome == nil, "\(text.debugDescription)")
            }
        }
    }

    /// A block that is scanned at once does not hide what is not plain, wherever it stands.
    @Test func everyPlaceInABlock() throws {
        for policy in Self.policies {
            for odd in ["\n", "\r", "\r\n.", "\r\n.\r\n", "\r\n", "\n\r", "\r\n\r."] {
                for place in 0..<150 {
                    let text = String(repeating: "a", count: place) + odd
                    let rest = String(repeating: "b", count: 150 - place)
                    let wire = Array((text + rest + "\r\n.\r\n").utf8)
                    #expect(
                        ContentOutcome(wire, .data, policy, segments: [wire.count])
                            == ContentOutcome(reference: wire, .data, policy),
                        "\(policy), \(odd.debugDescription) at \(place)"
                    )
                }
            }
        }
    }

    /// Plain content that comes in one read is named by one range.
    @Test func plainContentIsOneRun() {
        let line = String(repeating: "x", count: 76) + "\r\n"
        let text = String(repeating: line, count: 130) + ".\r\n"
        var decoder = ContentDecoder(transparency: true, normalising: false)
        let octets = Array(text.utf8)
        let step = decoder.decode(octets.span)
        #expect(step.consumed == octets.count)
        #expect(step.piece == .content(ByteRange(0, octets.count - 3)))
        let none = [UInt8]()
        let end = decoder.decode(none.span)
        #expect(end.piece == .end && end.consumed == 0)
    }
}

extension String {
    fileprivate var hasBareLineEnd: Bool {
        let scalars = Array(self.utf8)
        return scalars.indices.contains { index in
            switch scalars[index] {
            case 0x0d: index + 1 == scalars.count || scalars[index + 1] != 0x0a
            case 0x0a: index == 0 || scalars[index - 1] != 0x0d
            default: false
            }
        }
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
