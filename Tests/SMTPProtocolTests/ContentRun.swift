// SPDX-License-Identifier: Apache-2.0
//
// One message, given to a session in segments, and what became of it; beside it, the same worked
// out from the RFC on the whole text at once.

import MailBytes
import MailSyntax
import SMTPProtocol

/// What became of a message.
struct ContentOutcome: Equatable {
    /// What was stored; nil when the message was refused.
    var content: [UInt8]?
    /// How many octets of the input belonged to the message.
    var consumed: Int
}

/// How a message comes.
enum ContentCommand: Equatable, CaseIterable {
    case data
    case bdat
}

extension ContentOutcome {
    /// Gives a message to a session, in segments of these sizes, over and over.
    ///
    /// DATA ends where the session finds the end; BDAT takes all of it in one chunk. Nil when the
    /// message does not end.
    init?(
        _ wire: [UInt8],
        _ command: ContentCommand,
        _ lineEndings: SMTPServerSettings.LineEndings,
        segments: [Int]
    ) {
        let settings = SMTPServerSettings(
            hostname: Array("mail.example".utf8),
            lineEndings: lineEndings
        )
        var session = SMTPServerSession(settings: settings, peer: .unix)
        var replies = ReplyBuffer()
        let opening = command == .data ? "DATA" : "BDAT \(wire.count) LAST"
        _ = session.reduce(.accepted(earlyTalk: false), into: &replies)
        for line in ["HELO c", "MAIL FROM:<>", "RCPT TO:<b@c>", opening] {
            let octets = Array("\(line)\r\n".utf8)
            let effect = session.reduce(.received(octets.span), into: &replies).effect
            if effect == .verifyRecipient {
                _ = session.reduce(.answered(.recipientAccepted), into: &replies)
            }
        }
        let id = MessageID(rawValue: 7)
        _ = session.reduce(.answered(.messageOpened(id)), into: &replies)
        replies.removeAll()
        self.init(content: [], consumed: 0)
        guard self.run(wire, segments, &session, &replies) else { return nil }
    }

    private mutating func run(
        _ wire: [UInt8],
        _ segments: [Int],
        _ session: inout SMTPServerSession,
        _ replies: inout ReplyBuffer
    ) -> Bool {
        var received = 0
        var segment = 0
        // A step for each octet that comes, and at most three to take it: no more than that.
        for _ in 0..<(4 * wire.count + 20) {
            let rest = Array(wire[self.consumed..<received])
            let step = session.reduce(.received(rest.span), into: &replies)
            switch step.effect {
            case .appendContent(let range): self.content?.append(contentsOf: rest[range.indices])
            case .appendLineEnd: self.content?.append(contentsOf: [0x0d, 0x0a])
            case .discardMessage: self.content = nil
            case .awaitInput:
                self.consumed += step.consumed
                guard received < wire.count else { return false }
                received = min(wire.count, received + segments[segment % segments.count])
                segment += 1
                continue
            case .commitMessage:
                self.consumed += step.consumed
                return true
            case .proceed, .verifyRecipient, .verifyMailbox, .expandList, .openMessage, .startTLS,
                .authenticate, .adoptClient, .verifySender, .completeHeader, .startQueue, .findMail,
                .turnAround, .close:
                break
            }
            self.consumed += step.consumed
            // The only reply that can come is the refusal after the end.
            if !replies.isEmpty { return true }
        }
        return false
    }

    /// The same by the letter of RFC 5321, sections 4.1.1.4 and 4.5.2, on the whole text.
    init?(
        reference wire: [UInt8],
        _ command: ContentCommand,
        _ lineEndings: SMTPServerSettings.LineEndings
    ) {
        var raw = wire
        self.consumed = wire.count
        if command == .data {
            // The CRLF of the DATA command counts as the first of CRLF.CRLF.
            let text = [0x0d, 0x0a] + wire
            guard let end = text.firstIndex(of: [0x0d, 0x0a, 0x2e, 0x0d, 0x0a]) else { return nil }
            self.consumed = end + 3
            raw = Array(text[..<(end + 2)].dropFirst(2))
        }
        if lineEndings == .refuse, raw.hasBareLineEnd {
            self.content = nil
            return
        }
        self.content = (command == .data ? raw.unstuffed : raw).normalised
    }
}

extension [UInt8] {
    /// Where `pattern` stands first.
    fileprivate func firstIndex(of pattern: [UInt8]) -> Int? {
        guard self.count >= pattern.count else { return nil }
        return (0...(self.count - pattern.count)).first { start in
            pattern.indices.allSatisfy { self[start + $0] == pattern[$0] }
        }
    }

    fileprivate var hasBareLineEnd: Bool {
        self.indices.contains { index in
            let next = index + 1 < self.count ? self[index + 1] : 0
            let previous = index > 0 ? self[index - 1] : 0
            return self[index] == 0x0d && next != 0x0a || self[index] == 0x0a && previous != 0x0d
        }
    }

    /// Without the first dot of each line; lines end with CRLF.
    fileprivate var unstuffed: [UInt8] {
        var result: [UInt8] = []
        for index in self.indices {
            let isLineStart =
                index == 0 || index > 1 && self[index - 1] == 0x0a && self[index - 2] == 0x0d
            if !isLineStart || self[index] != 0x2e { result.append(self[index]) }
        }
        return result
    }

    fileprivate var normalised: [UInt8] {
        var result: [UInt8] = []
        for index in self.indices {
            let isPair = self[index] == 0x0a && index > 0 && self[index - 1] == 0x0d
            if self[index] == 0x0d || self[index] == 0x0a {
                if !isPair { result += [0x0d, 0x0a] }
            } else {
                result.append(self[index])
            }
        }
        return result
    }
}
