// SPDX-License-Identifier: Apache-2.0
//
// What a server keeps for one SCRAM mechanism (RFC 5802, section 3; RFC 7677): enough to check a
// password or a client's proof, not enough to log in elsewhere.

internal import MailBytes

/// The keys of one password for one mechanism.
package struct SCRAMKeys: Equatable, Sendable {
    /// The mechanism by its hash function.
    package enum Mechanism: String, Sendable {
        case sha256 = "SCRAM-SHA-256"
        case sha1 = "SCRAM-SHA-1"

        var function: HashFunction {
            switch self {
            case .sha256: .sha256
            case .sha1: .sha1
            }
        }

        /// The iterations for new keys.
        ///
        /// RFC 7677 names 15 000: about 5 ms of a processor with SHA instructions, 20 ms without.
        /// More would be better against somebody who has the store, but it is paid at every login
        /// that is not remembered, by us and by clients on small machines. An attacker would turn
        /// to the cheaper keys of two, so SHA-1, which his hardware does twice as fast, has twice
        /// as many.
        var iterations: Int {
            switch self {
            case .sha256: 15_000
            case .sha1: 30_000
            }
        }
    }

    /// What the keys are for.
    package let mechanism: Mechanism
    /// How often the client hashes its password.
    package let iterations: Int
    /// What it hashes it with.
    package let salt: [UInt8]
    let storedKey: [UInt8]
    let serverKey: [UInt8]

    /// Derives the keys of a password; nil when the library refuses the hash function.
    init?(deriving mechanism: Mechanism, from password: [UInt8], salt: [UInt8], iterations: Int) {
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
            let serverKey = LibCrypto.hmac(function, key: salted, Array("Server Key".utf8))
        else { return nil }
        self.mechanism = mechanism
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Keys that no password has, as costly to check as those of an account.
    static let nobody = SCRAMKeys(
        mechanism: .sha256,
        iterations: Mechanism.sha256.iterations,
        salt: [UInt8](repeating: 0, count: saltOctets),
        storedKey: [UInt8](repeating: 0, count: HashFunction.sha256.octetCount),
        serverKey: [UInt8](repeating: 0, count: HashFunction.sha256.octetCount)
    )

    init(
        mechanism: Mechanism,
        iterations: Int,
        salt: [UInt8],
        storedKey: [UInt8],
        serverKey: [UInt8]
    ) {
        self.mechanism = mechanism
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Whether a password is the right one.
    func matches(_ password: [UInt8]) -> Bool {
        let keys = SCRAMKeys(
            deriving: self.mechanism,
            from: password,
            salt: self.salt,
            iterations: self.iterations
        )
        guard let keys else { return false }
        return LibCrypto.areEqual(keys.storedKey, self.storedKey)
    }

    // MARK: - As text

    /// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`, the form of RFC 5803.
    var text: [UInt8] {
        let head = "\(self.mechanism.rawValue)$\(self.iterations):"
        return Array(head.utf8) + Base64.encode(self.salt) + [UInt8(ascii: "$")]
            + Base64.encode(self.storedKey) + [UInt8(ascii: ":")] + Base64.encode(self.serverKey)
    }

    /// Keys as text; nil for anything else.
    init?(text: some Collection<UInt8>) {
        let parts = text.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard parts.count == 3,
            let mechanism = Mechanism(rawValue: String(decoding: parts[0], as: UTF8.self))
        else { return nil }
        let colon = UInt8(ascii: ":")
        let cost = parts[1].split(separator: colon, omittingEmptySubsequences: false)
        let keys = parts[2].split(separator: colon, omittingEmptySubsequences: false)
        guard cost.count == 2, keys.count == 2,
            let iterations = Array(cost[0]).span.decimal(in: ByteRange(0, cost[0].count)),
            (1...Self.iterationsMax).contains(iterations),
            let salt = Base64.decode(Array(cost[1])), !salt.isEmpty,
            let storedKey = Base64.decode(Array(keys[0])),
            let serverKey = Base64.decode(Array(keys[1])),
            storedKey.count == mechanism.function.octetCount,
            serverKey.count == mechanism.function.octetCount
        else { return nil }
        self.mechanism = mechanism
        self.iterations = iterations
        self.salt = salt
        self.storedKey = storedKey
        self.serverKey = serverKey
    }

    /// Octets of a fresh salt.
    static let saltOctets = 16
    /// Several seconds of a processor.
    private static let iterationsMax = 10_000_000
}
