// SPDX-License-Identifier: Apache-2.0
//
// Small productions that several commands share.

internal import MailBytes

extension Span where Element == UInt8 {
    /// The range without spaces at either end.
    func trimmed(_ range: ByteRange) -> ByteRange {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, self[start] == .space { start += 1 }
        while end > start, self[end - 1] == .space { end -= 1 }
        return ByteRange(start, end)
    }

    /// The decimal number that fills `range`; `Int.max` when it does not fit, nil when it is none.
    ///
    /// A size too large to hold is still a size: the message is too large.
    func saturatingDecimal(in range: ByteRange) -> Int? {
        guard !range.isEmpty else { return nil }
        for index in range.indices where !self[index].isASCIIDigit { return nil }
        return self.decimal(in: range) ?? .max
    }

    /// Whether an octet above 127 stands in `range`.
    func hasNonASCII(in range: ByteRange) -> Bool {
        for index in range.indices where self[index] >= 0x80 { return true }
        return false
    }
}
