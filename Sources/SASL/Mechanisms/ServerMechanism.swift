// SPDX-License-Identifier: Apache-2.0
//
// What the mechanisms have in common.

/// The server's side of one mechanism, a trivial value: its octets are in the material.
///
/// Each call leaves the challenge in the material when the effect is `.challenge`.
protocol ServerMechanism: BitwiseCopyable, Sendable {
    /// The client has named the mechanism.
    ///
    /// An initial response is the client's answer to the challenge this leaves; a mechanism that
    /// leaves none takes no initial response (RFC 4954, section 4).
    mutating func begin(_ material: inout SASLMaterial) -> SASLExchange.Effect

    /// Takes what the client sent, decoded.
    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect

    /// Takes the answer to the outstanding question.
    mutating func answer(
        _ answer: borrowing SASLAnswer,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect
}

extension ServerMechanism {
    /// Mechanisms in which the client speaks first send an empty challenge.
    mutating func begin(_ material: inout SASLMaterial) -> SASLExchange.Effect {
        material.challenge = []
        return .challenge
    }

    /// An answer says at once how most exchanges end.
    mutating func answer(
        _ answer: borrowing SASLAnswer,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        if let failure = answer.failure { return .failed(failure) }
        guard case .accepted = copy answer else {
            preconditionFailure("this is no answer to the question")
        }
        return .succeeded
    }
}
