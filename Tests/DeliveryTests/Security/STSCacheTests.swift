// SPDX-License-Identifier: Apache-2.0

import DNSProtocol
import Testing

@testable import Delivery

@Suite struct STSCacheTests {
    private static let first = STSPolicy(mode: .enforce, patterns: ["a.b"], ageSeconds: 1_000_000)
    private static let second = STSPolicy(mode: .testing, patterns: ["c.d"], ageSeconds: 1_000_000)

    private static func record(_ id: String) -> STSRecord? {
        STSRecord(octets: Array("v=STSv1; id=\(id)".utf8))
    }

    /// A cache that knows the first policy since the time 1000.
    private static func filled() -> STSCache {
        var cache = STSCache()
        _ = cache.consult(domain: "x", record: self.record("1"), now: 1000)
        cache.fetched(self.first, domain: "x", now: 1000)
        return cache
    }

    @Test func withoutARecordThereIsNoPolicy() {
        var cache = STSCache()
        #expect(cache.consult(domain: "x", record: nil, now: 1000) == .use(nil))
        #expect(cache.count == 0)
    }

    @Test func aPolicyIsFetchedOnce() {
        var cache = STSCache()
        #expect(cache.consult(domain: "x", record: Self.record("1"), now: 1000) == .fetch)
        #expect(cache.consult(domain: "x", record: Self.record("1"), now: 1000) == .wait)
        #expect(cache.consult(domain: "y", record: Self.record("1"), now: 1000) == .fetch)
        cache.fetched(Self.first, domain: "x", now: 1001)
        let advice = cache.consult(domain: "x", record: Self.record("1"), now: 1002)
        #expect(advice == .use(Self.first))
    }

    /// Without a policy mail goes as ever, and the domain is left alone for a while.
    @Test func aFetchThatFailsIsNotRepeatedAtOnce() {
        var cache = STSCache()
        #expect(cache.consult(domain: "x", record: Self.record("1"), now: 1000) == .fetch)
        cache.fetchFailed(domain: "x", now: 1000)
        #expect(cache.consult(domain: "x", record: Self.record("1"), now: 1299) == .use(nil))
        #expect(cache.consult(domain: "x", record: Self.record("2"), now: 1299) == .use(nil))
        #expect(cache.consult(domain: "x", record: Self.record("1"), now: 1300) == .fetch)
    }

    @Test func anotherIDMeansAnotherPolicy() {
        var cache = Self.filled()
        #expect(cache.consult(domain: "x", record: Self.record("2"), now: 2000) == .fetch)
        #expect(cache.consult(domain: "x", record: Self.record("2"), now: 2000) == .wait)
        cache.fetched(Self.second, domain: "x", now: 2001)
        let advice = cache.consult(domain: "x", record: Self.record("2"), now: 2002)
        #expect(advice == .use(Self.second))
    }

    @Test func theOldPolicyHoldsWhenTheNewOneCannotBeHad() {
        var cache = Self.filled()
        #expect(cache.consult(domain: "x", record: Self.record("2"), now: 2000) == .fetch)
        cache.fetchFailed(domain: "x", now: 2001)
        for id in ["1", "2", "3"] {
            let advice = cache.consult(domain: "x", record: Self.record(id), now: 2300)
            #expect(advice == .use(Self.first))
        }
        #expect(cache.consult(domain: "x", record: Self.record("2"), now: 2301) == .fetch)
    }

    /// Who can hide the record must not win by it.
    @Test func theRecordMayDisappear() {
        var cache = Self.filled()
        #expect(cache.consult(domain: "x", record: nil, now: 1_000_999) == .use(Self.first))
        #expect(cache.consult(domain: "x", record: nil, now: 1_001_000) == .use(nil))
    }

    @Test func aPolicyRunsOut() {
        var cache = Self.filled()
        let before = cache.consult(domain: "x", record: Self.record("1"), now: 1_000_999)
        #expect(before == .use(Self.first))
        #expect(cache.consult(domain: "x", record: Self.record("1"), now: 1_001_000) == .fetch)
        cache.fetchFailed(domain: "x", now: 1_001_000)
        #expect(cache.consult(domain: "x", record: Self.record("1"), now: 1_001_001) == .use(nil))
    }

    /// An id that changes all the time costs one fetch a minute.
    @Test func idsThatNeverRest() {
        var cache = Self.filled()
        var fetches = 0
        for now in Int64(1001)...1600 {
            let record = Self.record("\(now)")
            if cache.consult(domain: "x", record: record, now: now) == .fetch {
                fetches += 1
                cache.fetched(Self.first, domain: "x", now: now)
            }
        }
        #expect(fetches == 10)
    }

    /// What is in use is fetched again long before it runs out (RFC 8461, section 10.2).
    @Test func policiesInUseAreRefreshed() {
        var cache = Self.filled()
        let day = STSCache.refreshSeconds
        #expect(cache.refreshes(now: 1000 + day - 1, max: 10) == [])
        #expect(cache.refreshes(now: 1000 + day, max: 0) == [])
        #expect(cache.refreshes(now: 1000 + day, max: 10) == ["x"])
        #expect(cache.refreshes(now: 1000 + day, max: 10) == [])
        // Mail goes by what is known meanwhile.
        let advice = cache.consult(domain: "x", record: Self.record("1"), now: 1000 + day)
        #expect(advice == .use(Self.first))
        cache.fetchFailed(domain: "x", now: 1000 + day)
        #expect(cache.refreshes(now: 1000 + day + 299, max: 10) == [])
        #expect(cache.refreshes(now: 1000 + day + 300, max: 10) == ["x"])
        cache.fetched(Self.second, domain: "x", now: 2000 + day)
        let later = cache.consult(domain: "x", record: nil, now: 1_001_000 + day)
        #expect(later == .use(Self.second))
    }

    @Test func whatNobodyAsksForIsNotRefreshed() {
        var cache = Self.filled()
        #expect(cache.refreshes(now: 1000 + STSCache.interestSeconds, max: 10) == [])
    }

    /// Answers to questions that nobody asked change nothing.
    @Test func strayAnswers() {
        var cache = Self.filled()
        cache.fetched(Self.second, domain: "x", now: 1001)
        cache.fetched(Self.second, domain: "y", now: 1001)
        cache.fetchFailed(domain: "y", now: 1001)
        #expect(cache.count == 1)
        #expect(cache.consult(domain: "x", record: nil, now: 1002) == .use(Self.first))
    }

    /// Domains without a policy go first, then those that were not consulted for longest.
    @Test func domainsAreBounded() {
        var cache = STSCache(domainsMax: 80)
        for index in 0..<40 {
            _ = cache.consult(domain: "p\(index)", record: Self.record("1"), now: Int64(index))
            cache.fetched(Self.first, domain: "p\(index)", now: Int64(index))
        }
        for index in 0..<1000 {
            _ = cache.consult(domain: "n\(index)", record: Self.record("1"), now: 100)
            cache.fetchFailed(domain: "n\(index)", now: 100)
            #expect(cache.count <= 80)
        }
        for index in 0..<40 {
            #expect(cache.consult(domain: "p\(index)", record: nil, now: 200) == .use(Self.first))
        }
        for index in 40..<200 {
            _ = cache.consult(domain: "p\(index)", record: Self.record("1"), now: 300)
            cache.fetched(Self.first, domain: "p\(index)", now: 300)
            #expect(cache.count <= 80)
        }
        #expect(cache.consult(domain: "p0", record: nil, now: 400) == .use(nil))
        #expect(cache.consult(domain: "p199", record: nil, now: 400) == .use(Self.first))
    }
}
