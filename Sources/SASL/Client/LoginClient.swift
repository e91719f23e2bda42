// SPDX-License-Identifier: Apache-2.0
//
// LOGIN, which was never standardised: the server asks for a name, then for a password. What words
// it asks with differs, and is not looked at.

internal import MailBytes

/// The client's side of LOGIN.
struct LoginClient: ClientMechanism {
    private enum Phase: Equatable, BitwiseCopyable {
        case awaitingName
        case awaitingPassword
        case done
    }

    private var phase = Phase.awaitingName

    var isDone: Bool { self.phase == .done }

    mutating func begin(_ material: inout SASLClientMaterial) -> SASLClientExchange.Effect {
        .listen
    }

    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        switch self.phase {
        case .awaitingName: return .ask(.providePassword)
        case .awaitingPassword:
            material.response = material.secret
            SASLMaterial.wipe(&material.secret)
            self.phase = .done
            return .respond
        case .done: return .failed(.malformedChallenge)
        }
    }

    mutating func answer(
        _ answer: borrowing SASLClientAnswer,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        guard case .password(let identity, let password) = copy answer else {
            preconditionFailure("this is no answer to the question")
        }
        material.response = identity.copy()
        material.secret = password.copy()
        self.phase = .awaitingPassword
        return .respond
    }
}
