// SPDX-License-Identifier: Apache-2.0
//
// Logins, and the way from an account to its open maildrop. Each step gives the session's answer,
// or nil while it waits for another.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import POP3Protocol

extension POP3Driver {
    func logIn(_ method: POP3ServerSession.LoginMethod) -> POP3ServerSession.Answer? {
        let secret = self.session.secret.copy()
        let proof: LoginAttempt.Proof =
            switch method {
            case .password: .password(secret)
            case .apop: .apop(timestamp: self.session.apopTimestamp.copy(), digest: secret)
            }
        let authenticator = self.server.authenticator
        var login = authenticator.login(self.session.userName.copy(), proof)
        let ticket = self.question.next(self.stream.id)
        let outcome = authenticator.begin(&login, on: self.stream, ticket)
        return self.goOn(login, outcome)
    }

    func loginAnswered(_ reply: StorageReply) -> POP3ServerSession.Answer? {
        guard var login = self.login else { return self.endLogin(.temporaryFailure) }
        let ticket = self.question.next(self.stream.id)
        let outcome = self.server.authenticator.receive(
            reply,
            for: &login,
            on: self.stream,
            ticket
        )
        return self.goOn(login, outcome)
    }

    private func goOn(_ login: Login, _ outcome: LoginOutcome?) -> POP3ServerSession.Answer? {
        self.login = login
        guard let outcome else {
            self.asked = .login
            return nil
        }
        self.question.forget()
        switch outcome {
        case .accepted(let account): return self.open(account.id)
        case .refused: return self.endLogin(.loginRefused)
        case .throttled: return self.endLogin(.loginThrottled)
        case .temporaryFailure: return self.endLogin(.temporaryFailure)
        }
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

    private func refuseLogin() -> POP3ServerSession.Answer? {
        guard var login = self.login else { return self.endLogin(.temporaryFailure) }
        let ticket = self.question.next(self.stream.id)
        let outcome = self.server.authenticator.refuse(&login, on: self.stream, ticket)
        return self.goOn(login, outcome)
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
