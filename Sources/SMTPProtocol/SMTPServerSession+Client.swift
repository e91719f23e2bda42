// SPDX-License-Identifier: Apache-2.0
//
// Who the client is when it is not the peer: XCLIENT, in Postfix's form, from proxies that the
// operator has listed. After it the conversation begins anew, with the greeting.

public import MailBytes
internal import SASL

extension SMTPServerSession {
    /// What a proxy said about the client; boxed, because few sessions hear of it.
    indirect enum Claim {
        case none
        case attributes(XCLIENTAttributes)

        var attributes: XCLIENTAttributes? {
            switch self {
            case .none: nil
            case .attributes(let attributes): attributes
            }
        }
    }

    /// The client's end of the connection: the peer, or what XCLIENT said.
    public var client: NetworkAddress { self.adopted.attributes?.address ?? self.peer }

    /// What XCLIENT said about the client, once it was adopted.
    public var adoptedClient: XCLIENTAttributes? { self.adopted.attributes }

    /// What XCLIENT says about the client, while `.adoptClient` is unanswered.
    public var proposedClient: XCLIENTAttributes? { self.proposed.attributes }

    mutating func receiveXCLIENT(
        _ arguments: ByteRange,
        _ stage: Stage,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard self.offersXCLIENT else { return self.refuse(.unknownCommand, stage, into: &replies) }
        switch stage {
        case .transaction, .chunking: return self.refuse(.withinTransaction, stage, into: &replies)
        case .greeted, .ready: break
        }
        guard !arguments.isEmpty else {
            return self.refuse(argumentsOf: .xclient, stage, into: &replies)
        }
        var attributes = self.adopted.attributes ?? XCLIENTAttributes()
        do throws(SMTPReply) {
            let acceptsLogin = self.settings.acceptsXCLIENTLogin
            try attributes.take(line, in: arguments, acceptsLogin: acceptsLogin)
        } catch {
            return self.refuse(error, stage, into: &replies)
        }
        self.proposed = .attributes(attributes)
        self.phase = .suspended(.adoptClient(then: stage))
        return .adoptClient
    }

    /// Takes the answer to `.adoptClient`.
    mutating func receiveAdoption(
        _ answer: Answer,
        _ stage: Stage,
        into replies: inout ReplyBuffer
    ) -> Effect {
        let attributes = self.proposed
        self.proposed = .none
        switch answer {
        case .xclientAdopted:
            self.forgetClient()
            self.adopted = attributes
            self.isAuthenticated = attributes.attributes?.login.isEmpty == false
            replies.append(self.settings.greeting)
            self.lastReplyWasError = false
            return self.goOn(.greeted, into: &replies)
        case .xclientRefused:
            return self.refuse(.xclientRefused, stage, into: &replies)
        case .rateExceeded:
            return self.end(saying: .tooManyConnections, into: &replies)
        case .temporaryFailure:
            return self.accept(.temporaryFailure, stage, into: &replies)
        case .senderPermitted, .senderForbidden, .recipientAccepted, .recipientUnknown,
            .relayingDenied, .mailboxFull, .mailboxVerified,
            .mailboxUnknown, .messageOpened, .storeFull, .headerCompleted, .authorForbidden,
            .committed, .recipientCommitted, .commitFailed, .mailboxUnverified, .queueStarted,
            .queueForbidden:
            preconditionFailure("this is no answer about a client")
        }
    }

    /// Forgets all that the client has said and shown in this session.
    ///
    /// What a proxy said about it stays, but for the login.
    mutating func forgetClient() {
        if var attributes = self.adopted.attributes {
            attributes.forgetLogin()
            self.adopted = .attributes(attributes)
        }
        self.forgetTransaction()
        self.envelope.forgetClientName()
        self.isExtended = false
        self.isAuthenticated = false
        self.exchange.abandon()
    }
}
