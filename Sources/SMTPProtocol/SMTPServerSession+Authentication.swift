// SPDX-License-Identifier: Apache-2.0
//
// AUTH (RFC 4954). The mechanisms are SASL's; here are the order of commands, the lines of the
// exchange, and the replies.

internal import MailBytes
public import SASL

extension SMTPServerSession {
    /// The mechanisms that the client may use now; EHLO announces them.
    public var mechanisms: SASLMechanismSet {
        var mechanisms = self.settings.mechanisms.intersection(self.usableMechanisms)
        if !self.isSecured, !self.settings.permitsPlaintextAuth {
            mechanisms.subtract(.showingSecret)
        }
        if !self.isSecured || !self.bindsChannel { mechanisms.remove(.scramSHA256Plus) }
        if !self.hasClientCertificate { mechanisms.remove(.external) }
        return mechanisms
    }

    mutating func receiveAUTH(
        _ arguments: ByteRange,
        _ stage: Stage,
        of line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch stage {
        case .greeted: return self.refuse(.helloFirst, stage, into: &replies)
        case .transaction, .chunking: return self.refuse(.withinTransaction, stage, into: &replies)
        case .ready: break
        }
        // Who said HELO knows of no extension.
        guard self.isExtended else { return self.refuse(.ehloFirst, stage, into: &replies) }
        guard !self.isAuthenticated else {
            return self.refuse(.authenticatedAlready, stage, into: &replies)
        }
        var end = arguments.lowerBound
        while end < arguments.upperBound, line[end] != .space { end += 1 }
        let response = line.trimmed(ByteRange(end, arguments.upperBound))
        for index in response.indices where line[index] == .space {
            return self.refuse(argumentsOf: .auth, stage, into: &replies)
        }
        let name = ByteRange(arguments.lowerBound, end)
        switch self.mechanism(named: line.extracting(name.indices)) {
        case .failure(let reason):
            return self.refuse(reason, stage, into: &replies)
        case .success(let mechanism):
            return self.begin(mechanism, line.extracting(response.indices), into: &replies)
        }
    }

    private func mechanism(
        named name: borrowing Span<UInt8>
    ) -> Result<SASLMechanism, SMTPReply> {
        guard let mechanism = SASLMechanism(name: name) else { return .failure(.mechanismUnknown) }
        if self.mechanisms.contains(mechanism) { return .success(mechanism) }
        let needsTLS =
            self.settings.mechanisms.intersection(self.usableMechanisms).contains(mechanism)
            && !self.isSecured
            && self.settings.offersSTARTTLS
        return .failure(needsTLS ? .mechanismNeedsTLS : .mechanismUnknown)
    }

    private mutating func begin(
        _ mechanism: SASLMechanism,
        _ response: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.exchange.offersChannelBinding = self.mechanisms.contains(.scramSHA256Plus)
        let response = copy response
        let effect = self.exchange.begin(
            mechanism,
            initialResponse: response.isEmpty ? nil : response
        )
        return self.goOn(with: effect, into: &replies)
    }

    /// Takes a line of the exchange.
    mutating func receiveResponse(
        _ line: borrowing Span<UInt8>,
        into replies: inout ReplyBuffer
    ) -> Effect {
        let effect = self.exchange.receive(line)
        return self.goOn(with: effect, into: &replies)
    }

    /// Refuses a line that is no part of any exchange, and gives the exchange up.
    mutating func endExchange(
        saying reason: SMTPReply,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.exchange.abandon()
        return self.refuse(reason, .ready, into: &replies)
    }

    /// Takes the answer to `.authenticate`.
    mutating func receiveAuthentication(
        _ answer: borrowing SASLAnswer,
        into replies: inout ReplyBuffer
    ) -> Effect {
        guard case .suspended(.authenticate) = self.phase else {
            preconditionFailure("an answer about a login follows a question about it")
        }
        let effect = self.exchange.answer(answer)
        return self.goOn(with: effect, into: &replies)
    }

    private mutating func goOn(
        with effect: SASLExchange.Effect,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch effect {
        case .challenge:
            guard !self.isStopping else { return self.end(saying: .goingDown, into: &replies) }
            replies.append("334 ")
            self.exchange.appendChallenge(to: &replies)
            replies.appendCRLF()
            self.lastReplyWasError = false
            self.phase = .authenticating
            return .proceed
        case .ask(let question):
            self.phase = .suspended(.authenticate)
            return .authenticate(question)
        case .succeeded:
            self.isAuthenticated = true
            return self.accept(.authenticated, .ready, into: &replies)
        case .failed(let failure):
            return self.receiveFailure(failure, into: &replies)
        }
    }

    private mutating func receiveFailure(
        _ failure: SASLFailure,
        into replies: inout ReplyBuffer
    ) -> Effect {
        switch failure {
        case .rejected: return self.refuseLogin(.credentialsRejected, into: &replies)
        case .weak: return self.refuseLogin(.mechanismTooWeak, into: &replies)
        case .throttled: return self.refuseLogin(.loginThrottled, into: &replies)
        case .cancelled: return self.refuse(.exchangeCancelled, .ready, into: &replies)
        case .malformed: return self.refuse(.exchangeMalformed, .ready, into: &replies)
        case .temporary: return self.accept(.loginUnavailable, .ready, into: &replies)
        }
    }

    /// Refuses a login and counts it; who guesses is not to have many guesses for a connection.
    private mutating func refuseLogin(
        _ reason: SMTPReply,
        into replies: inout ReplyBuffer
    ) -> Effect {
        self.loginFailureCount += 1
        let effect = self.refuse(reason, .ready, into: &replies)
        guard effect != .close, self.loginFailureCount >= self.settings.loginFailuresMax else {
            return effect
        }
        return self.end(saying: .tooManyLogins, into: &replies)
    }
}
