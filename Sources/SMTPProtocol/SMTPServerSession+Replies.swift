// SPDX-License-Identifier: Apache-2.0
//
// How a session answers, and how it ends.

internal import MailBytes

extension SMTPServerSession {
    /// Appends a reply of one line.
    mutating func reply(_ reply: SMTPReply, into replies: inout ReplyBuffer) {
        let start = replies.count
        replies.append(reply.line)
        replies.appendCRLF()
        self.noteReply(at: start, of: replies)
    }

    /// Remembers whether the reply that begins at `start` is one of 4yz or 5yz.
    mutating func noteReply(at start: Int, of replies: borrowing ReplyBuffer) {
        self.lastReplyWasError = replies.span[start] >= UInt8(ascii: "4")
    }

    /// Says yes, or no for a reason that is not the client's, and goes on.
    mutating func accept(
        _ reply: SMTPReply,
        _ stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.reply(reply, into: &replies)
        return self.goOn(stage, into: &replies)
    }

    /// Refuses a command for a reason that is the client's, and counts it.
    mutating func refuse(
        _ reason: SMTPReply,
        _ stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard self.countsError() else { return self.end(saying: .tooManyErrors, into: &replies) }
        return self.accept(reason, stage, into: &replies)
    }

    /// Refuses the arguments of a verb, saying how it is written.
    mutating func refuse(
        argumentsOf verb: SMTPVerb,
        _ stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard self.countsError() else { return self.end(saying: .tooManyErrors, into: &replies) }
        self.appendSyntax(of: verb, to: &replies)
        return self.goOn(stage, into: &replies)
    }

    mutating func appendSyntax(of verb: SMTPVerb, to replies: inout ReplyBuffer) {
        let start = replies.count
        replies.append("501 5.5.4 Syntax: ")
        replies.append(verb.syntax)
        replies.appendCRLF()
        self.noteReply(at: start, of: replies)
    }

    mutating func countsError() -> Bool {
        self.errorCount += 1
        return self.errorCount < self.settings.errorsMax
    }

    /// What follows a finished reply: the next command, or the end when the server stops.
    mutating func goOn(_ stage: Stage, into replies: inout ReplyBuffer) -> Effect {
        self.phase = .awaitingCommand(stage)
        guard self.isStopping, stage != .chunking else { return .proceed }
        return self.end(saying: .goingDown, into: &replies)
    }

    /// Ends the session with a reply.
    mutating func end(saying reply: SMTPReply, into replies: inout ReplyBuffer) -> Effect {
        self.reply(reply, into: &replies)
        return self.end()
    }

    /// Ends the session.
    mutating func end() -> Effect {
        self.phase = .closed
        return .close
    }

    /// Ends the session because of silence or slowness.
    mutating func timeOut(saying reply: SMTPReply, into replies: inout ReplyBuffer) -> Effect {
        switch self.phase {
        case .awaitingGreeting, .awaitingCommand, .authenticating, .receivingContent,
            .refusingContent, .receivingChunk, .refusingChunk:
            return self.end(saying: reply, into: &replies)
        case .suspended:
            return self.end(saying: .answerTimedOut, into: &replies)
        case .securing:
            // Nothing more is said in clear, and nothing else can be.
            return self.end()
        case .closed:
            return .close
        }
    }

    /// The server shuts down: at once between commands, else after the transaction.
    mutating func stop(into replies: inout ReplyBuffer) -> Effect {
        self.isStopping = true
        switch self.phase {
        case .awaitingGreeting, .awaitingCommand(.greeted), .awaitingCommand(.ready),
            .awaitingCommand(.transaction), .authenticating:
            return self.end(saying: .goingDown, into: &replies)
        case .awaitingCommand(.chunking), .suspended, .securing, .receivingContent,
            .refusingContent,
            .receivingChunk, .refusingChunk:
            return .awaitInput
        case .closed:
            return .close
        }
    }
}
