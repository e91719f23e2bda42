// SPDX-License-Identifier: Apache-2.0
//
// The greeting, HELO, EHLO and LHLO (RFC 5321, sections 3.1, 3.2 and 4.1.1.1; RFC 2033, section
// 4.1).

internal import MailBytes
internal import SASL

extension SMTPServerSession {
    /// Greets, unless the peer spoke first.
    mutating func accept(earlyTalk: Bool, into replies: inout ReplyBuffer) -> Effect {
        precondition(self.phase == .awaitingGreeting, "a session is accepted once")
        guard !earlyTalk else { return self.end(saying: .earlyTalk, into: &replies) }
        replies.append(self.settings.greeting)
        return self.goOn(.greeted, into: &replies)
    }

    mutating func receiveHello(
        _ verb: SMTPVerb,
        _ name: ByteRange,
        _ stage: Stage,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch (self.settings.dialect, verb == .lhlo) {
        case (.smtp, true): return self.refuse(.notLMTP, stage, into: &replies)
        case (.lmtp, false): return self.refuse(.notSMTP, stage, into: &replies)
        case (.smtp, false), (.lmtp, true): break
        }
        guard !name.isEmpty else {
            return self.refuse(argumentsOf: verb, stage, into: &replies)
        }
        guard Self.isClientName(line, name) else {
            return self.refuse(.badClientName, stage, into: &replies)
        }
        // RFC 5321, section 4.1.4: a second EHLO is a RSET too.
        self.forgetTransaction()
        self.isExtended = verb != .helo
        self.envelope.setClientName(line, name)
        let start = replies.count
        if self.isExtended {
            self.appendExtensions(to: &replies)
        } else {
            replies.append(self.settings.plainHello)
        }
        self.noteReply(at: start, of: replies)
        return self.goOnAfterTransaction(stage, into: &replies)
    }

    /// Appends the name and the keywords of the service extensions, as they are true now.
    private func appendExtensions(to replies: inout ReplyBuffer) {
        replies.append(self.settings.extensions.first)
        // RFC 3207, section 4.2: not once TLS is up.
        if self.settings.offersSTARTTLS, !self.isSecured, self.canBeginTLS {
            replies.append("250-STARTTLS\r\n")
        }
        // RFC 8689, section 2: only once it is.
        if self.isSecured { replies.append("250-REQUIRETLS\r\n") }
        self.appendMechanisms(to: &replies)
        if self.offersXCLIENT {
            replies.append("250-")
            replies.append(XCLIENTAttributes.keyword)
            if self.settings.acceptsXCLIENTLogin { replies.append(" LOGIN") }
            replies.appendCRLF()
        }
        replies.append(self.settings.extensions.last)
    }

    private func appendMechanisms(to replies: inout ReplyBuffer) {
        let mechanisms = self.mechanisms
        guard !mechanisms.isEmpty else { return }
        replies.append("250-AUTH")
        // By number, because `allCases` is an array and would be made anew.
        var number: UInt8 = 0
        while let mechanism = SASLMechanism(rawValue: number) {
            if mechanisms.contains(mechanism) {
                replies.append(.space)
                replies.append(mechanism.name)
            }
            number += 1
        }
        replies.appendCRLF()
    }

    /// Whether the client may be called so.
    ///
    /// Deviation (RFC 5321, section 4.1.1.1): nearly everything is a name. Clients that do not know
    /// what they are called are common, and nothing is decided by it.
    private static func isClientName(_ line: borrowing Span<UInt8>, _ name: ByteRange) -> Bool {
        for index in name.indices where line[index] < .space || line[index] == 0x7f {
            return false
        }
        return name.count <= 255
    }
}
