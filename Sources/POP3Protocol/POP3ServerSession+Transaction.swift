// SPDX-License-Identifier: Apache-2.0
//
// The TRANSACTION and UPDATE states (RFC 1939, sections 5 to 7; LAST of RFC 1460).

internal import MailBytes

extension POP3ServerSession {
    mutating func receiveSTAT(into replies: inout ReplyBuffer) -> Effect {
        self.begin(number: self.messageCount, into: &replies)
        replies.append(.space)
        replies.append(decimal: self.octetCount)
        replies.appendCRLF()
        return self.goOn(into: &replies)
    }

    mutating func receiveRSET(into replies: inout ReplyBuffer) -> Effect {
        self.marks.removeAll()
        if self.isListed {
            self.countMessages()
            self.highestAccessed = self.maildrop.accessedBefore
        }
        self.begin(.maildropHas, into: &replies)
        replies.append(.space)
        self.appendCounts(into: &replies)
        replies.appendCRLF()
        return self.goOn(into: &replies)
    }

    mutating func receiveQUIT(into replies: inout ReplyBuffer) -> Effect {
        guard self.marks.count > 0 else { return self.end(saying: .signingOff, into: &replies) }
        self.phase = .suspended(.commitDeletions)
        return .commitDeletions
    }

    /// Serves a command that needs the listing, after asking for it when there is none yet.
    mutating func request(
        _ request: MaildropRequest,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard self.isListed else {
            self.phase = .suspended(.listMaildrop(then: request))
            return .listMaildrop
        }
        switch request {
        case .list(nil): return self.startListing(.sizes, into: &replies)
        case .uidl(nil): return self.startListing(.uniqueIDs, into: &replies)
        case .list(let message?): return self.list(.sizes, message, into: &replies)
        case .uidl(let message?): return self.list(.uniqueIDs, message, into: &replies)
        case .retr(let message): return self.read(message, limit: nil, into: &replies)
        case .top(let message, let lines):
            return self.read(message, limit: BodyLineLimit(lines: lines), into: &replies)
        case .dele(let message): return self.delete(message, into: &replies)
        case .last: return self.receiveLAST(into: &replies)
        }
    }

    /// Takes the answer to `.listMaildrop`.
    mutating func receiveListing(
        _ listing: MaildropListing,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard case .suspended(.listMaildrop(let request)) = self.phase else {
            preconditionFailure("a listing answers a question for it")
        }
        self.phase = .transaction
        self.maildrop = listing
        self.isListed = true
        self.highestAccessed = listing.accessedBefore
        self.countMessages()
        return self.request(request, into: &replies)
    }

    /// Takes the answer to any question but those that have an event of their own.
    mutating func receiveAnswer(_ answer: Answer, into replies: inout ReplyBuffer) -> Effect {
        guard case .suspended(let question) = self.phase else {
            preconditionFailure("an answer follows a question")
        }
        switch (question, answer) {
        case (.logIn, _), (.openMaildrop, _):
            return self.receiveLoginAnswer(answer, into: &replies)
        case (.adoptClient, _):
            return self.receiveXCLIENTAnswer(answer, into: &replies)
        case (.listMaildrop, .temporaryFailure):
            self.phase = .transaction
            return self.accept(.temporaryFailure, into: &replies)
        case (.readContent(_, let offset), .contentMissing):
            return self.abandonContent(at: offset, saying: .contentMissing, into: &replies)
        case (.readContent(_, let offset), .temporaryFailure):
            return self.abandonContent(at: offset, saying: .temporaryFailure, into: &replies)
        case (.commitDeletions, .deletionsCommitted):
            return self.end(saying: .signingOff, into: &replies)
        case (.commitDeletions, .deletionsFailed), (.commitDeletions, .temporaryFailure):
            return self.end(saying: .deletionsFailed, into: &replies)
        case (.authenticate, _), (.listMaildrop, _), (.readContent, _), (.commitDeletions, _):
            preconditionFailure("this is no answer to what was asked")
        }
    }

    private mutating func receiveLAST(into replies: inout ReplyBuffer) -> Effect {
        self.begin(number: self.highestAccessed, into: &replies)
        replies.appendCRLF()
        return self.goOn(into: &replies)
    }

    private mutating func delete(_ message: Int, into replies: inout ReplyBuffer) -> Effect {
        if let reason = self.reasonAgainst(message) { return self.refuse(reason, into: &replies) }
        self.marks.insert(message - 1, of: self.maildrop.count)
        self.messageCount -= 1
        self.octetCount -= self.maildrop.octets[message - 1]
        self.highestAccessed = max(self.highestAccessed, message)
        return self.accept(.messageDeleted, into: &replies)
    }

    /// Why a message-number cannot be used, or nil when it can.
    func reasonAgainst(_ message: Int) -> POP3Reply? {
        guard message >= 1, message <= self.maildrop.count else { return .noSuchMessage }
        return self.marks.contains(message - 1) ? .alreadyDeleted : nil
    }

    private mutating func countMessages() {
        self.messageCount = self.maildrop.count
        self.octetCount = self.maildrop.totalOctets
    }
}
