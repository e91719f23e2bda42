// SPDX-License-Identifier: Apache-2.0
//
// The headers of proxies: both versions, whole and in every split, and what is none.

import MailBytes
import Testing

@testable import Server

@Suite("PROXY headers")
struct PROXYHeaderTests {
    private static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]
    private static let ipv4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 1, 0xc8, 0x22, 0, 25]
    private static let ipv6: [UInt8] =
        [0x20, 0x01, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]
        + [UInt8](repeating: 0, count: 15) + [1] + [0xff, 0xff, 0, 110]

    /// A binary header with the length that its rest has.
    private static func binary(
        _ version: UInt8,
        _ family: UInt8,
        _ rest: [UInt8],
        count: Int? = nil
    ) -> [UInt8] {
        let count = count ?? rest.count
        return self.signature + [version, family, UInt8(count >> 8), UInt8(count & 0xff)] + rest
    }

    private static func proxied(_ source: String, _ destination: String) throws -> PROXYHeader {
        .proxied(
            source: try #require(NetworkAddress(parsing: source)),
            destination: try #require(NetworkAddress(parsing: destination))
        )
    }

    private static func read(_ octets: [UInt8]) -> PROXYHeader.Reading {
        PROXYHeader.read(octets.span)
    }

    /// Takes exactly what is wanted each time; returns the header, and how much was taken.
    private static func take(_ octets: [UInt8]) -> (header: PROXYHeader, octets: Int)? {
        var taken = 0
        while true {
            switch PROXYHeader.read(octets.span.extracting(0..<taken)) {
            case .wants(let more):
                taken += more
                if taken > octets.count || more < 1 { return nil }
            case .complete(let header, let count): return (header, count)
            case .malformed: return nil
            }
        }
    }

    private func expect(_ octets: [UInt8], is header: PROXYHeader) {
        for following in [[], [0x16, 0x03, 0x01], Array("EHLO a\r\n".utf8)] as [[UInt8]] {
            let whole = octets + following
            #expect(PROXYHeader.read(whole.span) == .complete(header, octets: octets.count))
            let taken = Self.take(whole)
            #expect(taken?.header == header)
            #expect(taken?.octets == octets.count)
        }
        for count in 0..<octets.count {
            guard case .wants(let more) = PROXYHeader.read(octets.span.extracting(0..<count)) else {
                Issue.record("\(count) octets of a header are not whole")
                continue
            }
            #expect(more > 0 && count + more <= octets.count)
        }
    }

    @Test(
        "Text",
        arguments: [
            ("PROXY TCP4 192.0.2.1 198.51.100.1 51234 25", "192.0.2.1:51234", "198.51.100.1:25"),
            ("PROXY TCP4 1.1.1.1 2.2.2.2 0 0", "1.1.1.1", "2.2.2.2"),
            (
                "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", "255.255.255.255:65535",
                "255.255.255.255:65535"
            ),
            ("PROXY TCP6 2001:db8::1 ::1 65535 110", "[2001:db8::1]:65535", "[::1]:110"),
            ("PROXY TCP6 :: :: 1 2", "[::]:1", "[::]:2"),
            ("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2", "192.0.2.1:1", "[::1]:2"),
        ]
    )
    func text(line: String, source: String, destination: String) throws {
        self.expect(Array("\(line)\r\n".utf8), is: try Self.proxied(source, destination))
    }

    @Test(
        "Text of an unknown client",
        arguments: ["PROXY UNKNOWN", "PROXY UNKNOWN ", "PROXY UNKNOWN anything at all 1 2 3 4 5"]
    )
    func unknown(line: String) {
        self.expect(Array("\(line)\r\n".utf8), is: .local)
    }

    @Test("The longest line, and one octet more")
    func longest() {
        let ffff = Array(repeating: "ffff", count: 8).joined(separator: ":")
        let line = "PROXY UNKNOWN \(ffff) \(ffff) 65535 65535\r\n"
        #expect(line.utf8.count == TextPROXYHeader.octetsMax)
        self.expect(Array(line.utf8), is: .local)
        let longer = Array(line.utf8.dropLast(2)) + Array("x\r\n".utf8)
        #expect(PROXYHeader.read(longer.span) == .malformed)
        #expect(Self.take(longer) == nil)
    }

    @Test(
        "What is no text header",
        arguments: [
            "EHLO client.example\r\n", "proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
            "PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1  2.2.2.2 1 2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2\r\n",
            "PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n",
            "PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
            "PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n", "PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
            "PROXY TCP6 [::1] ::1 1 2\r\n", "PROXY TCP6 fe80::1%1 ::1 1 2\r\n",
            "PROXY TCP4 1.1.1.1:5 2.2.2.2 1 2\r\n", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
            "PROXY UNKNOWNS\r\n", "PROXY UNKNOWN\n      ", "PROXY TCP4 1.1.1.1 2.2.2.2 1 2\rx\n",
        ]
    )
    func malformedText(line: String) {
        #expect(Self.read(Array(line.utf8)) == .malformed)
    }

    @Test("Binary: internet addresses, with and without further values")
    func binary() throws {
        let ipv4 = try Self.proxied("192.0.2.1:51234", "198.51.100.1:25")
        let ipv6 = try Self.proxied("[2001:db8::1]:65535", "[::1]:110")
        self.expect(Self.binary(0x21, 0x11, Self.ipv4), is: ipv4)
        self.expect(Self.binary(0x21, 0x21, Self.ipv6), is: ipv6)
        let values: [UInt8] = [0x01, 0, 2, 0x68, 0x32, 0x04, 0, 0, 0xea, 0, 1, 0]
        self.expect(Self.binary(0x21, 0x11, Self.ipv4 + values), is: ipv4)
        let many = [0x04, 0x0f, 0xfd - 12] + [UInt8](repeating: 0, count: 4093 - 12)
        self.expect(Self.binary(0x21, 0x11, Self.ipv4 + many), is: ipv4)
    }

    @Test("Binary: what has no address of the internet keeps that of the connection")
    func binaryLocal() {
        self.expect(Self.binary(0x20, 0x00, []), is: .local)
        self.expect(Self.binary(0x20, 0x11, Self.ipv4), is: .local)
        self.expect(Self.binary(0x20, 0xff, [1, 2, 3]), is: .local)
        self.expect(Self.binary(0x21, 0x00, []), is: .local)
        self.expect(Self.binary(0x21, 0x31, [UInt8](repeating: 0x61, count: 216)), is: .local)
    }

    @Test("Binary: a checksum is held against the header")
    func checksum() throws {
        // CRC32c of the header with the checksum's own octets as zeros.
        let rest = Self.ipv4 + [0x03, 0, 4]
        let head = Self.binary(0x21, 0x11, rest, count: 19)
        let right = head + Self.crc32c(head + [0, 0, 0, 0])
        self.expect(right, is: try Self.proxied("192.0.2.1:51234", "198.51.100.1:25"))
        // The type of the value alone can be changed: then it is no checksum.
        for index in 16..<right.count where index != 28 {
            var wrong = right
            wrong[index] ^= 0x10
            #expect(PROXYHeader.read(wrong.span) == .malformed)
        }
    }

    /// By long division, as the definition has it: bits reflected, polynomial 0x1edc6f41.
    private static func crc32c(_ octets: [UInt8]) -> [UInt8] {
        var sum: UInt32 = .max
        for octet in octets {
            for bit in 0..<8 {
                let high = sum >> 31 ^ UInt32(octet >> UInt8(bit) & 1)
                sum = sum << 1 ^ (high == 1 ? 0x1edc_6f41 : 0)
            }
        }
        var reflected: UInt32 = 0
        for bit in 0..<32 where sum >> UInt32(bit) & 1 == 1 { reflected |= 1 << UInt32(31 - bit) }
        reflected = ~reflected
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: reflected >> $0) }
    }

    @Test("The definition of the checksum gives the value that is known for nine digits")
    func checksumOfDigits() {
        #expect(Self.crc32c(Array("123456789".utf8)) == [0xe3, 0x06, 0x92, 0x83])
    }

    @Test("What is no binary header")
    func malformedBinary() {
        var octets = Self.binary(0x21, 0x11, Self.ipv4)
        for version in [0x11, 0x31, 0x22, 0x2f, 0x01] as [UInt8] {
            octets[12] = version
            #expect(PROXYHeader.read(octets.span) == .malformed)
        }
        octets[12] = 0x21
        for family in [0x10, 0x12, 0x22, 0x32, 0x41, 0x01, 0x13] as [UInt8] {
            octets[13] = family
            #expect(PROXYHeader.read(octets.span) == .malformed)
        }
        #expect(Self.read(Self.binary(0x21, 0x11, [1, 2, 3])) == .malformed)
        let long = Self.binary(0x21, 0x11, Self.ipv4, count: 4097)
        #expect(PROXYHeader.read(long.span) == .malformed)
        for values in [[0x01], [0x01, 0], [0x01, 0, 1], [0x03, 0, 3, 1, 2, 3]] as [[UInt8]] {
            let octets = Self.binary(0x21, 0x11, Self.ipv4 + values)
            #expect(PROXYHeader.read(octets.span) == .malformed)
        }
        for index in 0..<12 {
            var octets = Self.binary(0x20, 0, [])
            octets[index] ^= 0x20
            #expect(PROXYHeader.read(octets.span) == .malformed)
        }
    }
}
