// SPDX-License-Identifier: Apache-2.0
//
// A closed-loop run over its connections: who begins when, who reads whose mail, what is counted.

package import EventLoop
internal import MailBytes

/// One run of a plan.
package final class LoadRun {
    let plan: LoadPlan
    let tls: TLSService?
    let loop: EventLoop
    let script: LoadScript
    private var connections: [LoadConnection] = []
    private var report: LoadReport
    private var generator: SeededGenerator
    private var began = SuspendingClock.now
    private var sessionsBegun = 0
    private var connectionsStarted = 0
    private var connectionsGreeted = 0
    private var recipientsTaken = 0
    private var userIsReading: [Bool]
    private var nextUser = 0
    private var whenEnded: () -> Void = {}

    /// More connections than this are not opened before the first of them are greeted, so that no
    /// server's backlog overflows.
    private static let openingsMax = 128

    /// A run on a loop of the caller's, with implicit TLS when there is a client's service for it.
    package init(_ plan: LoadPlan, tls: TLSService? = nil, on loop: EventLoop) {
        precondition(!plan.targets.isEmpty && plan.users >= 1, "a plan has targets and users")
        self.plan = plan
        self.tls = tls
        self.loop = loop
        self.script = LoadScript(plan)
        self.report = LoadReport(expecting: plan.sessions)
        self.generator = SeededGenerator(seed: plan.seed)
        self.userIsReading = Array(repeating: false, count: plan.users)
    }

    /// Begins; `ended` hears the report.
    package func start(ended: @escaping (LoadReport) -> Void) {
        self.whenEnded = { [unowned self] in ended(self.report) }
        self.began = SuspendingClock.now
        let count = min(self.plan.connections, self.plan.sessions)
        self.connections = (0..<count).map { LoadConnection(self, number: $0) }
        for _ in 0..<min(count, Self.openingsMax) { self.startConnection() }
    }

    private func startConnection() {
        guard self.connectionsStarted < self.connections.count,
            self.sessionsBegun < self.plan.sessions
        else { return }
        self.connectionsStarted += 1
        self.sessionsBegun += 1
        self.connections[self.connectionsStarted - 1].begin()
    }

    // MARK: - From the connections

    func wasGreeted(_ connection: LoadConnection) {
        self.connectionsGreeted += 1
        self.startConnection()
        guard self.plan.startsTogether else { return connection.proceed() }
        self.startTogether()
    }

    private func startTogether() {
        guard self.plan.startsTogether else { return }
        let settled = self.connectionsGreeted + self.report.failures
        guard settled >= self.connections.count else { return }
        for connection in self.connections { connection.proceed() }
    }

    func nextRecipients() -> [Int] {
        (0..<self.plan.messagesPerSession).map { _ in
            self.recipientsTaken += 1
            return self.plan.takesRecipientsInTurn
                ? (self.recipientsTaken - 1) % self.plan.users
                : Int.random(in: 0..<self.plan.users, using: &self.generator)
        }
    }

    /// A user whose maildrop no session of this run has open; a maildrop admits one at a time.
    func borrowUser() -> Int {
        var tries = self.plan.users
        while self.userIsReading[self.nextUser], tries > 0 {
            self.nextUser = (self.nextUser + 1) % self.plan.users
            tries -= 1
        }
        defer { self.nextUser = (self.nextUser + 1) % self.plan.users }
        self.userIsReading[self.nextUser] = true
        return self.nextUser
    }

    func giveBack(_ user: Int) { self.userIsReading[user] = false }

    func sessionSucceeded(in time: Duration, on connection: LoadConnection) {
        self.report.sessionSucceeded(in: time)
        self.connectionIsFree(connection)
    }

    /// A session failed whose connection is gone already.
    func sessionFailed(_ text: String, of connection: LoadConnection) {
        self.noteFailure(text)
        self.connectionIsFree(connection)
    }

    func noteFailure(_ text: String) { self.report.sessionFailed(text) }

    func connectionIsFree(_ connection: LoadConnection) {
        self.startTogether()
        if self.sessionsBegun < self.plan.sessions {
            self.sessionsBegun += 1
            return connection.begin()
        }
        guard self.report.sessions + self.report.failures == self.plan.sessions else { return }
        self.report.seconds = (SuspendingClock.now - self.began) / .seconds(1)
        self.whenEnded()
    }
}
