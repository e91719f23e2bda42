// SPDX-License-Identifier: Apache-2.0
//
// What follows a path: keywords, with or without a value (RFC 5321, section 4.1.2).

internal import MailBytes

/// The parameters of one command, one after the other.
struct ESMTPParameters: BitwiseCopyable {
    private var rest: ByteRange

    init(_ range: ByteRange) {
        self.rest = range
    }

    /// The next parameter; nil: there is none any more.
    mutating func next(
        of octets: borrowing Span<UInt8>
    ) throws(SMTPReply) -> (keyword: ByteRange, value: ByteRange?)? {
        var start = self.rest.lowerBound
        while start < self.rest.upperBound, octets[start] == .space { start += 1 }
        guard start < self.rest.upperBound else { return nil }
        var end = start
        while end < self.rest.upperBound, octets[end] != .space { end += 1 }
        self.rest = ByteRange(end, self.rest.upperBound)
        return try Self.parameter(octets, ByteRange(start, end))
    }

    private static func parameter(
        _ octets: borrowing Span<UInt8>,
        _ word: ByteRange
    ) throws(SMTPReply) -> (keyword: ByteRange, value: ByteRange?) {
        var end = word.lowerBound
        while end < word.upperBound, octets[end] != UInt8(ascii: "=") {
            let octet = octets[end]
            let isPlain = octet.isASCIILetter || octet.isASCIIDigit
            guard isPlain || octet == UInt8(ascii: "-") && end > word.lowerBound else {
                throw .parameterSyntax
            }
            end += 1
        }
        let keyword = ByteRange(word.lowerBound, end)
        guard !keyword.isEmpty else { throw .parameterSyntax }
        guard end < word.upperBound else { return (keyword, nil) }
        let value = ByteRange(end + 1, word.upperBound)
        guard Self.isValue(octets, value) else { throw .parameterSyntax }
        return (keyword, value)
    }

    /// An esmtp-value is one or more printable octets without "=" (RFC 5321, section 4.1.2).
    private static func isValue(_ octets: borrowing Span<UInt8>, _ range: ByteRange) -> Bool {
        for index in range.indices {
            let octet = octets[index]
            guard octet > .space, octet != 0x7f, octet != UInt8(ascii: "=") else { return false }
        }
        return !range.isEmpty
    }
}
