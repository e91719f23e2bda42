// SPDX-License-Identifier: Apache-2.0
//
// What a submission server asks of those who have logged in (RFC 6409): that they send and write as
// themselves, and not too much; and what it adds to their messages.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

/// What a transaction has taken of its account's rates.
struct TakenRates {
    var messages = 0
    var recipients = 0
}

extension SMTPDriver {
    // MARK: - The sender

    /// The answer at once when the reverse-path is the account's own; nil: the store is asked.
    func verifySender() -> ReadyAnswer? {
        // A transaction may have ended and another begun within one call.
        self.endTransaction()
        guard let account = self.account else { return .answer(.senderPermitted) }
        guard self.server.rates.takeMessage(account.id, at: self.server.time.now) else {
            self.server.journal.rateExceeded(account.address, stream: self.stream)
            return .answer(.rateExceeded)
        }
        self.taken.messages = 1
        self.server.sweepLater()
        // Notifications of mail readers have the null reverse-path (RFC 8098, section 2).
        guard self.profile.checksSender, !self.session.reversePath.isEmpty else {
            return .answer(.senderPermitted)
        }
        guard let address = self.server.directory.address(self.session.reversePath) else {
            return .answer(.senderForbidden)
        }
        switch self.owns(address, account) {
        case true?: return .answer(.senderPermitted)
        case false?: return .answer(.senderForbidden)
        case nil: return self.ask(.sender, self.ownership(of: address))
        }
    }

    func judge(sender reply: StorageReply) -> ReadyAnswer {
        switch self.owns(reply) {
        case true?: .answer(.senderPermitted)
        case false?: .answer(.senderForbidden)
        case nil: .answer(.temporaryFailure)
        }
    }

    // MARK: - The header

    /// Asks about each author that is not the account itself, then adds what is missing.
    func completeHeader(scratch: inout ReplyBuffer) -> ReadyAnswer? {
        guard self.profile.smtp.checksAuthors, self.account != nil else {
            return .answer(self.addMissingFields(scratch: &scratch))
        }
        var authors: [Address] = []
        for author in self.session.authors.copy().split(separator: .lf) {
            guard let address = self.server.directory.address(Array(author).span) else {
                return .answer(.authorForbidden)
            }
            authors.append(address)
        }
        return self.verify(authors[...], scratch: &scratch)
    }

    func judge(author reply: StorageReply, then rest: ArraySlice<Address>) -> ReadyAnswer? {
        switch self.owns(reply) {
        case true?: break
        case false?: return .answer(.authorForbidden)
        case nil: return .answer(.temporaryFailure)
        }
        var scratch = self.server.takeReplies()
        let answer = self.verify(rest, scratch: &scratch)
        self.server.putBack(scratch)
        return answer
    }

    private func verify(
        _ authors: ArraySlice<Address>,
        scratch: inout ReplyBuffer
    ) -> ReadyAnswer? {
        guard let account = self.account else { return .answer(.authorForbidden) }
        var rest = authors
        while let author = rest.popFirst() {
            switch self.owns(author, account) {
            case true?: continue
            case false?: return .answer(.authorForbidden)
            case nil: return self.ask(.author(rest), self.ownership(of: author))
            }
        }
        return .answer(self.addMissingFields(scratch: &scratch))
    }

    /// Written behind the replies, copied from there, and taken away again.
    private func addMissingFields(scratch: inout ReplyBuffer) -> SMTPServerSession.Answer {
        guard let id = self.spool?.id else { return .headerCompleted }
        let start = scratch.count
        if self.session.lacksDate {
            scratch.append("Date: ")
            MailDate(secondsSince1970: self.server.time.wallClock).append(to: &scratch)
            scratch.appendCRLF()
        }
        if self.session.lacksMessageID {
            scratch.append("Message-ID: <")
            id.append(to: &scratch)
            scratch.append("@")
            scratch.append(self.profile.smtp.hostname)
            scratch.append(">\r\n")
        }
        self.append(scratch.span.extracting(start...))
        scratch.truncate(to: start)
        return .headerCompleted
    }

    // MARK: - Whose an address is

    /// Whether the address is the account's own, with or without a detail; nil: the store knows.
    private func owns(_ address: Address, _ account: LoggedInAccount) -> Bool? {
        if address == account.address { return true }
        if let delimiter = self.server.directory.policy.delimiter,
            address.removingDetail(separator: delimiter) == account.address
        {
            return true
        }
        return self.server.directory.isLocal(address) ? nil : false
    }

    /// Aliases that lead to an account are its own; what only the catch-all takes is nobody's.
    private func ownership(of address: Address) -> StoreQuestion {
        .resolve(address, self.server.directory.policy.withoutCatchAll)
    }

    private func owns(_ reply: StorageReply) -> Bool? {
        guard case .resolved(_, let resolution) = reply else { return nil }
        guard case .targets(let mailboxes, _) = resolution else { return false }
        return mailboxes.contains { $0.account == self.account?.id }
    }

    // MARK: - Rates

    /// Counts a recipient, unless the account has had too many.
    func takeRecipient() -> Bool {
        guard let account = self.account else { return true }
        guard self.server.rates.takeRecipient(account.id, at: self.server.time.now) else {
            self.server.journal.rateExceeded(account.address, stream: self.stream)
            return false
        }
        self.taken.recipients += 1
        self.server.sweepLater()
        return true
    }

    /// What was not sent does not count.
    func giveBackRates() {
        guard let account = self.account else { return }
        self.server.rates.giveBack(
            account.id,
            messages: self.taken.messages,
            recipients: self.taken.recipients
        )
        self.taken = TakenRates()
    }
}
