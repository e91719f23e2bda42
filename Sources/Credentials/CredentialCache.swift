// SPDX-License-Identifier: Apache-2.0
//
// Passwords that were found right lately, as keyed hashes.

/// A bounded memory of verified passwords.
package struct CredentialCache {
    package init(entriesMax: Int) {}

    /// The account of `name` if its verified password is this one.
    package func account(of name: [UInt8], ifPasswordIs password: [UInt8]) -> Int64? { nil }

    package mutating func remember(_ name: [UInt8], _ password: [UInt8], account: Int64) {}

    package mutating func forget(_ name: [UInt8]) {}

    package mutating func forgetAll() {}
}

/// Whether an APOP digest (lower-case hexadecimal) is MD5(timestamp + secret), in constant time.
package func apopDigestMatches(timestamp: [UInt8], secret: [UInt8], digest: [UInt8]) -> Bool { false }

/// Octets from the system's generator.
package func randomOctets(_ count: Int) -> [UInt8] { [] }
