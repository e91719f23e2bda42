// SPDX-License-Identifier: Apache-2.0
//
// Addresses of connections: their text, their families, and what counts as one client.

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
        // The first of two equal runs, and the longer of two.
        (0x0001_0000_0000_0002, 0x0003_0000_0000_0004, "1::2:3:0:0:4"),
        (0x0001_0000_0000_0002, 0x0000_0000_0000_0004, "1:0:0:2::4"),
        (0x0000_0000_0000_0002, 0x0003_0004_0005_0006, "::2:3:4:5:6"),
        (0x0000_0001_0002_0003, 0x0004_0005_0006_0000, "0:1:2:3:4:5:6:0"),
        (0x0001_0002_0003_0004, 0x0005_0006_0000_0000, "1:2:3:4:5:6::"),
        (0xabcd_ef01_2345_6789, 0xabcd_ef01_2345_6789, "abcd:ef01:2345:6789:abcd:ef01:2345:6789"),
        (UInt64.max, UInt64.max, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
    func ipv6IsWrittenAsRFC5952Says(high: UInt64, low: UInt64, text: String) {
        let address = NetworkAddress(ipv6: high, low, port: 25)
        #expect(address.family == .ipv6)
        #expect(address.host == text)
        #expect(address.description == "[\(text)]:25")
    }

    @Test(arguments: [
        (UInt32(0), "0.0.0.0"), (0x7f00_0001, "127.0.0.1"), (0xc000_020a, "192.0.2.10"),
        (UInt32.max, "255.255.255.255"), (0x0a64_6301, "10.100.99.1"),
    ])
    func ipv4IsADottedQuad(bits: UInt32, text: String) {
        let address = NetworkAddress(ipv4: bits, port: 65535)
        #expect(address.host == text)
        #expect(address.description == "\(text):65535")
    }

    @Test func mappedAddressesAreIPv4() {
        let mapped = NetworkAddress(ipv6: 0, 0xffff_7f00_0001, port: 25)
        #expect(mapped == NetworkAddress(ipv4: 0x7f00_0001, port: 25))
        #expect(mapped.family == .ipv4)
        #expect(mapped.isLoopback)
        #expect(mapped.description == "127.0.0.1:25")
        // The IPv4-compatible form of old is IPv6.
        #expect(NetworkAddress(ipv6: 0, 0x7f00_0001, port: 25).family == .ipv6)
    }

    @Test(arguments: [
        (NetworkAddress(ipv4: 0x7f00_0001, port: 1), true),
        (NetworkAddress(ipv4: 0x7fff_ffff, port: 1), true),
        (NetworkAddress(ipv4: 0x8000_0001, port: 1), false),
        (NetworkAddress(ipv4: 0x7eff_ffff, port: 1), false),
        (NetworkAddress(ipv6: 0, 1, port: 1), true),
        (NetworkAddress(ipv6: 0, 2, port: 1), false),
        (NetworkAddress(ipv6: 1, 1, port: 1), false),
        (NetworkAddress.unix, true),
    ])
    func loopbackIsThisMachine(address: NetworkAddress, isLoopback: Bool) {
        #expect(address.isLoopback == isLoopback)
    }

    @Test func oneIPv6NetworkIsOneClient() {
        let first = NetworkAddress(ipv6: 0x2001_0db8_0000_0001, 5, port: 1)
        let second = NetworkAddress(ipv6: 0x2001_0db8_0000_0001, 77, port: 2)
        let other = NetworkAddress(ipv6: 0x2001_0db8_0000_0002, 5, port: 1)
        #expect(first != second)
        #expect(first.clientKey == second.clientKey)
        #expect(first.clientKey != other.clientKey)
    }

    @Test func oneIPv4AddressIsOneClient() {
        let first = NetworkAddress(ipv4: 0xc000_0201, port: 1)
        #expect(first.clientKey == NetworkAddress(ipv4: 0xc000_0201, port: 2).clientKey)
        #expect(first.clientKey != NetworkAddress(ipv4: 0xc000_0202, port: 1).clientKey)
        #expect(first.clientKey != NetworkAddress.unix.clientKey)
        #expect(first.clientKey.family == .ipv4)
    }

    @Test func unixSocketsAreAllAlike() {
        #expect(NetworkAddress.unix.description == "unix")
        #expect(NetworkAddress.unix.host == "unix")
        #expect(NetworkAddress.unix != NetworkAddress(ipv6: 0, 0, port: 0))
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
