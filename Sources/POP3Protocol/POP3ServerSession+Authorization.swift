// SPDX-License-Identifier: Apache-2.0
//
// The AUTHORIZATION state: greeting, USER and PASS, APOP, and what becomes of them (RFC 1939,
// sections 4 and 7).

internal import MailBytes

extension POP3ServerSession {
    /// Greets, unless the peer spoke first.
    mutating func accept(
        _ earlyTalk: Bool,
        _ nonce: UInt64,
        _ clock: UInt64,
        into replies: inout ReplyBuffer
    ) -> Effect {
        precondition(self.phase == .awaitingGreeting, "a session is accepted once")
        guard !earlyTalk else { return self.end(saying: .earlyTalk, into: &replies) }
        self.lastReplyWasError = false
        replies.append("+OK ")
        // In the place where Dovecot's proxy looks for it.
        if self.offersXCLIENT { replies.append("[XCLIENT] ") }
        // RFC 2449, section 4: 512 octets at most, so a long name stands in the timestamp only.
        if !self.settings.offersAPOP || self.settings.hostname.count <= 200 {
            replies.append(self.settings.hostname)
            replies.append(.space)
        }
        replies.append(POP3Reply.ready.text(in: self.language))
        if self.settings.offersAPOP {
            replies.append(.space)
            let start = replies.count
            self.appendTimestamp(nonce, clock, to: &replies)
            self.timestamp = replies.span.copy(ByteRange(start, replies.count))
        }
        replies.appendCRLF()
        self.phase = .authorization
        return .proceed
    }

    /// Appends a timestamp in the form of a msg-id of RFC 822.
    ///
    /// Letters, digits, dot and hyphen around one `@` and nothing else: clients exist that take
    /// a greeting with `=` or `@[` in it for one without a timestamp.
    private func appendTimestamp(
        _ nonce: UInt64,
        _ clock: UInt64,
        to replies: inout ReplyBuffer
    ) {
        replies.append("<")
        replies.append(hexadecimal: nonce)
        replies.append(.dot)
        replies.append(hexadecimal: clock)
        replies.append("@")
        for octet in self.settings.hostname {
            let isPlain = octet.isASCIILetter || octet.isASCIIDigit || octet == .dot
            replies.append(isPlain ? octet : UInt8(ascii: "-"))
        }
        if self.settings.hostname.isEmpty { replies.append("localhost") }
        replies.append(">")
    }

    mutating func receiveUSER(
        _ name: ByteRange,
        of octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard self.permitsPasswords else {
            return self.refuse(.plaintextRefused, into: &replies)
        }
        guard self.accepts(name, of: octets) else { return self.refuse(.notUTF8, into: &replies) }
        Self.replace(&self.user, with: name, of: octets)
        self.phase = .awaitingPassword
        return self.accept(.nameTaken, into: &replies)
    }

    mutating func receivePASS(
        _ password: ByteRange,
        of octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard self.accepts(password, of: octets) else {
            return self.refuse(.notUTF8, into: &replies)
        }
        Self.replace(&self.password, with: password, of: octets)
        self.phase = .suspended(.logIn)
        return .logIn(.password)
    }

    mutating func receiveAPOP(
        _ name: ByteRange,
        _ digest: ByteRange,
        of octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard self.settings.offersAPOP else { return self.refuse(.apopNotOffered, into: &replies) }
        guard self.accepts(name, of: octets) else { return self.refuse(.notUTF8, into: &replies) }
        Self.replace(&self.user, with: name, of: octets)
        Self.replace(&self.password, with: digest, of: octets)
        // RFC 1939, section 7: the digest is in lower case; nothing is lost by reading the other.
        for index in self.password.indices {
            self.password[index] = self.password[index].lowercasedASCII
        }
        self.phase = .suspended(.logIn)
        return .logIn(.apop)
    }

    /// Takes the answer to `.logIn`.
    mutating func receiveLoginAnswer(_ answer: Answer, into replies: inout ReplyBuffer) -> Effect {
        self.wipeSecret()
        self.phase = .authorization
        switch answer {
        case .loggedIn(let messages, let octets):
            precondition(messages >= 0 && octets >= 0, "a maildrop holds no less than nothing")
            return self.enterTransaction(messages: messages, octets: octets, into: &replies)
        case .loginRefused:
            return self.refuseLogin(.loginRefused, into: &replies)
        case .maildropLocked:
            return self.refuse(.maildropLocked, into: &replies)
        case .loginDelayed:
            return self.refuse(.loginDelayed, into: &replies)
        case .loginThrottled:
            return self.refuse(.loginThrottled, into: &replies)
        case .temporaryFailure:
            return self.refuse(.temporaryFailure, into: &replies)
        case .contentMissing, .deletionsCommitted, .deletionsFailed, .xclientAdopted,
            .xclientRefused:
            preconditionFailure("this is no answer to a login")
        }
    }

    private mutating func enterTransaction(
        messages: Int,
        octets: Int,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.phase = .transaction
        self.isAuthenticated = true
        self.messageCount = messages
        self.octetCount = octets
        // There is nothing to ask about an empty maildrop.
        self.isListed = messages == 0
        self.begin(.maildropHas, into: &replies)
        replies.append(.space)
        self.appendCounts(into: &replies)
        replies.appendCRLF()
        return self.goOn(into: &replies)
    }

    /// Whether a name or a password may be passed on.
    private func accepts(_ range: ByteRange, of octets: borrowing Span<UInt8>) -> Bool {
        !self.settings.acceptsUTF8Users || octets.isPreparableUTF8(in: range)
    }

    private static func replace(
        _ target: inout [UInt8],
        with range: ByteRange,
        of octets: borrowing Span<UInt8>
    ) {
        target.removeAll(keepingCapacity: true)
        target.reserveCapacity(range.count)
        for index in range.indices { target.append(octets[index]) }
    }
}
