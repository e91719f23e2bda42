// SPDX-License-Identifier: Apache-2.0
//
// Version 2 of the PROXY protocol: a signature, the length of the rest, addresses in network order,
// and further values of which only the checksum concerns us.

internal import MailBytes

/// Reads the binary header.
enum BinaryPROXYHeader {
    static let signature: [UInt8] = [
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
    ]
    /// The signature, version and command, family and transport, and the length of the rest.
    static let headOctets = 16
    /// The rest may be so long: addresses, and what proxies add, as the certificate of the client.
    static let restOctetsMax = 4096

    private static let checksumType: UInt8 = 0x03

    static func read(_ octets: borrowing Span<UInt8>) -> PROXYHeader.Reading {
        for index in 0..<min(octets.count, self.signature.count)
        where octets[index] != self.signature[index] { return .malformed }
        guard octets.count >= self.headOctets else {
            // Text may be shorter, and whoever took only so much must not be told to take more.
            return .wants(self.headOctets - octets.count)
        }
        let rest = Int(octets.number(at: 14, UInt16.self))
        guard octets[12] >> 4 == 2, octets[12] & 0xf <= 1, rest <= self.restOctetsMax else {
            return .malformed
        }
        let total = self.headOctets + rest
        guard octets.count >= total else { return .wants(total - octets.count) }
        return self.readWhole(octets.extracting(0..<total))
    }

    private static func readWhole(_ octets: borrowing Span<UInt8>) -> PROXYHeader.Reading {
        let isLocal = octets[12] & 0xf == 0
        let addressOctets: Int
        switch octets[13] {
        // What a health check says of its address does not matter, nor what follows it.
        case _ where isLocal: return .complete(.local, octets: octets.count)
        case 0x00: addressOctets = 0
        case 0x11: addressOctets = 12
        case 0x21: addressOctets = 36
        case 0x31: addressOctets = 216
        // Datagrams carry no mail.
        default: return .malformed
        }
        let start = self.headOctets + addressOctets
        guard octets.count >= start, self.areValuesSound(octets, from: start) else {
            return .malformed
        }
        return .complete(self.addresses(octets), octets: octets.count)
    }

    private static func addresses(_ octets: borrowing Span<UInt8>) -> PROXYHeader {
        switch octets[13] {
        case 0x11:
            .proxied(
                source: NetworkAddress(
                    ipv4: octets.number(at: 16, UInt32.self),
                    port: octets.number(at: 24, UInt16.self)
                ),
                destination: NetworkAddress(
                    ipv4: octets.number(at: 20, UInt32.self),
                    port: octets.number(at: 26, UInt16.self)
                )
            )
        case 0x21:
            .proxied(
                source: NetworkAddress(
                    ipv6: octets.number(at: 16, UInt64.self),
                    octets.number(at: 24, UInt64.self),
                    port: octets.number(at: 48, UInt16.self)
                ),
                destination: NetworkAddress(
                    ipv6: octets.number(at: 32, UInt64.self),
                    octets.number(at: 40, UInt64.self),
                    port: octets.number(at: 50, UInt16.self)
                )
            )
        default: .local
        }
    }

    /// Whether the values after the addresses fill the rest, and the checksum is right if there
    /// is one.
    private static func areValuesSound(_ octets: borrowing Span<UInt8>, from start: Int) -> Bool {
        var index = start
        while index < octets.count {
            guard index + 3 <= octets.count else { return false }
            let count = Int(octets.number(at: index + 1, UInt16.self))
            let end = index + 3 + count
            guard end <= octets.count else { return false }
            if octets[index] == self.checksumType {
                guard count == 4, self.isChecksumRight(octets, at: index + 3) else { return false }
            }
            index = end
        }
        return true
    }

    /// CRC32c (RFC 9260, appendix A) over the header, its own four octets taken as zeros.
    private static func isChecksumRight(_ octets: borrowing Span<UInt8>, at place: Int) -> Bool {
        var sum: UInt32 = .max
        for index in octets.indices {
            let isOwn = place..<place + 4 ~= index
            sum ^= UInt32(isOwn ? 0 : octets[index])
            for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0x82f6_3b78 : 0) }
        }
        return ~sum == octets.number(at: place, UInt32.self)
    }
}

extension Span where Element == UInt8 {
    /// The number in network order that begins there.
    fileprivate func number<Number: FixedWidthInteger>(
        at index: Int,
        _ type: Number.Type
    ) -> Number {
        var number: Number = 0
        for offset in 0..<Number.bitWidth / 8 {
            number = number << 8 | Number(self[index + offset])
        }
        return number
    }
}
