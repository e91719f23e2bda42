// SPDX-License-Identifier: Apache-2.0
//
// What drivers have in common about logins: they pass questions to the authenticator and its
// answers back to their sessions.

internal import EventLoop
internal import MailBytes
internal import SASL

/// A conversation whose client may log in.
protocol LoginConversation: Conversation {
    var server: MailServer { get }
    var profile: ServiceProfile { get }
    var question: PendingQuestion { get set }
    var login: Login? { get set }
}

extension LoginConversation {
    /// Logs a name in; nil: the outcome follows on an answer.
    func logIn(_ name: [UInt8], _ proof: LoginAttempt.Proof) -> LoginOutcome? {
        var login = self.server.authenticator.login(name, proof, for: self.profile.name)
        let ticket = self.question.next(self.stream.id)
        let outcome = self.server.authenticator.begin(&login, on: self.stream, ticket)
        return self.keep(login, outcome)
    }

    /// Answers a question of AUTH; nil: the outcome follows on an answer.
    func authenticate(
        _ question: SASLQuestion,
        _ exchange: borrowing SASLExchange
    ) -> LoginOutcome? {
        let name = exchange.identity.copy()
        switch question {
        case .verifyPassword:
            return self.logIn(name, .password(exchange.password.copy()))
        case .findSCRAMKeys, .verifySCRAMProof, .makeChallenge, .verifyDigest, .verifyCertificate,
            .verifyToken:
            return .unusable
        }
    }

    /// Goes on with the login that waits for this reply.
    func loginAnswered(_ reply: StorageReply) -> LoginOutcome? {
        guard var login = self.login else { return .temporaryFailure }
        let ticket = self.question.next(self.stream.id)
        let outcome = self.server.authenticator.receive(
            reply,
            for: &login,
            on: self.stream,
            ticket
        )
        return self.keep(login, outcome)
    }

    /// Refuses a login that had seemed to be good.
    func refuseLogin() -> LoginOutcome? {
        guard var login = self.login else { return .temporaryFailure }
        let ticket = self.question.next(self.stream.id)
        let outcome = self.server.authenticator.refuse(&login, on: self.stream, ticket)
        return self.keep(login, outcome)
    }

    private func keep(_ login: Login, _ outcome: LoginOutcome?) -> LoginOutcome? {
        self.login = login
        if outcome != nil { self.question.forget() }
        return outcome
    }
}
