// SPDX-License-Identifier: Apache-2.0
//
// Every transcript, replayed line by line, octet by octet and pipelined, with the same result.

import POP3Protocol
import Testing
import TranscriptSupport

@Suite struct TranscriptTests {
    @Test(arguments: Transcript.ofPOP3, Segmentation.allCases)
    func replay(transcript: Transcript, segmentation: Segmentation) {
        for looks in [false, true] {
            let replay = Replay(transcript, looksForDots: looks)
            transcript.replay(on: replay, segmentation) { trace, expected in
                #expect(trace == expected, "\nwas:\n\(trace.joined(separator: "\n"))")
            }
            #expect(replay.isClosed, "a transcript goes on to the end of the session")
        }
    }

    @Test func thereAreEnough() {
        #expect(Transcript.ofPOP3.count >= 40)
    }
}
