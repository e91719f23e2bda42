// SPDX-License-Identifier: Apache-2.0

/// What a certificate says, for `check`, the start and the log.
package struct TLSCertificateFacts: Sendable {
    /// Unix seconds between which it is valid.
    package let notBefore: Int
    package let notAfter: Int
    /// The names of hosts that it is for, as written: lower case, with a wildcard where it has one.
    package let names: [String]
    /// "ECDSA P-256", "RSA 2048".
    package let keyType: String
    /// Whether the private key that was given belongs to it; nil when none was given.
    package let keyFits: Bool?

    /// Reads the first certificate of a PEM file.
    package init(path: String, keyPath: String? = nil) throws(TLSError) {
        throw TLSError(path, "not read")
    }
}
