// SPDX-License-Identifier: Apache-2.0
//
// What became of a question, in the terms that mail routing decides by.

/// The answer to one question.
package struct DNSAnswer: Sendable {
    package enum Outcome: Hashable, Sendable {
        /// There are records of the type.
        case found
        /// The name exists, without records of the type.
        case noData
        /// The name does not exist (NXDOMAIN).
        case noSuchName
        /// Nobody could tell: a time-out, SERVFAIL, data that DNSSEC shows to be forged; and why,
        /// in a few words.
        case failed(String)
    }

    /// The name and type that were asked for.
    package let name: String
    package let type: DNSRecordType
    package let outcome: Outcome
    /// The records of the type, aliases (CNAME) followed, in the order they came.
    package let records: [DNSRecord]
    /// Where the aliases led; the name itself when there were none.
    package let canonicalName: String
    /// Whether DNSSEC proves the answer, the proof that there is nothing included.
    package let isSecure: Bool
    /// How long the answer may be used, in seconds.
    package let timeToLive: UInt32

    package init(
        name: String,
        type: DNSRecordType,
        outcome: Outcome,
        records: [DNSRecord] = [],
        canonicalName: String? = nil,
        isSecure: Bool = false,
        timeToLive: UInt32 = 0
    ) {
        self.name = name
        self.type = type
        self.outcome = outcome
        self.records = records
        self.canonicalName = canonicalName ?? name
        self.isSecure = isSecure
        self.timeToLive = timeToLive
    }
}
