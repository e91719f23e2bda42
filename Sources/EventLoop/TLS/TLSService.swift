// SPDX-License-Identifier: Apache-2.0
//
// A context of OpenSSL's with all it needs. It never changes: certificates are replaced by making a
// new service and dropping this one. Connections that have begun with it keep its contexts alive,
// and those its rules, because the library calls back into them in the midst of a handshake.

internal import COpenSSL

/// Certificates, keys and rules as one set; a reload makes a new one.
@safe
package final class TLSService {
    /// Whether it speaks as a client.
    let isClient: Bool
    /// What a client asks for by name.
    let serverName: String?
    /// The context that handshakes begin with; one of our references.
    private let context: OpaquePointer
    /// Owned by the context.
    private unowned let rules: TLSRules

    /// - Throws: what is wrong with a file: that it cannot be read, holds nothing usable, or that a
    ///   key does not fit its certificate.
    package init(_ options: TLSOptions) throws(TLSError) {
        OpenSSLErrors.clear()
        self.isClient = false
        self.serverName = nil
        let rules = try TLSRules(options)
        self.rules = rules
        unsafe self.context = try rules.makeContexts(options)
    }

    /// A service for streams that connect; what the server shows is not verified.
    package init(_ options: TLSClientOptions) throws(TLSError) {
        OpenSSLErrors.clear()
        self.isClient = true
        self.serverName = options.serverName
        let rules = TLSRules(options)
        self.rules = rules
        unsafe self.context = try rules.makeClientContext(options)
    }

    deinit { unsafe SSL_CTX_free(self.context) }

    /// The state of one connection, for its stream to own; nil when there is no memory for it.
    func makeConnection() -> OpaquePointer? {
        OpenSSLErrors.clear()
        guard let ssl = unsafe SSL_new(self.context) else { return nil }
        guard self.isClient else { return unsafe ssl }
        if let serverName { unsafe _ = copenssl_set_server_name(ssl, serverName) }
        if let session = unsafe self.rules.sessions.take() {
            unsafe SSL_set_session(ssl, session)
            unsafe SSL_SESSION_free(session)
        }
        return unsafe ssl
    }
}

/// What a client wants of TLS.
package struct TLSClientOptions {
    /// The name to ask for (SNI).
    package var serverName: String?
    package var version: TLSOptions.Version?
    /// Whether sessions are kept and resumed.
    package var resumesSessions = false

    package init() {}
}
