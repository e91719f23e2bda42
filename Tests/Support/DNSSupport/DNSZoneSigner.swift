// SPDX-License-Identifier: Apache-2.0
//
// Signs a zone (RFC 4034) with one key of the curve P-256 (RFC 6605) that it makes itself. The
// openssl command does the arithmetic.

package import DNSProtocol
import Foundation
import MailBytes

/// A zone with its signatures, and the trust anchor that they lead to.
package struct SignedZone: Sendable {
    package let records: [DNSRecord]
    /// The key in the form of a zone file, for a file of trust anchors.
    package let trustAnchor: String
}

package enum DNSZoneSigner {
    package struct Failure: Error {
        package let what: String
    }

    /// Signs the records at and below the name of a zone and adds what denial takes (NSEC).
    ///
    /// Of another zone below it nothing is known: all names are this zone's own.
    package static func sign(_ zone: String, _ records: [DNSRecord]) throws -> SignedZone {
        let key = try SigningKey()
        defer { key.remove() }
        var all = records
        if !all.contains(where: { $0.type == .soa }) { all.append(.soa(zone, minimum: 60)) }
        all.append(
            DNSRecord(name: zone, type: .dnskey, timeToLive: 300, content: .other(key.content))
        )
        all += self.denials(zone, all)
        let sets = Dictionary(grouping: all) { DNSQuestion($0.name, $0.type) }
        let signatures = try sets.map { question, set in
            try self.signature(of: set, question, zone, key)
        }
        let text = Data(key.publicKey).base64EncodedString()
        return SignedZone(
            records: all + signatures,
            trustAnchor: "\(zone). 300 IN DNSKEY 257 3 13 \(text)\n"
        )
    }

    // MARK: - Denial (RFC 4034, section 4)

    private static func denials(_ zone: String, _ records: [DNSRecord]) -> [DNSRecord] {
        let names = Set(records.map(\.name)).sorted {
            self.key($0).lexicographicallyPrecedes(self.key($1))
        }
        return names.indices.map { index in
            let name = names[index]
            let types = Set(records.filter { $0.name == name }.map(\.type.rawValue))
                .union([DNSRecordType.rrsig.rawValue, DNSRecordType.nsec.rawValue])
            let next = names[(index + 1) % names.count]
            return DNSRecord(
                name: name,
                type: .nsec,
                timeToLive: 60,
                content: .other(DNSWriter.name(next) + self.bitmap(types))
            )
        }
    }

    /// RFC 4034, section 6.1: by label, from the right.
    private static func key(_ name: String) -> [String] {
        name.split(separator: ".").reversed().map(String.init)
    }

    private static func bitmap(_ types: Set<UInt16>) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: Int(types.max() ?? 0) / 8 + 1)
        for type in types { octets[Int(type) / 8] |= 0x80 >> UInt8(type % 8) }
        return [0, UInt8(octets.count)] + octets
    }

    // MARK: - Signatures (RFC 4034, section 3)

    private static func signature(
        of set: [DNSRecord],
        _ question: DNSQuestion,
        _ zone: String,
        _ key: SigningKey
    ) throws -> DNSRecord {
        let timeToLive = set[0].timeToLive
        let labels = question.name.split(separator: ".").count
        var head = DNSWriter()
        head.append(question.type.rawValue)
        head.octets += [13, UInt8(labels)]
        head.append(timeToLive)
        // Long before and long after any run; times are compared modulo 2³².
        let now = UInt32(truncatingIfNeeded: Int(Date().timeIntervalSince1970))
        head.append(now &+ 30 * 86_400)
        head.append(now &- 86_400)
        head.append(key.tag)
        head.append(name: zone)
        var signed = head.octets
        let owner = DNSWriter.name(question.name)
        let contents = Set(set.map { DNSWriter.content(of: $0) })
            .sorted { $0.lexicographicallyPrecedes($1) }
        for content in contents {
            var record = DNSWriter()
            record.octets = owner
            record.append(question.type.rawValue)
            record.append(DNSQuestion.internet)
            record.append(timeToLive)
            record.append(UInt16(content.count))
            signed += record.octets + content
        }
        return DNSRecord(
            name: question.name,
            type: .rrsig,
            timeToLive: timeToLive,
            content: .other(head.octets + (try key.sign(signed)))
        )
    }
}

extension DNSRecordType {
    package static let rrsig = DNSRecordType(rawValue: 46)
    package static let nsec = DNSRecordType(rawValue: 47)
    package static let dnskey = DNSRecordType(rawValue: 48)
}

/// A key in a file of its own.
private struct SigningKey {
    let publicKey: [UInt8]
    private let path: String

    init() throws {
        self.path = NSTemporaryDirectory() + "zone-\(UUID().uuidString).pem"
        let curve = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        _ = try Self.openssl(["genpkey"] + curve + ["-out", self.path], [])
        let encoded = try Self.openssl(
            ["pkey", "-in", self.path, "-pubout", "-outform", "DER"],
            []
        )
        // The two coordinates are the end of it (RFC 6605, section 4).
        self.publicKey = Array(encoded.suffix(64))
    }

    func remove() { try? FileManager.default.removeItem(atPath: self.path) }

    /// Of the DNSKEY record.
    var content: [UInt8] { [1, 1, 3, 13] + self.publicKey }

    /// RFC 4034, appendix B.
    var tag: UInt16 {
        let sum = self.content.enumerated().reduce(UInt32(0)) { sum, place in
            sum + (place.offset % 2 == 0 ? UInt32(place.element) << 8 : UInt32(place.element))
        }
        return UInt16(truncatingIfNeeded: sum + sum >> 16)
    }

    /// The two numbers of a signature, 32 octets each.
    func sign(_ octets: [UInt8]) throws -> [UInt8] {
        let encoded = try Self.openssl(["dgst", "-sha256", "-sign", self.path], octets)
        // A sequence of two integers in DER, none longer than 33 octets.
        guard encoded.count > 8, encoded[0] == 0x30 else {
            throw DNSZoneSigner.Failure(what: "the signature of openssl")
        }
        var place = 2
        var numbers: [UInt8] = []
        for _ in 0..<2 {
            let count = Int(encoded[place + 1])
            let number = encoded[(place + 2)..<(place + 2 + count)].drop { $0 == 0 }
            numbers += [UInt8](repeating: 0, count: 32 - number.count) + number
            place += 2 + count
        }
        return numbers
    }

    private static func openssl(_ arguments: [String], _ input: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "20", "openssl"] + arguments
        let inputPipe = Pipe()
        let outputPipe = Pipe()
        process.standardInput = inputPipe
        process.standardOutput = outputPipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Less than what a pipe holds.
        try inputPipe.fileHandleForWriting.write(contentsOf: Data(input))
        try inputPipe.fileHandleForWriting.close()
        let output = try outputPipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw DNSZoneSigner.Failure(what: arguments.joined(separator: " "))
        }
        return Array(output)
    }
}
