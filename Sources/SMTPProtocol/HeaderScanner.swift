// SPDX-License-Identifier: Apache-2.0
//
// The header of a submitted message, while its content passes by in parts: where it ends, who the
// authors are, and whether Date and Message-ID are there (RFC 6409, section 8). What it keeps is
// bounded, however large the header is.

internal import MailBytes

/// Reads a header that is cut anywhere.
struct HeaderScanner {
    /// How far a part of the content was read.
    enum Progress: Equatable, BitwiseCopyable {
        /// To its end, within the header.
        case goesOn
        /// To a line that may be a field or not; more of it must come.
        case undecided(at: Int)
        /// To the end of the header: what stands here is no part of it.
        case ended(at: Int)
    }

    /// What becomes of a line that is no field yet at the end of a part.
    enum Cut: Equatable, BitwiseCopyable {
        /// The octets will come again, with more behind them.
        case awaitsMore
        /// The octets are done with; more may come.
        case goesOn
        /// Nothing follows on this line.
        case isFinal
    }

    /// How far the reading is.
    private enum State: Equatable, BitwiseCopyable {
        case open
        /// The end is found, and nothing was made of it yet.
        case due
        case closed
    }

    /// Where the next octet stands.
    private enum Place: Equatable, BitwiseCopyable {
        case lineStart
        /// In a field name of which an earlier part is in `name`.
        case name
        case value
    }

    private enum Field: Equatable, BitwiseCopyable {
        case from
        case other
    }

    private var state = State.closed
    private var place = Place.lineStart
    /// The newest field, which the next line may go on with.
    private var field: Field?
    private var name: [UInt8] = []
    private var scanner = AuthorScanner()
    /// Whether there was no Date field.
    private(set) var lacksDate = true
    /// Whether there was no Message-ID field.
    private(set) var lacksMessageID = true
    /// Whether the header ends before its last line does.
    private(set) var lacksLineEnd = false
    /// Whether the body begins without an empty line before it.
    private(set) var lacksEmptyLine = false

    /// RFC 5322, section 2.1.1, would let a name fill a line; none does.
    private static let nameOctetsMax = 200

