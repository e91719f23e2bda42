// SPDX-License-Identifier: Apache-2.0
//
// A policy of MTA-STS: which hosts may take mail for a domain (RFC 8461, section 3.2).

/// What a domain wants of those who send mail to it.
package struct STSPolicy: Hashable, Sendable {
    package enum Mode: String, Hashable, CaseIterable, Sendable {
        /// Mail goes to hosts of the policy over verified TLS, or it does not go.
        case enforce
        /// What would have failed is told, and mail goes.
        case testing
        /// There is no policy any more.
        case none
    }

    /// Why octets are no policy.
    package enum Failure: Error, Hashable, Sendable {
        /// More than `octetsMax`.
        case tooLong
        /// Not lines of a name, a colon and a value, or a value that cannot be; the line counts
        /// from 1.
        case malformed(line: Int)
        /// A field that there must be is missing, or has a value that this version does not know.
        case missing(String)
        /// More than `patternsMax` patterns.
        case tooManyPatterns
    }

    package let mode: Mode
    /// `mail.example` or `*.example`, in lower case.
    package let patterns: [String]
    /// Seconds, at most `ageSecondsMax`.
    package let ageSeconds: Int64

    /// Longest policy (RFC 8461, section 3.3 proposes as much).
    package static let octetsMax = 64 << 10
    /// Most patterns.
    package static let patternsMax = 1000
    /// About a year (RFC 8461, section 3.2); a longer age counts as this one.
    package static let ageSecondsMax: Int64 = 31_557_600

    package init(mode: Mode, patterns: [String], ageSeconds: Int64) {
        self.mode = mode
        self.patterns = patterns
        self.ageSeconds = min(ageSeconds, Self.ageSecondsMax)
    }

    /// Whether a host may take mail for the domain (RFC 8461, section 4.1).
    package func admits(host: String) -> Bool {
        let host = host.lowercased()
        return self.patterns.contains { pattern in
            guard pattern.hasPrefix("*.") else { return pattern == host }
            // The asterisk stands for one label: a.mail.example is not *.example.
            guard let dot = host.firstIndex(of: "."), dot > host.startIndex else { return false }
            return pattern.dropFirst(1) == host[dot...]
        }
    }
}
