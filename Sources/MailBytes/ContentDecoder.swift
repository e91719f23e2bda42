// SPDX-License-Identifier: Apache-2.0
//
// Transparency on the way in: RFC 5321, section 4.5.2, undone, and line ends made sure of. The way
// out is ContentEncoder's.

/// Tells content, line ends and the end apart in mail data that comes in parts, split anywhere.
///
/// A line begins at the first octet and after each CRLF, and nowhere else. Only a line of a single
/// dot ends the data; a dot after a bare CR or LF is content like any other octet, so no two
/// servers can disagree about where a message ends. Nothing is copied: content is named by ranges
/// of the input, as long as possible.
public struct ContentDecoder: Equatable, BitwiseCopyable, Sendable {
    /// What the next octets of the input are.
    public enum Piece: Equatable, BitwiseCopyable, Sendable {
        /// Content, as it stands.
        case content(ByteRange)
        /// CRLF is content here, but does not stand in the input as such.
        case lineEnd
        /// CR or LF stands alone and is not to be normalised.
        case bareLineEnd
        /// Nothing more can be told before more octets come.
        case incomplete
        /// The data has ended.
        case end
    }

    /// One piece.
    public struct Step: Equatable, BitwiseCopyable, Sendable {
        /// How many octets of the input are done with.
        public var consumed: Int
        /// What they were.
        public var piece: Piece
    }

    /// Where the next octet will stand.
    private enum Place: Equatable, BitwiseCopyable {
        case lineStart
        /// After a CR, which is no content before what follows it is known.
        case afterCR
        case inLine
    }

    private let isTransparent: Bool
    private let normalises: Bool
    private var place = Place.lineStart
    /// Whether the end was consumed.
    private var isFinished = false

    /// A decoder before the first octet.
    ///
    /// - Parameters:
    ///   - transparency: whether dots were stuffed and a lone dot ends the data (DATA), or octets
    ///     are counted by somebody else (BDAT).
    ///   - normalising: whether a bare CR or LF is taken for a line end.
    public init(transparency: Bool, normalising: Bool) {
        self.isTransparent = transparency
        self.normalises = normalising
    }

    /// Whether the newest octet was a CR, so that what comes next decides about it.
    public var isAfterCR: Bool { self.place == .afterCR }

    /// Takes the next piece off the input.
    ///
    /// Octets that are not consumed must come again, with more behind them: that is a dot, or a
    /// dot and a CR, at the start of a line.
    public mutating func decode(_ octets: borrowing Span<UInt8>) -> Step {
        if self.isFinished { return Step(consumed: 0, piece: .end) }
        guard octets.count > 0 else { return Step(consumed: 0, piece: .incomplete) }
        if self.place == .afterCR {
            guard octets[0] == .lf else { return Step(consumed: 0, piece: self.endAfterCR()) }
            self.place = .lineStart
            return Step(consumed: 1, piece: .lineEnd)
        }
        var start = 0
        var next = 0
        var previous = self.octetBefore
        while true {
            let index = octets.endOfPlainLines(from: next, after: previous)
            guard index < octets.count else { return self.takeAll(octets, from: start) }
            let isDot = octets[index] == .dot && (index > 0 ? octets[index - 1] : previous) == .lf
            guard isDot else { return self.takeBareLineEnd(octets, at: index, from: start) }
            if self.isTransparent {
                if let step = self.takeDot(octets, at: index, from: start) { return step }
                start = index + 1
            }
            next = index + 1
            previous = .dot
        }
    }

    /// Passes over data that nobody wants any more, in step, up to its end.
    ///
    /// Consumes all but a dot, or a dot and a CR, that might begin the end; the piece is `.end` or
    /// `.incomplete`.
    public mutating func skip(_ octets: borrowing Span<UInt8>) -> Step {
        if self.isFinished { return Step(consumed: 0, piece: .end) }
        var index = 0
        while index < octets.count {
            let octet = octets[index]
            if self.isTransparent, self.place == .lineStart, octet == .dot {
                switch Self.end(in: octets, at: index) {
                case .unknown: return Step(consumed: index, piece: .incomplete)
                case .here:
                    self.isFinished = true
                    return Step(consumed: index + 3, piece: .end)
                case .notHere: break
                }
            }
            self.place =
                octet == .cr
                ? .afterCR : octet == .lf && self.place == .afterCR ? .lineStart : .inLine
            index += 1
        }
        return Step(consumed: index, piece: .incomplete)
    }

    /// Says that nothing follows a CR: what the CR is then.
    public mutating func endAfterCR() -> Piece {
        self.place = .inLine
        return self.normalises ? .lineEnd : .bareLineEnd
    }

    private var octetBefore: UInt8 {
        switch self.place {
        case .lineStart: .lf
        case .afterCR: .cr
        case .inLine: .space
        }
    }

    /// All the rest is content, but for a CR at its end: it may turn out to be bare, and what a
    /// message is refused for must not depend on where its octets were cut.
    private mutating func takeAll(_ octets: borrowing Span<UInt8>, from start: Int) -> Step {
        let count = octets.count
        switch octets[count - 1] {
        case .cr: self.place = .afterCR
        case .lf: self.place = .lineStart
        default: self.place = .inLine
        }
        let end = self.place == .afterCR ? count - 1 : count
        guard end > start else { return Step(consumed: count, piece: .incomplete) }
        return Step(consumed: count, piece: .content(ByteRange(start, end)))
    }

    /// Takes the dot at `index`, which begins a line; nil when it was stuffed and begins a run.
    private mutating func takeDot(
        _ octets: borrowing Span<UInt8>,
        at index: Int,
        from start: Int
    ) -> Step? {
        let consumed: Int
        var piece = Piece.content(ByteRange(start, index))
        switch Self.end(in: octets, at: index) {
        case .unknown:
            self.place = .lineStart
            consumed = index
            if index == start { piece = .incomplete }
        case .here:
            self.isFinished = true
            consumed = index + 3
            if index == start { piece = .end }
        case .notHere:
            self.place = .inLine
            guard index > start else { return nil }
            consumed = index + 1
        }
        return Step(consumed: consumed, piece: piece)
    }

    /// Takes the bare LF at `index`, or the bare CR before it; content before it comes first.
    private mutating func takeBareLineEnd(
        _ octets: borrowing Span<UInt8>,
        at index: Int,
        from start: Int
    ) -> Step {
        let isLF = octets[index] == .lf
        let end = isLF ? index : index - 1
        self.place = .inLine
        if end > start {
            return Step(consumed: end, piece: .content(ByteRange(start, end)))
        }
        return Step(
            consumed: isLF ? index + 1 : index,
            piece: self.normalises ? .lineEnd : .bareLineEnd
        )
    }

    private enum End {
        case here
        case notHere
        case unknown
    }

    /// Whether the dot at `index`, which begins a line, is all of that line.
    private static func end(in octets: borrowing Span<UInt8>, at index: Int) -> End {
        guard index + 1 < octets.count else { return .unknown }
        guard octets[index + 1] == .cr else { return .notHere }
        guard index + 2 < octets.count else { return .unknown }
        return octets[index + 2] == .lf ? .here : .notHere
    }
}
