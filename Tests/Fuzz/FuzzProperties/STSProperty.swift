// SPDX-License-Identifier: Apache-2.0
//
// What holds for the records and policies of MTA-STS, whatever the octets.

import Delivery

/// Reads the input as a record and as a policy, and checks what must hold of the results.
public enum STSProperty {
    /// Throws when a property does not hold.
    public static func check(_ input: [UInt8]) throws(BrokenProperty) {
        if let record = STSRecord(octets: input) { try self.check(record) }
        guard let policy = try? STSPolicy(octets: input) else { return }
        try self.check(policy)
        guard !input.contains(0x0d) else { return }
        let wide = input.flatMap { $0 == 0x0a ? [0x0d, 0x0a] : [$0] }
        try require(
            wide.count > STSPolicy.octetsMax || (try? STSPolicy(octets: wide)) == policy,
            "both line ends are the same"
        )
    }

    private static func check(_ record: STSRecord) throws(BrokenProperty) {
        try require((1...32).contains(record.id.utf8.count), "an id is bounded")
        try require(
            record.id.utf8.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 },
            "an id is letters and digits"
        )
        try require(
            STSRecord(octets: Array("v=STSv1; id=\(record.id);".utf8)) == record,
            "a record is its id"
        )
    }

    private static func check(_ policy: STSPolicy) throws(BrokenProperty) {
        try require(policy.patterns.count <= STSPolicy.patternsMax, "patterns are bounded")
        try require(
            (0...STSPolicy.ageSecondsMax).contains(policy.ageSeconds),
            "the age of a policy is bounded"
        )
        try require(policy.mode == .none || !policy.patterns.isEmpty, "a policy names hosts")
        for pattern in policy.patterns {
            try require(pattern == pattern.lowercased(), "case is folded")
            let host = pattern.hasPrefix("*.") ? "mx\(pattern.dropFirst())" : pattern
            try require(policy.admits(host: host), "a pattern admits its host")
            try require(policy.admits(host: host.uppercased()), "case does not matter")
        }
        try require(!policy.admits(host: ""), "nothing is no host")
        let lines =
            ["version: STSv1", "mode: \(policy.mode.rawValue)", "max_age: \(policy.ageSeconds)"]
            + policy.patterns.map { "mx: \($0)" }
        let text = Array(lines.joined(separator: "\n").utf8)
        try require(
            text.count > STSPolicy.octetsMax || (try? STSPolicy(octets: text)) == policy,
            "a policy can be written and read again"
        )
    }
}
