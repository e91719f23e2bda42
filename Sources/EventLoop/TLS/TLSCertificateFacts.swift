// SPDX-License-Identifier: Apache-2.0
//
// What an operator should hear of a certificate: at the start, in the log, from `check`.

internal import COpenSSL

/// What a certificate in a file says.
package struct TLSCertificateFacts: Sendable {
    /// Between which it is valid, in seconds from the epoch.
    package let notBefore: Int
    package let notAfter: Int
    /// The hosts that it is for, in lower case, one with a wildcard as it stands there.
    package let names: [String]
    /// "ECDSA P-256", "RSA 2048".
    package let keyType: String
    /// Whether the private key that was given is its own; nil when none was given.
    package let keyFits: Bool?

    /// Reads the first certificate of a PEM file, and a private key.
    ///
    /// - Throws: what is wrong with either file; a key that does not fit is not.
    package init(path: String, keyPath: String? = nil) throws(TLSError) {
        OpenSSLErrors.clear()
        try OpenSSLErrors.checkReadable(path)
        guard let certificate = unsafe copenssl_read_certificate(path) else {
            throw TLSError(path, "no certificate in PEM: \(OpenSSLErrors.take())")
        }
        defer { unsafe X509_free(certificate) }
        self.notBefore = unsafe copenssl_seconds(X509_get0_notBefore(certificate))
        self.notAfter = unsafe copenssl_seconds(X509_get0_notAfter(certificate))
        let reading = unsafe CertificateReading(certificate)
        let names = reading.alternativeNames(.host)
        // Only a certificate without alternative names is asked for its common name.
        self.names = (names.isEmpty ? [reading.commonName].compactMap(\.self) : names)
            .map { $0.lowercased() }
        self.keyType = reading.keyType
        guard let keyPath else {
            self.keyFits = nil
            return
        }
        try OpenSSLErrors.checkReadable(keyPath)
        guard let key = unsafe copenssl_read_private_key(keyPath) else {
            throw TLSError(keyPath, "no private key in PEM: \(OpenSSLErrors.take())")
        }
        defer { unsafe EVP_PKEY_free(key) }
        self.keyFits = unsafe X509_check_private_key(certificate, key) == 1
        OpenSSLErrors.clear()
    }

    /// Whether it is for that host (RFC 6125, section 6.4: a wildcard is a whole first label).
    package func isFor(_ host: String) -> Bool {
        let host = host.lowercased()
        guard !self.names.contains(host) else { return true }
        guard let dot = host.firstIndex(of: "."), dot != host.startIndex else { return false }
        return self.names.contains("*\(host[dot...])")
    }
}
