// SPDX-License-Identifier: Apache-2.0
//
// Logins. A password that was found right lately is found again here on the loop; any other is
// checked by a worker. Each step gives the session's answer, or nil while it waits for another.

internal import Credentials
internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import POP3Protocol

extension POP3Driver {
    /// Serial number of a request whose answer nobody waits for.
    private static let improvementSerial: UInt32 = .max

    func logIn(_ method: POP3ServerSession.LoginMethod) -> POP3ServerSession.Answer? {
        let name = self.session.userName.copy()
        let secret = self.session.secret.copy()
        let address = self.server.directory.address(name.span)
        let proof: LoginAttempt.Proof =
            switch method {
            case .password: .password(secret)
            case .apop: .apop(timestamp: self.session.apopTimestamp.copy(), digest: secret)
            }
        self.login = LoginInProgress(
            name: name,
            address: address,
            proof: proof,
            startedAt: self.server.time.now
        )
        guard let address else { return self.check() }
        if method == .password,
            let account = self.server.credentials.account(of: address, ifPasswordIs: secret)
        {
            return self.open(account)
        }
        self.askForAccount(address)
        return nil
    }

    private func askForAccount(_ address: Address) {
        self.login?.readAt = self.server.changes.now
        self.asked = .account
        self.server.storage.read(.account(address), for: self.question.next(self.stream.id))
    }

    func accountRead(_ reply: StorageReply) -> POP3ServerSession.Answer? {
        guard case .account(let record) = reply else { return self.endLogin(.temporaryFailure) }
        self.login?.account = record
        return self.check()
    }

    private func check() -> POP3ServerSession.Answer? {
        guard let login = self.login else { return .temporaryFailure }
        let attempt = LoginAttempt(account: login.account, proof: login.proof)
        self.asked = .password
        let ticket = self.question.next(self.stream.id)
        guard self.server.passwords.check(attempt, for: ticket) else {
            self.question.forget()
            return self.endLogin(.temporaryFailure)
        }
        return nil
    }

    func passwordJudged(_ reply: StorageReply) -> POP3ServerSession.Answer? {
        guard case .judged(let verdict) = reply, let login = self.login else {
            return self.endLogin(.temporaryFailure)
        }
        // The verdict is about what was read; if that has changed since, it is worth nothing.
        if let address = login.address,
            self.server.changes.isOutdated(address, since: login.readAt)
        {
            guard login.restarts < LoginInProgress.restartsMax else {
                return self.endLogin(.temporaryFailure)
            }
            self.login?.restarts += 1
            self.askForAccount(address)
            return nil
        }
        guard verdict.isValid, let account = login.account else { return self.refuseLogin() }
        if case .password(let password) = login.proof {
            self.server.credentials.remember(account.address, password, account.id)
        }
        if let record = verdict.betterRecord {
            self.server.storage.write(
                .improveVerifier(
                    account.address,
                    replacing: account.verifier,
                    with: record.text
                ),
                for: Ticket(connection: self.stream.id, serial: Self.improvementSerial)
            )
        }
        return self.open(account.id)
    }

    /// An unknown user and a wrong password look the same, in words and in time: the answer comes
    /// at a fixed delay after the attempt began.
    private func refuseLogin() -> POP3ServerSession.Answer? {
        self.server.journal.loginFailed(self.login?.name ?? [], stream: self.stream)
        let due = (self.login?.startedAt ?? 0) + self.server.limits.loginFailureSeconds
        let delay = due - self.server.time.now
        guard delay > 0 else { return self.endLogin(.loginRefused) }
        self.asked = .delay
        self.server.answerLater(
            .delayPassed,
            for: self.question.next(self.stream.id),
            after: delay
        )
        return nil
    }

    private func open(_ account: AccountID) -> POP3ServerSession.Answer? {
        guard self.server.locks.take(account, for: self.stream.id) else {
            return self.endLogin(.maildropLocked)
        }
        self.maildrop = OpenMaildrop(account: account)
        guard !self.server.loginDelays.isTooSoon(account, at: self.server.time.now) else {
            return self.endLogin(.loginDelayed)
        }
        if let head = self.server.heads.head(of: account) { return self.enter(account, head) }
        let ticket = self.question.next(self.stream.id)
        self.asked = .maildrop(ticket)
        self.server.heads.willAsk(account, ticket)
        self.server.storage.read(.maildrop(account), for: ticket)
        return nil
    }

    func maildropRead(_ reply: StorageReply, _ ticket: Ticket) -> POP3ServerSession.Answer? {
        guard let account = self.maildrop?.account else { return self.endLogin(.temporaryFailure) }
        switch reply {
        case .maildrop(let head):
            self.server.heads.remember(head, of: account, ticket)
            return self.enter(account, head)
        case .failed(.gone):
            // The account went away between the check and now.
            return self.refuseLogin()
        default:
            return self.endLogin(.temporaryFailure)
        }
    }

    private func enter(_ account: AccountID, _ head: MaildropHead) -> POP3ServerSession.Answer {
        self.maildrop?.head = head
        self.server.loginDelays.record(account, at: self.server.time.now)
        self.server.journal.loggedIn(self.login?.name ?? [], head, stream: self.stream)
        return self.endLogin(.loggedIn(messages: head.count, octets: head.octets))
    }

    func endLogin(_ answer: POP3ServerSession.Answer) -> POP3ServerSession.Answer {
        self.login = nil
        self.asked = .nothing
        if case .loggedIn = answer {} else { self.releaseMaildrop() }
        return answer
    }
}
