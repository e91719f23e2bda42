// SPDX-License-Identifier: Apache-2.0
//
// BDAT (RFC 3030). Octets are counted, never un-stuffed: a dot is a dot. Without BINARYMIME the
// content is text as in DATA, so bare CR and LF are judged as there; a CRLF may be cut in two by
// the border of two chunks.

internal import MailBytes

extension SMTPServerSession {
    /// Takes the first BDAT of a message.
    mutating func receiveBDAT(
        _ chunk: SMTPCommand.Chunk,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let reason = self.reasonAgainstContent {
            return self.refuse(chunk, saying: reason, .transaction, into: &replies)
        }
        guard chunk.remaining <= self.settings.messageOctetsMax else {
            return self.refuse(chunk, saying: .tooLarge, .ready, into: &replies)
        }
        self.phase = .suspended(.openMessage(chunk: chunk))
        return .openMessage
    }

    /// Takes a later BDAT.
    mutating func continueBDAT(
        _ chunk: SMTPCommand.Chunk,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard chunk.remaining <= self.settings.messageOctetsMax - self.contentOctets else {
            let effect = self.refuse(chunk, saying: .tooLarge, .ready, into: &replies)
            return effect == .proceed ? .discardMessage : effect
        }
        self.phase = .receivingChunk(chunk)
        return .proceed
    }

    /// Refuses a chunk: its payload is swallowed in step, then the reply is given.
    ///
    /// After a chunk that is refused within a transaction the transaction is over (`stage` is
    /// `.ready`), and further chunks are refused for want of MAIL, which is what RFC 3030, section
    /// 2, asks for.
    mutating func refuse(
        _ chunk: SMTPCommand.Chunk,
        saying reason: SMTPReply,
        _ stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard chunk.remaining <= SMTPCommand.Chunk.octetsMax else {
            return self.end(saying: .chunkUnbounded, into: &replies)
        }
        self.phase = .refusingChunk(reason, chunk, then: stage)
        return .proceed
    }

    /// Where a payload of unknown size ends cannot be told, and it must not be read as commands.
    mutating func endAtMalformedBDAT(into replies: inout ReplyBuffer) -> Effect {
        self.appendSyntax(of: .bdat, to: &replies)
        return self.end()
    }

    /// Takes one run of the payload, or what follows its end.
    mutating func receiveChunk(
        _ octets: borrowing Span<UInt8>,
        _ chunk: SMTPCommand.Chunk,
        into replies: inout ReplyBuffer
    ) -> Step {
        if self.header.isDue { return Step(consumed: 0, effect: self.judgeHeader(chunk)) }
        guard chunk.remaining > 0 else {
            return Step(consumed: 0, effect: self.endChunk(chunk, into: &replies))
        }
        let payload = octets.extracting(0..<min(octets.count, chunk.remaining))
        let isWhole = payload.count == chunk.remaining
        let step = self.decode(
            payload,
            last: !isWhole ? .awaitsMore : chunk.isLast ? .isFinal : .goesOn
        )
        let rest = SMTPCommand.Chunk(
            remaining: chunk.remaining - step.consumed,
            isLast: chunk.isLast
        )
        self.phase = .receivingChunk(rest)
        let (effect, reason) = self.take(step.piece, of: payload)
        if let reason { self.phase = .refusingChunk(reason, rest, then: .ready) }
        let isIncomplete = step.piece == .incomplete || step.piece == nil
        let isWaiting = isIncomplete && rest.remaining > 0 && !self.header.isDue
        return Step(consumed: step.consumed, effect: isWaiting ? .awaitInput : effect)
    }

    private mutating func endChunk(
        _ chunk: SMTPCommand.Chunk,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard chunk.isLast else {
            self.reply(.chunkTaken, into: &replies)
            return self.goOn(.chunking, into: &replies)
        }
        if self.header.isOpen, self.endHeaderWithContent() { return .proceed }
        guard self.decoder.isAfterCR else { return self.commit() }
        // No LF will come.
        let piece = self.decoder.endAfterCR()
        let (effect, reason) = self.take(piece, of: Span<UInt8>())
        if let reason { self.phase = .refusingChunk(reason, chunk, then: .ready) }
        return effect
    }

    /// Swallows the payload of a chunk that is refused, and answers after its end.
    mutating func refuseChunk(
        _ octets: borrowing Span<UInt8>,
        _ reason: SMTPReply,
        _ chunk: SMTPCommand.Chunk,
        then stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Step {
        let count = min(octets.count, chunk.remaining)
        let rest = chunk.remaining - count
        guard rest == 0 else {
            let remains = SMTPCommand.Chunk(remaining: rest, isLast: chunk.isLast)
            self.phase = .refusingChunk(reason, remains, then: stage)
            return Step(consumed: count, effect: .awaitInput)
        }
        return Step(
            consumed: count,
            effect: self.answerRefusedChunk(reason, chunk, then: stage, into: &replies)
        )
    }

    private mutating func answerRefusedChunk(
        _ reason: SMTPReply,
        _ chunk: SMTPCommand.Chunk,
        then stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard stage == .ready, self.recipientCount > 0 else {
            return self.refuse(reason, stage, into: &replies)
        }
        // RFC 2033, section 4.2: only the last chunk is answered for each recipient.
        if chunk.isLast { return self.refuseMessage(reason, into: &replies) }
        self.forgetTransaction()
        return self.accept(reason, .ready, into: &replies)
    }
}
