// SPDX-License-Identifier: Apache-2.0
//
// Logins, and the way from an account to its open maildrop. Each step gives the session's answer,
// or nil while it waits for another.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import POP3Protocol
internal import SASL

extension POP3Driver {
    /// USER and PASS, or APOP.
    func logIn(_ method: POP3ServerSession.LoginMethod) -> ReadyAnswer? {
        let secret = self.session.secret.copy()
        let proof: LoginAttempt.Proof =
            switch method {
            case .password: .password(secret)
            case .apop: .apop(timestamp: self.session.apopTimestamp.copy(), digest: secret)
            }
        self.asked = .login
        return self.logIn(self.session.userName.copy(), proof).flatMap { self.answer(login: $0) }
    }

    /// AUTH.
    func authenticate(_ question: SASLQuestion) -> ReadyAnswer? {
        self.asked = .exchange
        return self.authenticate(question, self.session.exchange).map { self.answer(exchange: $0) }
    }

    func goOn(withLogin reply: StorageReply) -> ReadyAnswer? {
        self.asked = .login
        return self.loginAnswered(reply).flatMap { self.answer(login: $0) }
    }

    func goOn(withExchange reply: StorageReply) -> ReadyAnswer? {
        self.asked = .exchange
        return self.loginAnswered(reply).map { self.answer(exchange: $0) }
    }

    private func answer(login outcome: LoginOutcome) -> ReadyAnswer? {
        switch outcome {
        case .accepted(let account): self.open(account.id).map { .answer($0) }
        case .refused: .answer(self.endLogin(.loginRefused))
        case .throttled: .answer(self.endLogin(.loginThrottled))
        case .temporaryFailure, .unusable, .scramKeys, .scramVerified, .challenge:
            .answer(self.endLogin(.temporaryFailure))
        }
    }

    private func answer(exchange outcome: LoginOutcome) -> ReadyAnswer {
        self.asked = .nothing
        if let account = outcome.account { self.account = account }
        return .exchange(outcome)
    }

    /// Opens the maildrop of who has logged in by AUTH.
    func openMaildrop() -> ReadyAnswer? {
        guard let account = self.account else { return .answer(.temporaryFailure) }
        return self.open(account.id).map { .answer($0) }
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

    func maildropRead(_ reply: StorageReply, _ ticket: Ticket) -> ReadyAnswer? {
        guard let account = self.maildrop?.account else {
            return .answer(self.endLogin(.temporaryFailure))
        }
        switch reply {
        case .maildrop(let head):
            self.server.heads.remember(head, of: account, ticket)
            return .answer(self.enter(account, head))
        case .failed(.gone):
            // The account went away between the check and now.
            self.asked = .login
            return self.refuseLogin().flatMap { self.answer(login: $0) }
        default:
            return .answer(self.endLogin(.temporaryFailure))
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
