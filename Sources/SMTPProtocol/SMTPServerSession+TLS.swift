// SPDX-License-Identifier: Apache-2.0
//
// STARTTLS (RFC 3207). What was said in clear may have been said by anybody: nothing of it counts
// afterwards, and nothing that came behind the command is ever looked at.

internal import MailBytes

extension SMTPServerSession {
    mutating func receiveSTARTTLS(_ stage: Stage, into replies: inout ReplyBuffer) -> Effect {
        guard !self.isSecured else { return self.refuse(.securedAlready, stage, into: &replies) }
        switch stage {
        case .greeted: return self.refuse(.helloFirst, stage, into: &replies)
        case .chunking: return self.refuse(.withinChunks, stage, into: &replies)
        case .ready, .transaction: break
        }
        guard self.canBeginTLS else { return self.accept(.tlsUnavailable, stage, into: &replies) }
        self.reply(.startTLS, into: &replies)
        self.forgetClient()
        self.phase = .securing
        return .startTLS
    }

    /// Takes `.secured`.
    mutating func secure(
        hasClientCertificate: Bool,
        bindsChannel: Bool,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.isSecured = true
        self.hasClientCertificate = hasClientCertificate
        self.bindsChannel = bindsChannel
        switch self.phase {
        case .awaitingGreeting:
            return .awaitInput
        case .securing:
            return self.goOn(.greeted, into: &replies)
        case .closed:
            return .close
        case .awaitingCommand, .suspended, .authenticating, .receivingContent, .refusingContent,
            .receivingChunk, .refusingChunk:
            preconditionFailure("TLS begins before the greeting or after STARTTLS")
        }
    }
}
