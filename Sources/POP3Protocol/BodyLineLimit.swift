// SPDX-License-Identifier: Apache-2.0
//
// Where TOP stops: the header, the blank line and the first n lines of the body (RFC 1939,
// section 7). Lines end with CRLF, as everywhere in this module.

internal import MailBytes

/// Counts the lines of a body that comes in parts, split anywhere.
struct BodyLineLimit: Equatable, BitwiseCopyable {
    private var linesLeft: Int
    private var isInBody = false
    /// The octets of the unfinished line, counted no further than told apart: none, one, more.
    private var unfinishedOctets = 0
    private var endsWithCR = false

    /// A limit of `lines` body lines.
    init(lines: Int) {
        self.linesLeft = lines
    }

    /// Whether the last line that is wanted has ended.
    var isReached: Bool { self.isInBody && self.linesLeft == 0 }

    /// How many octets at the front of the next part are wanted.
    mutating func extent(of octets: borrowing Span<UInt8>) -> Int {
        var lineStart = 0
        var from = 0
        while !self.isReached, let lf = octets.firstIndex(of: .lf, from: from) {
            from = lf + 1
            guard lf > 0 ? octets[lf - 1] == .cr : self.endsWithCR else { continue }
            self.endLine(octetsBeforeLF: self.unfinishedOctets + lf - lineStart)
            lineStart = from
        }
        if self.isReached { return lineStart }
        if octets.count > 0 {
            self.unfinishedOctets = min(self.unfinishedOctets + octets.count - lineStart, 2)
            self.endsWithCR = octets[octets.count - 1] == .cr
        }
        return octets.count
    }

    private mutating func endLine(octetsBeforeLF: Int) {
        self.unfinishedOctets = 0
        if self.isInBody {
            self.linesLeft -= 1
        } else if octetsBeforeLF == 1 {
            self.isInBody = true
        }
    }
}
