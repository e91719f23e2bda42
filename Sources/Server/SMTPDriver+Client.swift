// SPDX-License-Identifier: Apache-2.0
//
// Who the client is: AUTH, and XCLIENT from those who may speak for others.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SASL
internal import SMTPProtocol

extension SMTPDriver {
    /// AUTH.
    func authenticate(_ question: SASLQuestion) -> ReadyAnswer? {
        self.asked = .exchange
        return self.authenticate(question, self.session.exchange).map { self.concluded($0) }
    }

    func goOn(withExchange reply: StorageReply) -> ReadyAnswer? {
        self.asked = .exchange
        return self.loginAnswered(reply).map { self.concluded($0) }
    }

    private func concluded(_ outcome: LoginOutcome) -> ReadyAnswer {
        self.asked = .nothing
        if let account = outcome.account {
            self.account = account
            self.login = nil
            self.server.journal.loggedIn(account.address, stream: self.stream)
        }
        return .exchange(outcome)
    }

    /// Takes the client that XCLIENT names; who is said to have logged in must be one of ours.
    func adoptClient() -> ReadyAnswer? {
        guard let client = self.session.proposedClient else { return .answer(.xclientRefused) }
        guard !client.login.isEmpty else { return .answer(self.adopt(nil)) }
        guard let address = self.server.directory.address(client.login.span) else {
            return .answer(.xclientRefused)
        }
        return self.ask(.adoption, .account(address))
    }

    func judge(adoption reply: StorageReply) -> ReadyAnswer {
        guard case .account(let record) = reply else { return .answer(.temporaryFailure) }
        guard let record else { return .answer(.xclientRefused) }
        return .answer(self.adopt(LoggedInAccount(id: record.id, address: record.address)))
    }

    /// A client whose address is not known goes on being counted as its proxy.
    private func adopt(_ account: LoggedInAccount?) -> SMTPServerSession.Answer {
        if let address = self.session.proposedClient?.address {
            guard self.server.adopt(address, on: self.stream, for: self.profile) else {
                return .rateExceeded
            }
        }
        self.account = account
        return .xclientAdopted
    }
}
