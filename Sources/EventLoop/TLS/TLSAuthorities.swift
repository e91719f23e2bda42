// SPDX-License-Identifier: Apache-2.0
//
// The certificates of authorities. There are some hundred and fifty of them, and reading them takes
// milliseconds, so that they are read once and shared by all services that go by them.

internal import COpenSSL
internal import Glibc

/// Authorities whose word is taken for who a server is.
@safe
package final class TLSAuthorities {
    /// One of our references.
    let store: OpaquePointer

    /// Reads a PEM file.
    package init(path: String) throws(TLSError) {
        OpenSSLErrors.clear()
        try OpenSSLErrors.checkReadable(path)
        guard let store = unsafe X509_STORE_new() else {
            throw TLSError("TLS", OpenSSLErrors.take())
        }
        guard unsafe X509_STORE_load_file(store, path) == 1 else {
            unsafe X509_STORE_free(store)
            throw TLSError(path, OpenSSLErrors.take())
        }
        unsafe self.store = store
    }

    deinit { unsafe X509_STORE_free(self.store) }

    /// Where the system keeps the authorities that it trusts, as one file; nil when it has none.
    package static var systemPath: String? {
        self.systemPaths.first { unsafe access($0, F_OK) == 0 }
    }

    /// Debian and its kin, Fedora and its kin, Alpine and the BSDs.
    private static let systemPaths = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ]
}