    /// The addresses of all From fields, LF between them.
    var authors: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { self.scanner.authors }
    }

    /// Whether all From fields are understood.
    var isAuthorReadable: Bool { self.scanner.isReadable }

    /// Whether the header is being read.
    var isOpen: Bool { self.state == .open }

    /// Whether the header has ended and is to be judged.
    var isDue: Bool { self.state == .due }

    /// Prepares for the first octet of a message.
    mutating func open() {
        self.state = .open
        self.place = .lineStart
        self.field = nil
        self.name.removeAll(keepingCapacity: true)
        self.scanner.reset()
        self.lacksDate = true
        self.lacksMessageID = true
        self.lacksLineEnd = false
        self.lacksEmptyLine = false
    }

    /// Reads no further.
    mutating func close() {
        self.state = .closed
    }

    /// Reads the next part of the content; what it did not read to the end of must come again.
    mutating func scan(
        _ octets: borrowing Span<UInt8>,
        _ range: ByteRange,
        _ cut: Cut
    ) -> Progress {
        let part = octets.extracting(0..<range.upperBound)
        var index = range.lowerBound
        while index < part.count {
            switch self.place {
            case .value:
                index = self.scanValue(part, from: index)
            case .name:
                index = self.scanName(part, from: index)
            case .lineStart:
                if let progress = self.beginLine(part, at: &index, cut) { return progress }
            }
        }
        return .goesOn
    }

    /// Goes on behind the field name that begins at `index`, or says how far the reading came.
    private mutating func beginLine(
        _ part: borrowing Span<UInt8>,
        at index: inout Int,
        _ cut: Cut
    ) -> Progress? {
        if part[index] == .cr || part[index] == .lf {
            self.end(lacksEmptyLine: false)
            return .ended(at: index)
        }
        let isFolded = part[index] == .space || part[index] == 0x09
        if isFolded, self.field != nil {
            self.place = .value
            return nil
        }
        self.endField()
        switch Self.name(in: part, from: index) {
        case .field(let name, let end):
            self.begin(part, name)
            index = end
            return nil
        case .none:
            return self.endAtBody(index)
        case .incomplete where cut == .isFinal || part.count - index > Self.nameOctetsMax:
            return self.endAtBody(index)
        case .incomplete where cut == .awaitsMore:
            return .undecided(at: index)
        case .incomplete:
            self.name.append(part.extracting(index...))
            self.place = .name
            return .goesOn
        }
    }

    /// Takes a line end that does not stand in the input as such; whether it is the header's end.
    mutating func endLine() -> Bool {
        if self.place == .lineStart {
            self.end(lacksEmptyLine: false)
            return true
        }
        if self.place == .name {
            self.name = []
            self.field = .other
        }
        self.place = .lineStart
        return false
    }

    /// Takes the end of the content for the end of the header.
    mutating func endContent() {
        self.lacksLineEnd = self.place != .lineStart
        self.end(lacksEmptyLine: false)
    }

    /// Says that the last line has got its end.
    mutating func addLineEnd() {
        self.lacksLineEnd = false
    }

    // MARK: -

    private mutating func end(lacksEmptyLine: Bool) {
        self.endField()
        self.lacksEmptyLine = lacksEmptyLine
        self.state = .due
    }

    /// What is no field belongs to the body, and an empty line is wanting.
    private mutating func endAtBody(_ index: Int) -> Progress {
        self.end(lacksEmptyLine: true)
        return .ended(at: index)
    }

    private mutating func endField() {
        if self.field == .from { self.scanner.endField() }
        self.field = nil
    }

    private mutating func begin(_ octets: borrowing Span<UInt8>, _ name: ByteRange) {
        self.field = .other
        self.place = .value
        if octets.matches("From", in: name) {
            self.field = .from
            self.scanner.beginField()
        } else if octets.matches("Date", in: name) {
            self.lacksDate = false
        } else if octets.matches("Message-ID", in: name) {
            self.lacksMessageID = false
        }
    }

    private mutating func scanValue(_ octets: borrowing Span<UInt8>, from start: Int) -> Int {
        let lf = octets.firstIndex(of: .lf, from: start)
        let end = lf ?? octets.count
        if self.field == .from {
            for index in start..<end where octets[index] != .cr { self.scanner.take(octets[index]) }
        }
        guard let lf else { return end }
        self.place = .lineStart
        return lf + 1
    }

    /// Goes on with a name that was cut between two chunks of BDAT.
    ///
    /// The octets before the cut are part of the message already; so when they are no field, they
    /// are passed over, and the header goes on to its empty line.
    private mutating func scanName(_ octets: borrowing Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < octets.count {
            let octet = octets[index]
            index += 1
            self.name.append(octet)
            if octet == UInt8(ascii: ":") || octet == .lf || self.name.count > Self.nameOctetsMax {
                self.endName(with: octet)
                return index
            }
        }
        return index
    }

    private mutating func endName(with octet: UInt8) {
        let name = self.name
        self.name = []
        if case .field(let range, _) = Self.name(in: name.span, from: 0) {
            self.begin(name.span, range)
        } else {
            self.field = .other
            self.place = octet == .lf ? .lineStart : .value
        }
    }

    private enum Name {
        /// A name, and the index behind its colon.
        case field(ByteRange, Int)
        case incomplete
        case none
    }

    /// The field name at `start`; white space may stand before the colon (RFC 5322, section 4.5).
    private static func name(in octets: borrowing Span<UInt8>, from start: Int) -> Name {
        var index = start
        while index < octets.count, octets[index] > .space, octets[index] < 0x7f,
            octets[index] != UInt8(ascii: ":")
        {
            index += 1
        }
        let name = ByteRange(start, index)
        while index < octets.count, octets[index] == .space || octets[index] == 0x09 { index += 1 }
        guard index < octets.count else { return .incomplete }
        let isField = octets[index] == UInt8(ascii: ":") && !name.isEmpty
        return isField ? .field(name, index + 1) : .none
    }
}
