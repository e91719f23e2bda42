// SPDX-License-Identifier: Apache-2.0
//
// The policies of MTA-STS that are known, and when one is to be fetched (RFC 8461, sections 3.3
// and 5.1). It asks nobody itself: who sends mail looks up the record, consults the cache, and
// fetches what the cache wants fetched.

/// Policies by domain, bounded, the least recently used forgotten first.
///
/// Whoever sends to a domain asks for its record, consults the cache with it, and does as told. A
/// fetch that was advised or listed in `refreshes` ends with `fetched` or `fetchFailed`.
package struct STSCache {
    /// What to do for a domain.
    package enum Advice: Hashable, Sendable {
        /// Send, by this policy or by none.
        case use(STSPolicy?)
        /// Fetch the policy, tell `fetched` or `fetchFailed`, and consult again.
        case fetch
        /// A fetch is under way; consult again when it is over.
        case wait
    }

    /// After a fetch that failed none is advised for as long (RFC 8461, section 3.3).
    package static let failurePauseSeconds: Int64 = 300
    /// After a fetch that went well none is advised for as long, whatever the id becomes.
    package static let successPauseSeconds: Int64 = 60
    /// A policy in use is fetched again when it is as old, so that nobody who can suppress its
    /// record or its file for a while sees it run out (RFC 8461, section 10.2).
    package static let refreshSeconds: Int64 = 86400
    /// A policy that nobody consulted for as long is not refreshed.
    package static let interestSeconds: Int64 = 7 * 86400

    /// A domain that was asked for.
    private struct Entry {
        /// The id of the record under which the policy was fetched.
        var id = ""
        var policy: STSPolicy?
        /// When the policy runs out.
        var expiresAt = Int64.min
        /// When a policy in use is to be fetched again.
        var refreshAt = Int64.max
        /// No fetch is advised before.
        var pausedUntil = Int64.min
        /// The id for which a fetch is under way.
        var fetching: String?
        var usedAt: Int64

        func policy(at now: Int64) -> STSPolicy? { now < self.expiresAt ? self.policy : nil }
    }

    private var entries: [String: Entry] = [:]
    private let domainsMax: Int

    /// A cache of up to `domainsMax` domains.
    package init(domainsMax: Int = 10_000) {
        self.domainsMax = max(domainsMax, 8)
    }

    /// How many domains are remembered.
    package var count: Int { self.entries.count }

    /// What to do for mail to a domain whose record is this one, or that has none.
    ///
    /// A policy that is known holds until it runs out, even when the record is gone: who can hide
    /// the record must not win by it. Times are seconds since 1970.
    package mutating func consult(
        domain: String,
        record: STSRecord?,
        now: Int64
    ) -> Advice {
        let found = self.entries[domain]
        guard var entry = found ?? record.map({ _ in Entry(usedAt: now) }) else {
            return .use(nil)
        }
        entry.usedAt = now
        let advice = Self.advice(record: record, entry: entry, now: now)
        if advice == .fetch { entry.fetching = record?.id }
        self.entries[domain] = entry
        if found == nil { self.shrink(now: now) }
        return advice
    }

    private static func advice(record: STSRecord?, entry: Entry, now: Int64) -> Advice {
        let known = entry.policy(at: now)
        guard let record, known == nil || record.id != entry.id else { return .use(known) }
        // Another policy is on its way, and the one that is known may be wrong by now.
        if entry.fetching != nil { return .wait }
        return now < entry.pausedUntil ? .use(known) : .fetch
    }

    /// A policy was fetched.
    package mutating func fetched(_ policy: STSPolicy, domain: String, now: Int64) {
        guard var entry = self.entries[domain], let id = entry.fetching else { return }
        entry.id = id
        entry.fetching = nil
        entry.policy = policy
        entry.expiresAt = now + policy.ageSeconds
        entry.pausedUntil = now + Self.successPauseSeconds
        entry.refreshAt = now + min(Self.refreshSeconds, policy.ageSeconds / 2 + 1)
        self.entries[domain] = entry
    }

    /// A policy could not be fetched, or what came is none; what was known holds on (RFC 8461,
    /// section 3.3).
    package mutating func fetchFailed(domain: String, now: Int64) {
        guard var entry = self.entries[domain], entry.fetching != nil else { return }
        entry.fetching = nil
        entry.pausedUntil = now + Self.failurePauseSeconds
        if entry.policy != nil { entry.refreshAt = now + Self.failurePauseSeconds }
        self.entries[domain] = entry
    }

    /// The domains whose policy is to be fetched again now though its id is the same, at most
    /// `max` of them; to be asked once in a while.
    package mutating func refreshes(now: Int64, max: Int) -> [String] {
        let due = self.entries.filter { _, entry in
            entry.fetching == nil && now >= entry.refreshAt
                && now - entry.usedAt < Self.interestSeconds
                && entry.policy(at: now).map { $0.mode != .none } ?? false
        }
        let domains = due.keys.sorted().prefix(max)
        for domain in domains {
            let id = self.entries[domain]?.id
            self.entries[domain]?.fetching = id
        }
        return Array(domains)
    }

    /// Forgets an eighth when there are too many: first what holds no policy.
    private mutating func shrink(now: Int64) {
        guard self.entries.count > self.domainsMax else { return }
        let order = self.entries.sorted { one, other in
            let ranks = (Self.rank(one.value, now: now), Self.rank(other.value, now: now))
            return ranks.0 == ranks.1 ? one.value.usedAt < other.value.usedAt : ranks.0 < ranks.1
        }
        let spare = self.entries.count - self.domainsMax + self.domainsMax / 8
        for (domain, _) in order.prefix(spare) { self.entries[domain] = nil }
    }

    /// A domain of a lower rank is forgotten first.
    private static func rank(_ entry: Entry, now: Int64) -> Int {
        if entry.fetching != nil { return 2 }
        return entry.policy(at: now) == nil ? 0 : 1
    }
}
