// SPDX-License-Identifier: Apache-2.0
//
// Hexadecimal numbers, for identifiers that go out in replies.

extension ReplyBuffer {
    /// Appends a number in lower-case hexadecimal digits, without leading zeros.
    public mutating func append(hexadecimal number: UInt64) {
        var shift = max(0, (63 - number.leadingZeroBitCount) & ~3)
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift) & 0xf)
            self.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            shift -= 4
        }
    }
}
