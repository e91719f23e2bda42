// SPDX-License-Identifier: Apache-2.0

internal import MailBytes

/// The client's side of PLAIN (RFC 4616): one message, which is all.
struct PlainClient: ClientMechanism {
    private(set) var isDone = false

    mutating func begin(_ material: inout SASLClientMaterial) -> SASLClientExchange.Effect {
        .ask(.providePassword)
    }

    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        .failed(.malformedChallenge)
    }

    mutating func answer(
        _ answer: borrowing SASLClientAnswer,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        guard case .password(let identity, let password) = copy answer else {
            preconditionFailure("this is no answer to the question")
        }
        material.response = [0]
        material.response.append(identity)
        material.response.append(0)
        material.response.append(password)
        self.isDone = true
        return .respond
    }
}
