// SPDX-License-Identifier: Apache-2.0
//
// PLAIN (RFC 4616): [authzid] NUL authcid NUL passwd, in one message.

internal import MailBytes

/// The server's side of PLAIN.
struct PlainMechanism: ServerMechanism {
    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        guard let first = message.firstIndex(of: 0),
            let second = message.firstIndex(of: 0, from: first + 1),
            message.firstIndex(of: 0, from: second + 1) == nil
        else { return .failed(.malformed) }
        let authorization = ByteRange(0, first)
        let authentication = ByteRange(first + 1, second)
        let password = ByteRange(second + 1, message.count)
        guard authorization.count <= SASLLimits.nameOctetsMax,
            (1...SASLLimits.nameOctetsMax).contains(authentication.count),
            (1...SASLLimits.passwordOctetsMax).contains(password.count)
        else { return .failed(.malformed) }
        material.authorizationIdentity = message.copy(authorization)
        material.identity = message.copy(authentication)
        guard material.actsAsItself else { return .failed(.rejected) }
        material.secret = message.copy(password)
        return .ask(.verifyPassword)
    }
}
