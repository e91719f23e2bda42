// SPDX-License-Identifier: Apache-2.0
//
// Recipients: whether an address is ours or may be relayed to, where its mail goes, and whether
// there is room for it.

internal import EventLoop
internal import MailBytes
internal import MailStore
internal import MailSyntax
internal import SMTPProtocol

extension SMTPDriver {
    /// The answer at once when the address is known; nil: the store is asked.
    func verifyRecipient() -> ReadyAnswer? {
        // A transaction may have ended and another begun within one call; where senders are asked
        // about, that was noticed then.
        if self.session.recipientCount == 0, self.account == nil { self.endTransaction() }
        self.pace.start(at: self.server.time.now)
        guard let address = self.server.directory.address(self.session.recipientUnderQuestion)
        else { return .answer(.recipientUnknown) }
        guard self.server.directory.isLocal(address) else {
            return .answer(self.acceptElsewhere(address))
        }
        if let known = self.server.directory.cached(address) { return .answer(self.accept(known)) }
        let moment = self.server.changes.now
        return self.ask(.recipient(moment), .resolve(address, self.server.directory.policy))
    }

    func judge(recipient reply: StorageReply, since moment: AccountChanges.Moment) -> ReadyAnswer {
        guard case .resolved(let address, let resolution) = reply else {
            return .answer(.temporaryFailure)
        }
        // What was read before a change of accounts must not outlive it.
        if moment == self.server.changes.now {
            self.server.directory.remember(resolution, for: address)
        }
        return .answer(self.accept(resolution))
    }

    /// The verdict on a recipient whose mailboxes are known.
    private func accept(_ resolution: AddressResolution) -> SMTPServerSession.Answer {
        guard case .targets(let mailboxes, let elsewhere) = resolution else {
            return .recipientUnknown
        }
        let declared = self.session.declaredOctets ?? 0
        for mailbox in mailboxes where self.server.reservations.isOver(mailbox, adding: declared) {
            // The sender may try again once mail has been fetched, unless it can never fit.
            return .mailboxFull(permanent: declared > mailbox.quota ?? .max)
        }
        if let refusal = self.takeDeliveries(mailboxes.count + elsewhere.count) { return refusal }
        self.targets.append(mailboxes)
        self.reservedOctets = declared
        self.server.reservations.add(declared, to: mailboxes)
        self.queue(elsewhere, isDeliveredHere: !mailboxes.isEmpty)
        return .recipientAccepted
    }

    /// Counts a recipient with its deliveries, unless there are too many.
    private func takeDeliveries(_ count: Int) -> SMTPServerSession.Answer? {
        let count = self.deliveryCount + count
        guard count <= self.server.limits.deliveriesPerTransaction else {
            return .temporaryFailure
        }
        guard self.takeRecipient() else { return .rateExceeded }
        self.deliveryCount = count
        return nil
    }

    // MARK: - Other domains

    /// The verdict on a recipient whose domain is not ours.
    private func acceptElsewhere(_ address: Address) -> SMTPServerSession.Answer {
        guard self.mayRelay(to: address) else { return .relayingDenied }
        // What is known of recipients is held until the message is stored.
        guard self.server.hasRoomForMessage else { return .temporaryFailure }
        if let refusal = self.takeDeliveries(1) { return refusal }
        self.targets.append([])
        let recipient = self.session.recipient
        self.changeQueued { $0.add(recipient, of: address) }
        return .recipientAccepted
    }

    /// Users and one's own networks may send to anybody, and anybody to domains that are relayed.
    private func mayRelay(to address: Address) -> Bool {
        self.account != nil || self.server.relaying.mayRelay(self.session.client)
            || self.server.relaying.isRelayDomain(String(decoding: address.domain, as: UTF8.self))
    }

    /// Queues what an alias has elsewhere, and the report that somebody wants of delivery here.
    private func queue(_ elsewhere: [Address], isDeliveredHere: Bool) {
        // Nobody is told where there is nobody to tell.
        let wantsSuccess =
            isDeliveredHere && self.session.notifyUnderQuestion.contains(.success)
            && !self.session.hasNullReversePath
        guard wantsSuccess || !elsewhere.isEmpty else { return }
        var recipient = self.session.recipient
        if wantsSuccess, let address = self.server.directory.address(recipient.mailbox.span) {
            // `postmaster` alone is no address to report of.
            recipient = recipient.withDomain(of: address)
            self.changeQueued { $0.add(recipient, of: address, .delivered) }
        }
        for address in elsewhere {
            self.changeQueued { $0.add(recipient.standing(for: address), of: address) }
        }
    }

    /// Changes what is to be queued, and counts its octets as those of content.
    private func changeQueued(_ change: (inout QueuedRecipients) -> Void) {
        let octets = self.queued.octets
        change(&self.queued)
        self.server.contentOctets += self.queued.octets - octets
    }

    // MARK: - VRFY and EXPN

    func verifyMailbox() -> ReadyAnswer? {
        guard let address = self.server.directory.address(self.session.recipientUnderQuestion)
        else { return .answer(.mailboxUnknown) }
        guard self.server.directory.isLocal(address) else {
            return .answer(self.mayRelay(to: address) ? .mailboxUnverified : .mailboxUnknown)
        }
        if let known = self.server.directory.cached(address) {
            return .answer(known.isDeliverable ? .mailboxVerified : .mailboxUnknown)
        }
        return self.ask(.mailbox, .resolve(address, self.server.directory.policy))
    }

    static func judge(mailbox reply: StorageReply) -> ReadyAnswer {
        guard case .resolved(_, let resolution) = reply else { return .answer(.temporaryFailure) }
        return .answer(resolution.isDeliverable ? .mailboxVerified : .mailboxUnknown)
    }

    func expandList() -> ReadyAnswer? {
        guard let address = self.server.directory.address(self.session.recipientUnderQuestion),
            self.server.directory.isLocal(address)
        else { return .answer(.mailboxUnknown) }
        return self.ask(.expansion, .expand(address, self.server.directory.policy))
    }

    static func judge(expansion reply: StorageReply) -> ReadyAnswer {
        guard case .expanded(let members) = reply else { return .answer(.temporaryFailure) }
        guard let members, !members.isEmpty else { return .answer(.mailboxUnknown) }
        return .members(members)
    }

    func ask(_ asked: Question, _ question: StoreQuestion) -> ReadyAnswer? {
        self.asked = asked
        self.server.storage.read(question, for: self.question.next(self.stream.id))
        return nil
    }

    /// Gives back what a transaction holds when the session has ended it by itself, as by RSET.
    func endTransactionIfOver() {
        guard self.pace.isRunning, self.session.recipientCount == 0, !self.isAsking else { return }
        self.endTransaction()
    }

    /// Gives back what a transaction holds.
    func endTransaction() {
        self.discardMessage()
        self.pace.stop()
        self.giveBackRates()
        if !self.queued.isEmpty { self.changeQueued { $0.removeAll() } }
        guard !self.targets.isEmpty else { return }
        for mailboxes in self.targets {
            self.server.reservations.remove(self.reservedOctets, from: mailboxes)
        }
        self.targets.removeAll(keepingCapacity: self.targets.count < 16)
        self.deliveryCount = 0
    }
}
