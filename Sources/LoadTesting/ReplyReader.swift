// SPDX-License-Identifier: Apache-2.0
//
// Reads the replies to one exchange. It looks for line ends and nothing else, and skips messages by
// their size: a driver must cost much less than the server it drives.

internal import MailBytes

/// Holds what a server sends against what is expected of it.
struct ReplyReader {
    /// How far the exchange has come.
    enum Outcome: Equatable {
        case incomplete
        case complete
        case failed(String)
    }

    private var expected: [ExpectedReply] = []
    private var next = 0
    private var place = Place.start
    private var listing = Listing()

    /// Where in a reply the reader is.
    private enum Place: Equatable {
        case start
        case lines(seen: Int, octets: Int)
        case content(rest: Int)
        case terminator
    }

    /// What the server has told of the maildrop in this session.
    private struct Listing {
        var messages = 0
        var octets = 0
        var sizes: [Int] = []
    }

    private static let lineOctetsMax = 4096

    /// Forgets the session before.
    mutating func beginSession() {
        self.listing.messages = 0
        self.listing.octets = 0
        self.listing.sizes.removeAll(keepingCapacity: true)
    }

    /// What the drop listing of this session said.
    var messageCount: Int { self.listing.messages }

    /// Begins an exchange.
    mutating func expect(_ replies: [ExpectedReply]) {
        self.expected = replies
        self.next = 0
        self.place = .start
    }

    /// Reads on; what is not consumed must be shown again with more behind it.
    mutating func read(_ octets: borrowing Span<UInt8>) -> (consumed: Int, outcome: Outcome) {
        var start = 0
        while self.next < self.expected.count {
            if case .content(let rest) = self.place {
                let count = min(rest, octets.count - start)
                start += count
                self.place = count < rest ? .content(rest: rest - count) : .terminator
                if count < rest { return (start, .incomplete) }
            }
            guard let end = octets.firstIndex(of: .lf, from: start) else {
                let isEndless = octets.count - start > Self.lineOctetsMax
                return (start, isEndless ? .failed("a line without end") : .incomplete)
            }
            let line = ByteRange(start, end + 1)
            if let fault = self.takeLine(octets, line) {
                return (start, .failed("\(fault): \(Self.text(octets, line))"))
            }
            start = end + 1
        }
        // Octets that nothing has asked for.
        if start < octets.count {
            let rest = ByteRange(start, octets.count)
            return (start, .failed("unexpected: \(Self.text(octets, rest))"))
        }
        return (start, .complete)
    }

    /// Takes one line and says what is wrong with it.
    private mutating func takeLine(
        _ octets: borrowing Span<UInt8>,
        _ line: ByteRange
    ) -> String? {
        let expected = self.expected[self.next]
        if case .code(let code) = expected { return self.takeSMTPLine(octets, line, code) }
        switch self.place {
        case .lines(let seen, let total):
            return self.takeListingLine(octets, line, expected, seen, total)
        case .terminator:
            guard Self.isDot(octets, line) else { return "not the end of the message" }
            self.advance()
            return nil
        case .start, .content:
            return self.takeStatusLine(octets, line, expected)
        }
    }

    private mutating func takeSMTPLine(
        _ octets: borrowing Span<UInt8>,
        _ line: ByteRange,
        _ code: Int
    ) -> String? {
        guard line.count >= 5,
            octets.decimal(in: ByteRange(line.lowerBound, line.lowerBound + 3)) == code
        else { return "not \(code)" }
        if octets[line.lowerBound + 3] != UInt8(ascii: "-") { self.advance() }
        return nil
    }

    private mutating func takeStatusLine(
        _ octets: borrowing Span<UInt8>,
        _ line: ByteRange,
        _ expected: ExpectedReply
    ) -> String? {
        let isPositive = octets[line.lowerBound] == UInt8(ascii: "+")
        guard line.count >= 5, isPositive else { return "not +OK" }
        switch expected {
        case .code, .status:
            self.advance()
        case .dropListing:
            guard let numbers = Self.numbers(octets, line, from: 4) else {
                return "not a drop listing"
            }
            (self.listing.messages, self.listing.octets) = numbers
            self.advance()
        case .scanListing, .uniqueIDs:
            self.place = .lines(seen: 0, octets: 0)
        case .message(let number):
            guard self.listing.sizes.indices.contains(number - 1) else { return "not listed" }
            self.place = .content(rest: self.listing.sizes[number - 1])
        }
        return nil
    }

    private mutating func takeListingLine(
        _ octets: borrowing Span<UInt8>,
        _ line: ByteRange,
        _ expected: ExpectedReply,
        _ seen: Int,
        _ total: Int
    ) -> String? {
        if Self.isDot(octets, line) {
            let agrees = expected == .uniqueIDs || total == self.listing.octets
            guard seen == self.listing.messages, agrees else { return "not what STAT said" }
            self.advance()
            return nil
        }
        var size = 0
        if expected == .scanListing {
            guard let numbers = Self.numbers(octets, line, from: 0), numbers.0 == seen + 1 else {
                return "not a scan listing"
            }
            size = numbers.1
            self.listing.sizes.append(size)
        }
        self.place = .lines(seen: seen + 1, octets: total + size)
        return nil
    }

    private mutating func advance() {
        self.next += 1
        self.place = .start
    }

    private static func isDot(_ octets: borrowing Span<UInt8>, _ line: ByteRange) -> Bool {
        line.count == 3 && octets[line.lowerBound] == .dot && octets[line.lowerBound + 1] == .cr
    }

    /// Two decimal numbers with a space between, up to the line end.
    private static func numbers(
        _ octets: borrowing Span<UInt8>,
        _ line: ByteRange,
        from offset: Int
    ) -> (Int, Int)? {
        let start = line.lowerBound + offset
        guard let space = octets.firstIndex(of: .space, from: start), space < line.upperBound - 2,
            let first = octets.decimal(in: ByteRange(start, space)),
            let second = octets.decimal(in: ByteRange(space + 1, line.upperBound - 2))
        else { return nil }
        return (first, second)
    }

    private static func text(_ octets: borrowing Span<UInt8>, _ range: ByteRange) -> String {
        let shown = ByteRange(range.lowerBound, min(range.upperBound, range.lowerBound + 80))
        let text = String(decoding: octets.copy(shown), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }
}
