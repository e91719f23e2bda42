// SPDX-License-Identifier: Apache-2.0
//
// TLS and X.509, as the importer can see them: the headers, and what they offer only as macros.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline int copenssl_set_versions(SSL_CTX *context, int oldest, int newest) {
    return SSL_CTX_set_min_proto_version(context, oldest)
        && SSL_CTX_set_max_proto_version(context, newest);
}

static inline void copenssl_set_modes(SSL_CTX *context, long modes, long cache) {
    (void)SSL_CTX_set_mode(context, modes);
    (void)SSL_CTX_set_session_cache_mode(context, cache);
}

/// A connection that is cut without close_notify has ended like any other: where a message ends is
/// said in the protocols that are spoken within. Without renegotiation nobody can make the server
/// do more than one full handshake for a connection.
static inline void copenssl_set_options(SSL_CTX *context, int isServer, int usesTickets) {
    (void)SSL_CTX_set_options(
        context,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF
            | (isServer ? SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA : 0)
            | (usesTickets ? 0 : SSL_OP_NO_TICKET));
}

static inline void copenssl_set_server_name_callback(
    SSL_CTX *context, int (*callback)(SSL *, int *, void *), void *argument) {
    (void)SSL_CTX_set_tlsext_servername_callback(context, callback);
    (void)SSL_CTX_set_tlsext_servername_arg(context, argument);
}

static inline void copenssl_set_ticket_callback(
    SSL_CTX *context,
    int (*callback)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, EVP_MAC_CTX *,
                    int)) {
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(context, callback);
}

static inline int copenssl_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

static inline int copenssl_set_authorities(SSL *ssl, X509_STORE *store) {
    return (int)SSL_set1_verify_cert_store(ssl, store);
}

/// The index of a pointer that each context can own, and that `release` gets when it is freed.
static inline int copenssl_context_index(
    void (*release)(void *, void *, CRYPTO_EX_DATA *, int, long, void *)) {
    return SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, release);
}

static inline void copenssl_set_app_data(SSL_CTX *context, void *data) {
    (void)SSL_CTX_set_app_data(context, data);
}

static inline void *copenssl_app_data(SSL *ssl) {
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/// Keys the code over a session ticket, HMAC-SHA-256.
static inline int copenssl_key_ticket_mac(
    EVP_MAC_CTX *context, unsigned char *key, size_t count) {
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, count),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(context, parameters);
}

/// A private key from a PEM file; one that has a pass phrase is refused, for nobody is there to
/// type it.
static inline int copenssl_no_pass_phrase(char *buffer, int size, int writes, void *context) {
    (void)buffer, (void)size, (void)writes, (void)context;
    return -1;
}

static inline EVP_PKEY *copenssl_read_private_key(const char *path) {
    BIO *file = BIO_new_file(path, "r");
    EVP_PKEY *key = file
        ? PEM_read_bio_PrivateKey(file, NULL, copenssl_no_pass_phrase, NULL) : NULL;
    BIO_free(file);
    return key;
}

static inline X509 *copenssl_read_certificate(const char *path) {
    BIO *file = BIO_new_file(path, "r");
    X509 *certificate = file
        ? PEM_read_bio_X509_AUX(file, NULL, copenssl_no_pass_phrase, NULL) : NULL;
    BIO_free(file);
    return certificate;
}

// The alternative names of a certificate, NULL when it has none; to be freed.
static inline GENERAL_NAMES *copenssl_alternative_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static inline int copenssl_name_count(const GENERAL_NAMES *names) {
    return sk_GENERAL_NAME_num(names);
}

/// The text of a name of that type (GEN_DNS, GEN_EMAIL); NULL for a name of another type.
static inline const ASN1_STRING *copenssl_name(const GENERAL_NAMES *names, int index, int type) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name->type != type) return NULL;
    return (const ASN1_STRING *)GENERAL_NAME_get0_value(name, NULL);
}

/// Seconds from the epoch, or -1.
static inline long copenssl_seconds(const ASN1_TIME *time) {
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int code = epoch ? ASN1_TIME_diff(&days, &seconds, epoch, time) : 0;
    ASN1_TIME_free(epoch);
    return code == 1 ? days * 86400L + seconds : -1;
}
