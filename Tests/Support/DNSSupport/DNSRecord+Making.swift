// SPDX-License-Identifier: Apache-2.0
//
// Records in few words.

package import DNSProtocol
import MailBytes

extension DNSRecord {
    /// An A or AAAA record.
    package static func address(
        _ name: String,
        _ text: String,
        timeToLive: UInt32 = 300
    ) -> DNSRecord {
        guard let address = NetworkAddress(parsing: text) else {
            preconditionFailure("\(text) is an address")
        }
        let type = address.family == .ipv6 ? DNSRecordType.aaaa : .a
        return DNSRecord(name: name, type: type, timeToLive: timeToLive, content: .address(address))
    }

    package static func mx(
        _ name: String,
        _ preference: UInt16,
        _ exchange: String,
        timeToLive: UInt32 = 300
    ) -> DNSRecord {
        DNSRecord(
            name: name,
            type: .mx,
            timeToLive: timeToLive,
            content: .mx(preference: preference, exchange: exchange)
        )
    }

    package static func cname(_ name: String, _ target: String) -> DNSRecord {
        DNSRecord(name: name, type: .cname, timeToLive: 300, content: .cname(target))
    }

    package static func ns(_ name: String, _ server: String) -> DNSRecord {
        DNSRecord(name: name, type: .ns, timeToLive: 300, content: .ns(server))
    }

    package static func ptr(_ name: String, _ target: String) -> DNSRecord {
        DNSRecord(name: name, type: .ptr, timeToLive: 300, content: .ptr(target))
    }

    package static func txt(_ name: String, _ text: String) -> DNSRecord {
        DNSRecord(name: name, type: .txt, timeToLive: 300, content: .txt(Array(text.utf8)))
    }

    package static func tlsa(
        _ name: String,
        _ usage: UInt8,
        _ selector: UInt8,
        _ matchingType: UInt8,
        _ association: [UInt8]
    ) -> DNSRecord {
        let content = DNSTLSA(
            usage: usage,
            selector: selector,
            matchingType: matchingType,
            association: association
        )
        return DNSRecord(name: name, type: .tlsa, timeToLive: 300, content: .tlsa(content))
    }

    /// A start of authority whose negative answers hold for so many seconds.
    package static func soa(_ name: String, minimum: UInt32) -> DNSRecord {
        let numbers = [1, 3600, 600, 86_400, minimum].flatMap { number in
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
        }
        return DNSRecord(
            name: name,
            type: .soa,
            timeToLive: 300,
            content: .other([0, 0] + numbers)
        )
    }
}
