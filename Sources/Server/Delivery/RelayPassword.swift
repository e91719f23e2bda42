// SPDX-License-Identifier: Apache-2.0
//
// Logs in at another server with a password.

internal import Credentials
internal import MailBytes
package import SASL

/// Who we are at a relay.
package final class RelayPassword: ClientLogin {
    private let identity: [UInt8]
    private let password: [UInt8]
    private var randomness: any RandomNumberGenerator

    package init(
        identity: [UInt8],
        password: [UInt8],
        randomness: any RandomNumberGenerator = SystemRandomNumberGenerator()
    ) {
        self.identity = identity
        self.password = password
        self.randomness = randomness
    }

    package func answer(
        _ question: SASLClientQuestion,
        of exchange: borrowing SASLClientExchange,
        channelBinding: (SASLChannelBinding) -> [UInt8]?,
        with answer: (borrowing SASLClientAnswer) -> Void
    ) {
        let identity = self.identity
        switch question {
        case .providePassword:
            let password = self.password
            answer(.password(identity: identity.span, password: password.span))
        case .beginSCRAM(_, let binding):
            let nonce = self.nonce()
            let octets = binding.flatMap(channelBinding) ?? []
            answer(
                .scram(
                    identity: identity.span,
                    nonce: nonce.span,
                    channelBinding: octets.span
                )
            )
        case .proveSCRAM(let hash):
            let proof = SCRAMProof(
                SCRAMKeys.Mechanism(hash),
                password: self.password,
                salt: exchange.salt.copy(),
                iterations: exchange.iterations,
                authMessage: exchange.authMessage.copy()
            )
            guard let proof else { return answer(.unavailable) }
            let (shown, signature) = (proof.clientProof, proof.serverSignature)
            answer(.proof(shown.span, serverSignature: signature.span))
        case .digest:
            let digest = cramMD5Digest(
                challenge: exchange.challenge.copy(),
                secret: self.password
            )
            guard let digest else { return answer(.unavailable) }
            answer(.digest(identity: identity.span, digest: digest.span))
        }
    }

    /// As many random octets as RFC 5802 wants nobody to guess, in base64.
    private func nonce() -> [UInt8] {
        var octets: [UInt8] = []
        for _ in 0..<3 {
            let word = self.randomness.next()
            for shift in stride(from: 0, to: 64, by: 8) {
                octets.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return Base64.encode(octets)
    }
}
