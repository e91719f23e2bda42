// SPDX-License-Identifier: Apache-2.0
//
// Policies fetched from a server of the test's own, with an authority of its own.

import EventLoop
import Foundation
import MailBytes
import Testing

@testable import PolicyFetch

/// A fetcher and the server it is to ask.
private final class Harness {
    let loop: EventLoop
    let server: PolicyServer
    private(set) var fetcher: PolicyFetcher?
    private(set) var results: [Result<[UInt8], PolicyFetchError>] = []
    private var awaited = 0
    static let loopback = NetworkAddress(ipv4: 0x7f00_0001, port: 0)

    init(
        _ behaviour: WebBehaviour,
        certificate: PolicyCertificates.Files? = PolicyCertificates.shared.good,
        on address: NetworkAddress = Harness.loopback,
        configure: (inout PolicyFetchSettings) -> Void = { _ in }
    ) throws {
        self.loop = try EventLoop(connectionsMax: 64)
        self.server = try PolicyServer(self.loop, certificate, behaviour, on: address)
        var settings = PolicyFetchSettings()
        settings.port = self.server.port
        settings.authoritiesFile = PolicyCertificates.shared.authority.chainPath
        settings.secondsMax = 10
        configure(&settings)
        self.fetcher = PolicyFetcher(loop: self.loop, settings: settings)
    }

    @discardableResult
    func begin(
        _ domain: String = "example.test",
        _ addresses: [NetworkAddress] = [Harness.loopback],
        ended: @escaping () -> Void = {}
    ) -> PolicyFetch? {
        self.awaited += 1
        return self.fetcher?.fetch(domain: domain, addresses: addresses) { [unowned self] result in
            self.results.append(result)
            self.awaited -= 1
            ended()
            if self.awaited == 0 { self.loop.stop() }
        }
    }

    func fetch(
        _ domain: String = "example.test",
        _ addresses: [NetworkAddress] = [Harness.loopback]
    ) throws -> Result<[UInt8], PolicyFetchError> {
        self.begin(domain, addresses)
        try self.run()
        return try #require(self.results.last)
    }

    func cancel(_ fetch: PolicyFetch?) {
        guard let fetch else { return }
        self.awaited -= 1
        self.fetcher?.cancel(fetch)
    }

    func run(seconds: Double = 30) throws {
        var isLate = false
        let limit = self.loop.after(seconds: seconds) { [unowned loop] in
            isLate = true
            loop.stop()
        }
        self.loop.run()
        limit.cancel()
        try #require(!isLate, "the fetches end in time")
    }

    func rest(seconds: Double) {
        self.loop.after(seconds: seconds) { [unowned loop] in loop.stop() }
        self.loop.run()
    }

    func dropFetcher() { self.fetcher = nil }
}

@Suite struct PolicyFetchTests {
    private static let policy =
        "version: STSv1\r\nmode: enforce\r\nmx: mail.example.test\r\nmax_age: 604800\r\n"

    private static func isCertificate(_ result: Result<[UInt8], PolicyFetchError>) -> Bool {
        if case .failure(.certificate(let why)) = result { return !why.isEmpty }
        return false
    }

    private static func isUnreachable(_ result: Result<[UInt8], PolicyFetchError>) -> Bool {
        if case .failure(.unreachable(let why)) = result { return !why.isEmpty }
        return false
    }

    // MARK: - Policies

    @Test func policyIsFetched() throws {
        let harness = try Harness(.policy(Self.policy))
        #expect(try harness.fetch() == .success(Array(Self.policy.utf8)))
        let request = try #require(harness.server.requests.first)
        #expect(request.hasPrefix("GET /.well-known/mta-sts.txt HTTP/1.1\r\n"))
        #expect(request.contains("\r\nHost: mta-sts.example.test:\(harness.server.port)\r\n"))
        // And once more, over a connection of its own.
        #expect(try harness.fetch() == .success(Array(Self.policy.utf8)))
        #expect(harness.server.requests.count == 2)
    }

    @Test func chunksAreTaken() throws {
        let harness = try Harness(
            .send(
                "HTTP/1.1 200 OK\r\nContent-Type: TEXT/Plain\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + "9\r\nversion: \r\n6\r\nSTSv1\n\r\n0\r\n\r\n"
            )
        )
        #expect(try harness.fetch() == .success(Array("version: STSv1\n".utf8)))
    }

    @Test func emptyContentIsNoError() throws {
        #expect(try Harness(.policy("")).fetch() == .success([]))
    }

    @Test func nothingComesInsideTheCall() throws {
        let harness = try Harness(.policy(Self.policy))
        for (domain, addresses) in [
            ("example.test", [Harness.loopback]), ("example.test", []), ("no name", []),
        ] {
            var isTold = false
            harness.begin(domain, addresses) { isTold = true }
            #expect(!isTold)
            try harness.run()
            #expect(isTold)
        }
    }

