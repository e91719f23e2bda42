// SPDX-License-Identifier: Apache-2.0

import MailBytes
import Testing

@testable import LoadTesting

/// Replies held against what is expected, whole and octet by octet.
struct ReplyReaderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let replies: [ExpectedReply]
        let octets: String
        let outcome: ReplyReader.Outcome

        init(_ octets: String, as replies: ExpectedReply..., is outcome: ReplyReader.Outcome) {
            self.octets = octets
            self.replies = replies
            self.outcome = outcome
        }

        var testDescription: String { self.octets.debugDescription }
    }

    static let cases = [
        Case("250 OK\r\n", as: .code(250), is: .complete),
        Case("250-a\r\n250 b\r\n", as: .code(250), is: .complete),
        Case("250-a\r\n", as: .code(250), is: .incomplete),
        Case("250-a\r\n450 b\r\n", as: .code(250), is: .failed("not 250: 450 b")),
        Case("550 5.1.1 Nobody\r\n", as: .code(250), is: .failed("not 250: 550 5.1.1 Nobody")),
        Case("250\r\n", as: .code(250), is: .complete),
        Case("25\r\n", as: .code(250), is: .failed("not 250: 25")),
        Case("250 a\r\n354 b\r\n", as: .code(250), .code(354), is: .complete),
        Case("+OK\r\n", as: .status, is: .complete),
        Case("-ERR [IN-USE] no\r\n", as: .status, is: .failed("not +OK: -ERR [IN-USE] no")),
        Case("+OK 1 2\r\n", as: .dropListing, is: .complete),
        Case("+OK two\r\n", as: .dropListing, is: .failed("not a drop listing: +OK two")),
        Case(
            "+OK 2 30\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n",
            as: .dropListing,
            .scanListing,
            is: .complete
        ),
        Case(
            "+OK 2 31\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n",
            as: .dropListing,
            .scanListing,
            is: .failed("not what STAT said: .")
        ),
        Case(
            "+OK 2 30\r\n+OK\r\n1 30\r\n.\r\n",
            as: .dropListing,
            .scanListing,
            is: .failed("not what STAT said: .")
        ),
        Case(
            "+OK 1 9\r\n+OK\r\n1 9\r\n.\r\n+OK\r\n1 id\r\n.\r\n+OK\r\n1234567\r\n.\r\n",
            as: .dropListing,
            .scanListing,
            .uniqueIDs,
            .message(1),
            is: .complete
        ),
        Case(
            "+OK 1 9\r\n+OK\r\n1 9\r\n.\r\n+OK\r\n12345678\r\n.\r\n",
            as: .dropListing,
            .scanListing,
            .message(1),
            is: .failed("not the end of the message: ")
        ),
        Case(
            "+OK 1 9\r\n+OK\r\n1 9\r\n.\r\n+OK\r\n123456\r\n.\r\n+OK\r\n",
            as: .dropListing,
            .scanListing,
            .message(1),
            .status,
            is: .failed("not the end of the message: \r\n")
        ),
        Case("+OK\r\n", as: .message(1), is: .failed("not listed: +OK")),
    ]

    @Test(arguments: Self.cases)
    func takenWhole(_ example: Case) {
        var reader = ReplyReader()
        reader.expect(example.replies)
        #expect(Self.same(reader.read(Array(example.octets.utf8).span).outcome, example.outcome))
    }

    @Test(arguments: Self.cases)
    func takenOctetByOctet(_ example: Case) {
        var reader = ReplyReader()
        reader.expect(example.replies)
        var outcome = ReplyReader.Outcome.incomplete
        var unread: [UInt8] = []
        for octet in example.octets.utf8 {
            guard outcome == .incomplete else { break }
            unread.append(octet)
            let result = reader.read(unread.span)
            unread.removeFirst(result.consumed)
            outcome = result.outcome
        }
        #expect(Self.same(outcome, example.outcome))
    }

    /// The failing line is shown without its line end.
    private static func same(_ first: ReplyReader.Outcome, _ second: ReplyReader.Outcome) -> Bool {
        guard case .failed(let one) = first, case .failed(let other) = second else {
            return first == second
        }
        return one.split(separator: ":").first == other.split(separator: ":").first
    }

    @Test func octetsThatNothingAskedFor() {
        var reader = ReplyReader()
        reader.expect([.code(250)])
        let outcome = reader.read(Array("250 OK\r\n421 Bye\r\n".utf8).span).outcome
        #expect(outcome == .failed("unexpected: 421 Bye"))
    }

    @Test func aLineWithoutEnd() {
        var reader = ReplyReader()
        reader.expect([.code(250)])
        let outcome = reader.read([UInt8](repeating: 0x61, count: 5000).span).outcome
        #expect(outcome == .failed("a line without end"))
    }
}
