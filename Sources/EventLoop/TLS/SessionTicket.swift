// SPDX-License-Identifier: Apache-2.0
//
// Sealing and opening one session ticket (RFC 5077, section 4): AES-256-CBC under a code by
// HMAC-SHA-256, as OpenSSL has it done once its two contexts have their keys. A ticket also carries
// the hash of the certificate that the client was shown, because a resumed connection shows none,
// and yet is bound to that one.

internal import COpenSSL

/// A ticket in the making, or one that a client offers.
@safe
struct SessionTicket {
    private let ssl: OpaquePointer
    private let name: UnsafeMutablePointer<UInt8>
    private let iv: UnsafeMutablePointer<UInt8>
    private let cipher: OpaquePointer
    private let code: OpaquePointer

    /// What OpenSSL passes to its callback.
    init?(
        _ ssl: OpaquePointer?,
        _ name: UnsafeMutablePointer<UInt8>?,
        _ iv: UnsafeMutablePointer<UInt8>?,
        _ cipher: OpaquePointer?,
        _ code: OpaquePointer?
    ) {
        guard let ssl = unsafe ssl, let name = unsafe name, let iv = unsafe iv,
            let cipher = unsafe cipher, let code = unsafe code
        else { return nil }
        unsafe self.ssl = ssl
        unsafe self.name = name
        unsafe self.iv = iv
        unsafe self.cipher = cipher
        unsafe self.code = code
    }

    /// - Returns: OpenSSL's code: 1 for done, 2 for opened and to be renewed, 0 for a ticket that
    ///   nobody can open, -1 for a failure.
    func process(_ keys: TicketKeys, isSealing: Bool) -> Int32 {
        isSealing ? self.seal(keys.sealingKey()) : self.open(keys)
    }

    private func seal(_ key: TicketKeys.Key) -> Int32 {
        guard unsafe RAND_bytes(self.iv, 16) == 1 else { return -1 }
        for (offset, octet) in key.name.enumerated() { unsafe self.name[offset] = octet }
        let secret = Array(key.cipher)
        guard unsafe EVP_EncryptInit_ex(self.cipher, EVP_aes_256_cbc(), nil, secret, self.iv) == 1
        else { return -1 }
        return self.keyCode(key) ? 1 : -1
    }

    private func open(_ keys: TicketKeys) -> Int32 {
        let name = unsafe Array(UnsafeBufferPointer(start: self.name, count: 16))
        guard let (key, isCurrent) = keys.openingKey(name) else { return 0 }
        let secret = Array(key.cipher)
        guard unsafe EVP_DecryptInit_ex(self.cipher, EVP_aes_256_cbc(), nil, secret, self.iv) == 1,
            self.keyCode(key)
        else { return -1 }
        // A client of TLS 1.3 uses each ticket once, and needs another.
        let isUsedUp = unsafe SSL_version(self.ssl) >= TLS1_3_VERSION
        return isCurrent && !isUsedUp ? 1 : 2
    }

    private func keyCode(_ key: TicketKeys.Key) -> Bool {
        var secret = Array(key.code)
        return unsafe copenssl_key_ticket_mac(self.code, &secret, secret.count) == 1
    }

    // MARK: - The certificate

    /// A new ticket gets the hash of the certificate shown.
    static func addEndPoint(_ ssl: OpaquePointer?) -> Int32 {
        guard let ssl = unsafe ssl, let session = unsafe SSL_get_session(ssl) else { return 0 }
        // A resumed session has it from its ticket.
        guard unsafe SSL_session_reused(ssl) == 0, let shown = unsafe SSL_get_certificate(ssl),
            let hash = unsafe CertificateReading(shown).endPointHash
        else { return 1 }
        return unsafe SSL_SESSION_set1_ticket_appdata(session, hash, hash.count)
    }

    /// The hash of the certificate that the client was shown, now or in the session it resumes.
    static func endPoint(of ssl: OpaquePointer) -> [UInt8]? {
        guard unsafe SSL_session_reused(ssl) == 1 else {
            return unsafe SSL_get_certificate(ssl).flatMap {
                unsafe CertificateReading($0).endPointHash
            }
        }
        var kept: UnsafeMutableRawPointer?
        var count = 0
        guard let session = unsafe SSL_get_session(ssl),
            unsafe SSL_SESSION_get0_ticket_appdata(session, &kept, &count) == 1, count > 0
        else { return nil }
        return unsafe Array(UnsafeRawBufferPointer(start: kept, count: count))
    }
}
