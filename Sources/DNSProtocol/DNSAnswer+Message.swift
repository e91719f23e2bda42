// SPDX-License-Identifier: Apache-2.0
//
// From a message to what became of the question.

/// What DNSSEC says of a message (RFC 4035, section 4.3).
package enum DNSSECStatus: Hashable, Sendable {
    /// Nothing: the zone is not signed, or nobody looked.
    case insecure
    /// It proves what the message says, or that there is nothing.
    case secure
    /// It proves that the message is forged or its signatures stale; and how, in a few words.
    case bogus(String)
}

extension DNSAnswer {
    /// What a message answers to a question.
    ///
    /// Aliases are followed within the message, as RFC 1034, section 3.6.2, has it. An alias that
    /// leads to itself or further than 16 steps is no answer.
    package init(_ question: DNSQuestion, message: DNSMessage, security: DNSSECStatus) {
        func failure(_ why: String) -> DNSAnswer {
            DNSAnswer(name: question.name, type: question.type, outcome: .failed(why))
        }
        if case .bogus(let why) = security {
            self = failure("DNSSEC: \(why)")
            return
        }
        guard message.question.map({ $0 == question }) ?? false, message.isResponse else {
            self = failure("the answer is to another question")
            return
        }
        guard [.noError, .nameError].contains(message.responseCode) else {
            self = failure("the server says \(message.responseCode)")
            return
        }
        guard let chain = AliasChain(question, in: message.answers) else {
            self = failure("the aliases do not come to an end")
            return
        }
        let outcome: Outcome
        var timeToLive = chain.timeToLive
        if !chain.records.isEmpty {
            outcome = .found
        } else {
            // RFC 6604: the code speaks of the last name of the aliases.
            outcome = message.responseCode == .nameError ? .noSuchName : .noData
            timeToLive = min(timeToLive, message.negativeTimeToLive)
        }
        self.init(
            name: question.name,
            type: question.type,
            outcome: outcome,
            records: chain.records,
            canonicalName: chain.name,
            isSecure: security == .secure,
            timeToLive: timeToLive
        )
    }
}

/// Where the aliases of a name lead, and what stands there.
private struct AliasChain {
    private(set) var name: String
    private(set) var records: [DNSRecord] = []
    /// The least of all records on the way, in seconds.
    private(set) var timeToLive = UInt32.max

    init?(_ question: DNSQuestion, in answers: [DNSRecord]) {
        self.name = question.name
        for _ in 0...Self.aliasesMax {
            let name = self.name
            self.records = answers.filter { $0.name == name && $0.type == question.type }
            guard self.records.isEmpty,
                let alias = answers.first(where: { $0.name == name && $0.type == .cname }),
                case .cname(let target) = alias.content
            else {
                self.timeToLive = self.records.reduce(self.timeToLive) { min($0, $1.timeToLive) }
                return
            }
            self.timeToLive = min(self.timeToLive, alias.timeToLive)
            self.name = target
        }
        return nil
    }

    private static let aliasesMax = 16
}

extension DNSMessage {
    /// How long it holds that there is nothing, in seconds (RFC 2308, section 5).
    var negativeTimeToLive: UInt32 {
        let authorities = self.authority.lazy.filter { $0.type == .soa }
        guard let start = authorities.first, case .other(let octets) = start.content else {
            return 0
        }
        // MINIMUM is the last field of the data.
        let minimum = octets.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return min(start.timeToLive, minimum)
    }
}
