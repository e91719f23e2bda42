// SPDX-License-Identifier: Apache-2.0
//
// One of the parallel connections of a run: a session on it, then the next.

internal import EventLoop
internal import MailBytes

/// Runs sessions one after another, as long as the run has any.
final class LoadConnection: StreamHandler {
    private unowned let run: LoadRun
    private let number: Int
    private let target: (scenario: LoadPlan.Scenario, address: NetworkAddress)
    private var stream: (any ByteStream)?
    private var reader = ReplyReader()
    private var exchanges: [Exchange] = []
    private var next = 0
    private var user: Int?
    private var phase = Phase.idle
    private var began = SuspendingClock.now

    private enum Phase: Equatable {
        case idle
        case awaitingGreeting
        /// The greeting is there, but not yet that of all others.
        case greeted
        case exchanging
        /// Only the server's end of the connection is missing.
        case finished
        case failed
    }

    init(_ run: LoadRun, number: Int) {
        self.run = run
        self.number = number
        self.target = run.plan.targets[number % run.plan.targets.count]
    }

    /// Begins a session.
    func begin() {
        self.began = SuspendingClock.now
        self.reader.beginSession()
        self.reader.expect(self.run.script.greeting(of: self.target.scenario).replies)
        self.phase = .awaitingGreeting
        do throws(EventLoopError) {
            let stream = try self.run.loop.connect(
                to: .ip(self.target.address),
                localAddress: self.run.plan.source(ofConnection: self.number)
            )
            self.stream = stream
            stream.handler = self
            stream.setDeadline(seconds: self.run.plan.sessionSecondsMax)
        } catch {
            // Later, because the next session is likely to fail in the same way at once.
            self.run.loop.after(seconds: 0.01) {
                self.phase = .idle
                self.run.sessionFailed("\(error)", of: self)
            }
        }
    }

    /// Goes on after the greeting.
    func proceed() {
        guard self.phase == .greeted else { return }
        self.phase = .exchanging
        self.next = 0
        switch self.target.scenario {
        case .smtp:
            self.exchanges = self.run.script.submission(to: self.run.nextRecipients())
        case .quit:
            self.exchanges = self.run.script.farewell
        case .stat, .retr:
            let user = self.run.borrowUser()
            self.user = user
            self.exchanges = self.run.script.login(user, listing: self.target.scenario)
        }
        self.sendNext()
    }

    // MARK: - StreamHandler

    func connected(_ stream: any ByteStream) {
        if let tls = self.run.tls { stream.startTLS(tls) }
    }

    func secured(_ stream: any ByteStream) {
        stream.setDeadline(seconds: self.run.plan.sessionSecondsMax)
    }

    func received(_ octets: borrowing Span<UInt8>, from stream: any ByteStream) -> Consumption {
        switch self.phase {
        case .awaitingGreeting, .exchanging:
            break
        case .idle, .greeted, .finished, .failed:
            self.fail("the server speaks unasked")
            return Consumption(count: octets.count, next: .finished)
        }
        let (consumed, outcome) = self.reader.read(octets)
        switch outcome {
        case .incomplete:
            break
        case .complete:
            self.exchangeCompleted()
        case .failed(let text):
            self.fail(text)
            return Consumption(count: octets.count, next: .finished)
        }
        return Consumption(count: consumed, next: .awaitMore)
    }

    func inputEnded(_ stream: any ByteStream) {
        guard self.phase == .finished else { return self.fail("the server ended the connection") }
        stream.abort()
    }

    func drained(_ stream: any ByteStream) {}

    func deadlinePassed(_ stream: any ByteStream) {
        self.fail("no end within \(self.run.plan.sessionSecondsMax) s")
    }

    func ended(_ stream: any ByteStream) {
        let phase = self.phase
        self.phase = .idle
        self.stream = nil
        if let user = self.user { self.run.giveBack(user) }
        self.user = nil
        switch phase {
        case .finished:
            self.run.sessionSucceeded(in: SuspendingClock.now - self.began, on: self)
        case .failed:
            self.run.connectionIsFree(self)
        case .idle, .awaitingGreeting, .greeted, .exchanging:
            self.run.sessionFailed("the connection broke", of: self)
        }
    }

    // MARK: -

    private func exchangeCompleted() {
        if self.phase == .awaitingGreeting {
            self.phase = .greeted
            return self.run.wasGreeted(self)
        }
        self.next += 1
        if self.next == self.exchanges.count { self.scriptEnded() } else { self.sendNext() }
    }

    private func scriptEnded() {
        guard self.target.scenario == .retr, self.exchanges.last?.replies.last == .uniqueIDs else {
            self.phase = .finished
            return
        }
        self.exchanges = self.run.script.retrieval(ofMessages: self.reader.messageCount)
        self.next = 0
        self.sendNext()
    }

    private func sendNext() {
        let exchange = self.exchanges[self.next]
        self.reader.expect(exchange.replies)
        self.stream?.send(exchange.request.span)
    }

    private func fail(_ text: String) {
        guard self.phase != .failed else { return }
        self.phase = .failed
        self.run.noteFailure("\(self.target.scenario.rawValue): \(text)")
        self.stream?.abort()
    }
}