    @Test func everyAddressIsTried() throws {
        let harness = try Harness(.policy(Self.policy))
        let dead = NetworkAddress(ipv4: 0x7f00_0009, port: 4711)
        #expect(try harness.fetch("example.test", [dead, Harness.loopback]).isSuccess)
        let v6 = NetworkAddress(ipv6: 0, 1, port: 0)
        let other = try Harness(.policy(Self.policy), on: v6)
        #expect(try other.fetch("example.test", [v6, .unix]).isSuccess)
        // The addresses of one domain are not those of the next fetch.
        #expect(try harness.fetch("example.test", [dead]).isSuccess == false)
    }

    // MARK: - Who the server is

    @Test func certificateMustBeForTheHost() throws {
        let certificates = PolicyCertificates.shared
        for bad in [certificates.other, certificates.stranger] {
            let harness = try Harness(.policy(Self.policy), certificate: bad)
            let result = try harness.fetch()
            #expect(Self.isCertificate(result), "\(result)")
            #expect(harness.server.requests.isEmpty)
        }
        let wild = try Harness(.policy(Self.policy), certificate: certificates.wild)
        #expect(try wild.fetch().isSuccess)
        let other = try wild.fetch("sub.example.test")
        #expect(Self.isCertificate(other), "\(other)")
    }

    @Test func configuredAuthoritiesStandInPlaceOfTheSystems() throws {
        let system = try Harness(.policy(Self.policy)) { $0.authoritiesFile = nil }
        let systemResult = try system.fetch()
        #expect(Self.isCertificate(systemResult), "\(systemResult)")
        let missing = try Harness(.policy(Self.policy)) {
            $0.authoritiesFile = "/nowhere/authorities.pem"
        }
        let missingResult = try missing.fetch()
        #expect(Self.isCertificate(missingResult), "\(missingResult)")
    }

    @Test func nothingIsAskedInClear() throws {
        let harness = try Harness(.policy(Self.policy), certificate: nil)
        #expect(try Self.isUnreachable(harness.fetch()))
        #expect(!harness.server.requests.contains { $0.contains("GET") })
    }

    // MARK: - Answers that are none

    @Test(arguments: [
        ("301 Moved", 301), ("302 Found", 302), ("404 Not Found", 404), ("500 Oh", 500),
        ("204 No Content", 204), ("206 Partial Content", 206),
    ])
    func otherAnswersAreRefused(status: String, code: Int) throws {
        let harness = try Harness(
            .send(
                "HTTP/1.1 \(status)\r\nLocation: https://mta-sts.example.test/other\r\n"
                    + "Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
            )
        )
        #expect(try harness.fetch() == .failure(.status(code)))
        // No redirection is followed (RFC 8461, section 3.3).
        #expect(harness.server.requests.count == 1)
    }

    @Test(arguments: ["text/html", "text/plainer", "application/octet-stream", ""])
    func otherMediaTypesAreRefused(type: String) throws {
        let field = type.isEmpty ? "" : "Content-Type: \(type)\r\n"
        let harness = try Harness(.send("HTTP/1.1 200 OK\r\n\(field)Content-Length: 1\r\n\r\nx"))
        #expect(try harness.fetch() == .failure(.mediaType(type)))
    }

    @Test func longPoliciesAreRefused() throws {
        let harness = try Harness(.policy(String(repeating: "x", count: 100))) {
            $0.octetsMax = 100
        }
        #expect(try harness.fetch().isSuccess)
        for long in [
            WebBehaviour.policy(String(repeating: "x", count: 101)), .endless(head: false),
            .send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n"),
            .endless(head: true),
        ] {
            harness.server.behaviour = long
            #expect(try harness.fetch() == .failure(.tooLong))
        }
    }

    @Test(arguments: [
        "nonsense\r\n\r\n", "SSH-2.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\0\0\0\0\r\n\r\n", "",
    ])
    func brokenAnswersAreNone(answer: String) throws {
        let harness = try Harness(.send(answer))
        let result = try harness.fetch()
        #expect(Self.isUnreachable(result) || result == .failure(.mediaType("")), "\(result)")
    }

    @Test func serverThatClosesOrIsNotThere() throws {
        #expect(try Self.isUnreachable(Harness(.close).fetch()))
        let harness = try Harness(.close)
        let dead = NetworkAddress(ipv4: 0x7f00_0009, port: 0)
        #expect(try Self.isUnreachable(harness.fetch("example.test", [dead])))
    }

    @Test(arguments: [
        "", ".", "a..test", "exa mple.test", "example.test/x", "example.test:1",
        "user@example.test",
        "example.test\u{0}", "ex\u{e4}mple.test", "[::1]", String(repeating: "a", count: 64),
        String(repeating: "a.", count: 130) + "test", "a\r\nb.test", "#", "?",
    ])
    func whatIsNoDomainIsNotAsked(domain: String) throws {
        let harness = try Harness(.policy(Self.policy))
        #expect(try Self.isUnreachable(harness.fetch(domain)))
        #expect(harness.server.requests.isEmpty)
    }

