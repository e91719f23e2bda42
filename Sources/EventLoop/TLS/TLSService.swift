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
    private let serverName: String?
    /// What a client makes of the server's certificate.
    let verifier: ServerVerifier
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
        self.verifier = ServerVerifier(verification: .none, isRequired: false)
        let rules = try TLSRules(options)
        self.rules = rules
        unsafe self.context = try rules.makeContexts(options)
    }

    /// A service for streams that connect.
    ///
    /// A context costs a good part of a millisecond. With that of another service, whose versions
    /// and whether it keeps sessions then count, a service costs as good as nothing: each host to
    /// connect to can have its own. The other service must not keep sessions, because they would be
    /// resumed with another host.
    ///
    /// - Throws: what is wrong with the names or the records that are to be verified.
    package init(
        _ options: TLSClientOptions,
        contextOf other: TLSService? = nil
    ) throws(TLSError) {
        OpenSSLErrors.clear()
        self.isClient = true
        self.serverName = options.serverName
        self.verifier = ServerVerifier(
            verification: options.verification,
            isRequired: options.requiresVerification
        )
        if let other {
            precondition(other.isClient && !other.rules.keepsSessions, "a client without sessions")
            self.rules = other.rules
            unsafe self.context = other.context
            unsafe SSL_CTX_up_ref(self.context)
        } else {
            let rules = TLSRules(options)
            self.rules = rules
            unsafe self.context = try rules.makeClientContext(options)
        }
        // What a connection would be refused for is found now.
        guard let trial = unsafe SSL_new(self.context) else { return }
        defer { unsafe SSL_free(trial) }
        unsafe try self.verifier.prepare(trial)
    }

    deinit { unsafe SSL_CTX_free(self.context) }

    /// The state of one connection, for its stream to own; nil when there is no memory for it.
    func makeConnection() -> OpaquePointer? {
        OpenSSLErrors.clear()
        guard let ssl = unsafe SSL_new(self.context) else { return nil }
        guard self.isClient else { return unsafe ssl }
        if let serverName { unsafe _ = copenssl_set_server_name(ssl, serverName) }
        guard unsafe (try? self.verifier.prepare(ssl)) != nil else {
            unsafe SSL_free(ssl)
            return nil
        }
        if let session = unsafe self.rules.sessions.take() {
            unsafe SSL_set_session(ssl, session)
            unsafe SSL_SESSION_free(session)
        }
        return unsafe ssl
    }
}
