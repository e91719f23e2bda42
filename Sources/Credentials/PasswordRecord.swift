// SPDX-License-Identifier: Apache-2.0
//
// What an account keeps of its password.

internal import MailBytes

/// A stored verifier: SCRAM keys, or an imported crypt(3) hash.
///
/// Passwords are compared as octets. The preparation of RFC 8265 (SASLprep before it) would make
/// two ways of typing the same letters equal; what clients send is taken as it comes, so a
/// password outside of ASCII must reach the server in the same normal form each time.
package struct PasswordRecord: Sendable {
    /// The form in which the store keeps it; ASCII, at most 512 octets.
    package let text: [UInt8]
    private let verifier: Verifier

    private enum Verifier: Sendable {
        /// Each has a salt of its own.
        case scram(sha256: SCRAMKeys, sha1: SCRAMKeys)
        case crypt(CryptHash)
        /// No password opens the account.
        case nobody
    }

    /// What a password check found.
    package enum Verdict: Sendable {
        case valid
        /// Right, and this record should replace the imported hash.
        case validRehash(PasswordRecord)
        case invalid
    }

    /// Derives SCRAM-SHA-256 and SCRAM-SHA-1 keys with fresh salts; takes milliseconds.
    ///
    /// From a password that is not usable comes a record that nobody can log in with.
    package init(derivingFrom password: [UInt8]) {
        self.init(
            deriving: password,
            salts: (randomOctets(SCRAMKeys.saltOctets), randomOctets(SCRAMKeys.saltOctets)),
            iterations: nil
        )
    }

    /// An imported crypt(3) hash, perhaps with the name of its scheme in front as Dovecot writes it
    /// (`{SHA512-CRYPT}`); nil when this system's crypt does not know its kind, or it is a DES hash
    /// or no hash at all.
    package init?(cryptHash: [UInt8]) {
        guard let hash = CryptHash(Self.removingScheme(cryptHash)) else { return nil }
        self.verifier = .crypt(hash)
        self.text = Self.cryptPrefix + hash.octets
    }

    /// A record as the store kept it; nil when it is none.
    ///
    /// No octets at all are the record of an account that nobody can log in to.
    package init?(text: [UInt8]) {
        if text.isEmpty {
            self.verifier = .nobody
        } else if text.starts(with: Self.cryptPrefix) {
            guard let hash = CryptHash(Array(text.dropFirst(Self.cryptPrefix.count))) else {
                return nil
            }
            self.verifier = .crypt(hash)
        } else {
            let parts = text.split(separator: .space, omittingEmptySubsequences: false)
            guard parts.count == 3, parts[0].elementsEqual(Self.version),
                let sha256 = SCRAMKeys(text: parts[1]), sha256.mechanism == .sha256,
                let sha1 = SCRAMKeys(text: parts[2]), sha1.mechanism == .sha1
            else { return nil }
            self.verifier = .scram(sha256: sha256, sha1: sha1)
        }
        self.text = text
    }

    /// Whether the password is the right one; takes milliseconds.
    package func verify(_ password: [UInt8]) -> Verdict {
        guard Self.isUsable(password) else {
            Self.spendTime(on: password)
            return .invalid
        }
        switch self.verifier {
        case .scram(let keys, _):
            return keys.matches(password) ? .valid : .invalid
        case .crypt(let hash):
            guard hash.matches(password) else { return .invalid }
            return .validRehash(PasswordRecord(derivingFrom: password))
        case .nobody:
            Self.spendTime(on: password)
            return .invalid
        }
    }

    /// The keys for a SCRAM mechanism; nil when only a password can be checked, or nothing.
    package func scramKeys(_ mechanism: SCRAMKeys.Mechanism) -> SCRAMKeys? {
        switch (self.verifier, mechanism) {
        case (.scram(let keys, _), .sha256): keys
        case (.scram(_, let keys), .sha1): keys
        case (.crypt, _), (.nobody, _): nil
        }
    }

    /// Takes as long as `verify` does with keys derived here, for accounts that do not exist.
    package static func spendTime(on password: [UInt8]) {
        _ = SCRAMKeys.nobody.matches(password)
    }

    /// Whether an account can have this password: 1 to 1024 octets and no NUL, at which crypt(3)
    /// would stop reading.
    package static func isUsable(_ password: [UInt8]) -> Bool {
        (1...self.passwordOctetsMax).contains(password.count) && !password.contains(0)
    }

    /// The text of a record that is quick to check and the same each time, for simulations.
    package static func forSimulation(password: [UInt8]) -> [UInt8] {
        let salt = [UInt8](repeating: 0x53, count: SCRAMKeys.saltOctets)
        return PasswordRecord(deriving: password, salts: (salt, salt), iterations: 1).text
    }

    // MARK: -

    private init(deriving password: [UInt8], salts: ([UInt8], [UInt8]), iterations: Int?) {
        func keys(_ mechanism: SCRAMKeys.Mechanism, _ salt: [UInt8]) -> SCRAMKeys? {
            SCRAMKeys(
                deriving: mechanism,
                from: password,
                salt: salt,
                iterations: iterations ?? mechanism.iterations
            )
        }
        guard Self.isUsable(password), let sha256 = keys(.sha256, salts.0),
            let sha1 = keys(.sha1, salts.1)
        else {
            self.verifier = .nobody
            self.text = []
            return
        }
        self.verifier = .scram(sha256: sha256, sha1: sha1)
        self.text = Self.version + [.space] + sha256.text + [.space] + sha1.text
    }

    private static func removingScheme(_ hash: [UInt8]) -> [UInt8] {
        guard hash.first == UInt8(ascii: "{"), let end = hash.firstIndex(of: UInt8(ascii: "}"))
        else { return hash }
        let scheme = String(decoding: hash[1..<end], as: UTF8.self).uppercased()
        return self.schemes.contains(scheme) ? Array(hash[(end + 1)...]) : hash
    }

    /// Dovecot's names for hashes of crypt(3).
    private static let schemes = [
        "CRYPT", "MD5-CRYPT", "SHA256-CRYPT", "SHA512-CRYPT", "BLF-CRYPT",
    ]
    private static let version = Array("1".utf8)
    private static let cryptPrefix = Array("1 {CRYPT}".utf8)
    private static let passwordOctetsMax = 1024
}
