// SPDX-License-Identifier: Apache-2.0
//
// CRAM-MD5 (RFC 2195): the server sends a text that never came before, the client a name and the
// HMAC-MD5 of the text under the password.

internal import MailBytes

/// The server's side of CRAM-MD5.
struct CRAMMD5Mechanism: ServerMechanism {
    private static let digitCount = 32

    mutating func begin(_ material: inout SASLMaterial) -> SASLExchange.Effect {
        .ask(.makeChallenge)
    }

    mutating func receive(
        _ message: borrowing Span<UInt8>,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        // A name may have spaces in it, a digest has none.
        let space = message.count - Self.digitCount - 1
        guard (1...SASLLimits.nameOctetsMax).contains(space), message[space] == .space else {
            return .failed(.malformed)
        }
        let name = ByteRange(0, space)
        var digest = message.copy(ByteRange(space + 1, message.count))
        for index in digest.indices { digest[index] = digest[index].lowercasedASCII }
        guard digest.allSatisfy({ $0.isASCIIDigit || (0x61...0x66).contains($0) }),
            name.indices.allSatisfy({ message[$0] != 0 })
        else { return .failed(.malformed) }
        material.identity = message.copy(name)
        material.secret = digest
        return .ask(.verifyDigest)
    }

    mutating func answer(
        _ answer: borrowing SASLAnswer,
        _ material: inout SASLMaterial
    ) -> SASLExchange.Effect {
        if let failure = answer.failure { return .failed(failure) }
        switch copy answer {
        case .challenge(let text) where material.message.isEmpty:
            precondition(!text.isEmpty, "a challenge has a text")
            material.message = text.copy()
            material.challenge = material.message
            return .challenge
        case .accepted where !material.message.isEmpty: return .succeeded
        default: preconditionFailure("this is no answer to the question")
        }
    }
}
