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

@Suite struct NetworkAddressParsingTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1:0"),
        ("192.0.2.1:25", "192.0.2.1:25"),
        ("0.0.0.0:65535", "0.0.0.0:65535"),
        ("255.255.255.255", "255.255.255.255:0"),
        ("::", "[::]:0"),
        ("[::]:2525", "[::]:2525"),
        ("[::1]", "[::1]:0"),
        ("::1", "[::1]:0"),
        ("1::", "[1::]:0"),
        ("2001:DB8::8:800:200C:417A", "[2001:db8::8:800:200c:417a]:0"),
        ("2001:db8:0:0:8:800:200c:417a", "[2001:db8::8:800:200c:417a]:0"),
        ("1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]:0"),
        ("1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]:0"),
        ("::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]:0"),
        ("::13.1.68.3", "[::d01:4403]:0"),
        ("0:0:0:0:0:0:13.1.68.3", "[::d01:4403]:0"),
        ("64:ff9b::192.0.2.33", "[64:ff9b::c000:221]:0"),
        ("::ffff:129.144.52.38", "129.144.52.38:0"),
        ("[::FFFF:129.144.52.38]:110", "129.144.52.38:110"),
    ])
    func addressesAreRead(text: String, expected: String) {
        #expect(NetworkAddress(parsing: text)?.description == expected)
    }

    @Test(arguments: [
        "", ".", ":", ":::", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1.2.3.4 ",
        " 1.2.3.4", "1.2.3.4:", "1.2.3.4:65536", "1.2.3.4:025", "1.2.3.4:+25", "1.2.3.4:25x",
        "1.2.3.4.", "0x7f.0.0.1", "2130706433", "localhost", "*:25", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", "12345::",
        "1:", ":1", "::1:", "g::", "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4::",
        "1.2.3.4::", "[::1", "::1]", "[::1]25", "[::1]:", "[::1]:65536", "[1.2.3.4]:25", "[]",
        "[]:25", "fe80::1%eth0", "[fe80::1%2]:25", "::1/128", "::99999999999999999999",
        "99999999999999999999.1.1.1", "1.2.3.4:99999999999999999999",
    ])
    func anythingElseIsNone(text: String) {
        #expect(NetworkAddress(parsing: text) == nil)
    }

    @Test func whatIsWrittenIsReadAgain() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let mask = generator.next() & generator.next()
            let address = NetworkAddress(
                ipv6: generator.next() & mask,
                generator.next() & mask,
                port: UInt16.random(in: 0...UInt16.max)
            )
            #expect(NetworkAddress(parsing: address.description) == address)
        }
    }

    @Test func noOctetsTrap() {
        let alphabet = Array("0129afg:.[]/% ".utf8)
        for _ in 0..<20_000 {
            let octets = (0..<Int.random(in: 0...24)).map { _ in alphabet.randomElement() ?? 0 }
            if let address = NetworkAddress(octets: octets.span) {
                #expect(NetworkAddress(parsing: address.description) == address)
            }
        }
    }
}
