/* The tests' OpenSSL. */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/tls_kit.h"

#define MUST(condition) must((condition), #condition, __LINE__)

static void must(bool holds, const char *what, int line)
{
    if (!holds) {
        (void)fprintf(stderr, "tls_kit_openssl.c:%d: %s\n", line, what);
        abort();
    }
}

bool tls_kit_is_openssl(void)
{
    return true;
}

SSL_CTX *tls_kit_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());

    if (context != NULL) {
        SSL_CTX_set_security_level(context, 0);
        SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    }
    return context;
}

struct urlp_tls_shown *tls_kit_shown_new(void)
{
    return (struct urlp_tls_shown *)sk_X509_new_null();
}

void tls_kit_shown_add(struct urlp_tls_shown *shown, const uint8_t *der, size_t len)
{
    X509 *cert = d2i_X509(NULL, &der, (long)len);

    MUST(cert != NULL && sk_X509_push((STACK_OF(X509) *)shown, cert) != 0);
}

void tls_kit_shown_free(struct urlp_tls_shown *shown)
{
    sk_X509_pop_free((STACK_OF(X509) *)shown, X509_free);
}

bool tls_kit_can_show_malformed(void)
{
    return false;
}

/* put writes a DER element with a length of four octets in all, and returns where it ends. */
static uint8_t *put(uint8_t *at, uint8_t tag, const void *data, size_t len)
{
    const uint8_t head[] = {tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len};

    memcpy(at, head, sizeof(head));
    if (len > 0) {
        memcpy(at + sizeof(head), data, len);
    }
    return at + sizeof(head) + len;
}

/* tls_kit_session: a ticket comes into a session only out of its serialized form. */
SSL_SESSION *tls_kit_session(SSL_CTX *context, uint16_t version, size_t ticket_len)
{
    static const uint8_t key[48];
    const uint8_t version_octets[] = {(uint8_t)(version >> 8), (uint8_t)version};
    const uint8_t *cipher = (const uint8_t *)(version >= TLS1_3_VERSION ? "\x13\x01" : "\xc0\x2f");
    uint8_t *inside = calloc(1, ticket_len + 256);
    uint8_t *whole = calloc(1, ticket_len + 512);
    uint8_t *ticket = calloc(1, ticket_len + 16);
    uint8_t *nothing = calloc(1, ticket_len + 1);
    uint8_t *at = inside;
    const uint8_t *end;
    const uint8_t *from = whole;
    SSL_SESSION *session;

    (void)context;
    MUST(inside != NULL && whole != NULL && ticket != NULL && nothing != NULL);
    at = put(at, V_ASN1_INTEGER, "\x01", 1);
    at = put(at, V_ASN1_INTEGER, version_octets, 2);
    at = put(at, V_ASN1_OCTET_STRING, cipher, 2);
    at = put(at, V_ASN1_OCTET_STRING, "session id", ticket_len > 0 ? 10 : 0);
    at = put(at, V_ASN1_OCTET_STRING, key, sizeof(key));
    (void)put(ticket, V_ASN1_OCTET_STRING, nothing, ticket_len);
    if (ticket_len > 0) {
        at = put(at, 0xaa, ticket, ticket_len + 4); /* [10] */
    }
    end = put(whole, 0x30, inside, (size_t)(at - inside));
    session = d2i_SSL_SESSION(NULL, &from, (long)(end - whole));
    MUST(session != NULL && SSL_SESSION_get_protocol_version(session) == version);
    (void)SSL_SESSION_set_time(session, (long)time(NULL));
    (void)SSL_SESSION_set_timeout(session, 7200);
    free(inside);
    free(whole);
    free(ticket);
    free(nothing);
    return session;
}

/* tls_kit_num_peer_certs: a server's chain leaves the leaf out. */
unsigned tls_kit_num_peer_certs(const SSL *ssl)
{
    const STACK_OF(X509) *others = SSL_get_peer_cert_chain(ssl);

    return (SSL_get0_peer_certificate(ssl) != NULL) +
           (others != NULL ? (unsigned)sk_X509_num(others) : 0);
}

void tls_kit_take_ed25519(SSL_CTX *context)
{
    (void)context;
}

/* tls_kit_flush: tickets have been sent with the handshake. */
bool tls_kit_flush(SSL *ssl)
{
    return SSL_do_handshake(ssl) == 1;
}

static tls_kit_see_fn seeing;

