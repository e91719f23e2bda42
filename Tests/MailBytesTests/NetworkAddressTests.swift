// SPDX-License-Identifier: Apache-2.0

import MailBytes
import Testing

@Suite struct NetworkAddressTests {
    @Test(arguments: [
        (UInt64(0), UInt64(1), "::1"),
        (0x2001_0db8_0000_0000, 0x0000_0000_0000_0001, "2001:db8::1"),
        (0x2001_0db8_0000_0001, 0x0000_0000_0000_0001, "2001:db8:0:1::1"),
        (0, 0, "::"),
        (0x0001_0000_0002_0003, 0x0004_0005_0006_0007, "1:0:2:3:4:5:6:7"),
        (0xfe80_0000_0000_0000, 0, "fe80::"),
    ])
    func ipv6IsWrittenAsRFC5952Says(high: UInt64, low: UInt64, text: String) {
        #expect(NetworkAddress(ipv6: high, low, port: 25).host == text)
    }

    @Test func mappedAddressesAreIPv4() {
        let mapped = NetworkAddress(ipv6: 0, 0xffff_7f00_0001, port: 25)
        #expect(mapped == NetworkAddress(ipv4: 0x7f00_0001, port: 25))
        #expect(mapped.isLoopback)
        #expect(mapped.description == "127.0.0.1:25")
    }

    @Test func oneIPv6NetworkIsOneClient() {
        let first = NetworkAddress(ipv6: 0x2001_0db8_0000_0001, 5, port: 1)
        let second = NetworkAddress(ipv6: 0x2001_0db8_0000_0001, 77, port: 2)
        #expect(first.clientKey == second.clientKey)
    }
}

@Suite struct ASCIITests {
    @Test func numbersAreDigitsOnlyAndFit() {
        func value(_ text: String) -> Int? {
            let octets = Array(text.utf8)
            return octets.span.decimal(in: ByteRange(at: 0, count: octets.count))
        }
        #expect(value("0") == 0)
        #expect(value("9223372036854775807") == Int.max)
        #expect(value("9223372036854775808") == nil)
        #expect(value("") == nil)
        #expect(value("+1") == nil)
        #expect(value("1 ") == nil)
    }

    @Test func repliesWriteNumbersAsDecimals() {
        var buffer = ReplyBuffer()
        buffer.append(decimal: 0)
        buffer.append(decimal: -120)
        buffer.append(decimal: 7, digits: 2)
        buffer.append(decimal: 1234567890)
        #expect(String(decoding: buffer.span.copy(), as: UTF8.self) == "0-120071234567890")
    }
}
