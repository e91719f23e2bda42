// SPDX-License-Identifier: Apache-2.0
//
// What DNSSEC proves: a signed zone, forged records in it, and an unsigned one beside it.

import DNSProtocol
import DNSSupport
import Foundation
import Testing

@testable import Resolver

@Suite struct SecurityTests {
    private static let tlsa = DNSRecord.tlsa(
        "_25._tcp.mx.signed.test",
        3,
        1,
        1,
        [UInt8](repeating: 7, count: 32)
    )

    private static let records: [DNSRecord] = [
        .mx("signed.test", 10, "mx.signed.test"), .address("mx.signed.test", "192.0.2.1"),
        .cname("alias.signed.test", "signed.test"), .cname("out.signed.test", "unsigned.test"),
        SecurityTests.tlsa, .txt("_mta-sts.signed.test", "v=STSv1; id=1"),
    ]
    private static let unsigned: [DNSRecord] = [
        .mx("unsigned.test", 10, "mx.unsigned.test"), .address("mx.unsigned.test", "192.0.2.2"),
    ]

    /// The zone as it was signed for the whole run; nil, and every test fails, without openssl.
    private static let zone = try? DNSZoneSigner.sign("signed.test", SecurityTests.records)

    private static func harness(
        _ change: ([DNSRecord]) -> [DNSRecord] = { $0 },
        anchor: String? = nil
    ) throws -> ResolverHarness {
        let zone = try #require(self.zone)
        let file = NSTemporaryDirectory() + "anchor-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        try (anchor ?? zone.trustAnchor).write(toFile: file, atomically: true, encoding: .utf8)
        return try ResolverHarness(DNSZones(change(zone.records) + self.unsigned)) {
            $0.trustAnchors = .always(file: file)
        }
    }

    @Test(arguments: [
        ("signed.test", DNSRecordType.mx), ("mx.signed.test", .a), ("alias.signed.test", .mx),
        ("_25._tcp.mx.signed.test", .tlsa), ("_mta-sts.signed.test", .txt),
    ])
    func signedRecordsAreSecure(name: String, type: DNSRecordType) throws {
        let answer = try Self.harness().answer(name, type)
        #expect(answer.outcome == .found)
        #expect(answer.isSecure)
        #expect(answer.records.map(\.type) == [type])
    }

    /// DANE needs to know that there are no TLSA records, and to know it for certain.
    @Test func denialIsSecure() throws {
        let harness = try Self.harness()
        let missing = try harness.answer("_25._tcp.nowhere.signed.test", .tlsa)
        #expect(missing.outcome == .noSuchName && missing.isSecure)
        let empty = try harness.answer("mx.signed.test", .aaaa)
        #expect(empty.outcome == .noData && empty.isSecure)
        #expect((1...60).contains(empty.timeToLive))
    }

    @Test func unsignedZonesAreNot() throws {
        let harness = try Self.harness()
        for name in ["unsigned.test", "out.signed.test"] {
            let answer = try harness.answer(name, .mx)
            #expect(answer.outcome == .found)
            #expect(!answer.isSecure)
        }
        let missing = try harness.answer("nowhere.unsigned.test", .mx)
        #expect(missing.outcome == .noSuchName && !missing.isSecure)
    }

    @Test func withoutAnchorsNothingIsSecure() throws {
        let zone = try #require(Self.zone)
        let harness = try ResolverHarness(DNSZones(zone.records))
        let answer = try harness.answer("signed.test", .mx)
        #expect(answer.outcome == .found && !answer.isSecure)
    }

    @Test func forgedRecordsAreNoAnswer() throws {
        let harness = try Self.harness { records in
            records.filter { $0.name != "signed.test" || $0.type != .mx }
                + [.mx("signed.test", 1, "mx.evil.test")]
        }
        let answer = try harness.answer("signed.test", .mx)
        #expect(answer.failure?.hasPrefix("DNSSEC: ") ?? false)
        #expect(answer.records.isEmpty && !answer.isSecure)
    }

    @Test func strippedSignaturesAreNoAnswer() throws {
        let harness = try Self.harness { records in
            records.filter { $0.type != .rrsig || $0.name != "_25._tcp.mx.signed.test" }
        }
        let answer = try harness.answer("_25._tcp.mx.signed.test", .tlsa)
        #expect(answer.failure?.hasPrefix("DNSSEC: ") ?? false)
        #expect(try harness.answer("signed.test", .mx).isSecure)
    }

    /// Nobody may say without proof that there are no TLSA records.
    @Test func strippedDenialIsNoAnswer() throws {
        let harness = try Self.harness { records in
            records.filter { $0.name != "_25._tcp.mx.signed.test" && $0.type != .nsec }
        }
        let answer = try harness.answer("_25._tcp.mx.signed.test", .tlsa)
        #expect(answer.failure?.hasPrefix("DNSSEC: ") ?? false)
    }

    @Test func otherKeysAreNoAnchors() throws {
        let other = try DNSZoneSigner.sign("signed.test", Self.unsigned.suffix(0))
        let harness = try Self.harness(anchor: other.trustAnchor)
        #expect(try harness.answer("signed.test", .mx).failure?.hasPrefix("DNSSEC: ") ?? false)
        #expect(try harness.answer("unsigned.test", .mx).outcome == .found)
    }
}
