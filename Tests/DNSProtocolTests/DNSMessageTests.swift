// SPDX-License-Identifier: Apache-2.0
//
// Messages as octets: what is read, and what is refused.

import DNSSupport
import MailBytes
import Testing

@testable import DNSProtocol

@Suite struct DNSMessageTests {
    /// A header of an answer with id 0x1234, without questions and with so many records.
    private static func header(answers: UInt8, questions: UInt8 = 0) -> [UInt8] {
        [0x12, 0x34, 0x81, 0x80, 0, questions, 0, answers, 0, 0, 0, 0]
    }

    /// A record of the class IN that lives an hour.
    private static func record(_ name: [UInt8], _ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        name + [0, type, 0, 1, 0, 0, 0x0e, 0x10, UInt8(content.count >> 8)]
            + [UInt8(truncatingIfNeeded: content.count)] + content
    }

    private static let name: [UInt8] = [4] + Array("mail".utf8) + [4] + Array("test".utf8) + [0]

    private static func read(_ octets: [UInt8]) throws(DNSMessageError) -> DNSMessage {
        try DNSMessage(octets: octets.span)
    }

    @Test func headerIsRead() throws {
        let message = try Self.read([0xbe, 0xef, 0x82, 0x03, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(message.id == 0xbeef)
        #expect(message.isResponse && message.isTruncated)
        #expect(message.responseCode == .nameError)
        #expect(message.question == nil)
        let query = try Self.read([0, 0, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(!query.isResponse && !query.isTruncated)
    }

    /// Question, answer and exchanger with compressed names, octet by octet.
    @Test func pointersAreFollowed() throws {
        let question: [UInt8] =
            [7] + Array("Example".utf8) + [4] + Array("test".utf8) + [0, 0, 15, 0, 1]
        let answer: [UInt8] =
            [0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 7, 0, 10, 2] + Array("mx".utf8) + [0xc0, 12]
        let message = try Self.read(Self.header(answers: 1, questions: 1) + question + answer)
        #expect(message.question == DNSQuestion("example.test", .mx))
        #expect(message.answers == [.mx("example.test", 10, "mx.example.test", timeToLive: 60)])
    }

    @Test func everyTypeIsRead() throws {
        let records: [DNSRecord] = [
            .address("a.test", "192.0.2.1"), .address("a.test", "2001:db8::1"),
            .mx("a.test", 65_535, "."), .cname("b.test", "a.test"), .ns("test", "ns.test"),
            .ptr("1.2.0.192.in-addr.arpa", "a.test"),
            .txt("t.test", String(repeating: "long ", count: 100)), .txt("t.test", ""),
            .tlsa("_25._tcp.a.test", 3, 1, 1, [1, 2, 3]), .soa("test", minimum: 300),
        ]
        let message = DNSMessage(
            id: 7,
            responseCode: .refused,
            isTruncated: true,
            question: DNSQuestion(".", .ns),
            answers: records,
            authority: records.reversed(),
            additional: [records[0]]
        )
        let read = try Self.read(message.octets)
        #expect(read.id == 7 && read.responseCode == .refused && read.isTruncated)
        #expect(read.question == message.question)
        #expect(read.answers == records)
        #expect(read.authority == records.reversed())
        #expect(read.additional == [records[0]])
    }

    @Test func recordsOfOtherClassesAreLeftOut() throws {
        let chaos: [UInt8] = Self.name + [0, 16, 0, 3, 0, 0, 0, 0, 0, 2, 1, 0x61]
        let options: [UInt8] = [0, 0, 41, 4, 0xd0, 0, 0, 0x80, 0, 0, 0]
        let address = Self.record(Self.name, 1, [192, 0, 2, 1])
        let message = try Self.read(Self.header(answers: 3) + chaos + options + address)
        #expect(message.answers.map(\.type) == [.a])
    }

    /// RFC 2181, section 8.
    @Test func lifeWithTheTopmostBitIsNone() throws {
        let octets = Self.name + [0, 1, 0, 1, 0x80, 0, 0, 1, 0, 4, 192, 0, 2, 1]
        #expect(try Self.read(Self.header(answers: 1) + octets).answers[0].timeToLive == 0)
    }

    @Test func namesCannotPretend() throws {
        let label: [UInt8] = [5, 0x61, 0x2e, 0x0a, 0x5c, 0xff]
        let octets = Self.record(label + [0], 1, [192, 0, 2, 1])
        let message = try Self.read(Self.header(answers: 1) + octets)
        #expect(message.answers[0].name == #"a\.\010\\\255"#)
        // The escapes are of one meaning: they lead back to the same octets.
        #expect(Array(message.octets.dropFirst(12).prefix(6)) == label)
    }

    @Test func everyPartOfAMessageIsTooShort() throws {
        let whole = DNSMessage(
            id: 1,
            question: DNSQuestion("a.test", .mx),
            answers: [.mx("a.test", 1, "b.test"), .txt("a.test", "text")]
        ).octets
        for count in whole.indices {
            #expect(throws: DNSMessageError.tooShort) { try Self.read(Array(whole.prefix(count))) }
        }
        // What follows is nothing to us.
        #expect(try Self.read(whole + [1, 2, 3]).answers.count == 2)
    }

    @Test(
        arguments: [
            // To itself, ahead, and in a circle.
            [0xc0, 12], [0xc0, 40], [0xff, 0xff], [1, 0x61, 0xc0, 12], [1, 0x61, 0xc0, 14],
            // The kinds of labels that were given up (RFC 6891, section 5).
            [0x40, 0], [0x80, 0],
        ] as [[UInt8]]
    )
    func badNamesAreRefused(name: [UInt8]) {
        let octets = Self.header(answers: 1) + Self.record(name, 1, [192, 0, 2, 1])
        #expect(throws: DNSMessageError.badName) { try Self.read(octets) }
    }

    @Test func longNamesAreRefused() throws {
        func octets(last: Int) -> [UInt8] {
            let labels = (0..<3).flatMap { _ in [63] + [UInt8](repeating: 0x61, count: 63) }
            let name = labels + [UInt8(last)] + [UInt8](repeating: 0x62, count: last) + [0]
            return Self.header(answers: 1) + Self.record(name, 1, [192, 0, 2, 1])
        }
        #expect(try Self.read(octets(last: 61)).answers[0].name.utf8.count == 253)
        #expect(throws: DNSMessageError.badName) { try Self.read(octets(last: 62)) }
    }

    /// Thousands of pointers, each one step back, would otherwise be followed for each record.
    @Test func chainsOfPointersAreRefused() throws {
        var octets = Self.header(answers: 2)
        var chain: [UInt8] = [0]
        for step in 0..<200 {
            let target = step == 0 ? 12 + 11 : 12 + 12 + (step - 1) * 2
            chain += [0xc0 | UInt8(target >> 8), UInt8(truncatingIfNeeded: target)]
        }
        octets += Self.record([0], 99, chain)
        let last = octets.count - 2
        let name = [0xc0 | UInt8(last >> 8), UInt8(truncatingIfNeeded: last)]
        #expect(throws: DNSMessageError.badName) {
            try Self.read(octets + Self.record(name, 1, [192, 0, 2, 1]))
        }
        let near = [0xc0, UInt8(12 + 12 + 100 * 2)]
        #expect(
            try Self.read(octets + Self.record(near, 1, [192, 0, 2, 1])).answers[1].name == "."
        )
    }

    @Test(
        arguments: [
            (1, [192, 0, 2]), (1, [192, 0, 2, 1, 1]), (28, [0x20, 1]), (15, [0]), (15, [0, 1]),
            (15, [0, 1, 0, 0]), (5, []), (16, [3, 1, 2]), (52, [3, 1]),
        ] as [(UInt8, [UInt8])]
    )
    func contentsAreWhatTheirTypeSays(type: UInt8, content: [UInt8]) {
        let record = Self.record(Self.name, type, content)
        // More than enough follows, so that only the end of the record can be missed.
        let octets = Self.header(answers: 1) + record + [UInt8](repeating: 0, count: 32)
        #expect(throws: DNSMessageError.self) { try Self.read(octets) }
    }
}
