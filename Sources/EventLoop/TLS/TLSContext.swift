// SPDX-License-Identifier: Apache-2.0
//
// Filling in a context of OpenSSL's: the files, the rules that are the same for everybody, and the
// callbacks, which all find the answers in `TLSRules`.

internal import COpenSSL
internal import Glibc

/// Makes contexts.
enum TLSContext {
    /// A server's context with certificates of different types of keys; the caller owns it.
    static func make(
        _ options: TLSOptions,
        _ certificates: [(chainPath: String, keyPath: String)],
        _ rules: TLSRules
    ) throws(TLSError) -> OpaquePointer {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw TLSError("TLS", OpenSSLErrors.take())
        }
        do throws(TLSError) {
            unsafe self.setRules(of: context, options.minimumVersion)
            for certificate in certificates { unsafe try self.load(certificate, into: context) }
            unsafe try self.setClientAuthorities(options.clientAuthoritiesPath, of: context)
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        unsafe copenssl_set_app_data(context, Unmanaged.passUnretained(rules).toOpaque())
        unsafe self.setCallbacks(of: context, options, rules)
        return unsafe context
    }

    /// A client's context; the caller owns it.
    static func makeClient(_ options: TLSClientOptions) throws(TLSError) -> OpaquePointer {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw TLSError("TLS", OpenSSLErrors.take())
        }
        let first = options.version ?? options.minimumVersion
        let oldest = first == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        let newest = options.version == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION
        unsafe _ = copenssl_set_versions(context, oldest, newest)
        unsafe copenssl_set_options(context, 0, 1)
        let cache = SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE
        unsafe copenssl_set_modes(
            context,
            self.modes,
            Int(options.resumesSessions ? cache : SSL_SESS_CACHE_OFF)
        )
        unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in
            guard let session = unsafe session, let rules = unsafe TLSRules.of(ssl) else {
                return 0
            }
            unsafe rules.sessions.keep(session)
            return 1
        }
        // Whether there are records to go by is each connection's.
        guard unsafe SSL_CTX_dane_enable(context) == 1 else {
            unsafe SSL_CTX_free(context)
            throw TLSError("TLS", OpenSSLErrors.take())
        }
        return unsafe context
    }

    /// The context owns the rules from now on.
    static func give(_ rules: TLSRules, to context: OpaquePointer) {
        unsafe SSL_CTX_set_ex_data(
            context,
            self.ownerIndex,
            Unmanaged.passRetained(rules).toOpaque()
        )
    }

    private static let ownerIndex = unsafe copenssl_context_index { _, rules, _, _, _, _ in
        if let rules = unsafe rules { unsafe Unmanaged<TLSRules>.fromOpaque(rules).release() }
    }

    // MARK: - What is the same for everybody

    /// Idle connections give back their buffers.
    ///
    /// Direct writes need the other two: what the socket
    /// does not take is written again from another place, and with more behind it.
    private static let modes =
        Int(SSL_MODE_RELEASE_BUFFERS) | Int(SSL_MODE_ENABLE_PARTIAL_WRITE)
        | Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER)

    private static func setRules(of context: OpaquePointer, _ oldest: TLSOptions.Version) {
        let version = oldest == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        unsafe _ = copenssl_set_versions(context, version, TLS1_3_VERSION)
        unsafe copenssl_set_options(context, 1, 1)
        // Sessions are kept by the clients.
        unsafe copenssl_set_modes(context, self.modes, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_default_passwd_cb(context, copenssl_no_pass_phrase)
    }

    // MARK: - Files

    private static func load(
        _ files: (chainPath: String, keyPath: String),
        into context: OpaquePointer
    ) throws(TLSError) {
        try OpenSSLErrors.checkReadable(files.chainPath)
        guard unsafe SSL_CTX_use_certificate_chain_file(context, files.chainPath) == 1 else {
            throw TLSError(files.chainPath, OpenSSLErrors.take())
        }
        try OpenSSLErrors.checkReadable(files.keyPath)
        let type = SSL_FILETYPE_PEM
        guard unsafe SSL_CTX_use_PrivateKey_file(context, files.keyPath, type) == 1,
            unsafe SSL_CTX_check_private_key(context) == 1
        else { throw TLSError(files.keyPath, OpenSSLErrors.take()) }
    }

    /// A client's certificate that no authority of ours vouches for is as good as none: many a mail
    /// server shows one to everybody, and means nothing by it.
    private static func setClientAuthorities(
        _ path: String?,
        of context: OpaquePointer
    ) throws(TLSError) {
        var identity: [UInt8] = Array("martlet".utf8)
        if let path {
            try OpenSSLErrors.checkReadable(path)
            guard unsafe SSL_CTX_load_verify_file(context, path) == 1,
                let names = unsafe SSL_load_client_CA_file(path)
            else { throw TLSError(path, OpenSSLErrors.take()) }
            unsafe SSL_CTX_set_client_CA_list(context, names)
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER) { _, _ in 1 }
            identity = try self.hash(ofFile: path)
        }
        // A session remembers that its client's certificate was verified, so it must not be resumed
        // where other authorities count.
        unsafe SSL_CTX_set_session_id_context(context, identity, UInt32(identity.count))
    }

    private static func hash(ofFile path: String) throws(TLSError) -> [UInt8] {
        guard let file = unsafe BIO_new_file(path, "r") else {
            throw TLSError(path, OpenSSLErrors.take())
        }
        defer { unsafe BIO_free(file) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = unsafe BIO_read(file, &chunk, Int32(chunk.count))
            guard count > 0 else { break }
            content += chunk[..<Int(count)]
        }
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe _ = EVP_Digest(content, content.count, &digest, nil, EVP_sha256(), nil)
        return digest
    }

    // MARK: - Callbacks

    private static func setCallbacks(
        of context: OpaquePointer,
        _ options: TLSOptions,
        _ rules: TLSRules
    ) {
        unsafe copenssl_set_server_name_callback(
            context,
            { ssl, _, _ in
                guard let ssl = unsafe ssl else { return SSL_TLSEXT_ERR_NOACK }
                return unsafe TLSRules.of(ssl)?.chooseContext(for: ssl) ?? SSL_TLSEXT_ERR_NOACK
            },
            nil
        )
        if !options.applicationProtocols.isEmpty { unsafe self.setProtocolCallback(of: context) }
        guard let keys = rules.ticketKeys else {
            unsafe copenssl_set_options(context, 1, 0)
            unsafe SSL_CTX_set_num_tickets(context, 0)
            return
        }
        unsafe SSL_CTX_set_timeout(context, keys.secondsMax)
        unsafe copenssl_set_ticket_callback(context) { ssl, name, iv, cipher, code, isSealing in
            guard let keys = unsafe TLSRules.of(ssl)?.ticketKeys else { return -1 }
            return unsafe SessionTicket(ssl, name, iv, cipher, code)?.process(
                keys,
                isSealing: isSealing == 1
            ) ?? -1
        }
        unsafe SSL_CTX_set_session_ticket_cb(
            context,
            { ssl, _ in unsafe SessionTicket.addEndPoint(ssl) },
            nil,
            nil
        )
    }

    private static func setProtocolCallback(of context: OpaquePointer) {
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { ssl, chosen, chosenCount, offers, offersCount, _ in
                let list = unsafe UnsafeBufferPointer(start: offers, count: Int(offersCount))
                guard let place = unsafe TLSRules.of(ssl)?.chooseProtocol(among: list),
                    let offers = unsafe offers
                else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                unsafe chosen?.pointee = unsafe offers + place.lowerBound
                unsafe chosenCount?.pointee = UInt8(place.count)
                return SSL_TLSEXT_ERR_OK
            },
            nil
        )
    }
}