    // MARK: - Time and number

    @Test(arguments: [WebBehaviour.silent, .drip(seconds: 0.05)])
    func slowServersAreLeft(behaviour: WebBehaviour) throws {
        let harness = try Harness(behaviour) { $0.secondsMax = 0.6 }
        let start = harness.loop.now
        #expect(try harness.fetch() == .failure(.timedOut))
        #expect((0.5..<3).contains(harness.loop.now - start))
    }

    /// The connection is taken, and no handshake begins.
    @Test func silentHandshakesAreLeft() throws {
        let harness = try Harness(.silent, certificate: nil) { $0.secondsMax = 0.6 }
        #expect(try harness.fetch() == .failure(.timedOut))
    }

    @Test func fewAreUnderWayAtOnce() throws {
        let harness = try Harness(.policy(Self.policy)) { $0.inFlightMax = 2 }
        for _ in 0..<20 { harness.begin() }
        try harness.run()
        #expect(harness.results.count == 20)
        #expect(harness.results.allSatisfy { $0.isSuccess })
        #expect((1...2).contains(harness.server.connectionsMax))
    }

    @Test func tooManyAreRefused() throws {
        let harness = try Harness(.policy(Self.policy)) {
            $0.inFlightMax = 1
            $0.waitingMax = 2
        }
        for _ in 0..<5 { harness.begin() }
        try harness.run()
        #expect(harness.results.count { $0.isSuccess } == 3)
        #expect(harness.results.count { $0 == .failure(.busy) } == 2)
    }

    // MARK: - The end

    @Test func cancelledFetchesAreNotTold() throws {
        let harness = try Harness(.drip(seconds: 0.01)) { $0.inFlightMax = 1 }
        let first = harness.begin { Issue.record("nobody waits any more") }
        let second = harness.begin { Issue.record("nobody waits any more") }
        let refused = harness.begin("no name", []) { Issue.record("nobody waits any more") }
        harness.cancel(refused)
        harness.rest(seconds: 0.1)
        harness.cancel(second)
        harness.cancel(first)
        first.map { harness.fetcher?.cancel($0) }
        harness.server.behaviour = .policy(Self.policy)
        #expect(try harness.fetch().isSuccess)
        #expect(harness.results.count == 1)
    }

    @Test func fetcherMayGoAtAnyTime() throws {
        for step in 0..<12 {
            let harness = try Harness(.policy(Self.policy)) { $0.inFlightMax = 3 }
            for _ in 0..<6 { harness.begin() }
            harness.begin("no name", [])
            harness.rest(seconds: Double(step) * 0.002)
            let count = harness.results.count
            harness.dropFetcher()
            harness.rest(seconds: 0.05)
            #expect(harness.results.count == count)
            #expect(harness.server.connections == 0)
        }
    }

    @Test func fetchesMayBeginAndEndInsideATelling() throws {
        let harness = try Harness(.policy(Self.policy)) { $0.inFlightMax = 1 }
        var other: PolicyFetch?
        harness.begin {
            harness.begin { harness.begin() }
            harness.cancel(other)
        }
        other = harness.begin { Issue.record("nobody waits any more") }
        try harness.run()
        #expect(harness.results.count { $0.isSuccess } == 3)
    }

    @Test func nothingIsRetained() throws {
        final class Witness {}
        weak var ended: Witness?
        weak var cancelled: Witness?
        weak var dropped: Witness?
        let harness = try Harness(.policy(Self.policy))
        func begin(_ witness: Witness) -> PolicyFetch? {
            harness.fetcher?.fetch(domain: "example.test", addresses: [Harness.loopback]) { _ in
                _ = witness
            }
        }
        do {
            let witness = Witness()
            ended = witness
            _ = begin(witness)
        }
        #expect(ended != nil)
        harness.rest(seconds: 0.5)
        #expect(ended == nil)
        do {
            let witness = Witness()
            cancelled = witness
            let fetch = begin(witness)
            harness.rest(seconds: 0.002)
            fetch.map { harness.fetcher?.cancel($0) }
        }
        #expect(cancelled == nil)
        do {
            let witness = Witness()
            dropped = witness
            _ = begin(witness)
        }
        harness.rest(seconds: 0.002)
        harness.dropFetcher()
        #expect(dropped == nil)
    }

    /// Neither a thread of a resolver nor anything else of libcurl's is left or started.
    @Test func everythingIsOnTheLoop() throws {
        func count(_ folder: String) throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: folder).count
        }
        let harness = try Harness(.policy(Self.policy))
        #expect(try harness.fetch().isSuccess)
        let descriptors = try count("/proc/self/fd")
        for _ in 0..<60 { #expect(try harness.fetch().isSuccess) }
        // Other tests of the run have descriptors, too.
        #expect(try count("/proc/self/fd") - descriptors < 50)
    }
}

extension Result {
    var isSuccess: Bool {
        if case .success = self { return true }
        return false
    }
}
