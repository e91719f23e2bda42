// SPDX-License-Identifier: Apache-2.0
//
// The fields of a message of the domain name system, one after the other.

internal import MailBytes

/// A place in a message.
///
/// Each step moves forward or throws, so that a message takes no longer than its length allows.
struct DNSReader {
    private(set) var index = 0
    /// Where what is being read ends: the message, or the data of a record.
    private var end: Int

    init(end: Int) { self.end = end }

    // MARK: - Numbers

    mutating func uint8(in octets: borrowing Span<UInt8>) throws(DNSMessageError) -> UInt8 {
        guard self.index < self.end else { throw .tooShort }
        defer { self.index += 1 }
        return octets[self.index]
    }

    mutating func uint16(in octets: borrowing Span<UInt8>) throws(DNSMessageError) -> UInt16 {
        let high = try self.uint8(in: octets)
        return UInt16(high) << 8 | UInt16(try self.uint8(in: octets))
    }

    mutating func uint32(in octets: borrowing Span<UInt8>) throws(DNSMessageError) -> UInt32 {
        let high = try self.uint16(in: octets)
        return UInt32(high) << 16 | UInt32(try self.uint16(in: octets))
    }

    private mutating func uint64(in octets: borrowing Span<UInt8>) throws(DNSMessageError) -> UInt64
    {
        let high = try self.uint32(in: octets)
        return UInt64(high) << 32 | UInt64(try self.uint32(in: octets))
    }

    private mutating func take(
        _ count: Int,
        in octets: borrowing Span<UInt8>
    ) throws(DNSMessageError) -> [UInt8] {
        guard count <= self.end - self.index else { throw .tooShort }
        defer { self.index += count }
        return octets.copy(ByteRange(at: self.index, count: count))
    }

    // MARK: - Names

    /// A name (RFC 1035, section 4.1.4), pointers followed, in the form of `DNSRecord`.
    ///
    /// Octets that no host name has are written as RFC 1035, section 5.1, has it: `\.` and `\046`
    /// cannot be taken for the dot between labels, nor can a name carry controls into a log.
    mutating func name(in octets: borrowing Span<UInt8>) throws(DNSMessageError) -> String {
        var text: [UInt8] = []
        var place = self.index
        // A pointer leads to what was written before the part of the name that it ends.
        var start = self.index
        var jumps = 0
        var nameOctets = 1
        while true {
            let limit = jumps == 0 ? self.end : octets.count
            guard place < limit else { throw .tooShort }
            let length = Int(octets[place])
            if length >= 0xc0 {
                guard place + 1 < limit else { throw .tooShort }
                let target = (length & 0x3f) << 8 | Int(octets[place + 1])
                guard target < start, jumps < Self.jumpsMax else { throw .badName }
                if jumps == 0 { self.index = place + 2 }
                jumps += 1
                start = target
                place = target
                continue
            }
            guard length < 0x40 else { throw .badName }
            place += 1
            guard length > 0 else { break }
            guard length <= limit - place else { throw .tooShort }
            nameOctets += length + 1
            guard nameOctets <= Self.nameOctetsMax else { throw .badName }
            if !text.isEmpty { text.append(.dot) }
            for offset in 0..<length { Self.append(octets[place + offset], to: &text) }
            place += length
        }
        if jumps == 0 { self.index = place }
        return text.isEmpty ? "." : String(decoding: text, as: UTF8.self)
    }

    private static func append(_ octet: UInt8, to text: inout [UInt8]) {
        switch octet {
        case .dot, UInt8(ascii: "\\"):
            text.append(UInt8(ascii: "\\"))
            text.append(octet)
        case 0x21...0x7e:
            text.append(octet.lowercasedASCII)
        default:
            text.append(UInt8(ascii: "\\"))
            for divisor in [100, 10, 1] as [UInt8] {
                text.append(UInt8(ascii: "0") + octet / divisor % 10)
            }
        }
    }

    /// RFC 1035, section 2.3.4.
    private static let nameOctetsMax = 255
    /// A name has at most 127 labels, and no writer needs more than one pointer for each.
    private static let jumpsMax = 127

    // MARK: - Records

    /// So many records; those of other classes than IN are left out.
    mutating func records(
        _ count: UInt16,
        in octets: borrowing Span<UInt8>
    ) throws(DNSMessageError) -> [DNSRecord] {
        var records: [DNSRecord] = []
        for _ in 0..<count {
            if let record = try self.record(in: octets) { records.append(record) }
        }
        return records
    }

    private mutating func record(
        in octets: borrowing Span<UInt8>
    ) throws(DNSMessageError) -> DNSRecord? {
        let name = try self.name(in: octets)
        let type = DNSRecordType(rawValue: try self.uint16(in: octets))
        let recordClass = try self.uint16(in: octets)
        let timeToLive = try self.uint32(in: octets)
        let length = Int(try self.uint16(in: octets))
        guard length <= self.end - self.index else { throw .tooShort }
        guard recordClass == DNSQuestion.internet else {
            self.index += length
            return nil
        }
        let messageEnd = self.end
        self.end = self.index + length
        let content = try self.content(of: type, in: octets)
        guard self.index == self.end else { throw .badRecord }
        self.end = messageEnd
        return DNSRecord(
            name: name,
            type: type,
            // RFC 2181, section 8: the topmost bit is no part of the number.
            timeToLive: timeToLive > UInt32(Int32.max) ? 0 : timeToLive,
            content: content
        )
    }

    private mutating func content(
        of type: DNSRecordType,
        in octets: borrowing Span<UInt8>
    ) throws(DNSMessageError) -> DNSRecord.Content {
        switch type {
        case .a:
            return .address(NetworkAddress(ipv4: try self.uint32(in: octets), port: 0))
        case .aaaa:
            let high = try self.uint64(in: octets)
            return .address(NetworkAddress(ipv6: high, try self.uint64(in: octets), port: 0))
        case .mx:
            let preference = try self.uint16(in: octets)
            return .mx(preference: preference, exchange: try self.name(in: octets))
        case .ns: return .ns(try self.name(in: octets))
        case .cname: return .cname(try self.name(in: octets))
        case .ptr: return .ptr(try self.name(in: octets))
        case .txt: return .txt(try self.strings(in: octets))
        case .tlsa:
            let usage = try self.uint8(in: octets)
            let selector = try self.uint8(in: octets)
            let matchingType = try self.uint8(in: octets)
            let association = try self.take(self.end - self.index, in: octets)
            return .tlsa(
                DNSTLSA(
                    usage: usage,
                    selector: selector,
                    matchingType: matchingType,
                    association: association
                )
            )
        default: return .other(try self.take(self.end - self.index, in: octets))
        }
    }

    /// The strings of a TXT record, one behind the other, up to the end of the record.
    private mutating func strings(
        in octets: borrowing Span<UInt8>
    ) throws(DNSMessageError) -> [UInt8] {
        var text: [UInt8] = []
        while self.index < self.end {
            let length = Int(try self.uint8(in: octets))
            guard length <= self.end - self.index else { throw .tooShort }
            text += octets.copy(ByteRange(at: self.index, count: length))
            self.index += length
        }
        return text
    }
}
