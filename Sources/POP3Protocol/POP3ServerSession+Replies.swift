// SPDX-License-Identifier: Apache-2.0
//
// How a session answers, and how it ends.

internal import MailBytes
internal import SASL

extension POP3ServerSession {
    /// Appends a reply of one line.
    mutating func reply(_ reply: POP3Reply, into replies: inout ReplyBuffer) {
        self.begin(reply, into: &replies)
        replies.appendCRLF()
    }

    /// Appends a reply without its line end.
    mutating func begin(_ reply: POP3Reply, into replies: inout ReplyBuffer) {
        self.lastReplyWasError = reply.isError
        replies.append(reply.isError ? "-ERR " : "+OK ")
        replies.append(reply.code)
        replies.append(reply.text(in: self.language))
    }

    /// Appends a positive reply that begins with a number.
    mutating func begin(number: Int, into replies: inout ReplyBuffer) {
        self.lastReplyWasError = false
        replies.append("+OK ")
        replies.append(decimal: number)
    }

    /// Appends "2 messages (320 octets)" with what is not marked as deleted.
    func appendCounts(into replies: inout ReplyBuffer) {
        replies.append(decimal: self.messageCount)
        replies.append(.space)
        replies.append(self.language.messages(self.messageCount))
        replies.append(" (")
        replies.append(decimal: self.octetCount)
        replies.append(.space)
        replies.append(self.language.octets(self.octetCount))
        replies.append(")")
    }

    /// Refuses a command for a reason that is the client's, and counts it.
    mutating func refuse(_ reason: POP3Reply, into replies: inout ReplyBuffer) -> Effect {
        guard self.countsError() else { return self.end(saying: .tooManyErrors, into: &replies) }
        self.reply(reason, into: &replies)
        return self.goOn(into: &replies)
    }

    /// Refuses the arguments of a verb, saying how it is written.
    mutating func refuse(_ verb: POP3Verb, into replies: inout ReplyBuffer) -> Effect {
        guard self.countsError() else { return self.end(saying: .tooManyErrors, into: &replies) }
        self.begin(.syntax, into: &replies)
        replies.append(.space)
        replies.append(verb.syntax)
        replies.appendCRLF()
        return self.goOn(into: &replies)
    }

    private mutating func countsError() -> Bool {
        self.errorCount += 1
        return self.errorCount < self.settings.errorsMax
    }

    /// Refuses a login, and ends the session when it was one too many.
    mutating func refuseLogin(_ reason: POP3Reply, into replies: inout ReplyBuffer) -> Effect {
        self.loginFailureCount += 1
        guard self.loginFailureCount < self.settings.loginFailuresMax else {
            return self.end(saying: reason, into: &replies)
        }
        return self.refuse(reason, into: &replies)
    }

    /// What follows a finished reply: the next command, or the end when the server stops.
    mutating func goOn(into replies: inout ReplyBuffer) -> Effect {
        guard self.isStopping else { return .proceed }
        return self.end(saying: .goingDown, into: &replies)
    }

    /// Ends the session with a reply.
    mutating func end(saying reply: POP3Reply, into replies: inout ReplyBuffer) -> Effect {
        self.reply(reply, into: &replies)
        return self.end()
    }

    /// Ends the session.
    mutating func end() -> Effect {
        self.wipeSecret()
        self.exchange.abandon()
        self.phase = .closed
        return .close
    }

    /// The server shuts down: at once between commands, else after the reply that is under way.
    mutating func stop(into replies: inout ReplyBuffer) -> Effect {
        self.isStopping = true
        switch self.phase {
        case .awaitingGreeting, .authorization, .awaitingPassword, .authenticating, .transaction:
            return self.end(saying: .goingDown, into: &replies)
        case .securing, .suspended: return .awaitInput
        case .listing, .sendingContent: return .proceed
        case .closed: return .close
        }
    }

    /// Overwrites the password or digest before its memory is used again.
    mutating func wipeSecret() {
        for index in self.password.indices { self.password[index] = 0 }
        self.password.removeAll(keepingCapacity: true)
    }
}
