// SPDX-License-Identifier: Apache-2.0

import Testing
import TranscriptSupport

@Suite struct TranscriptTests {
    @Test(arguments: Transcript.ofSASL)
    func replay(transcript: Transcript) {
        let offersBinding = transcript.options["offers-binding"] != nil
        let replay = Replay(offersChannelBinding: offersBinding)
        transcript.replay(on: replay, .wholeLines) { trace, expected in
            #expect(trace == expected, "\nwas:\n\(trace.joined(separator: "\n"))")
        }
        #expect(replay.isClosed, "a transcript goes on to the end of the exchange")
    }

    @Test func thereAreEnough() {
        #expect(Transcript.ofSASL.count >= 15)
    }
}
