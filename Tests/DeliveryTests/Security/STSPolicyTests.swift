// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Delivery

@Suite struct STSPolicyTests {
    @Test func policyOfTheStandard() throws {
        let policy = try STSPolicy(
            text: """
                version: STSv1
                mode: enforce
                mx: mail.example.com
                mx: *.Example.net
                mx: backupmx.example.com
                max_age: 604800
                """
        )
        #expect(policy.mode == .enforce)
        #expect(policy.patterns == ["mail.example.com", "*.example.net", "backupmx.example.com"])
        #expect(policy.ageSeconds == 604_800)
    }

    /// Line ends of both kinds, white space around values, and fields of later versions.
    @Test(arguments: [
        "version: STSv1\r\nmode: testing\r\nmx: a.b\r\nmax_age: 1\r\n",
        "version:STSv1\nmode:testing\nmx:a.b\nmax_age:1",
        "version: \t STSv1 \t\nmode: testing \nmx: a.b \nmax_age: 1 \n\n",
        "max_age: 1\nmx: a.b\nfuture: yes: no\nmode: testing\nversion: STSv1\n",
        "version: STSv1\nmode: testing\nmode: none\nmx: a.b\nmax_age: 1\nmax_age: 2",
    ])
    func waysToWriteIt(text: String) throws {
        let policy = try STSPolicy(text: text)
        #expect(policy == STSPolicy(mode: .testing, patterns: ["a.b"], ageSeconds: 1))
    }

    @Test func noneNeedsNoHosts() throws {
        let policy = try STSPolicy(text: "version: STSv1\nmode: none\nmax_age: 86400\n")
        #expect(policy == STSPolicy(mode: .none, patterns: [], ageSeconds: 86400))
    }

    @Test(arguments: [
        ("", STSPolicy.Failure.missing("version")),
        ("\n", .missing("version")),
        ("\n\n", .malformed(line: 1)),
        ("version: STSv2\nmode: none\nmax_age: 1", .missing("version")),
        ("mode: none\nmax_age: 1", .missing("version")),
        ("version: STSv1\nmode: strict\nmx: a.b\nmax_age: 1", .missing("mode")),
        ("version: STSv1\nmode: enforce\nmx: a.b", .missing("max_age")),
        ("version: STSv1\nmode: enforce\nmax_age: 1", .missing("mx")),
        ("version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1", .malformed(line: 3)),
        ("version: STSv1\nmode: enforce\nmx: *\nmax_age: 1", .malformed(line: 3)),
        ("version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1", .malformed(line: 3)),
        ("version: STSv1\nmode: enforce\nmx: -a.b\nmax_age: 1", .malformed(line: 3)),
        ("version: STSv1\nmode: enforce\nmx: a..b\nmax_age: 1", .malformed(line: 3)),
        ("version: STSv1\nmode: enforce\nmx: a.b.\nmax_age: 1", .malformed(line: 3)),
        ("version: STSv1\nmode: enforce\nmx: ä.b\nmax_age: 1", .malformed(line: 3)),
        ("version: STSv1\nmode: enforce\nmx:\nmax_age: 1", .malformed(line: 3)),
        ("version: STSv1\nmode: none\nmax_age: -1", .malformed(line: 3)),
        ("version: STSv1\nmode: none\nmax_age: +1", .malformed(line: 3)),
        ("version: STSv1\nmode: none\nmax_age: 12345678901", .malformed(line: 3)),
        ("version: STSv1\nmode: none\nmax_age: 1 2", .malformed(line: 3)),
        ("version: STSv1\n\nmode: none\nmax_age: 1", .malformed(line: 2)),
        ("version: STSv1\nmode none\nmax_age: 1", .malformed(line: 2)),
        (": STSv1\nmode: none\nmax_age: 1", .malformed(line: 1)),
        ("version: STSv1\rmode: none\rmax_age: 1", .malformed(line: 1)),
        ("version: STSv1\nmode: none\u{0}\nmax_age: 1", .malformed(line: 2)),
        ("<html>\n<head>\n", .malformed(line: 1)),
    ])
    func whatIsNoPolicy(text: String, failure: STSPolicy.Failure) {
        #expect(throws: failure) { try STSPolicy(text: text) }
    }

    @Test func agesAreBounded() throws {
        let policy = try STSPolicy(text: "version: STSv1\nmode: none\nmax_age: 9999999999")
        #expect(policy.ageSeconds == 31_557_600)
    }

    @Test func sizeAndPatternsAreBounded() {
        let head = "version: STSv1\nmode: enforce\nmax_age: 1\n"
        let pattern = "mx: a.b\n"
        #expect(throws: Never.self) {
            try STSPolicy(text: head + String(repeating: pattern, count: STSPolicy.patternsMax))
        }
        #expect(throws: STSPolicy.Failure.tooManyPatterns) {
            try STSPolicy(text: head + String(repeating: pattern, count: STSPolicy.patternsMax + 1))
        }
        #expect(throws: STSPolicy.Failure.tooLong) {
            try STSPolicy(octets: [UInt8](repeating: 0x61, count: STSPolicy.octetsMax + 1))
        }
    }

    /// An asterisk stands for exactly one label (RFC 8461, section 4.1).
    @Test(arguments: [
        ("mail.example.com", true), ("MAIL.example.COM", true), ("mail.example.org", false),
        ("example.com", false), ("a.mail.example.com", false), ("mx1.example.net", true),
        ("a.mx1.example.net", false), ("example.net", false), (".example.net", false),
        ("xexample.net", false), ("", false), ("net", false),
    ])
    func hosts(host: String, isAdmitted: Bool) {
        let policy = STSPolicy(
            mode: .enforce,
            patterns: ["mail.example.com", "*.example.net"],
            ageSeconds: 1
        )
        #expect(policy.admits(host: host) == isAdmitted)
    }

    /// Any octets are read without harm, and what is read holds to the limits.
    @Test(arguments: 0..<300) func anyOctets(seed: Int) {
        var chance = SeededChance(seed: UInt64(seed))
        let fields = [
            "version: STSv1\n", "mode: enforce\r\n", "mode: none\n", "max_age: 10\n", "mx: a.b\n",
            "mx: *.c\n", "\n", ":", "mx:", "\r", "  ", "max_age: 99999999999999999999\n",
        ]
        var octets: [UInt8] = []
        for _ in 0..<chance.pick(12) {
            octets += chance.pick(from: fields).utf8
            if chance.pick(6) == 0 { octets.append(UInt8(truncatingIfNeeded: chance.next())) }
        }
        guard let policy = try? STSPolicy(octets: octets) else { return }
        #expect(policy.mode == .none || !policy.patterns.isEmpty)
        #expect((0...STSPolicy.ageSecondsMax).contains(policy.ageSeconds))
        #expect(policy.patterns.allSatisfy { ["a.b", "*.c"].contains($0) || $0.count < 10 })
    }
}

extension STSPolicy {
    fileprivate init(text: String) throws(Failure) { try self.init(octets: Array(text.utf8)) }
}
