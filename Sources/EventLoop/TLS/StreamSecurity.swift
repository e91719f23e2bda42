// SPDX-License-Identifier: Apache-2.0
//
// What a stream has besides, from the moment it is to speak TLS: how far it is, and the connection
// of OpenSSL's. A bufferevent of libevent's does the handshake, the reading, and the writing of
// what does not leave at once.

internal import COpenSSL

/// TLS on one stream.
@safe
final class StreamSecurity {
    let service: TLSService
    var phase = Phase.flushing
    /// Why there was no handshake, in OpenSSL's words.
    var failure: String?
    /// Owned; nil until the handshake begins.
    private(set) var connection: OpaquePointer?

    enum Phase {
        /// Output from before TLS is on its way.
        case flushing
        /// Nothing has come yet; so far the connection costs no more than a plain one.
        case awaitingHello
        /// The client has spoken, and waits for its turn.
        case queued
        case handshaking
        case secured
        /// TLS has failed or has said its last word: whatever still comes is thrown away.
        case over
    }

    init(_ service: TLSService) { self.service = service }

    deinit {
        if let connection = unsafe self.connection { unsafe SSL_free(connection) }
    }

    /// Whether the handshake is still to come, or under way.
    var isPending: Bool {
        switch self.phase {
        case .flushing, .awaitingHello, .queued, .handshaking: true
        case .secured, .over: false
        }
    }

    /// Whether the bufferevent, and not the stream itself, reads the descriptor.
    var readsDescriptor: Bool { self.phase == .handshaking || self.phase == .secured }

    /// Makes the connection; nil when there is no memory for it.
    func begin() -> OpaquePointer? {
        unsafe self.connection = self.service.makeConnection()
        return unsafe self.connection
    }

    /// What the handshake of a client failed for, where that is the server's certificate.
    var verificationFailure: String? {
        guard self.service.verifier.isRequired, let connection = unsafe self.connection else {
            return nil
        }
        return unsafe self.service.verifier.failure(of: connection)
    }

    /// Encrypts and sends octets until all are out or the socket takes no more.
    ///
    /// - Returns: how many are out; nil when the connection is broken.
    func send(_ octets: UnsafeBufferPointer<UInt8>) -> Int? {
        guard let connection = unsafe self.connection, let start = octets.baseAddress else {
            return nil
        }
        var sent = 0
        while sent < octets.count {
            OpenSSLErrors.clear()
            let left = Int32(clamping: octets.count - sent)
            let count = unsafe SSL_write(connection, start + sent, left)
            if count > 0 {
                sent += Int(count)
                continue
            }
            let error = unsafe SSL_get_error(connection, count)
            OpenSSLErrors.clear()
            return error == SSL_ERROR_WANT_WRITE ? sent : nil
        }
        return sent
    }

    /// The last octets of this end.
    ///
    /// A client may resume a session only when they have come.
    func sendCloseNotify() {
        guard self.phase == .secured, let connection = unsafe self.connection else { return }
        OpenSSLErrors.clear()
        // The peer's own last word is not waited for.
        unsafe SSL_set_shutdown(connection, SSL_RECEIVED_SHUTDOWN)
        unsafe _ = SSL_shutdown(connection)
        OpenSSLErrors.clear()
    }

    // MARK: - What was agreed on

    var isResumed: Bool {
        guard let connection = unsafe self.connection else { return false }
        return unsafe SSL_session_reused(connection) == 1
    }

    var facts: TLSFacts? {
        guard self.phase == .secured, let connection = unsafe self.connection,
            let cipher = unsafe SSL_get_current_cipher(connection),
            let cipherName = unsafe SSL_CIPHER_get_name(cipher)
        else { return nil }
        let asked = unsafe SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name)
        var alpn: UnsafePointer<UInt8>?
        var alpnCount: UInt32 = 0
        unsafe SSL_get0_alpn_selected(connection, &alpn, &alpnCount)
        return unsafe TLSFacts(
            version: SSL_version(connection) >= TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2",
            cipher: String(cString: cipherName),
            serverName: asked.map { unsafe String(cString: $0) },
            applicationProtocol: alpn.map {
                let octets = unsafe UnsafeBufferPointer(start: $0, count: Int(alpnCount))
                return unsafe String(decoding: octets, as: UTF8.self)
            },
            isResumed: self.isResumed,
            clientCertificate: self.clientCertificate,
            serverVerification: self.service.verifier.outcome(of: connection)
        )
    }

    private var clientCertificate: TLSFacts.ClientCertificate? {
        guard !self.service.isClient, let connection = unsafe self.connection,
            let certificate = unsafe SSL_get0_peer_certificate(connection),
            unsafe SSL_get_verify_result(connection) == Int(X509_V_OK)
        else { return nil }
        let reading = unsafe CertificateReading(certificate)
        return TLSFacts.ClientCertificate(
            commonName: reading.commonName,
            mailboxes: reading.alternativeNames(.mailbox)
        )
    }

    func channelBinding(_ kind: ChannelBinding) -> [UInt8]? {
        guard self.phase == .secured, let connection = unsafe self.connection else { return nil }
        switch kind {
        case .serverEndPoint:
            return unsafe SessionTicket.endPoint(of: connection)
        case .exporter:
            // Before TLS 1.3, whether there is an empty context or none gives different octets, and
            // peers differ on it.
            guard unsafe SSL_version(connection) >= TLS1_3_VERSION else { return nil }
            let label = "EXPORTER-Channel-Binding"
            var material = [UInt8](repeating: 0, count: 32)
            let code = unsafe SSL_export_keying_material(
                connection,
                &material,
                material.count,
                label,
                label.utf8.count,
                nil,
                0,
                1
            )
            return code == 1 ? material : nil
        }
    }
}
