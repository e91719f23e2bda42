// SPDX-License-Identifier: Apache-2.0
//
// A resolver on the event loop: libunbound asks, validates and remembers.

package import DNSProtocol
package import EventLoop
internal import MailBytes

/// A question that was asked and not yet answered; for `Resolver.cancel`.
package struct ResolverQuery: Hashable, BitwiseCopyable, Sendable {
    package let number: UInt64

    package init(number: UInt64) { self.number = number }
}

/// Looks names up, without ever blocking the loop.
///
/// An answer comes in a later turn of the loop, never inside the call; nothing comes after
/// `cancel`, nor after the resolver is gone. A question that is already under way is not asked
/// twice, and each one fails after `ResolverSettings.secondsMax`. What is no name (a label that is
/// too long, a U-label that does not exist) is answered with `noSuchName`.
package final class Resolver {
    private let loop: EventLoop
    private let settings: ResolverSettings
    private var context: UnboundContext
    /// The servers of the context, and the state of the file that named them.
    private(set) var servers: [NetworkAddress]
    private var stamp: FileStamp?
    private var nextLookAtFile = 0.0
    /// What is under way or waits, by question; and by who asked.
    private var flights: [DNSQuestion: ResolverFlight] = [:]
    private var flightsOfQueries: [ResolverQuery: ResolverFlight] = [:]
    /// Questions that wait, oldest first; those that were cancelled stay until their turn comes.
    private var waiting: [ResolverFlight] = []
    private var waitingStart = 0
    private var inFlight = 0
    /// What has landed and is not handed on yet.
    private var landed: [ResolverFlight] = []
    private var handingOn: Timer?
    private var lastQuery: UInt64 = 0

    /// Reads the trust anchors; throws when they, or a server, are no good.
    package init(loop: EventLoop, settings: ResolverSettings) throws(ResolverError) {
        self.loop = loop
        self.settings = settings
        (self.servers, self.stamp) = Self.servers(settings)
        self.context = try UnboundContext(loop, settings, servers: self.servers)
    }

    deinit {
        self.handingOn?.cancel()
        for flight in self.flights.values { flight.abandon() }
        for flight in self.landed { flight.abandon() }
    }

    /// The most descriptors that a resolver with these settings has open at once.
    package static func descriptorsMax(_ settings: ResolverSettings) -> Int {
        // While servers change there are two contexts; and a file is read now and then.
        (settings.udpSocketsMax + ResolverSettings.tcpSocketsMax) * 2 + 2
    }

    // MARK: - Asking

    /// Asks for the records of a type.
    @discardableResult
    package func lookUp(
        _ name: String,
        _ type: DNSRecordType,
        answer: @escaping (DNSAnswer) -> Void
    ) -> ResolverQuery {
        self.lookUpMessage(name, type) { result, _ in answer(result) }
    }

    /// As `lookUp`, with the whole message, if one came.
    @discardableResult
    package func lookUpMessage(
        _ name: String,
        _ type: DNSRecordType,
        answer: @escaping (DNSAnswer, DNSMessage?) -> Void
    ) -> ResolverQuery {
        self.lastQuery += 1
        let query = ResolverQuery(number: self.lastQuery)
        let asciiName = DomainName.ascii(name)
        let question = DNSQuestion(asciiName ?? name, type)
        let flight = self.flights[question] ?? self.makeFlight(question, isName: asciiName != nil)
        flight.add(query, answer)
        self.flightsOfQueries[query] = flight
        return query
    }

    /// Nobody waits for the answer any more; does nothing for one that was given.
    package func cancel(_ query: ResolverQuery) {
        guard let flight = self.flightsOfQueries.removeValue(forKey: query) else { return }
        flight.remove(query)
        guard !flight.isAwaited, flight.landing == nil else { return }
        self.end(flight)
        flight.abandon()
        self.launchWaiting()
    }

    private func makeFlight(_ question: DNSQuestion, isName: Bool) -> ResolverFlight {
        let flight = ResolverFlight(question) { [unowned self] in self.hasLanded($0) }
        guard isName else {
            flight.land(.noName)
            return flight
        }
        guard self.waiting.count - self.waitingStart < self.settings.waitingMax else {
            flight.land(.failure("too many questions wait"))
            return flight
        }
        self.flights[question] = flight
        flight.deadline = self.loop.after(seconds: self.settings.secondsMax) {
            [weak self, weak flight] in
            guard let self, let flight else { return }
            self.deadlinePassed(flight)
        }
        self.waiting.append(flight)
        self.launchWaiting()
        return flight
    }

    /// Asks what waits, as far as there is room.
    private func launchWaiting() {
        while self.inFlight < self.settings.inFlightMax, self.waitingStart < self.waiting.count {
            let flight = self.waiting[self.waitingStart]
            self.waitingStart += 1
            guard self.flights[flight.question] === flight else { continue }
            self.lookAtFile()
            self.inFlight += 1
            flight.context = self.context
            self.context.launch(flight)
        }
        // Moved down now and then, so that each question moves once on average.
        guard self.waitingStart * 2 >= self.waiting.count else { return }
        self.waiting.removeSubrange(..<self.waitingStart)
        self.waitingStart = 0
    }

    // MARK: - Landing

    /// Inside libunbound's callback, or even inside `lookUp`: nothing is done here but remembered.
    private func hasLanded(_ flight: ResolverFlight) {
        self.landed.append(flight)
        guard self.handingOn == nil else { return }
        self.handingOn = self.loop.after(seconds: 0) { [weak self] in self?.handOn() }
    }

    /// Outside of libunbound: here contexts may end, and whoever asked may ask again.
    private func handOn() {
        self.handingOn = nil
        var flights: [ResolverFlight] = []
        swap(&flights, &self.landed)
        for flight in flights { self.end(flight) }
        self.launchWaiting()
        for flight in flights { self.answer(flight) }
    }

    private func deadlinePassed(_ flight: ResolverFlight) {
        guard flight.landing == nil else { return }
        self.end(flight)
        flight.abandon()
        flight.land(.failure("no answer in time"))
        self.launchWaiting()
        self.answer(flight)
    }

    /// The flight is none any more; its question may be asked anew.
    private func end(_ flight: ResolverFlight) {
        flight.deadline?.cancel()
        flight.deadline = nil
        guard self.flights[flight.question] === flight else { return }
        self.flights[flight.question] = nil
        if flight.context != nil { self.inFlight -= 1 }
    }

    private func answer(_ flight: ResolverFlight) {
        let (answer, message) = flight.answer
        while let (query, listener) = flight.takeListener() {
            self.flightsOfQueries[query] = nil
            listener(answer, message)
        }
    }

    // MARK: - Servers

    private static func servers(
        _ settings: ResolverSettings
    ) -> ([NetworkAddress], FileStamp?) {
        switch settings.servers {
        case .addresses(let servers): (servers, nil)
        // Stamped first: a change in between is then seen the next time.
        case .system(let file): { ($1, $0) }(FileStamp(file), ResolvConf(file: file).servers)
        }
    }

    /// Takes other servers when the file names others; what is under way goes on with the old ones.
    private func lookAtFile() {
        guard case .system(let file) = self.settings.servers, self.loop.now >= self.nextLookAtFile
        else { return }
        self.nextLookAtFile = self.loop.now + Self.secondsBetweenLooks
        guard FileStamp(file) != self.stamp else { return }
        let (servers, stamp) = Self.servers(self.settings)
        self.stamp = stamp
        guard servers != self.servers,
            let context = try? UnboundContext(self.loop, self.settings, servers: servers)
        else { return }
        self.servers = servers
        self.context = context
    }

    private static let secondsBetweenLooks = 2.0
}
