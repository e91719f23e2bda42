// SPDX-License-Identifier: Apache-2.0
//
// A resolver, the server it asks, and a loop that runs until what was asked is answered.

import DNSProtocol
import DNSSupport
import EventLoop
import MailBytes
import Resolver
import Testing

final class ResolverHarness {
    let loop: EventLoop
    let server: DNSServer
    private(set) var resolver: Resolver?
    private(set) var answers: [DNSAnswer] = []
    private var awaited = 0

    init(
        _ zones: DNSZones,
        configure: (inout ResolverSettings) -> Void = { _ in }
    ) throws {
        self.loop = try EventLoop(connectionsMax: 8)
        self.server = try DNSServer(zones)
        var settings = ResolverSettings(
            servers: .addresses([self.server.address]),
            trustAnchors: .none
        )
        configure(&settings)
        self.resolver = try Resolver(loop: self.loop, settings: settings)
    }

    deinit { self.server.stop() }

    /// Asks, without waiting.
    @discardableResult
    func ask(
        _ name: String,
        _ type: DNSRecordType,
        answered: @escaping (DNSAnswer) -> Void = { _ in }
    ) -> ResolverQuery? {
        self.awaited += 1
        return self.resolver?.lookUp(name, type) { [unowned self] answer in
            self.answers.append(answer)
            self.awaited -= 1
            answered(answer)
            if self.awaited == 0 { self.loop.stop() }
        }
    }

    /// Asks and runs the loop until the answer is there.
    func answer(_ name: String, _ type: DNSRecordType) throws -> DNSAnswer {
        self.ask(name, type)
        try self.run()
        return try #require(self.answers.last)
    }

    /// Takes the question back.
    func cancel(_ query: ResolverQuery?) {
        guard let query else { return }
        self.awaited -= 1
        self.resolver?.cancel(query)
    }

    /// Runs the loop until nothing is awaited.
    func run(seconds: Double = 20) throws {
        guard self.awaited > 0 else { return }
        var isLate = false
        let limit = self.loop.after(seconds: seconds) { [unowned loop] in
            isLate = true
            loop.stop()
        }
        self.loop.run()
        limit.cancel()
        try #require(!isLate, "the answers come in time")
    }

    /// Runs the loop for so long, whatever happens.
    func rest(seconds: Double) {
        self.loop.after(seconds: seconds) { [unowned loop] in loop.stop() }
        self.loop.run()
    }

    func dropResolver() { self.resolver = nil }
}

extension DNSAnswer {
    /// Why nobody could tell; nil when somebody could.
    var failure: String? {
        if case .failed(let why) = self.outcome { return why }
        return nil
    }
}
