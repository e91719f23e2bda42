// SPDX-License-Identifier: Apache-2.0
//
// From octets to replies: lines, their limits, and who gets a reply.

internal import MailBytes

extension SMTPClientSession {
    /// Takes one line of a reply.
    mutating func receive(
        _ octets: borrowing Span<UInt8>,
        into commands: inout ReplyBuffer
    ) -> Step {
        switch self.phase {
        case .idle, .securing, .suspended, .closed:
            preconditionFailure("input is for a session that awaits it")
        case .awaitingGreeting, .awaitingHello, .awaitingSTARTTLS, .awaitingChallenge, .ready,
            .inTransaction, .quitting:
            break
        }
        let lineOctetsMax = self.settings.replyLineOctetsMax
        let limit = min(octets.count, lineOctetsMax)
        guard let lf = octets.extracting(0..<limit).firstIndex(of: .lf) else {
            guard octets.count >= lineOctetsMax else {
                return Step(consumed: 0, effect: self.isReady ? .ready : .awaitInput)
            }
            return Step(
                consumed: octets.count,
                effect: self.endAtMalformed(octets, isEndless: true)
            )
        }
        let count = lf + 1
        // A bare LF ends a line here: nothing in a reply can be smuggled past anybody.
        let line = octets.extracting(0..<(lf > 0 && octets[lf - 1] == .cr ? lf - 1 : lf))
        let isFirst = self.reader.isAtStart
        switch self.reader.take(
            line,
            linesMax: self.settings.replyLinesMax,
            octetsMax: self.settings.replyOctetsMax
        ) {
        case .more:
            self.take(line, isFirst: isFirst)
            return Step(consumed: count, effect: .proceed)
        case .whole:
            self.take(line, isFirst: isFirst)
            let rest = octets.extracting(count..<octets.count)
            let effect = self.receiveReply(line, followedBy: rest, into: &commands)
            // More replies to a group of commands; or a word unasked, which ends the session.
            let isUnfinished = (effect == .awaitInput || effect == .ready) && !rest.isEmpty
            return Step(consumed: count, effect: isUnfinished ? .proceed : effect)
        case .malformed:
            return Step(consumed: count, effect: self.endAtMalformed(line, isEndless: false))
        case .endless:
            return Step(consumed: count, effect: self.endAtMalformed(line, isEndless: true))
        }
    }

    /// Looks at a line that means something by itself.
    private mutating func take(_ line: borrowing Span<UInt8>, isFirst: Bool) {
        let text = line.extracting(min(SMTPReplyReader.textOffset, line.count)..<line.count)
        switch self.phase {
        case .awaitingGreeting where isFirst:
            let end = text.firstIndex(of: .space) ?? text.count
            self.peerName = []
            PrintableText.append(text.extracting(0..<end), to: &self.peerName)
        case .awaitingHello(.ehlo) where !isFirst, .awaitingHello(.lhlo) where !isFirst:
            self.offered.take(text)
        case .idle, .awaitingGreeting, .awaitingHello, .awaitingSTARTTLS, .securing,
            .awaitingChallenge, .suspended, .ready, .inTransaction, .quitting, .closed:
            break
        }
    }

    /// Takes a whole reply; `line` is the last of it.
    private mutating func receiveReply(
        _ line: borrowing Span<UInt8>,
        followedBy rest: borrowing Span<UInt8>,
        into commands: inout ReplyBuffer
    ) -> Effect {
        let reply = self.reader.finish()
        switch self.phase {
        case .quitting: return self.close()
        // RFC 5321, section 3.8: may come at any time, and nothing comes after it.
        case _ where reply.code == 421: return self.endAtRefusal(.peerClosing, reply)
        case .awaitingGreeting: return self.receiveGreeting(reply, into: &commands)
        case .awaitingHello(let hello): return self.receiveHello(hello, reply, into: &commands)
        case .awaitingSTARTTLS:
            return self.receiveSTARTTLS(reply, followedBy: rest, into: &commands)
        case .awaitingChallenge:
            let text = line.extracting(min(SMTPReplyReader.textOffset, line.count)..<line.count)
            return self.receiveAuthentication(reply, challenge: text, into: &commands)
        case .inTransaction:
            let effect = self.receiveTransaction(reply, into: &commands)
            return effect == .finished ? self.checkSilence(rest) : effect
        case .ready: return self.endAtUnexpected(reply)
        case .idle, .securing, .suspended, .closed:
            preconditionFailure("input is for a session that awaits it")
        }
    }

    /// A peer that has said more than it was asked would have its words taken for replies to the
    /// next transaction; so there is none.
    private mutating func checkSilence(_ rest: borrowing Span<UInt8>) -> Effect {
        guard self.phase == .ready, !rest.isEmpty else { return .finished }
        let isClosing = rest.count >= 3 && rest.matches("421", in: ByteRange(0, 3))
        self.failure = self.failure(isClosing ? .peerClosing : .unexpectedReply, printing: rest)
        self.phase = .closed
        return .finished
    }
}
