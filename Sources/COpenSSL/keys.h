// SPDX-License-Identifier: Apache-2.0
//
// Public keys and what they verify. Each function leaves the thread's queue of errors empty: who
// asks TLS next would take an old error for its own.
#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static inline EVP_PKEY *copenssl_public_key_from(const char *type, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!context || EVP_PKEY_fromdata_init(context) != 1
        || EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return key;
}

// The RSA key of a modulus and an exponent, big-endian, or NULL.
static inline EVP_PKEY *copenssl_rsa_public_key(const unsigned char *modulus, size_t modulus_count,
                                                const unsigned char *exponent,
                                                size_t exponent_count) {
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_count, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_count, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *parameters = NULL;
    if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        parameters = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY *key = parameters ? copenssl_public_key_from("RSA", parameters) : NULL;
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    ERR_clear_error();
    return key;
}

// The P-256 key of an uncompressed point, or NULL when the point is not on the curve.
static inline EVP_PKEY *copenssl_p256_public_key(const unsigned char *point, size_t count) {
    char group[] = "P-256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, count),
        OSSL_PARAM_construct_end(),
    };
    return copenssl_public_key_from("EC", parameters);
}

// Reads the next block of a PEM text: 1 and a key, 0 at the end, -1 when the block is neither a
// public key nor a certificate.
static inline int copenssl_read_pem_public_key(BIO *source, EVP_PKEY **key) {
    char *name = NULL, *header = NULL;
    unsigned char *octets = NULL;
    long count = 0;
    *key = NULL;
    int read = PEM_read_bio(source, &name, &header, &octets, &count);
    int end = !read && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (read) {
        const unsigned char *start = octets;
        if (strcmp(name, "PUBLIC KEY") == 0) {
            *key = d2i_PUBKEY(NULL, &start, count);
        } else if (strcmp(name, "CERTIFICATE") == 0) {
            X509 *certificate = d2i_X509(NULL, &start, count);
            *key = certificate ? X509_get_pubkey(certificate) : NULL;
            X509_free(certificate);
        }
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(octets);
    ERR_clear_error();
    return *key ? 1 : end ? 0 : -1;
}

// What kind of key it is and how many bits it has: the kinds that sign tokens are told apart.
enum { COPENSSL_KEY_OTHER, COPENSSL_KEY_RSA, COPENSSL_KEY_P256 };

static inline int copenssl_key_kind(const EVP_PKEY *key) {
    char group[32] = "";
    size_t count = 0;
    int kind = COPENSSL_KEY_OTHER;
    if (EVP_PKEY_is_a(key, "RSA")) {
        kind = COPENSSL_KEY_RSA;
    } else if (EVP_PKEY_is_a(key, "EC")
               && EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                                 sizeof group, &count)
               && strcmp(group, "prime256v1") == 0) {
        kind = COPENSSL_KEY_P256;
    }
    ERR_clear_error();
    return kind;
}

// Whether a signature over the SHA-256 hash of a message is the key's: PKCS #1 version 1.5 for RSA,
// a DER sequence for P-256.
static inline int copenssl_verify_sha256(EVP_PKEY *key, const unsigned char *signature,
                                         size_t signature_count, const unsigned char *message,
                                         size_t message_count) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int valid = context
        && EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1
        && EVP_DigestVerify(context, signature, signature_count, message, message_count) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return valid;
}

// The same for P-256 with both numbers of the signature side by side, as tokens have them (RFC
// 7518, section 3.4).
static inline int copenssl_verify_p256(EVP_PKEY *key, const unsigned char numbers[64],
                                       const unsigned char *message, size_t message_count) {
    ECDSA_SIG *signature = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(numbers, 32, NULL), *s = BN_bin2bn(numbers + 32, 32, NULL);
    unsigned char *der = NULL;
    int count = 0;
    if (signature && r && s && ECDSA_SIG_set0(signature, r, s)) {
        count = i2d_ECDSA_SIG(signature, &der);
    } else {
        BN_free(r);
        BN_free(s);
    }
    int valid = count > 0
        && copenssl_verify_sha256(key, der, (size_t)count, message, message_count);
    OPENSSL_free(der);
    ECDSA_SIG_free(signature);
    ERR_clear_error();
    return valid;
}
