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
        isLast: Bool,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard case .suspended(.readContent(let message, let offset)) = self.phase else {
            preconditionFailure("content answers a question for it")
        }
        precondition(isLast || octets.count > 0, "only the last part of a content may be empty")
        // Only now is it certain that there is something to send.
        if offset == 0 { self.beginContent(of: message, into: &replies) }
        let isFinished = self.appendContent(octets, into: &replies) || isLast
        guard isFinished else {
            return self.askForContent(message, offset: offset + octets.count)
        }
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

    /// Appends a part of the content; true when TOP wants no more.
    private mutating func appendContent(
        _ octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Bool {
        guard let wanted = self.bodyLineLimit?.extent(of: octets) else {
            self.encoder.encode(octets, into: &replies)
            return false
        }
        self.encoder.encode(octets.extracting(0..<wanted), into: &replies)
        return self.bodyLineLimit?.isReached ?? false
    }
}
