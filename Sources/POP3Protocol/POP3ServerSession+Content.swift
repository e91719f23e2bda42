// SPDX-License-Identifier: Apache-2.0
//
// RETR and TOP (RFC 1939, sections 5 and 7). Content comes in parts, one asked for after the
// other, and never stands whole in memory.

internal import MailBytes

extension POP3ServerSession {
    /// Begins to read a message; `limit` is TOP's.
    mutating func read(
        _ message: Int,
        limit: BodyLineLimit?,
        into replies: inout ReplyBuffer
    ) -> Effect {
        if let reason = self.reasonAgainst(message) { return self.refuse(reason, into: &replies) }
        self.bodyLineLimit = limit
        self.encoder = ContentEncoder()
        return self.askForContent(message - 1, offset: 0)
    }

    /// Takes the answer to `.readContent`.
    mutating func receiveContent(
        _ octets: borrowing Span<UInt8>,
        _ isLast: Bool,
        _ needsStuffing: Bool,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard case .suspended(.readContent(let message, let offset)) = self.phase else {
            preconditionFailure("content answers a question for it")
        }
        precondition(isLast || octets.count > 0, "only the last part of a content may be empty")
        // Only now is it certain that there is something to send.
        if offset == 0 { self.beginContent(of: message, into: &replies) }
        let wanted = self.bodyLineLimit?.extent(of: octets) ?? octets.count
        let isLast = isLast || self.bodyLineLimit?.isReached ?? false
        let part = octets.extracting(0..<wanted)
        let end = offset + octets.count
        guard needsStuffing || wanted == 0 else {
            self.encoder.pass(part)
            self.phase = .sendingContent(message: message, end: end, isLast: isLast)
            return .sendContent(ByteRange(0, wanted))
        }
        self.encoder.encode(part, into: &replies)
        return self.continueContent(of: message, from: end, isLast, into: &replies)
    }

    /// Asks for the next part of the content, or ends it.
    mutating func continueContent(
        of message: Int,
        from offset: Int,
        _ isLast: Bool,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard isLast else { return self.askForContent(message, offset: offset) }
        self.encoder.finish(into: &replies)
        self.phase = .transaction
        return self.goOn(into: &replies)
    }

    /// Gives up a message that cannot be read.
    mutating func abandonContent(
        at offset: Int,
        saying reply: POP3Reply,
        into replies: inout ReplyBuffer
    ) -> Effect {
        // Within the response nothing can be said, and its end must not look like the message's.
        guard offset == 0 else { return self.end() }
        self.phase = .transaction
        return self.accept(reply, into: &replies)
    }

    private mutating func askForContent(_ message: Int, offset: Int) -> Effect {
        self.phase = .suspended(.readContent(message: message, offset: offset))
        return .readContent(message: Int32(message), offset: offset)
    }

    private mutating func beginContent(of message: Int, into replies: inout ReplyBuffer) {
        if self.bodyLineLimit != nil {
            self.reply(.topFollows, into: &replies)
            return
        }
        self.highestAccessed = max(self.highestAccessed, message + 1)
        let octets = self.maildrop.octets[message]
        self.begin(number: octets, into: &replies)
        replies.append(.space)
        replies.append(self.language.octets(octets))
        replies.appendCRLF()
    }
}