static int see_hello(SSL *ssl, int *out_alert, void *user)
{
    const uint8_t *data;
    size_t len;

    (void)out_alert;
    (void)user;
    seeing(SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_early_data, &data, &len) == 1,
           SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &data, &len) == 1);
    return SSL_CLIENT_HELLO_SUCCESS;
}

void tls_kit_see_hellos(SSL_CTX *context, tls_kit_see_fn see)
{
    seeing = see;
    MUST(SSL_CTX_set_max_early_data(context, 16384));
    SSL_CTX_set_client_hello_cb(context, see_hello, NULL);
}

/* count: each record has a header, and a ChangeCipherSpec of TLS 1.2 begins with new keys. */
static void count(int is_written, int version, int type, const void *data, size_t len, SSL *ssl,
                  void *user)
{
    uint64_t *num_written = user;

    (void)version;
    if (!is_written || type != SSL3_RT_HEADER || len < 1) {
        return;
    }
    if (*(const uint8_t *)data == SSL3_RT_CHANGE_CIPHER_SPEC &&
        SSL_version(ssl) == TLS1_2_VERSION) {
        *num_written = 0;
    } else {
        ++*num_written;
    }
}

void tls_kit_watch(SSL *ssl, uint64_t *num_written)
{
    SSL_set_msg_callback(ssl, count);
    SSL_set_msg_callback_arg(ssl, num_written);
}

void tls_kit_watch_keys(const char *keylog_line, uint64_t *num_written)
{
    if (strncmp(keylog_line, "SERVER_TRAFFIC_SECRET_0 ", 24) == 0) {
        *num_written = 0;
    }
}

uint64_t tls_kit_num_written(const SSL *ssl, uint64_t num_written)
{
    (void)ssl;
    return num_written;
}

void tls_kit_key_block(const SSL *ssl, uint8_t *out, size_t len)
{
    uint8_t master[64];
    uint8_t seed[2 * SSL3_RANDOM_SIZE];
    char *digest = (char *)EVP_MD_get0_name(tls_kit_digest(ssl));
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    const size_t master_len =
        SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof(master));

    (void)SSL_get_server_random(ssl, seed, SSL3_RANDOM_SIZE);
    (void)SSL_get_client_random(ssl, seed + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);

    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, master_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (char *)"key expansion", 13),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
        OSSL_PARAM_construct_end(),
    };

    MUST(context != NULL && EVP_KDF_derive(context, out, len, params) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

struct tls_kit_seal {
    EVP_CIPHER_CTX *keys;
};

static const EVP_CIPHER *aead_of(const SSL *ssl)
{
    switch (SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(ssl))) {
    case NID_aes_128_gcm:
        return EVP_aes_128_gcm();
    case NID_aes_256_gcm:
        return EVP_aes_256_gcm();
    case NID_chacha20_poly1305:
        return EVP_chacha20_poly1305();
    default:
        MUST(!"a cipher of another kind");
        return NULL;
    }
}

size_t tls_kit_seal_key_len(const SSL *ssl)
{
    return (size_t)EVP_CIPHER_get_key_length(aead_of(ssl));
}

struct tls_kit_seal *tls_kit_seal_new(const SSL *ssl, const uint8_t *key)
{
    struct tls_kit_seal *seal = calloc(1, sizeof(*seal));

    MUST(seal != NULL);
    seal->keys = EVP_CIPHER_CTX_new();
    MUST(seal->keys != NULL && EVP_EncryptInit_ex(seal->keys, aead_of(ssl), NULL, key, NULL));
    return seal;
}

void tls_kit_seal_free(struct tls_kit_seal *seal)
{
    EVP_CIPHER_CTX_free(seal->keys);
    free(seal);
}

void tls_kit_seal_run(struct tls_kit_seal *seal, const uint8_t *nonce, const void *data, size_t len,
                      const void *covered, size_t covered_len, uint8_t *out)
{
    int num = 0;

    MUST(EVP_EncryptInit_ex(seal->keys, NULL, NULL, NULL, nonce));
    MUST(EVP_EncryptUpdate(seal->keys, NULL, &num, covered, (int)covered_len));
    if (len > 0) {
        MUST(EVP_EncryptUpdate(seal->keys, out, &num, data, (int)len) && num == (int)len);
    }
    MUST(EVP_EncryptFinal_ex(seal->keys, out + len, &num) && num == 0);
    MUST(EVP_CIPHER_CTX_ctrl(seal->keys, EVP_CTRL_AEAD_GET_TAG, TLS_KIT_TAG, out + len));
}

const EVP_MD *tls_kit_digest(const SSL *ssl)
{
    return SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
}
