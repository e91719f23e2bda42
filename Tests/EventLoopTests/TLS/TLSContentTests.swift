// SPDX-License-Identifier: Apache-2.0

import EventLoop
import MailBytes
import Testing

/// Content that is sent between replies, when the stream speaks TLS.
@Suite("TLS: content between replies", .timeLimit(.minutes(2)))
struct TLSContentTests {
    private static let sizes = [10, 300, 4 << 20, 20, 4 << 20, 1000]

    @Test(
        "Three runs go out in order, and what is not taken of them waits",
        arguments: ["TLSv1_2", "TLSv1_3"],
        [0, 1, 2]
    )
    func threeRuns(version: String, empty: Int) throws {
        let content = (0...(4 << 20) + 2).map { UInt8($0 % 251) }
        var pending: [Int] = []
        let harness = try LoopHarness(tls: .forTests()) { handler, _ in
            handler.onSecured = { stream in
                for (index, size) in Self.sizes.enumerated() {
                    let counts = (0..<3).map { (index + $0) % 3 == empty ? 0 : size + $0 }
                    stream.send(
                        content.span.extracting(first: counts[0]),
                        content.span.extracting(first: counts[1]),
                        content.span.extracting(first: counts[2])
                    )
                    pending.append(stream.pendingOutputCount)
                }
                stream.close()
            }
        }
        let said = harness.python(
            """
            s = secure(version="\(version)")
            time.sleep(0.3)
            period = bytes(range(251)) * 20000
            expected = b""
            for index, size in enumerate(\(Self.sizes)):
                for part in range(3):
                    if (index + part) % 3 != \(empty): expected += period[:size + part]
            print(rest(s) == expected)
            """
        )
        #expect(said == "True")
        #expect(pending.prefix(2) == [0, 0])
        #expect(pending.last ?? 0 > 0)
    }

    @Test("Three runs that are sent before TLS is up go nowhere, least of all out in clear")
    func tooEarly() throws {
        let service = try TLSService.forTests()
        let early = Array("in clear".utf8)
        let harness = try LoopHarness { handler, stream in
            handler.onSecured = { stream in
                let (first, second, third) = (Array("a".utf8), Array("b".utf8), Array("c\n".utf8))
                stream.send(first.span, second.span, third.span)
            }
            stream.startTLS(service)
            stream.send(early.span, early.span, early.span)
        }
        let said = harness.python(
            """
            s = dial()
            s.settimeout(0.3)
            try: print(s.recv(100))
            except TimeoutError: print("silence")
            s.settimeout(20)
            s = secure(s)
            print(line(s))
            """
        )
        #expect(said == "silence\nabc")
    }
}
