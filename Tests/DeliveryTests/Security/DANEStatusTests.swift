// SPDX-License-Identifier: Apache-2.0

import DNSProtocol
import Testing

@testable import Delivery

@Suite struct DANEStatusTests {
    private static func tlsa(_ usage: UInt8, _ selector: UInt8, _ type: UInt8, _ count: Int)
        -> DNSTLSA
    {
        DNSTLSA(
            usage: usage,
            selector: selector,
            matchingType: type,
            association: [UInt8](repeating: 7, count: count)
        )
    }

    private static func answer(
        _ outcome: DNSAnswer.Outcome,
        _ records: [DNSTLSA] = [],
        isSecure: Bool = true
    ) -> DNSAnswer {
        DNSAnswer(
            name: "_25._tcp.mx",
            type: .tlsa,
            outcome: outcome,
            records: records.map { record in
                DNSRecord(name: "_25._tcp.mx", type: .tlsa, timeToLive: 1, content: .tlsa(record))
            },
            isSecure: isSecure
        )
    }

    @Test func queryName() {
        #expect(DANEStatus.queryName(host: "mx.example") == "_25._tcp.mx.example")
        #expect(DANEStatus.queryName(host: "mx.example", port: 465) == "_465._tcp.mx.example")
    }

    /// RFC 7672, section 3.1: 2 and 3, of known selectors, with digests of the right size.
    @Test(
        arguments: [
            (3, 1, 1, 32, true), (3, 0, 2, 64, true), (2, 1, 0, 294, true), (2, 0, 1, 32, true),
            (0, 0, 1, 32, false), (1, 0, 1, 32, false), (4, 0, 1, 32, false),
            (255, 0, 1, 32, false),
            (3, 2, 1, 32, false), (3, 1, 3, 32, false), (3, 1, 1, 31, false), (3, 1, 2, 32, false),
            (3, 1, 0, 0, false),
        ] as [(UInt8, UInt8, UInt8, Int, Bool)]
    )
    func usability(usage: UInt8, selector: UInt8, type: UInt8, count: Int, isUsable: Bool) {
        #expect(DANEStatus.isUsable(Self.tlsa(usage, selector, type, count)) == isUsable)
    }

    @Test func statusOfAHost() {
        let good = Self.tlsa(3, 1, 1, 32)
        let bad = Self.tlsa(1, 1, 1, 32)
        func status(_ answer: DNSAnswer?, isSecure: Bool = true) -> DANEStatus {
            DANEStatus(areAddressesSecure: isSecure, answer: answer)
        }
        #expect(status(Self.answer(.found, [bad, good])) == .usable([good]))
        #expect(status(Self.answer(.found, [bad])) == .unusable)
        #expect(status(Self.answer(.found, [good], isSecure: false)) == .absent)
        #expect(status(Self.answer(.found)) == .absent)
        #expect(status(Self.answer(.noData)) == .absent)
        #expect(status(Self.answer(.noSuchName)) == .absent)
        #expect(status(Self.answer(.failed("SERVFAIL"))) == .unknown("SERVFAIL"))
        #expect(status(nil) == .absent)
        // What an unsigned zone answers to the question, or fails to, says nothing.
        #expect(status(Self.answer(.failed("SERVFAIL")), isSecure: false) == .absent)
        let many = [DNSTLSA](repeating: good, count: DANEStatus.recordsMax + 1)
        #expect(status(Self.answer(.found, many)) == .unknown("more than 64 TLSA records"))
    }
}
