// SPDX-License-Identifier: Apache-2.0
//
// How a session ends before it was told to: always with a failure, and in the midst of a
// transaction with outcomes for all its recipients.

internal import MailBytes
internal import MailSyntax
internal import SASL

extension SMTPClientSession {
    /// Ends without a reply to blame.
    mutating func end(_ kind: SMTPClientFailure.Kind) -> Effect {
        switch kind {
        case .closed where self.phase == .securing:
            self.end(.tlsFailed, saying: "TLS could not be established")
        case .closed: self.end(kind, saying: "the connection was closed")
        case .timedOut: self.end(kind, saying: "no reply in time")
        case .tlsUnavailable: self.end(kind, saying: "TLS is required, and was not offered")
        case .injectedPlaintext: self.end(kind, saying: "octets in clear behind STARTTLS")
        case .authenticationUnavailable:
            self.end(kind, saying: "no mechanism of AUTH that may be used was offered")
        case .refused, .peerClosing, .malformedReply, .unexpectedReply, .tlsFailed,
            .authenticationFailed:
            preconditionFailure("a reply is to blame")
        }
    }

    mutating func end(_ kind: SMTPClientFailure.Kind, saying text: String) -> Effect {
        self.finish(
            SMTPClientFailure(
                kind: kind,
                stage: self.stage,
                code: 0,
                status: kind.status,
                text: Array(text.utf8)
            )
        )
    }

    /// Ends at a reply that says so, or that refuses what cannot be done without.
    mutating func endAtRefusal(
        _ kind: SMTPClientFailure.Kind,
        _ reply: SMTPClientReply
    ) -> Effect {
        let given = EnhancedStatus(of: reply, at: self.stage)
        // The login and TLS are between us and our relay: no fault of the message, which waits.
        let statusClass = kind == .refused ? given.statusClass : 4
        return self.finish(
            SMTPClientFailure(
                kind: kind,
                stage: self.stage,
                code: reply.code,
                status: EnhancedStatus(statusClass, given.subject, given.detail),
                text: reply.text
            )
        )
    }

    /// Ends at a reply that fits nothing that was said.
    mutating func endAtUnexpected(_ reply: SMTPClientReply) -> Effect {
        let text = Array("unexpected reply: \(reply.code) ".utf8) + reply.text
        return self.finish(self.failure(.unexpectedReply, printing: text.span, after: []))
    }

    /// Ends at octets that are no reply.
    mutating func endAtMalformed(_ octets: borrowing Span<UInt8>, isEndless: Bool) -> Effect {
        let prefix = isEndless ? "endless reply: " : "malformed reply: "
        return self.finish(
            self.failure(.malformedReply, printing: octets, after: Array(prefix.utf8))
        )
    }

    func failure(
        _ kind: SMTPClientFailure.Kind,
        printing octets: borrowing Span<UInt8>,
        after prefix: [UInt8] = Array("unasked: ".utf8)
    ) -> SMTPClientFailure {
        var text = prefix
        PrintableText.append(octets, to: &text)
        return SMTPClientFailure(
            kind: kind,
            stage: self.stage,
            code: 0,
            status: kind.status,
            text: text
        )
    }

    private mutating func finish(_ failure: SMTPClientFailure) -> Effect {
        switch self.phase {
        // Nothing is lost by a peer that does not say goodbye properly.
        case .quitting: return self.close()
        case .closed: return .close
        case .inTransaction:
            self.failure = failure
            self.transaction.end(failure)
            self.phase = .closed
            return .finished
        case .idle, .awaitingGreeting, .awaitingHello, .awaitingSTARTTLS, .securing,
            .awaitingChallenge, .suspended, .ready:
            self.failure = failure
            self.exchange.abandon()
            self.phase = .closed
            return .close
        }
    }

    mutating func close() -> Effect {
        self.phase = .closed
        return .close
    }

    /// An answer that comes late finds the session over.
    func closeAgain() -> Effect {
        precondition(self.phase == .closed, "no question is outstanding")
        return .close
    }
}

extension SMTPClientFailure.Kind {
    /// The status where no reply gave one.
    var status: EnhancedStatus {
        switch self {
        case .refused: EnhancedStatus(4, 3, 2)
        case .peerClosing, .closed, .timedOut: EnhancedStatus(4, 4, 2)
        case .malformedReply, .unexpectedReply: EnhancedStatus(4, 5, 0)
        case .tlsUnavailable, .authenticationUnavailable: EnhancedStatus(4, 7, 4)
        case .tlsFailed, .injectedPlaintext: EnhancedStatus(4, 7, 5)
        case .authenticationFailed: EnhancedStatus(4, 7, 8)
        }
    }
}
