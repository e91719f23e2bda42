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
    private let worker: (any ProofWorker)?
    private var randomness: any RandomNumberGenerator

    /// `worker` makes proofs, which can take half a second; without one they are made at once.
    package init(
        identity: [UInt8],
        password: [UInt8],
        worker: (any ProofWorker)? = nil,
        randomness: any RandomNumberGenerator = SystemRandomNumberGenerator()
    ) {
        self.identity = identity
        self.password = password
        self.worker = worker
        self.randomness = randomness
    }

    package func answer(
        _ question: SASLClientQuestion,
        of exchange: borrowing SASLClientExchange,
        channelBinding: (SASLChannelBinding) -> [UInt8]?,
        for driver: SMTPClientDriver
    ) -> ClientLoginAnswer {
        switch question {
        case .providePassword:
            return .password(identity: self.identity, password: self.password)
        case .beginSCRAM(_, let binding):
            return .scram(
                identity: self.identity,
                nonce: self.nonce(),
                channelBinding: binding.flatMap(channelBinding) ?? []
            )
        case .proveSCRAM(let hash):
            let work = ProofWork(
                mechanism: SCRAMKeys.Mechanism(hash),
                password: self.password,
                salt: exchange.salt.copy(),
                iterations: exchange.iterations,
                authMessage: exchange.authMessage.copy()
            )
            guard let worker = self.worker else { return work.answer() }
            worker.prove(work) { [weak driver] answer in driver?.loginAnswered(answer) }
            return .later
        case .digest:
            let digest = cramMD5Digest(
                challenge: exchange.challenge.copy(),
                secret: self.password
            )
            guard let digest else { return .unavailable }
            return .digest(identity: self.identity, digest: digest)
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

/// Makes proofs of SCRAM beside the loop.
package protocol ProofWorker: AnyObject {
    /// `done` gets the answer, on the loop, and never from within this call.
    func prove(_ work: ProofWork, _ done: @escaping (ClientLoginAnswer) -> Void)
}

/// A proof that is to be made.
package struct ProofWork: Sendable {
    let mechanism: SCRAMKeys.Mechanism
    let password: [UInt8]
    let salt: [UInt8]
    let iterations: Int
    let authMessage: [UInt8]

    /// Makes it.
    package func answer() -> ClientLoginAnswer {
        let proof = SCRAMProof(
            self.mechanism,
            password: self.password,
            salt: self.salt,
            iterations: self.iterations,
            authMessage: self.authMessage
        )
        guard let proof else { return .unavailable }
        return .proof(proof.clientProof, serverSignature: proof.serverSignature)
    }
}
