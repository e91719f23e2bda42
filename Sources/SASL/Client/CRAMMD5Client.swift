// SPDX-License-Identifier: Apache-2.0

internal import MailBytes

/// The client's side of CRAM-MD5 (RFC 2195).
struct CRAMMD5Client: ClientMechanism {
    private(set) var isDone = false

    mutating func begin(_ material: inout SASLClientMaterial) -> SASLClientExchange.Effect {
        .listen
    }

    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        guard !self.isDone, !message.isEmpty else { return .failed(.malformedChallenge) }
        material.message = message.copy()
        return .ask(.digest)
    }

    mutating func answer(
        _ answer: borrowing SASLClientAnswer,
        _ material: inout SASLClientMaterial
    ) -> SASLClientExchange.Effect {
        guard case .digest(let identity, let digest) = copy answer else {
            preconditionFailure("this is no answer to the question")
        }
        material.response = identity.copy()
        material.response.append(.space)
        material.response.append(digest)
        self.isDone = true
        return .respond
    }
}
