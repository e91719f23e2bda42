// SPDX-License-Identifier: Apache-2.0
//
// What is appended, how numbers are written, and what memory an emptied buffer keeps.

import MailBytes
import Testing

@Suite struct ReplyBufferTests {
    private func text(_ write: (inout ReplyBuffer) -> Void) -> String {
        var buffer = ReplyBuffer()
        write(&buffer)
        return String(decoding: buffer.span.copy(), as: UTF8.self)
    }

    @Test func everyKindOfOctetsIsAppended() {
        let octets = Array("0123456789".utf8)
        let text = self.text { buffer in
            buffer.append(.dot)
            buffer.append("literal \u{fc} ")
            buffer.append("a part", ByteRange(2, 6))
            buffer.append("a part", ByteRange(at: 6, count: 0))
            buffer.append(Array("array ".utf8))
            buffer.append(string: "string ")
            buffer.append(octets.span)
            buffer.append(octets.span, ByteRange(2, 4))
            buffer.append(octets.span, ByteRange(at: 10, count: 0))
            buffer.appendCRLF()
        }
        #expect(text == ".literal \u{fc} partarray string 012345678923\r\n")
    }

    @Test(arguments: [
        0, 1, 9, 10, 99, 100, 101, 999_999_999, 1_000_000_000, Int.max, -1, -10, Int.min,
    ])
    func numbersAreDecimals(number: Int) {
        #expect(self.text { $0.append(decimal: number) } == String(number))
    }

    @Test(arguments: [
        (0, 1, "0"), (0, 2, "00"), (7, 2, "07"), (10, 2, "10"), (123, 2, "123"), (7, 4, "0007"),
        (2026, 4, "2026"), (7, 0, "7"), (0, 0, ""), (7, 20, "00000000000000000007"),
        (7, 99, "00000000000000000007"), (Int.max, 20, "09223372036854775807"), (-5, 3, "-005"),
    ])
    func numbersArePadded(number: Int, digits: Int, text: String) {
        #expect(self.text { $0.append(decimal: number, digits: digits) } == text)
    }

    @Test func powersOfTenAreExact() {
        var power = 1
        for _ in 0..<18 {
            for number in [power - 1, power, power + 1] {
                #expect(self.text { $0.append(decimal: number) } == String(number))
            }
            power *= 10
        }
    }

    @Test(arguments: [
        (UInt64(0), "0"), (0xf, "f"), (0x10, "10"), (0xdead_beef, "deadbeef"),
        (UInt64.max, "ffffffffffffffff"), (1 << 63, "8000000000000000"), (0xa0, "a0"),
    ])
    func hexadecimalHasNoLeadingZeros(number: UInt64, text: String) {
        #expect(self.text { $0.append(hexadecimal: number) } == text)
    }

    @Test func truncationCutsTheEnd() {
        var buffer = ReplyBuffer(capacity: 4)
        buffer.append("250 OK")
        buffer.truncate(to: 6)
        #expect(buffer.count == 6)
        buffer.truncate(to: 3)
        #expect(buffer.span.copy() == Array("250".utf8))
        buffer.truncate(to: 0)
        #expect(buffer.count == 0)
    }

    @Test func emptyingKeepsMemoryUpToALimit() {
        var buffer = ReplyBuffer(capacity: 16)
        let octets = [UInt8](repeating: 0x61, count: 1000)
        buffer.append(octets)
        let address = self.address(of: buffer)
        buffer.removeAll(retaining: 1 << 16)
        #expect(buffer.count == 0)
        buffer.append(octets)
        #expect(self.address(of: buffer) == address)
        buffer.removeAll(retaining: 512)
        #expect(buffer.count == 0)
        buffer.append(.dot)
        #expect(buffer.span.copy() == [0x2e])
    }

    private func address(of buffer: borrowing ReplyBuffer) -> UInt {
        unsafe buffer.span.withUnsafeBufferPointer { octets in
            UInt(bitPattern: octets.baseAddress)
        }
    }
}
