// SPDX-License-Identifier: Apache-2.0
//
// What drivers have in common about logins: they pass questions to the authenticator and its
// answers back to their sessions.

internal import EventLoop
internal import MailBytes
internal import SASL
internal import SMTPProtocol

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
        case .findSCRAMKeys(let hash, let channelBinding):
            let octets = channelBinding.flatMap {
                self.stream.channelBinding(ChannelBinding($0))
            }
            return self.logIn(name, .scram(hash, channelBinding: octets))
        case .verifySCRAMProof:
            return self.prove(exchange.clientProof.copy(), exchange.authMessage.copy())
        case .makeChallenge:
            return .challenge(self.makeChallenge())
        case .verifyDigest:
            let challenge = exchange.serverChallenge.copy()
            let digest = exchange.digest.copy()
            return self.logIn(name, .cramMD5(challenge: challenge, digest: digest))
        case .verifyCertificate:
            let authorization = exchange.authorizationIdentity.copy()
            return self.logIn(self.certified(authorization), .certificate)
        case .verifyToken:
            let settings = self.server.authenticator.settings
            let now = Int(self.server.time.wallClock)
            return self.logIn(name, .token(exchange.token.copy(), settings.tokens, now: now))
        }
    }

    private func prove(_ proof: [UInt8], _ message: [UInt8]) -> LoginOutcome? {
        guard var login = self.login else { return .temporaryFailure }
        let ticket = self.question.next(self.stream.id)
        let outcome = self.server.authenticator.prove(
            &login,
            proof,
            message,
            on: self.stream,
            ticket
        )
        return self.keep(login, outcome)
    }

    /// A text that never came before (RFC 2195, section 2).
    private func makeChallenge() -> [UInt8] {
        var text = ReplyBuffer(capacity: 80)
        text.append("<")
        text.append(hexadecimal: self.server.random())
        text.append(.dot)
        text.append(decimal: Int(self.server.time.wallClock))
        text.append("@")
        text.append(self.profile.smtp.hostname)
        text.append(">")
        return text.span.copy()
    }

    /// The mailbox that the client's certificate names and the client means; empty: there is none.
    private func certified(_ authorization: [UInt8]) -> [UInt8] {
        let mailboxes = self.stream.tls?.clientCertificate?.mailboxes ?? []
        let names = mailboxes.map { Array($0.utf8) }
        guard !authorization.isEmpty else { return names.first ?? [] }
        let directory = self.server.directory
        guard let wanted = directory.address(authorization.span),
            names.contains(where: { directory.address($0.span) == wanted })
        else { return [] }
        return authorization
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

extension ChannelBinding {
    init(_ binding: SASLChannelBinding) {
        switch binding {
        case .tlsServerEndPoint: self = .serverEndPoint
        case .tlsExporter: self = .exporter
        }
    }
}
