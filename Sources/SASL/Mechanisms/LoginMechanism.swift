// SPDX-License-Identifier: Apache-2.0
//
// LOGIN, as draft-murchison-sasl-login wrote it down: the server asks for a name, then for a
// password. The words of the questions are those which clients wait for.

internal import MailBytes

/// The server's side of LOGIN.
struct LoginMechanism: ServerMechanism {
    private var hasName = false

    mutating func begin(_ material: inout SASLMaterial) -> SASLExchange.Effect {
        material.challenge = Array("Username:".utf8)
        return .challenge
    }

    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        let octetsMax = self.hasName ? SASLLimits.passwordOctetsMax : SASLLimits.nameOctetsMax
        guard (1...octetsMax).contains(message.count), message.firstIndex(of: 0) == nil else {
            return .failed(.malformed)
        }
        guard self.hasName else {
            self.hasName = true
            material.identity = message.copy()
            material.challenge = Array("Password:".utf8)
            return .challenge
        }
        material.secret = message.copy()
        return .ask(.verifyPassword)
    }
}
