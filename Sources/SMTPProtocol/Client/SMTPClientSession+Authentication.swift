// SPDX-License-Identifier: Apache-2.0
//
// AUTH (RFC 4954): the strongest mechanism that both sides have, then a weaker one if the peer says
// that this one cannot serve the account.

internal import MailBytes
internal import MailSyntax
internal import SASL

extension SMTPClientSession {
    /// How far a login is.
    enum Login: Equatable, BitwiseCopyable {
        case none
        /// AUTH was not said yet.
        case beginning(SASLMechanism)
        /// AUTH was said without the initial response, which was too long for it.
        case holdingResponse(SASLMechanism)
        case underWay(SASLMechanism)
    }

    /// The mechanisms that may be used and were not refused.
    private var usableMechanisms: SASLMechanismSet {
        var mechanisms = self.settings.mechanisms
            .intersection(SASLClientExchange.mechanisms)
            .intersection(self.extensions.mechanisms)
            .subtracting(self.refusedMechanisms)
        if !self.isSecured {
            mechanisms.remove(.scramSHA256Plus)
            if !self.settings.permitsPlaintextAuth {
                for mechanism in SASLMechanism.allCases where mechanism.showsSecret {
                    mechanisms.remove(SASLMechanismSet(mechanism))
                }
            }
        }
        return mechanisms
    }

    mutating func beginLogin(into commands: inout ReplyBuffer) -> Effect {
        let usable = self.usableMechanisms
        let mechanism = SASLMechanism.allCases.first { usable.contains(SASLMechanismSet($0)) }
        guard let mechanism else { return self.end(.authenticationUnavailable) }
        self.login = .beginning(mechanism)
        let couldBind = self.isSecured && self.settings.mechanisms.contains(.scramSHA256Plus)
        return self.take(self.exchange.begin(mechanism, couldBind: couldBind), into: &commands)
    }

    /// Takes `.authenticationAnswered`.
    mutating func receiveAuthentication(
        _ answer: borrowing SASLClientAnswer,
        into commands: inout ReplyBuffer
    ) -> Effect {
        guard self.phase == .suspended else { return self.closeAgain() }
        return self.take(self.exchange.answer(answer), into: &commands)
    }

    private mutating func take(
        _ effect: SASLClientExchange.Effect,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch (effect, self.login) {
        case (.ask(let question), _):
            self.phase = .suspended
            return .authenticate(question)
        case (.listen, .beginning(let mechanism)):
            self.appendAUTH(mechanism, to: &commands)
            commands.appendCRLF()
            self.login = .underWay(mechanism)
        case (.respond, .beginning(let mechanism)):
            self.appendAUTH(mechanism, to: &commands)
            if self.exchange.responseCount <= Self.initialResponseOctetsMax {
                commands.append(.space)
                self.exchange.appendResponse(to: &commands)
                self.login = .underWay(mechanism)
            } else {
                self.login = .holdingResponse(mechanism)
            }
            commands.appendCRLF()
        case (.respond, _):
            self.exchange.appendResponse(to: &commands)
            commands.appendCRLF()
        case (.failed(let failure), let login):
            if case .underWay = login { commands.append("*\r\n") }
            return self.endLogin(failure)
        case (.listen, _):
            preconditionFailure("a server speaks first only at the beginning")
        }
        self.phase = .awaitingChallenge
        return .awaitInput
    }

    private func appendAUTH(_ mechanism: SASLMechanism, to commands: inout ReplyBuffer) {
        commands.append("AUTH ")
        commands.append(mechanism.name)
    }

    /// Takes a reply to AUTH or to a response.
    mutating func receiveAuthentication(
        _ reply: SMTPClientReply,
        challenge: borrowing Span<UInt8>,
        into commands: inout ReplyBuffer
    ) -> Effect {
        switch (reply.severity, self.login) {
        case (.completed, .underWay):
            if let failure = self.exchange.conclude() { return self.endLogin(failure) }
            self.login = .none
            return self.finishLogin()
        case (.intermediate, .holdingResponse(let mechanism)) where reply.code == 334:
            self.login = .underWay(mechanism)
            return self.take(.respond, into: &commands)
        case (.intermediate, .underWay) where reply.code == 334:
            return self.take(self.exchange.receive(challenge), into: &commands)
        case (.transient, .underWay(let mechanism)), (.permanent, .underWay(let mechanism)),
            (.transient, .holdingResponse(let mechanism)),
            (.permanent, .holdingResponse(let mechanism)):
            self.exchange.abandon()
            self.refusedMechanisms.insert(SASLMechanismSet(mechanism))
            // 504: not known after all; 534: too weak for the account; 538: not without TLS.
            guard [504, 534, 538].contains(reply.code), !self.usableMechanisms.isEmpty else {
                return self.endAtRefusal(.authenticationFailed, reply)
            }
            return self.beginLogin(into: &commands)
        case (.completed, _), (.intermediate, _), (.transient, _), (.permanent, _):
            self.exchange.abandon()
            return self.endAtUnexpected(reply)
        }
    }

    private mutating func endLogin(_ failure: SASLClientFailure) -> Effect {
        switch failure {
        case .malformedChallenge: self.end(.authenticationFailed, saying: "malformed challenge")
        case .unavailable: self.end(.authenticationUnavailable, saying: "the secret is not at hand")
        case .serverUnproven:
            self.end(.authenticationFailed, saying: "the server has not shown that it knows us")
        case .unreasonableCost:
            self.end(.authenticationFailed, saying: "too few or too many iterations of SCRAM")
        }
    }

    /// AUTH is a command line of at most 512 octets (RFC 4954, section 4); this leaves room for the
    /// longest name.
    private static let initialResponseOctetsMax = 480
}
