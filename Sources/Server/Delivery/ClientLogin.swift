// SPDX-License-Identifier: Apache-2.0
//
// Who logs in at another server, and what its exchange has to be told (RFC 4954).

package import SASL

/// Who logs in at a server, and can answer what its exchange asks.
package protocol ClientLogin: AnyObject {
    /// The answer to a question of an exchange; after `.later` it is given to the driver by
    /// `loginAnswered`, not from within this call.
    func answer(
        _ question: SASLClientQuestion,
        of exchange: borrowing SASLClientExchange,
        channelBinding: (SASLChannelBinding) -> [UInt8]?,
        for driver: SMTPClientDriver
    ) -> ClientLoginAnswer
}

/// What an exchange is told, as `SASLClientAnswer`, but owned.
package enum ClientLoginAnswer: Sendable {
    case password(identity: [UInt8], password: [UInt8])
    case scram(identity: [UInt8], nonce: [UInt8], channelBinding: [UInt8])
    case proof([UInt8], serverSignature: [UInt8])
    case digest(identity: [UInt8], digest: [UInt8])
    case unavailable
    /// It takes its time.
    case later

    /// Calls `body` with the answer in the words of the exchange; `.later` is none.
    func give<Result>(to body: (borrowing SASLClientAnswer) -> Result) -> Result {
        switch self {
        case .password(let identity, let password):
            body(.password(identity: identity.span, password: password.span))
        case .scram(let identity, let nonce, let binding):
            body(
                .scram(
                    identity: identity.span,
                    nonce: nonce.span,
                    channelBinding: binding.span
                )
            )
        case .proof(let proof, let signature):
            body(.proof(proof.span, serverSignature: signature.span))
        case .digest(let identity, let digest):
            body(.digest(identity: identity.span, digest: digest.span))
        case .unavailable, .later: body(.unavailable)
        }
    }
}
