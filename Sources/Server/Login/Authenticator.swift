// SPDX-License-Identifier: Apache-2.0
//
// From what a client shows to the account it belongs to, for every protocol. A password that was
// found right lately is found again here on the loop; any other proof is checked by a worker. An
// unknown user and a wrong password look the same, in words and in time.
//
// Each step gives the outcome, or nil while the login waits for the answer to its ticket.

internal import Credentials
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax

/// The logins of all sessions, and what they leave behind.
final class Authenticator {
    private unowned let server: MailServer
    private var memory: CredentialMemory
    private var throttle: LoginThrottle
    let settings: LoginSettings

    /// Serial number of a request whose answer nobody waits for.
    private static let improvementSerial: UInt32 = .max

    init(server: MailServer, settings: LoginSettings) {
        self.server = server
        self.settings = settings
        self.memory = CredentialMemory(entriesMax: server.limits.credentialCacheEntries)
        self.throttle = LoginThrottle(limits: server.limits.loginThrottle)
    }

    /// A login that begins now.
    func login(
        _ name: [UInt8],
        _ proof: LoginAttempt.Proof,
        for service: StaticString
    ) -> Login {
        Login(
            name: name,
            proof: proof,
            service: service,
            address: self.server.directory.address(name.span),
            startedAt: self.server.time.now
        )
    }

    // MARK: - Steps

    func begin(
        _ login: inout Login,
        on stream: any ByteStream,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        guard !self.isBanned(stream) else { return self.turnAway(&login, ticket) }
        guard let address = login.address else { return self.proceed(&login, on: stream, ticket) }
        // Before anything that a right password answers faster: else a guesser would know at once.
        let wait = self.wait(before: address, from: stream.client)
        guard wait > 0 else {
            if case .password(let password) = login.proof,
                let id = self.memory.account(of: address, ifPasswordIs: password)
            {
                return self.succeed(LoggedInAccount(id: id, address: address), on: stream)
            }
            return self.proceed(&login, on: stream, ticket)
        }
        login.stage = .waiting
        self.server.answerLater(.delayPassed, for: ticket, after: wait)
        return nil
    }

    /// Seconds; nobody of an exempt network waits for what others do.
    private func wait(before account: Address, from client: NetworkAddress) -> Double {
        guard !self.server.isExempt(client) else { return 0 }
        return self.throttle.wait(
            before: account,
            from: client.clientKey,
            at: self.server.time.now
        )
    }

    /// Takes the answer to the ticket of the step before.
    func receive(
        _ reply: StorageReply,
        for login: inout Login,
        on stream: any ByteStream,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        switch login.stage {
        case .begun, .offered:
            preconditionFailure("nothing was asked for this login")
        case .waiting:
            guard !self.isBanned(stream) else { return self.turnAway(&login, ticket) }
            return self.proceed(&login, on: stream, ticket)
        case .reading:
            guard case .account(let record) = reply else { return .temporaryFailure }
            login.account = record
            return self.check(&login, on: stream, ticket)
        case .judging:
            guard case .judged(let verdict) = reply else { return .temporaryFailure }
            return self.conclude(&login, verdict, on: stream, ticket)
        case .refused(let outcome):
            return outcome
        }
    }

    /// Looks for the account, unless the proof itself says which it is.
    private func proceed(
        _ login: inout Login,
        on stream: any ByteStream,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        guard !login.proof.namesAccount, let address = login.address else {
            return self.check(&login, on: stream, ticket)
        }
        return self.read(&login, address, ticket)
    }

    private func read(
        _ login: inout Login,
        _ address: Address,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        login.readAt = self.server.changes.now
        login.stage = .reading
        self.server.storage.read(.account(address), for: ticket)
        return nil
    }

    /// Judges the proof, or lets a worker do it; without an account, the same work is done.
    private func check(
        _ login: inout Login,
        on stream: any ByteStream,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        switch login.proof {
        case .scram(let hash, let channelBinding):
            return self.offer(&login, SCRAMKeys.Mechanism(hash), channelBinding)
        case .certificate:
            return self.conclude(&login, PasswordVerdict(isValid: true), on: stream, ticket)
        case .token where login.isProven:
            return self.conclude(&login, PasswordVerdict(isValid: true), on: stream, ticket)
        case .password, .apop, .cramMD5, .token:
            let attempt = LoginAttempt(account: login.account, proof: login.proof)
            login.stage = .judging
            return self.server.passwords.check(attempt, for: ticket) ? nil : .temporaryFailure
        }
    }

