// SPDX-License-Identifier: Apache-2.0
//
// What is asked of an X.509 certificate (RFC 5280), wherever it comes from. A name with a NUL in it
// was made to deceive those who read C strings, and is no name.

internal import COpenSSL

/// A certificate of OpenSSL's, for as long as its owner keeps it.
@safe
struct CertificateReading {
    private let certificate: OpaquePointer

    init(_ certificate: OpaquePointer) { unsafe self.certificate = certificate }

    enum NameKind {
        case host
        case mailbox
    }

    /// The alternative names of that kind, in their order.
    func alternativeNames(_ kind: NameKind) -> [String] {
        guard let names = unsafe copenssl_alternative_names(self.certificate) else { return [] }
        defer { unsafe GENERAL_NAMES_free(names) }
        let type = kind == .host ? GEN_DNS : GEN_EMAIL
        return (0..<(unsafe copenssl_name_count(names))).compactMap { index in
            guard let name = unsafe copenssl_name(names, index, type) else { return nil }
            let count = unsafe Int(ASN1_STRING_length(name))
            guard let start = unsafe ASN1_STRING_get0_data(name) else { return nil }
            return unsafe Self.text(UnsafeBufferPointer(start: start, count: count))
        }
    }

    /// The last common name of the subject.
    var commonName: String? {
        guard let subject = unsafe X509_get_subject_name(self.certificate) else { return nil }
        var index: Int32 = -1
        while true {
            let next = unsafe X509_NAME_get_index_by_NID(subject, NID_commonName, index)
            guard next >= 0 else { break }
            index = next
        }
        guard index >= 0, let entry = unsafe X509_NAME_get_entry(subject, index),
            let value = unsafe X509_NAME_ENTRY_get_data(entry)
        else { return nil }
        var octets: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&octets, value)
        guard count >= 0, let start = unsafe octets else { return nil }
        defer { unsafe CRYPTO_free(start, "", 0) }
        return unsafe Self.text(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    /// Its hash as tls-server-end-point has it (RFC 5929, section 4.1): by the hash of its own
    /// signature, or SHA-256 in place of MD5 and SHA-1; nil where the signature has no one hash.
    var endPointHash: [UInt8]? {
        var hash: Int32 = 0
        guard unsafe X509_get_signature_info(self.certificate, &hash, nil, nil, nil) == 1 else {
            return nil
        }
        let name = hash == NID_md5 || hash == NID_sha1 ? NID_sha256 : hash
        guard let short = unsafe OBJ_nid2sn(name), let function = unsafe EVP_get_digestbyname(short)
        else { return nil }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard unsafe X509_digest(self.certificate, function, &digest, &count) == 1 else {
            return nil
        }
        return Array(digest.prefix(Int(count)))
    }

    /// The type and size of its key: "ECDSA P-256", "RSA 2048".
    var keyType: String {
        guard let key = unsafe X509_get0_pubkey(self.certificate) else { return "unknown" }
        let bits = unsafe EVP_PKEY_get_bits(key)
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_RSA, NID_rsassaPss: return "RSA \(bits)"
        case NID_X9_62_id_ecPublicKey: return "ECDSA P-\(bits)"
        case NID_ED25519: return "Ed25519"
        case NID_ED448: return "Ed448"
        default: return "unknown"
        }
    }

    private static func text(_ octets: UnsafeBufferPointer<UInt8>) -> String? {
        unsafe octets.contains(0) ? nil : String(validating: octets, as: UTF8.self)
    }
}
