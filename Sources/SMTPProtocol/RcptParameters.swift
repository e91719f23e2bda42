// SPDX-License-Identifier: Apache-2.0
//
// The parameters of RCPT: NOTIFY and ORCPT (RFC 3461, sections 4.1 and 4.2; RFC 6533, section 3).

internal import MailBytes
internal import MailSyntax

/// What follows the forward-path.
struct RcptParameters: Equatable, BitwiseCopyable {
    /// What NOTIFY asks for; empty: nothing.
    private(set) var notify: NotifyConditions = []
    /// Where the value of ORCPT stands.
    private(set) var originalRecipient: ByteRange?
    /// Whether the transaction is one of SMTPUTF8.
    private let isUTF8: Bool

    /// RFC 3461, section 4.2.
    private static let originalRecipientOctetsMax = 500

    /// Parses keywords with values, spaces between them.
    init(
        parsing octets: borrowing Span<UInt8>,
        in range: ByteRange,
        isUTF8: Bool
    ) throws(SMTPReply) {
        self.isUTF8 = isUTF8
        var parameters = ESMTPParameters(range)
        while let parameter = try parameters.next(of: octets) {
            try self.take(octets, parameter.keyword, parameter.value)
        }
    }

    private mutating func take(
        _ octets: borrowing Span<UInt8>,
        _ keyword: ByteRange,
        _ value: ByteRange?
    ) throws(SMTPReply) {
        if octets.matches("NOTIFY", in: keyword) {
            guard self.notify.isEmpty else { throw .parameterTwice }
            guard let value, let notify = Self.conditions(octets, value) else {
                throw .parameterSyntax
            }
            self.notify = notify
        } else if octets.matches("ORCPT", in: keyword) {
            guard self.originalRecipient == nil else { throw .parameterTwice }
            guard let value, value.count <= Self.originalRecipientOctetsMax,
                octets.isOriginalRecipient(in: value, isUTF8: self.isUTF8)
            else { throw .parameterSyntax }
            self.originalRecipient = value
        } else {
            throw .parameterUnknown
        }
    }

    /// NEVER alone, or any of the others with commas between them.
    private static func conditions(
        _ octets: borrowing Span<UInt8>,
        _ value: ByteRange
    ) -> NotifyConditions? {
        if octets.matches("NEVER", in: value) { return .never }
        var conditions: NotifyConditions = []
        var start = value.lowerBound
        while true {
            var end = start
            while end < value.upperBound, octets[end] != UInt8(ascii: ",") { end += 1 }
            let word = ByteRange(start, end)
            if octets.matches("SUCCESS", in: word) {
                conditions.insert(.success)
            } else if octets.matches("FAILURE", in: word) {
                conditions.insert(.failure)
            } else if octets.matches("DELAY", in: word) {
                conditions.insert(.delay)
            } else {
                return nil
            }
            guard end < value.upperBound else { return conditions }
            start = end + 1
        }
    }
}

extension Span where Element == UInt8 {
    /// Whether an address type, a semicolon and an address of that type fill `range`.
    fileprivate func isOriginalRecipient(in range: ByteRange, isUTF8: Bool) -> Bool {
        var end = range.lowerBound
        while end < range.upperBound, self[end] != UInt8(ascii: ";") {
            // Types are atoms by the grammar, and words in the registry.
            let octet = self[end]
            guard octet.isASCIILetter || octet.isASCIIDigit || octet == UInt8(ascii: "-") else {
                return false
            }
            end += 1
        }
        let type = ByteRange(range.lowerBound, end)
        guard !type.isEmpty, end + 1 < range.upperBound else { return false }
        let address = ByteRange(end + 1, range.upperBound)
        return self.matches("utf-8", in: type)
            ? self.isEncodedUnicode(in: address, isUTF8: isUTF8)
            : self.isPrintableXtext(in: address)
    }

    /// Whether utf-8-addr-xtext fills `range`, or with SMTPUTF8 utf-8-addr-unitext (RFC 6533,
    /// section 3): printable octets without `+`, `=` and `\`, and `\x{…}` for any character.
    private func isEncodedUnicode(in range: ByteRange, isUTF8: Bool) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            let octet = self[index]
            switch octet {
            case UInt8(ascii: "\\"):
                guard let end = self.endOfEmbedded(at: index, before: range.upperBound) else {
                    return false
                }
                index = end
            case UInt8(ascii: "+"), UInt8(ascii: "="): return false
            // The line was looked through for what is no UTF-8 where the path was parsed, and what
            // stands behind the path is looked through here.
            case 0x80...:
                guard isUTF8, let end = self.endOfCharacter(at: index, before: range.upperBound)
                else { return false }
                index = end
            case 0x21...0x7e: index += 1
            default: return false
            }
        }
        return true
    }

    /// Where `\x{…}` ends that begins at `index`; nil when it stands for no character.
    private func endOfEmbedded(at index: Int, before end: Int) -> Int? {
        guard index + 5 < end, self[index + 1] == UInt8(ascii: "x"),
            self[index + 2] == UInt8(ascii: "{")
        else { return nil }
        var next = index + 3
        var scalar: UInt32 = 0
        while next < end, let digit = self[next].strictHexadecimalDigit, next < index + 9 {
            scalar = scalar << 4 | UInt32(digit)
            next += 1
        }
        let count = next - index - 3
        guard count >= 2, next < end, self[next] == UInt8(ascii: "}"),
            // Only characters of one digit are written with a zero before it.
            count == 2 || self[index + 3] != UInt8(ascii: "0"),
            scalar > 0, Unicode.Scalar(scalar) != nil
        else { return nil }
        return next + 1
    }

    /// Where the character of UTF-8 ends that begins at `index`; nil when it is none.
    private func endOfCharacter(at index: Int, before end: Int) -> Int? {
        let count =
            switch self[index] {
            case 0xc2...0xdf: 2
            case 0xe0...0xef: 3
            case 0xf0...0xf4: 4
            default: 0
            }
        guard count > 0, index + count <= end else { return nil }
        var scalar = UInt32(self[index]) & (count == 2 ? 0x1f : count == 3 ? 0x0f : 0x07)
        for offset in 1..<count {
            let octet = self[index + offset]
            guard octet & 0xc0 == 0x80 else { return nil }
            scalar = scalar << 6 | UInt32(octet & 0x3f)
        }
        let least: UInt32 = count == 2 ? 0x80 : count == 3 ? 0x800 : 0x1_0000
        guard scalar >= least, Unicode.Scalar(scalar) != nil else { return nil }
        return index + count
    }
}
