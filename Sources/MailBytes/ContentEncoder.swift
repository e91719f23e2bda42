// SPDX-License-Identifier: Apache-2.0
//
// Transparency on the way out: byte-stuffing of RFC 1939, section 3, which is dot-stuffing of
// RFC 5321, section 4.5.2. The way back is ContentDecoder's.

/// Byte-stuffs content that comes in parts, split anywhere, and ends it with a lone dot.
///
/// A line begins at the first octet and after each CRLF, and nowhere else: bare CR and LF are
/// content and pass as they are, so a peer that takes the RFCs at their word gets back exactly
/// what was stored.
public struct ContentEncoder: Equatable, BitwiseCopyable, Sendable {
    /// Where the next octet will stand.
    private enum Place: Equatable, BitwiseCopyable {
        case lineStart
        case afterCR
        case inLine
    }

    private var place: Place = .lineStart
    private let normalises: Bool

    /// An encoder before the first octet.
    ///
    /// `normalising`: a bare CR or LF becomes CRLF, which SMTP demands (RFC 5321, section 2.3.8). A
    /// next hop that takes one for a line end, and a dot behind it for the end of the message,
    /// would read what follows as commands of ours.
    public init(normalising: Bool = false) {
        self.normalises = normalising
    }

    /// Appends the next part of the content.
    ///
    /// Dots are looked for, not lines: they are rarer in most mail (none in base64), and the two
    /// octets before one tell whether it begins a line.
    public mutating func encode(_ octets: borrowing Span<UInt8>, into buffer: inout ReplyBuffer) {
        guard octets.count > 0 else { return }
        if self.normalises { return self.encodeNormalising(octets, into: &buffer) }
        var copied = 0
        var start = 0
        while let dot = octets.firstIndex(of: .dot, from: start) {
            if self.beginsLine(at: dot, of: octets) {
                buffer.append(octets, ByteRange(copied, dot))
                buffer.append(.dot)
                copied = dot
            }
            start = dot + 1
        }
        buffer.append(octets, ByteRange(copied, octets.count))
        self.place = self.place(after: octets)
    }

    /// Takes note of a part of the content that goes out as it is, because nothing in it needs
    /// stuffing.
    public mutating func pass(_ octets: borrowing Span<UInt8>) {
        guard octets.count > 0 else { return }
        self.place = self.place(after: octets)
    }

    /// Whether anything in a part of a content may need stuffing, whatever part comes before it.
    public static func mayStuff(_ octets: borrowing Span<UInt8>) -> Bool {
        var start = 0
        while let dot = octets.firstIndex(of: .dot, from: start) {
            switch dot {
            case 0: return true
            case 1: if octets[0] == .lf { return true }
            default: if octets[dot - 1] == .lf, octets[dot - 2] == .cr { return true }
            }
            start = dot + 1
        }
        return false
    }

    /// Ends the content: completes an unfinished line, then appends the terminating dot.
    public mutating func finish(into buffer: inout ReplyBuffer) {
        if self.place == .afterCR, self.normalises {
            buffer.append(.lf)
        } else if self.place != .lineStart {
            buffer.appendCRLF()
        }
        buffer.append(.dot)
        buffer.appendCRLF()
        self.place = .lineStart
    }

    /// Whether the whole of a content goes out as it is, however strict its encoder.
    ///
    /// No line begins with a dot then, and CR and LF stand together only.
    public static func isPlain(_ octets: borrowing Span<UInt8>) -> Bool {
        octets.endOfPlainLines(from: 0, after: .lf) == octets.count
            && (octets.isEmpty || octets[octets.count - 1] != .cr)
    }

    private mutating func encodeNormalising(
        _ octets: borrowing Span<UInt8>,
        into buffer: inout ReplyBuffer
    ) {
        var previous: UInt8 =
            switch self.place {
            case .lineStart: .lf
            case .afterCR: .cr
            case .inLine: .space
            }
        var start = 0
        while start < octets.count {
            let end = octets.endOfPlainLines(from: start, after: previous)
            buffer.append(octets, ByteRange(start, end))
            if end > start { previous = octets[end - 1] }
            start = end
            guard end < octets.count else { break }
            if previous == .cr {
                // What follows is looked at again, at the start of a line.
                buffer.append(.lf)
                previous = .lf
            } else if octets[end] == .dot {
                buffer.append(.dot)
                buffer.append(.dot)
                previous = .dot
                start += 1
            } else {
                buffer.appendCRLF()
                previous = .lf
                start += 1
            }
        }
        self.place = previous == .lf ? .lineStart : previous == .cr ? .afterCR : .inLine
    }

    private func beginsLine(at index: Int, of octets: borrowing Span<UInt8>) -> Bool {
        switch index {
        case 0: self.place == .lineStart
        case 1: octets[0] == .lf && self.place == .afterCR
        default: octets[index - 1] == .lf && octets[index - 2] == .cr
        }
    }

    private func place(after octets: borrowing Span<UInt8>) -> Place {
        if self.beginsLine(at: octets.count, of: octets) { return .lineStart }
        return octets[octets.count - 1] == .cr ? .afterCR : .inLine
    }
}
