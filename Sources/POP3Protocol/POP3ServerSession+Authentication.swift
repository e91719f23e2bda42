// SPDX-License-Identifier: Apache-2.0
//
// AUTH (RFC 5034): the exchange itself is SASL's, its lines and its end are the session's.

internal import MailBytes
public import SASL

extension POP3ServerSession {
    /// The mechanisms that AUTH takes now, and that CAPA announces.
    public var mechanisms: SASLMechanismSet {
        var usable = self.settings.mechanisms.intersection(self.usableMechanisms)
        if !self.permitsPasswords { usable.subtract(.showingSecret) }
        if !self.bindsChannel { usable.remove(.scramSHA256Plus) }
        if !self.hasClientCertificate { usable.remove(.external) }
        return usable
    }

    mutating func receiveAUTH(
        _ name: ByteRange,
        _ response: ByteRange?,
        of octets: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard !name.isEmpty else { return self.listMechanisms(into: &replies) }
        guard let mechanism = SASLMechanism(name: octets.extracting(name.indices)),
            self.settings.mechanisms.contains(mechanism)
        else { return self.refuse(.noMechanism, into: &replies) }
        guard self.permitsPasswords || !mechanism.showsSecret else {
            return self.refuse(.plaintextRefused, into: &replies)
        }
        guard self.mechanisms.contains(mechanism) else {
            return self.refuse(.noMechanism, into: &replies)
        }
        self.exchange.offersChannelBinding = self.mechanisms.contains(.scramSHA256Plus)
        let effect: SASLExchange.Effect
        if let response {
            let initial = octets.extracting(response.indices)
            effect = self.exchange.begin(mechanism, initialResponse: initial)
        } else {
            effect = self.exchange.begin(mechanism, initialResponse: nil)
        }
        return self.follow(effect, into: &replies)
    }

    /// Takes the client's next line in an exchange.
    mutating func receiveResponse(
        _ line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.commandCount += 1
        return self.follow(self.exchange.receive(line), into: &replies)
    }

    /// Takes the answer to `.authenticate`.
    mutating func receiveAuthenticationAnswer(
        _ answer: borrowing SASLAnswer,
        into replies: inout ReplyBuffer
    ) -> Effect {
        precondition(self.phase == .suspended(.authenticate), "an answer follows a question")
        return self.follow(self.exchange.answer(answer), into: &replies)
    }

    private mutating func follow(
        _ effect: SASLExchange.Effect,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch effect {
        case .challenge:
            self.phase = .authenticating
            guard !self.isStopping else { return self.end(saying: .goingDown, into: &replies) }
            self.lastReplyWasError = false
            replies.append("+ ")
            self.exchange.appendChallenge(to: &replies)
            replies.appendCRLF()
            return .proceed
        case .ask(let question):
            self.phase = .suspended(.authenticate)
            return .authenticate(question)
        case .succeeded:
            self.phase = .suspended(.openMaildrop)
            return .openMaildrop
        case .failed(let failure):
            self.phase = .authorization
            return self.refuse(failure, into: &replies)
        }
    }

    private mutating func refuse(
        _ failure: SASLFailure,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch failure {
        // One reply for both: which account has what is nobody's business.
        case .rejected, .weak: self.refuseLogin(.authenticationFailed, into: &replies)
        case .throttled: self.refuse(.loginThrottled, into: &replies)
        case .temporary: self.refuse(.temporaryFailure, into: &replies)
        case .cancelled: self.refuse(.authenticationCancelled, into: &replies)
        case .malformed: self.refuse(.responseMalformed, into: &replies)
        }
    }

    /// Answers AUTH without a mechanism, by which some old clients ask for the list.
    private mutating func listMechanisms(into replies: inout ReplyBuffer) -> Effect {
        guard !self.mechanisms.isEmpty else { return self.refuse(.noMechanism, into: &replies) }
        self.reply(.mechanismsFollow, into: &replies)
        self.mechanisms.forEach { mechanism in
            replies.append(mechanism.name)
            replies.appendCRLF()
        }
        replies.append(".\r\n")
        return self.goOn(into: &replies)
    }
}
