// SPDX-License-Identifier: Apache-2.0
//
// What a SCRAM exchange needs of the keys (RFC 5802, section 3): HMACs alone, microseconds.

extension SCRAMKeys {
    /// The server's signature if the client's proof is right, else nil.
    package func verify(clientProof: [UInt8], authMessage: [UInt8]) -> [UInt8]? {
        let function = self.mechanism.function
        guard clientProof.count == function.octetCount,
            let signature = LibCrypto.hmac(function, key: self.storedKey, authMessage)
        else { return nil }
        var clientKey = zip(clientProof, signature).map { $0 ^ $1 }
        defer { LibCrypto.wipe(&clientKey) }
        guard let storedKey = LibCrypto.hash(function, clientKey),
            LibCrypto.areEqual(storedKey, self.storedKey)
        else { return nil }
        return LibCrypto.hmac(function, key: self.serverKey, authMessage)
    }

    /// Keys for somebody who has none, the same each time, that no proof fits.
    ///
    /// The salt follows from the name and a secret of the server, so that an account that does not
    /// exist looks like one that does. The secret must outlive the process: a salt that changes
    /// when the server is started again belongs to nobody. Nil when the library refuses.
    package static func fake(
        _ mechanism: Mechanism,
        identity: [UInt8],
        secret: [UInt8]
    ) -> SCRAMKeys? {
        func derive(_ purpose: String) -> [UInt8]? {
            let label = Array("\(mechanism.rawValue) \(purpose)\0".utf8)
            return LibCrypto.hmac(.sha256, key: secret, label + identity)
        }
        guard let salt = derive("salt"), let storedKey = derive("stored key"),
            let serverKey = derive("server key")
        else { return nil }
        let count = mechanism.function.octetCount
        return SCRAMKeys(
            mechanism: mechanism,
            iterations: mechanism.iterations,
            salt: Array(salt.prefix(self.saltOctets)),
            storedKey: Array(storedKey.prefix(count)),
            serverKey: Array(serverKey.prefix(count))
        )
    }
}
