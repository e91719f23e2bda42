// SPDX-License-Identifier: Apache-2.0
//
// DATA and what follows it (RFC 5321, sections 4.1.1.4, 4.5.2 and 4.5.3).

internal import MailBytes

extension SMTPServerSession {
    mutating func receiveDATA(into replies: inout ReplyBuffer) -> Effect {
        if let reason = self.reasonAgainstContent {
            return self.refuse(reason, .transaction, into: &replies)
        }
        self.phase = .suspended(.openMessage(chunk: nil))
        return .openMessage
    }

    /// Why the transaction cannot have content yet, or nil when it can.
    var reasonAgainstContent: SMTPReply? {
        guard self.recipientCount == 0 else { return nil }
        // RFC 5321, section 3.3, allows both; RFC 2033, section 4.2, asks for 503.
        let isLMTP = self.settings.dialect == .lmtp
        return self.hasRefusedRecipients && !isLMTP ? .allRecipientsRefused : .noRecipients
    }

    /// Prepares for the first octet of a message.
    mutating func beginContent(transparency: Bool) {
        self.decoder = ContentDecoder(
            transparency: transparency,
            normalising: self.settings.lineEndings == .normalise
        )
        self.receivedFields = ReceivedFieldCounter()
        self.contentOctets = 0
        self.beginHeader()
    }

    /// Takes one run of the content, as long as possible.
    mutating func receiveContent(_ octets: borrowing Span<UInt8>) -> Step {
        if self.header.isDue { return Step(consumed: 0, effect: self.judgeHeader(nil)) }
        let step = self.decode(octets)
        switch step.piece {
        case .content, .lineEnd, .bareLineEnd:
            let (effect, reason) = self.take(step.piece, of: octets)
            if let reason { self.phase = .refusingContent(reason) }
            return Step(consumed: step.consumed, effect: effect)
        case .end:
            return Step(consumed: step.consumed, effect: self.commit())
        case .incomplete, nil:
            let isWaiting = !self.header.isDue
            return Step(consumed: step.consumed, effect: isWaiting ? .awaitInput : .proceed)
        }
    }

    /// What is to be done with a piece of content, and why the message is refused from here on.
    mutating func take(
        _ piece: ContentDecoder.Piece?,
        of octets: borrowing Span<UInt8>
    ) -> (Effect, SMTPReply?) {
        var effect = Effect.proceed
        switch piece {
        case .content(let range):
            // What stands behind the limit is not looked at, or the reason would depend on how the
            // octets were cut.
            let room = min(range.count, self.settings.messageOctetsMax - self.contentOctets)
            self.receivedFields.scan(octets, ByteRange(at: range.lowerBound, count: room))
            self.contentOctets += range.count
            effect = .appendContent(range)
        case .lineEnd:
            self.contentOctets += 2
            self.receivedFields.endLine()
            effect = .appendLineEnd
        case .bareLineEnd:
            return (.discardMessage, .bareLineEnd)
        case .incomplete, .end, nil:
            break
        }
        if self.receivedFields.count > self.settings.receivedFieldsMax {
            return (.discardMessage, .loops)
        }
        if self.contentOctets > self.settings.messageOctetsMax {
            return (.discardMessage, .tooLarge)
        }
        return (effect, nil)
    }

    /// Reads on in step, because who was told 354 sends all of it, and answers after the end.
    mutating func refuseContent(
        _ octets: borrowing Span<UInt8>,
        _ reason: SMTPReply,
        into replies: inout ReplyBuffer
    ) -> Step {
        let step = self.decoder.skip(octets)
        self.contentOctets += step.consumed
        guard step.piece == .end else {
            return Step(consumed: step.consumed, effect: .awaitInput)
        }
        return Step(
            consumed: step.consumed,
            effect: self.refuseMessage(reason, into: &replies)
        )
    }
}
