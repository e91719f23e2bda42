// SPDX-License-Identifier: Apache-2.0
//
// Every transcript, replayed line by line, octet by octet and pipelined, with the same result.

import POP3Protocol
import Testing

@Suite struct TranscriptTests {
    @Test(arguments: Transcript.all)
    func wholeLines(transcript: Transcript) {
        self.replay(transcript) { replay, octets in replay.feed(octets) }
    }

    @Test(arguments: Transcript.all)
    func octetByOctet(transcript: Transcript) {
        self.replay(transcript) { replay, octets in
            for octet in octets { replay.feed([octet]) }
        }
    }

    @Test func thereAreEnough() {
        #expect(Transcript.all.count >= 40)
    }

    /// All the client will say until something else happens is there at once.
    @Test(arguments: Transcript.all)
    func pipelined(transcript: Transcript) {
        let replay = self.start(transcript)
        var expected: [String] = []
        for (index, item) in transcript.items.enumerated() {
            switch item {
            case .input:
                guard
                    index == 0
                        || transcript.items[..<index].lastIndex(where: \.isInput)
                            .map({ before in
                                transcript.items[before..<index].contains(where: \.isEvent)
                            })
                            ?? true
                else { continue }
                replay.feed(transcript.inputUntilEvent(from: index))
            case .answer(let text): replay.answer(text)
            case .event(let text): replay.happen(text)
            case .expected(let line): expected.append(line)
            }
        }
        self.check(replay, expected, isAtEnd: true)
    }

    private func start(_ transcript: Transcript) -> Replay {
        Replay(transcript.settings, earlyTalk: transcript.options["early-talk"] != nil)
    }

    private func replay(_ transcript: Transcript, feed: (Replay, [UInt8]) -> Void) {
        let replay = self.start(transcript)
        var expected: [String] = []
        for item in transcript.items {
            if case .expected(let line) = item {
                expected.append(line)
                continue
            }
            self.check(replay, expected, isAtEnd: false)
            switch item {
            case .input(let octets): feed(replay, octets)
            case .answer(let text): replay.answer(text)
            case .event(let text): replay.happen(text)
            case .expected: break
            }
        }
        self.check(replay, expected, isAtEnd: true)
    }

    private func check(_ replay: Replay, _ expected: [String], isAtEnd: Bool) {
        #expect(
            replay.trace == expected,
            "\nwas:\n\(replay.trace.joined(separator: "\n"))"
        )
        if isAtEnd {
            #expect(replay.isClosed, "a transcript goes on to the end of the session")
        }
    }
}

extension Transcript.Item {
    fileprivate var isInput: Bool { if case .input = self { true } else { false } }
    fileprivate var isEvent: Bool { if case .event = self { true } else { false } }
}

extension Transcript {
    fileprivate func inputUntilEvent(from start: Int) -> [UInt8] {
        var octets: [UInt8] = []
        for item in self.items[start...] {
            if item.isEvent { break }
            if case .input(let more) = item { octets += more }
        }
        return octets
    }
}
