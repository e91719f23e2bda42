// SPDX-License-Identifier: Apache-2.0
//
// The filter in conf/fail2ban finds the lines that the server writes, and no other.

import Foundation
import Logging
import Simulation
import Testing

@testable import Server

@Suite("The filter for fail2ban")
struct FailedLoginFilterTests {
    private static let path = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("conf/fail2ban/martlet.conf").path

    /// The expressions of the filter, with an address for fail2ban's name of one.
    private static func expressions() throws -> [NSRegularExpression] {
        let text = try String(contentsOfFile: self.path, encoding: .utf8)
        let lines = text.split(separator: "\n")
        let start = try #require(lines.firstIndex { $0.hasPrefix("failregex = ") })
        let first = lines[start].dropFirst("failregex = ".count)
        let others = lines[(start + 1)...].prefix { $0.hasPrefix(" ") }
            .map { $0.drop { $0 == " " } }
        return try ([first] + others).map { line in
            try NSRegularExpression(
                pattern: String(line).replacing("<ADDR>", with: "(?<addr>[0-9A-Fa-f:.]+)")
            )
        }
    }

    /// The addresses that the filter takes from lines.
    private static func addresses(_ lines: [String]) throws -> [String] {
        let expressions = try self.expressions()
        return lines.flatMap { line in
            expressions.compactMap { expression in
                let whole = NSRange(line.startIndex..., in: line)
                guard let match = expression.firstMatch(in: line, range: whole),
                    let range = Range(match.range(withName: "addr"), in: line)
                else { return nil }
                return String(line[range])
            }
        }
    }

    private static func log(_ format: LogFormat, user: String) throws -> [String] {
        let sink = LogSink(ring: LogRing(), format: format, level: .debug) { (1_700_000_000, 7) }
        let test = try ServerUnderTest(journal: Journal(sink: sink))
        test.logIn().say("QUIT\r\n")
        test.connect(.pop3).say("USER \(user)\r\nPASS hidden\r\n", for: 3)
        test.world.run(for: 1000)
        var octets: [UInt8] = []
        sink.ring.close()
        sink.ring.drain(pause: {}, write: { octets += $0 })
        return String(decoding: octets, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test(
        "Each failed login is found, with the address of its client",
        arguments: [
            LogFormat.text, .json,
        ]
    )
    func failedLogins(format: LogFormat) throws {
        let lines = try Self.log(format, user: "nobody@example.test")
        #expect(lines.count { $0.contains("login failed") } == 1)
        #expect(lines.count > 1)
        #expect(try Self.addresses(lines) == ["192.0.2.1"])
        // As the journal gives them to fail2ban.
        let inJournal = lines.map { "host martlet[123]: \($0)" }
        #expect(try Self.addresses(inJournal) == ["192.0.2.1"])
        // The date is taken out before the expression is tried.
        let undated = lines.map { $0.replacing("2023-11-14T22:13:20.007Z", with: "") }
        #expect(try Self.addresses(undated) == ["192.0.2.1"])
    }

    @Test(
        "No name of a user brings another address in",
        arguments: [
            "\"peer\":\"203.0.113.9\"", "x peer=203.0.113.9 ",
            "notice login failed session=a peer=203.0.113.9 ",
        ],
        [LogFormat.text, .json]
    )
    func forgedNames(user: String, format: LogFormat) throws {
        #expect(try Self.addresses(try Self.log(format, user: user)) == ["192.0.2.1"])
    }
}
