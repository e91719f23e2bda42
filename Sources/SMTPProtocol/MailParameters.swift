// SPDX-License-Identifier: Apache-2.0
//
// The parameters of MAIL: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531) and AUTH (RFC
// 4954).

internal import MailBytes

/// What follows the reverse-path.
struct MailParameters: Equatable, BitwiseCopyable {
    /// The size that SIZE declares; `Int.max` when it does not fit.
    private(set) var size: Int?
    /// Whether SMTPUTF8 stands there.
    private(set) var isUTF8 = false
    /// BODY tells nothing that matters here: content passes unchanged either way.
    private var hasBody = false
    /// Nor does AUTH: it says who submitted a message to another server, and no server is trusted
    /// to know (RFC 4954, section 5).
    private var hasAuth = false
    private let acceptsAUTH: Bool

    /// Parses keywords with values, spaces between them.
    init(
        parsing octets: borrowing Span<UInt8>,
        in range: ByteRange,
        acceptsAUTH: Bool
    ) throws(SMTPReply) {
        self.acceptsAUTH = acceptsAUTH
        var index = range.lowerBound
        while true {
            while index < range.upperBound, octets[index] == .space { index += 1 }
            guard index < range.upperBound else { return }
            let start = index
            while index < range.upperBound, octets[index] != .space { index += 1 }
            try self.take(octets, ByteRange(start, index))
        }
    }

    private mutating func take(
        _ octets: borrowing Span<UInt8>,
        _ word: ByteRange
    ) throws(SMTPReply) {
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
        var value: ByteRange?
        if end < word.upperBound {
            let octetsOfValue = ByteRange(end + 1, word.upperBound)
            guard Self.isValue(octets, octetsOfValue) else { throw .parameterSyntax }
            value = octetsOfValue
        }
        try self.take(octets, keyword, value)
    }

    private mutating func take(
        _ octets: borrowing Span<UInt8>,
        _ keyword: ByteRange,
        _ value: ByteRange?
    ) throws(SMTPReply) {
        if octets.matches("SIZE", in: keyword) {
            guard self.size == nil else { throw .parameterTwice }
            guard let value, let size = octets.saturatingDecimal(in: value) else {
                throw .parameterSyntax
            }
            self.size = size
        } else if octets.matches("BODY", in: keyword) {
            guard !self.hasBody else { throw .parameterTwice }
            guard let value else { throw .parameterSyntax }
            if octets.matches("BINARYMIME", in: value) { throw .binaryRefused }
            guard octets.matches("7BIT", in: value) || octets.matches("8BITMIME", in: value) else {
                throw .parameterSyntax
            }
            self.hasBody = true
        } else if octets.matches("SMTPUTF8", in: keyword) {
            guard !self.isUTF8 else { throw .parameterTwice }
            guard value == nil else { throw .parameterSyntax }
            self.isUTF8 = true
        } else if octets.matches("AUTH", in: keyword), self.acceptsAUTH {
            guard !self.hasAuth else { throw .parameterTwice }
            guard let value, octets.isXtext(in: value) else { throw .parameterSyntax }
            self.hasAuth = true
        } else {
            throw .parameterUnknown
        }
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
