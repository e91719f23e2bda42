// SPDX-License-Identifier: Apache-2.0
//
// The way to the first transaction: greeting, EHLO with its fall-back, STARTTLS (RFC 3207).

internal import MailBytes

extension SMTPClientSession {
    mutating func receiveGreeting(
        _ reply: SMTPClientReply,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch reply.severity {
        case .completed where reply.code == 220: return self.sayHello(into: &commands)
        case .transient, .permanent: return self.endAtRefusal(.refused, reply)
        case .completed, .intermediate: return self.endAtUnexpected(reply)
        }
    }

    private mutating func sayHello(into commands: inout ReplyBuffer) -> Effect {
        switch self.settings.dialect {
        case .lmtp: self.say(.lhlo, into: &commands)
        case .smtp: self.say(self.saysHELO ? .helo : .ehlo, into: &commands)
        }
    }

    private mutating func say(_ hello: Hello, into commands: inout ReplyBuffer) -> Effect {
        switch hello {
        case .ehlo: commands.append("EHLO ")
        case .helo: commands.append("HELO ")
        case .lhlo: commands.append("LHLO ")
        }
        commands.append(self.settings.clientName)
        commands.appendCRLF()
        self.offered = SMTPExtensions()
        self.extensions = SMTPExtensions()
        self.phase = .awaitingHello(hello)
        return .awaitInput
    }

    mutating func receiveHello(
        _ hello: Hello,
        _ reply: SMTPClientReply,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch (reply.severity, hello) {
        case (.completed, _):
            self.extensions = self.offered
            return self.goOn(into: &commands)
        // RFC 5321, section 3.2: whoever does not know EHLO may know HELO. 521 and 554 are no
        // words about the command.
        case (.permanent, .ehlo) where reply.code != 521 && reply.code != 554:
            return self.say(.helo, into: &commands)
        case (.transient, _), (.permanent, _):
            return self.endAtRefusal(.refused, reply)
        case (.intermediate, _):
            return self.endAtUnexpected(reply)
        }
    }

    /// Does what is to be done before the first transaction: TLS, then the login.
    private mutating func goOn(into commands: inout ReplyBuffer) -> Effect {
        if !self.isSecured {
            let isOffered = self.extensions.keywords.contains(.startTLS)
            switch self.settings.tls {
            case .whenOffered where isOffered && !self.hasDeclinedTLS, .required where isOffered:
                commands.append("STARTTLS\r\n")
                self.phase = .awaitingSTARTTLS
                return .awaitInput
            case .required:
                return self.end(.tlsUnavailable)
            case .never, .whenOffered:
                break
            }
        }
        guard self.settings.mechanisms.isEmpty || self.isAuthenticated else {
            return self.beginLogin(into: &commands)
        }
        self.phase = .ready
        return .ready
    }

    mutating func receiveSTARTTLS(
        _ reply: SMTPClientReply,
        followedBy rest: borrowing Span<UInt8>,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch reply.severity {
        case .completed where reply.code == 220:
            // CVE-2021-38371: what came in clear behind the reply would seem to come over TLS.
            guard rest.isEmpty else { return self.end(.injectedPlaintext) }
            // RFC 3207, section 4.2: all that was said before is forgotten.
            self.extensions = SMTPExtensions()
            self.phase = .securing
            return .startTLS
        case .transient, .permanent:
            guard self.settings.tls == .whenOffered else {
                return self.endAtRefusal(.tlsUnavailable, reply)
            }
            self.hasDeclinedTLS = true
            return self.goOn(into: &commands)
        case .completed, .intermediate:
            return self.endAtUnexpected(reply)
        }
    }

    /// Takes `.secured`.
    mutating func secure(isVerified: Bool, into commands: inout ReplyBuffer) -> Effect {
        self.isSecured = true
        self.isVerified = isVerified
        switch self.phase {
        case .idle: return .awaitInput
        case .securing: return self.sayHello(into: &commands)
        case .awaitingGreeting, .awaitingHello, .awaitingSTARTTLS, .awaitingChallenge, .suspended,
            .ready, .inTransaction, .quitting, .closed:
            preconditionFailure("TLS begins before the greeting or after STARTTLS")
        }
    }

    /// Goes on after a login.
    mutating func finishLogin() -> Effect {
        self.isAuthenticated = true
        self.phase = .ready
        return .ready
    }
}