    private func conclude(
        _ login: inout Login,
        _ verdict: PasswordVerdict,
        on stream: any ByteStream,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        // Whoever sent many guesses at once has no more of them than who sent one by one.
        guard !self.isBanned(stream) else { return self.turnAway(&login, ticket) }
        if verdict.isValid, !login.isProven, let identity = verdict.identity {
            return self.find(identity, &login, on: stream, ticket)
        }
        // The verdict is about what was read; if that has changed since, it is worth nothing.
        if let address = login.address, self.isOutdated(address, since: login.readAt) {
            guard login.restarts < Login.restartsMax else { return .temporaryFailure }
            login.restarts += 1
            return self.read(&login, address, ticket)
        }
        guard verdict.isValid, let record = login.account else {
            return self.refuse(&login, on: stream, ticket)
        }
        if case .password(let password) = login.proof {
            self.memory.remember(record.address, password, record.id)
        }
        if let better = verdict.betterRecord { self.improve(record, better, ticket) }
        return self.succeed(LoggedInAccount(id: record.id, address: record.address), on: stream)
    }

    /// A token is good: the account it is for is looked for.
    ///
    /// A client that names another was given
    /// a token that is not its own.
    private func find(
        _ identity: [UInt8],
        _ login: inout Login,
        on stream: any ByteStream,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        let address = self.server.directory.address(identity.span)
        guard let address, login.name.isEmpty || address == login.address else {
            return self.refuse(&login, on: stream, ticket)
        }
        login.isProven = true
        login.address = address
        return self.read(&login, address, ticket)
    }

    private func improve(_ record: AccountRecord, _ better: PasswordRecord, _ ticket: Ticket) {
        self.server.storage.write(
            .improveVerifier(record.address, replacing: record.verifier, with: better.text),
            for: Ticket(connection: ticket.connection, serial: Self.improvementSerial)
        )
    }

    func succeed(
        _ account: LoggedInAccount,
        on stream: any ByteStream
    ) -> LoginOutcome {
        self.throttle.succeeded(account.address, from: stream.client.clientKey)
        return .accepted(account)
    }

    // MARK: - Refusals

    /// The answer comes at a fixed delay after the login began, longer the more there were.
    func refuse(
        _ login: inout Login,
        on stream: any ByteStream,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        let now = self.server.time.now
        let consequence = self.throttle.failed(
            login.address,
            from: stream.client.clientKey,
            isExempt: self.server.isExempt(stream.client),
            at: now
        )
        self.server.sweepLater()
        self.server.journal.loginFailed(login.name, login.service, stream: stream)
        if consequence.beginsBan {
            self.server.journal.clientBanned(self.server.limits.loginBanSeconds, stream: stream)
        }
        let due = login.startedAt + consequence.delaySeconds
        return self.putOff(.refused, &login, until: due, ticket)
    }

    /// Tells a banned client so, no sooner than it would be told of a wrong password.
    func turnAway(_ login: inout Login, _ ticket: Ticket) -> LoginOutcome? {
        let due = self.server.time.now + self.server.limits.loginFailureSeconds
        return self.putOff(.throttled, &login, until: due, ticket)
    }

    private func putOff(
        _ outcome: LoginOutcome,
        _ login: inout Login,
        until due: Double,
        _ ticket: Ticket
    ) -> LoginOutcome? {
        let delay = due - self.server.time.now
        guard delay > 0 else { return outcome }
        login.stage = .refused(outcome)
        self.server.answerLater(.delayPassed, for: ticket, after: delay)
        return nil
    }

    /// Whether the client of the stream may not try at all.
    func isBanned(_ stream: any ByteStream) -> Bool {
        self.throttle.isBanned(stream.client.clientKey, at: self.server.time.now)
    }

    var now: Double { self.server.time.now }

    /// Whether the account may have changed since that moment.
    func isOutdated(_ address: Address, since moment: AccountChanges.Moment) -> Bool {
        self.server.changes.isOutdated(address, since: moment)
    }

    // MARK: - Upkeep

    /// The account has changed or is gone: its password is to be checked anew.
    func forget(_ address: Address) { self.memory.forget(address) }

    /// Forgets failures that are over; false when none is left.
    func sweep(at now: Double) -> Bool {
        self.throttle.sweep(at: now)
        return !self.throttle.isEmpty
    }
}
