// SPDX-License-Identifier: Apache-2.0

import DNSProtocol
import Testing

@testable import Delivery

@Suite struct STSRecordTests {
    @Test(arguments: [
        ("v=STSv1; id=20160831085700Z;", "20160831085700Z"),
        ("v=STSv1;id=1", "1"),
        ("v=STSv1 ; \t id=Ab9 ; ", "Ab9"),
        ("v=STSv1; foo=bar; id=a1", "a1"),
        ("v=STSv1; id=a1; foo.bar-1_x=!~:<", "a1"),
        ("v=STSv1; id=12345678901234567890123456789012", "12345678901234567890123456789012"),
    ])
    func records(text: String, id: String) {
        #expect(STSRecord(octets: Array(text.utf8))?.id == id)
    }

    @Test(arguments: [
        "", "v=STSv1", "v=STSv1;", "v=STSv1; id=", "v=STSv1; id", "v=STSv1; id=a b",
        "v=STSv1; id=a-b", "v=STSv1; id=123456789012345678901234567890123", "v=STSv2; id=1",
        "V=STSv1; id=1", "v=STSv1; ID=1", "id=1; v=STSv1", " v=STSv1; id=1", "v=STSv1;; id=1",
        "v=STSv1; id=1;;", "v=STSv1; id=1; id=2", "v=STSv1; id=1; =x", "v=STSv1; id=1; -a=x",
        "v=STSv1; id=1; x=", "v=STSv1; id=1; x=a=b", "v=STSv1; id=1; x=ä", "v=STSv10; id=1",
        "v=STSv1; id=1; x=\u{0}", "v=STSv1\nid=1",
        "v=STSv1; id=1; abcdefghijklmnopqrstuvwxyz0123456=x",
    ])
    func whatIsNoRecord(text: String) {
        #expect(STSRecord(octets: Array(text.utf8)) == nil)
    }

    @Test func lengthIsBounded() {
        func text(_ count: Int) -> [UInt8] {
            Array("v=STSv1; id=1; x=".utf8) + [UInt8](repeating: 0x78, count: count)
        }
        #expect(STSRecord(octets: text(STSRecord.octetsMax - 17)) != nil)
        #expect(STSRecord(octets: text(STSRecord.octetsMax - 16)) == nil)
    }

    /// There is one record or there is none (RFC 8461, section 3.1); other texts do not count.
    @Test func oneOfManyTexts() {
        #expect(Self.answer(["other", "v=STSv1; id=1;"]).map(\.id) == "1")
        #expect(Self.answer(["v=STSv1x", "v=STSv1; id=1;"]).map(\.id) == "1")
        #expect(Self.answer(["v=STSv1; id=1;", "v=STSv1; id=2;"]) == nil)
        #expect(Self.answer(["v=STSv1; id=1;", "v=STSv1; broken"]) == nil)
        #expect(Self.answer([]) == nil)
    }

    @Test func names() {
        #expect(STSRecord.queryName(domain: "example.org") == "_mta-sts.example.org")
        #expect(STSRecord.policyHost(domain: "example.org") == "mta-sts.example.org")
    }

    private static func answer(_ texts: [String]) -> STSRecord? {
        STSRecord(
            answer: DNSAnswer(
                name: "_mta-sts.example.org",
                type: .txt,
                outcome: texts.isEmpty ? .noData : .found,
                records: texts.map { text in
                    DNSRecord(
                        name: "_mta-sts.example.org",
                        type: .txt,
                        timeToLive: 60,
                        content: .txt(Array(text.utf8))
                    )
                }
            )
        )
    }
}
