// SPDX-License-Identifier: Apache-2.0
//
// Telling OpenSSL what to make of a server's certificate, and asking what it made of it. A client
// checks the chain in any case; what differs is whether the handshake goes on when the check fails.

internal import COpenSSL

/// The rules by which one service looks at servers.
struct ServerVerifier {
    private let verification: TLSVerification
    let isRequired: Bool

    init(verification: TLSVerification, isRequired: Bool) {
        self.verification = verification
        // Where nothing is verified there is nothing to fail.
        if case .none = verification {
            self.isRequired = false
        } else {
            self.isRequired = isRequired
        }
    }

    /// Sets the rules of a connection whose handshake is still to begin.
    func prepare(_ connection: OpaquePointer) throws(TLSError) {
        let mode = self.isRequired ? SSL_VERIFY_PEER : SSL_VERIFY_NONE
        unsafe SSL_set_verify(connection, mode, nil)
        switch self.verification {
        case .none: break
        case .authorities(let authorities, let names):
            guard unsafe copenssl_set_authorities(connection, authorities.store) == 1 else {
                throw TLSError("TLS", OpenSSLErrors.take())
            }
            let flags = UInt32(
                X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT
            )
            unsafe SSL_set_hostflags(connection, flags)
            unsafe try self.setNames(names, of: connection)
        case .dane(let records, let names):
            unsafe try self.setRecords(records, names, of: connection)
        }
    }

    /// What the check said, once the handshake is done.
    func outcome(of connection: OpaquePointer) -> TLSFacts.ServerVerification {
        if case .none = self.verification { return .notAsked }
        guard unsafe SSL_get0_peer_certificate(connection) != nil else {
            return .failed("no certificate")
        }
        return unsafe self.failure(of: connection).map { .failed($0) } ?? .verified
    }

    /// What speaks against the certificate, in OpenSSL's words; nil when nothing does.
    func failure(of connection: OpaquePointer) -> String? {
        if case .none = self.verification { return nil }
        let result = unsafe SSL_get_verify_result(connection)
        guard result != Int(X509_V_OK) else { return nil }
        guard let text = unsafe X509_verify_cert_error_string(result) else { return "\(result)" }
        return unsafe String(cString: text)
    }

    // MARK: - Names and records

    private func setNames(_ names: [String], of connection: OpaquePointer) throws(TLSError) {
        let first = try self.checked(names)
        if names.count == 1,
            unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), first) == 1
        {
            return
        }
        // What failed is only that the name is no address.
        OpenSSLErrors.clear()
        guard unsafe SSL_set1_host(connection, first) == 1 else {
            throw TLSError(first, OpenSSLErrors.take())
        }
        for name in names.dropFirst() {
            guard unsafe SSL_add1_host(connection, name) == 1 else {
                throw TLSError(name, OpenSSLErrors.take())
            }
        }
    }

    /// The first of names that are all fit for being compared.
    ///
    /// OpenSSL reads a name up to a NUL, takes an empty one for leave to show any name, and one
    /// that begins with a dot for all names below it.
    private func checked(_ names: [String]) throws(TLSError) -> String {
        guard let first = names.first else { throw TLSError("TLS", "no name to verify") }
        for name in names where name.isEmpty || name.hasPrefix(".") || name.utf8.contains(0) {
            throw TLSError("TLS", "no name that could be verified")
        }
        return first
    }

    private func setRecords(
        _ records: [TLSAssociation],
        _ names: [String],
        of connection: OpaquePointer
    ) throws(TLSError) {
        let base = try self.checked(names)
        guard unsafe SSL_dane_enable(connection, base) == 1 else {
            throw TLSError(base, OpenSSLErrors.take())
        }
        for name in names.dropFirst() {
            guard unsafe SSL_add1_host(connection, name) == 1 else {
                throw TLSError(name, OpenSSLErrors.take())
            }
        }
        unsafe SSL_set_hostflags(connection, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        // RFC 7672, section 3.1.1: what usage 3 vouches for needs no name.
        unsafe _ = SSL_dane_set_flags(connection, UInt(DANE_FLAG_NO_DANE_EE_NAMECHECKS))
        var usableCount = 0
        for record in records where record.usage == 2 || record.usage == 3 {
            let code = unsafe SSL_dane_tlsa_add(
                connection,
                record.usage,
                record.selector,
                record.matchingType,
                record.association,
                record.association.count
            )
            if code == 1 { usableCount += 1 }
        }
        OpenSSLErrors.clear()
        // Without one, OpenSSL would go by authorities, and find none.
        guard usableCount > 0 else { throw TLSError(base, "no TLSA record that can be used") }
    }
}
