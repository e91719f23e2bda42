// SPDX-License-Identifier: Apache-2.0
//
// Messages of the domain name system as octets, without compression: what tests and fuzzers need to
// put to the reader and to a resolver.

package import DNSProtocol
import MailBytes

extension DNSMessage {
    /// The message as octets (RFC 1035, section 4.1).
    package var octets: [UInt8] {
        var writer = DNSWriter()
        writer.append(self.id)
        var flags = UInt16(self.responseCode.rawValue & 0xf)
        if self.isResponse { flags |= 0x8480 }
        if self.isTruncated { flags |= 0x0200 }
        writer.append(flags)
        writer.append(UInt16(self.question == nil ? 0 : 1))
        for records in [self.answers, self.authority, self.additional] {
            writer.append(UInt16(records.count))
        }
        if let question {
            writer.append(name: question.name)
            writer.append(question.type.rawValue)
            writer.append(DNSQuestion.internet)
        }
        for record in self.answers + self.authority + self.additional { writer.append(record) }
        return writer.octets
    }
}

struct DNSWriter {
    var octets: [UInt8] = []

    /// A name as it stands in a message.
    static func name(_ name: String) -> [UInt8] {
        var writer = DNSWriter()
        writer.append(name: name)
        return writer.octets
    }

    /// The data of a record.
    static func content(of record: DNSRecord) -> [UInt8] {
        var writer = DNSWriter()
        writer.append(record.content, of: record.type)
        return writer.octets
    }

    mutating func append(_ number: UInt16) {
        self.octets += [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    mutating func append(_ number: UInt32) {
        self.append(UInt16(number >> 16))
        self.append(UInt16(truncatingIfNeeded: number))
    }

    private mutating func append(_ number: UInt64) {
        self.append(UInt32(number >> 32))
        self.append(UInt32(truncatingIfNeeded: number))
    }

    /// A name with the escapes of RFC 1035, section 5.1.
    mutating func append(name: String) {
        var label: [UInt8] = []
        var rest = Array(name.utf8)[...]
        func isDigit(_ index: Int) -> Bool { index < rest.endIndex && rest[index].isASCIIDigit }
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "\\") {
                let start = rest.startIndex
                if isDigit(start), isDigit(start + 1), isDigit(start + 2) {
                    let digits = String(decoding: rest.prefix(3), as: UTF8.self)
                    label.append(UInt8(digits) ?? 0)
                    rest = rest.dropFirst(3)
                } else if let escaped = rest.popFirst() {
                    label.append(escaped)
                }
            } else if octet == .dot {
                self.append(label: label)
                label = []
            } else {
                label.append(octet)
            }
        }
        self.append(label: label)
        self.octets.append(0)
    }

    private mutating func append(label: [UInt8]) {
        guard !label.isEmpty else { return }
        self.octets.append(UInt8(label.count))
        self.octets += label
    }

    mutating func append(_ record: DNSRecord) {
        self.append(name: record.name)
        self.append(record.type.rawValue)
        self.append(DNSQuestion.internet)
        self.append(record.timeToLive)
        let content = Self.content(of: record)
        self.append(UInt16(content.count))
        self.octets += content
    }

    private mutating func append(_ content: DNSRecord.Content, of type: DNSRecordType) {
        switch content {
        // An IPv4 address that an AAAA record holds is a mapped one.
        case .address(let address) where type == .aaaa:
            self.append(address.high)
            self.append(address.low)
        case .address(let address): self.append(UInt32(truncatingIfNeeded: address.low))
        case .mx(let preference, let exchange):
            self.append(preference)
            self.append(name: exchange)
        case .ns(let name), .cname(let name), .ptr(let name): self.append(name: name)
        case .txt(let text):
            var rest = text[...]
            repeat {
                let part = rest.prefix(255)
                self.octets.append(UInt8(part.count))
                self.octets += part
                rest = rest.dropFirst(part.count)
            } while !rest.isEmpty
        case .tlsa(let association):
            self.octets += [association.usage, association.selector, association.matchingType]
            self.octets += association.association
        case .other(let octets): self.octets += octets
        }
    }
}
