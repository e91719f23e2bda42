// SPDX-License-Identifier: Apache-2.0
//
// What changes who and what the session talks with: STLS (RFC 2595, section 4), implicit TLS
// (RFC 8314) and XCLIENT.

internal import MailBytes

extension POP3ServerSession {
    /// Whether USER and PASS may be used now.
    var permitsPasswords: Bool { self.isSecured || self.settings.permitsPlaintext }

    mutating func receiveSTLS(into replies: inout ReplyBuffer) -> Effect {
        guard !self.isSecured else { return self.refuse(.tlsActive, into: &replies) }
        guard self.settings.offersSTLS else { return self.refuse(.tlsNotOffered, into: &replies) }
        self.reply(.beginTLS, into: &replies)
        guard !self.isStopping else { return self.end() }
        self.phase = .securing
        return .startTLS
    }

    /// Takes `.secured`: before the greeting, or after STLS.
    mutating func beginSecured(into replies: inout ReplyBuffer) -> Effect {
        precondition(!self.isSecured, "a session is secured once")
        self.isSecured = true
        guard self.phase == .securing else {
            precondition(self.phase == .awaitingGreeting, "TLS comes after STLS or at the start")
            return .awaitInput
        }
        self.forgetClient()
        self.phase = .authorization
        return self.goOn(into: &replies)
    }

    mutating func receiveXCLIENT(
        _ client: NetworkAddress,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard self.offersXCLIENT else { return self.refuse(.unknownCommand, into: &replies) }
        self.phase = .suspended(.adoptClient)
        return .adoptClient(client)
    }

    /// Takes the answer to `.adoptClient`.
    mutating func receiveXCLIENTAnswer(
        _ answer: Answer,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.phase = .authorization
        switch answer {
        case .xclientAdopted:
            self.forgetClient()
            return self.accept(.clientAdopted, into: &replies)
        case .xclientRefused:
            return self.refuse(.clientRefused, into: &replies)
        case .temporaryFailure:
            return self.refuse(.temporaryFailure, into: &replies)
        case .loggedIn, .loginRefused, .maildropLocked, .loginDelayed, .loginThrottled,
            .contentMissing, .deletionsCommitted, .deletionsFailed:
            preconditionFailure("this is no answer to XCLIENT")
        }
    }

    /// Forgets what was said before TLS, or by the proxy itself: RFC 2595, section 4.
    private mutating func forgetClient() {
        self.user.removeAll(keepingCapacity: true)
        self.language = .standard
        self.isUTF8 = false
    }
}
