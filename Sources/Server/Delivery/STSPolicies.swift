// SPDX-License-Identifier: Apache-2.0
//
// The policies of MTA-STS (RFC 8461) of the domains that mail goes to: the record is asked for each
// time, the policy is fetched when it is another, and kept in use before it runs out.

internal import DNSProtocol
internal import Delivery

/// What domains demand by MTA-STS.
final class STSPolicies {
    private var cache = STSCache()
    private let names: any NameResolver
    private let source: (any PolicySource)?
    private let time: any Timekeeper
    /// Those who wait for a policy that is being fetched.
    private var waiting: [String: [(STSPolicy?) -> Void]] = [:]
    private var isRefreshing = false

    /// How often policies are looked for that are to be fetched again.
    private static let refreshSeconds: Double = 3600
    private static let refreshesMax = 20

    init(names: any NameResolver, source: (any PolicySource)?, time: any Timekeeper) {
        self.names = names
        self.source = source
        self.time = time
    }

    /// Whether nothing is fetched that somebody waits for.
    var isIdle: Bool { self.waiting.isEmpty }

    /// Finds the policy in force for a domain, or that there is none; may call at once.
    func find(_ domain: String, _ found: @escaping (STSPolicy?) -> Void) {
        guard self.source != nil else { return found(nil) }
        _ = self.names.lookUp(STSRecord.queryName(domain: domain), .txt) { [weak self] answer in
            guard let self else { return }
            self.consult(domain, STSRecord(answer: answer), found)
        }
    }

    private func consult(
        _ domain: String,
        _ record: STSRecord?,
        _ found: @escaping (STSPolicy?) -> Void
    ) {
        switch self.cache.consult(domain: domain, record: record, now: self.time.wallClock) {
        case .use(let policy):
            found(policy)
        case .wait:
            self.waiting[domain, default: []].append { [weak self] _ in
                self?.consult(domain, record, found)
            }
        case .fetch:
            self.waiting[domain, default: []].append { [weak self] _ in
                self?.consult(domain, record, found)
            }
            self.fetch(domain)
        }
    }

    private func fetch(_ domain: String) {
        self.refreshLater()
        self.source?.fetchPolicy(of: domain) { [weak self] octets in
            guard let self else { return }
            let now = self.time.wallClock
            if let octets, let policy = try? STSPolicy(octets: octets) {
                self.cache.fetched(policy, domain: domain, now: now)
            } else {
                self.cache.fetchFailed(domain: domain, now: now)
            }
            for waiting in self.waiting.removeValue(forKey: domain) ?? [] { waiting(nil) }
        }
    }

    private func refreshLater() {
        guard !self.isRefreshing else { return }
        self.isRefreshing = true
        self.time.after(seconds: Self.refreshSeconds) { [weak self] in
            guard let self else { return }
            self.isRefreshing = false
            let domains = self.cache.refreshes(
                now: self.time.wallClock,
                max: Self.refreshesMax
            )
            for domain in domains { self.fetch(domain) }
            if self.cache.count > 0 { self.refreshLater() }
        }
    }
}
