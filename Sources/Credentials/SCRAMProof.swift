// SPDX-License-Identifier: Apache-2.0
//
// The client's half of SCRAM (RFC 5802, section 3), for when we log in elsewhere.

/// What a client shows, and what it must be shown.
package struct SCRAMProof: Sendable {
    /// ClientProof.
    package let clientProof: [UInt8]
    /// ServerSignature.
    package let serverSignature: [UInt8]

    /// Computes both; nil when the library refuses the hash function.
    ///
    /// Takes milliseconds: a third of one per thousand iterations.
    package init?(
        _ mechanism: SCRAMKeys.Mechanism,
        password: [UInt8],
        salt: [UInt8],
        iterations: Int,
        authMessage: [UInt8]
    ) {
        let function = mechanism.function
        guard
            var salted = LibCrypto.pbkdf2(
                function,
                password: password,
                salt: salt,
                iterations: iterations
            )
        else { return nil }
        defer { LibCrypto.wipe(&salted) }
        guard var clientKey = LibCrypto.hmac(function, key: salted, Array("Client Key".utf8))
        else { return nil }
        defer { LibCrypto.wipe(&clientKey) }
        guard let storedKey = LibCrypto.hash(function, clientKey),
            let signature = LibCrypto.hmac(function, key: storedKey, authMessage),
            let serverKey = LibCrypto.hmac(function, key: salted, Array("Server Key".utf8)),
            let serverSignature = LibCrypto.hmac(function, key: serverKey, authMessage)
        else { return nil }
        self.clientProof = zip(clientKey, signature).map { $0 ^ $1 }
        self.serverSignature = serverSignature
    }
}
