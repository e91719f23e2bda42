// SPDX-License-Identifier: Apache-2.0
//
// Replies as they come in (RFC 5321, section 4.2): lines of a code, a sign whether more follow, and
// text. All that is kept of a text is bounded and printable, for it goes into logs and reports.

internal import MailBytes
internal import MailSyntax

/// A whole reply.
struct SMTPClientReply: Equatable {
    /// Three digits, the first of them 2 to 5.
    let code: Int
    /// The text of all lines, printable, a space between two of them, cut at its limit.
    let text: [UInt8]

    /// The first digit, which says nearly all.
    var severity: Severity {
        switch self.code / 100 {
        case 2: .completed
        case 3: .intermediate
        case 4: .transient
        default: .permanent
        }
    }

    /// What a first digit means (RFC 5321, section 4.2.1).
    enum Severity: Equatable, BitwiseCopyable {
        case completed
        case intermediate
        case transient
        case permanent
    }
}

/// A reply under way.
struct SMTPReplyReader {
    /// What a line came to.
    enum Result: Equatable, BitwiseCopyable {
        /// More lines follow.
        case more
        /// The reply is whole.
        case whole
        /// The line belongs to no reply, or to another one.
        case malformed
        /// The reply has more lines or octets than one may have.
        case endless
    }

    private var code = 0
    private var lineCount = 0
    private var octetCount = 0
    private var text: [UInt8] = []

    /// Whether the next line is the first of a reply.
    var isAtStart: Bool { self.lineCount == 0 }

    /// Where the text of a line begins: after the code and the sign behind it.
    static let textOffset = 4

    /// Takes a line without its line end.
    mutating func take(
        _ line: borrowing Span<UInt8>,
        linesMax: Int,
        octetsMax: Int
    ) -> Result {
        guard line.count >= 3, (2...5).contains(Int(line[0]) - 0x30), line[1].isASCIIDigit,
            line[2].isASCIIDigit, let code = line.decimal(in: ByteRange(0, 3))
        else { return .malformed }
        // A code alone is a whole reply (RFC 5321, section 4.2: clients should take that).
        let sign = line.count > 3 ? line[3] : .space
        guard sign == .space || sign == UInt8(ascii: "-"), self.isAtStart || code == self.code
        else { return .malformed }
        self.code = code
        self.lineCount += 1
        self.octetCount += line.count
        guard self.lineCount <= linesMax, self.octetCount <= octetsMax else { return .endless }
        self.keep(line.extracting(min(Self.textOffset, line.count)..<line.count))
        return sign == .space ? .whole : .more
    }

    /// Hands out the whole reply and begins anew.
    mutating func finish() -> SMTPClientReply {
        let reply = SMTPClientReply(code: self.code, text: self.text)
        self = SMTPReplyReader()
        return reply
    }

    private mutating func keep(_ line: borrowing Span<UInt8>) {
        var start = 0
        if !self.text.isEmpty {
            // Each line of a reply repeats the enhanced status (RFC 2034, section 4).
            if let status = EnhancedStatus(prefixOf: self.text.span),
                status == EnhancedStatus(prefixOf: line)
            {
                start = (line.firstIndex(of: .space) ?? line.count - 1) + 1
            }
            guard start < line.count else { return }
            self.text.append(.space)
        }
        PrintableText.append(line.extracting(start..<line.count), to: &self.text)
    }
}

/// Octets of a peer as text that is safe to log and to report.
enum PrintableText {
    /// Appends octets up to the limit of texts: printable ASCII as it is, the rest as `\xHH`.
    static func append(_ octets: borrowing Span<UInt8>, to text: inout [UInt8]) {
        for index in octets.indices {
            let octet = octets[index]
            let isPrintable = (0x20...0x7e).contains(octet)
            guard text.count + (isPrintable ? 1 : 4) <= SMTPClientOutcome.textOctetsMax else {
                return
            }
            if isPrintable {
                text.append(octet)
            } else {
                text += [UInt8(ascii: "\\"), UInt8(ascii: "x")]
                text += [self.digit(octet >> 4), self.digit(octet & 0xf)]
            }
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }
}

extension EnhancedStatus {
    /// The status that a text begins with: three numbers, then a space or the end.
    init?(prefixOf text: borrowing Span<UInt8>) {
        let end = text.firstIndex(of: .space) ?? text.count
        guard end <= 9, let first = text.firstIndex(of: .dot), first == 1,
            let second = text.firstIndex(of: .dot, from: first + 1), second < end,
            let statusClass = text.decimal(in: ByteRange(0, 1)),
            let subject = text.decimal(in: ByteRange(2, second)), subject <= 999,
            let detail = text.decimal(in: ByteRange(second + 1, end)), detail <= 999
        else { return nil }
        self.init(UInt8(statusClass), UInt16(subject), UInt16(detail))
    }

    /// The status of a reply: the one it begins with, if that fits the code, else what the code
    /// means at this stage.
    init(of reply: SMTPClientReply, at stage: SMTPClientStage) {
        let statusClass = UInt8(reply.code / 100)
        if let given = EnhancedStatus(prefixOf: reply.text.span), given.statusClass == statusClass {
            self = given
            return
        }
        let (subject, detail): (UInt16, UInt16) =
            switch (reply.code, stage) {
            case (421, _): (3, 2)
            case (521, _): (3, 2)  // RFC 7504, section 3
            case (556, _): (1, 10)  // RFC 7504, section 4, with RFC 7505, section 4.2
            case (450, .recipient): (2, 0)
            case (550, .recipient): (1, 1)
            case (551, .recipient): (1, 6)
            case (553, .recipient): (1, 3)
            case (553, .mail): (1, 7)
            case (452, _): (3, 1)
            case (552, .recipient): (2, 2)
            case (552, _): (3, 4)
            case (530, _), (534, _), (535, _), (538, _): (7, 0)
            case (500...504, _): (5, 1)
            default: (0, 0)
            }
        self.init(statusClass, subject, detail)
    }
}
