/* The tests' BoringSSL. */

#include <openssl/aead.h>
#include <openssl/err.h>
#include <openssl/pool.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/tls_kit.h"

#define MUST(condition) must((condition), #condition, __LINE__)

static void must(bool holds, const char *what, int line)
{
    if (!holds) {
        (void)fprintf(stderr, "tls_kit_boring.c:%d: %s\n", line, what);
        abort();
    }
}

bool tls_kit_is_openssl(void)
{
    return false;
}

SSL_CTX *tls_kit_context(void)
{
    return SSL_CTX_new(TLS_method());
}

struct urlp_tls_shown *tls_kit_shown_new(void)
{
    return (struct urlp_tls_shown *)sk_CRYPTO_BUFFER_new_null();
}

void tls_kit_shown_add(struct urlp_tls_shown *shown, const uint8_t *der, size_t len)
{
    CRYPTO_BUFFER *bytes = CRYPTO_BUFFER_new(der, len, NULL);

    MUST(bytes != NULL && sk_CRYPTO_BUFFER_push((STACK_OF(CRYPTO_BUFFER) *)shown, bytes) != 0);
}

void tls_kit_shown_free(struct urlp_tls_shown *shown)
{
    sk_CRYPTO_BUFFER_pop_free((STACK_OF(CRYPTO_BUFFER) *)shown, CRYPTO_BUFFER_free);
}

bool tls_kit_can_show_malformed(void)
{
    return true;
}

SSL_SESSION *tls_kit_session(SSL_CTX *context, uint16_t version, size_t ticket_len)
{
    SSL_SESSION *session = SSL_SESSION_new(context);
    uint8_t *ticket = calloc(1, ticket_len + 1);

    MUST(session != NULL && ticket != NULL);
    MUST(SSL_SESSION_set_protocol_version(session, version));
    MUST(SSL_SESSION_set_ticket(session, ticket, ticket_len));
    free(ticket);
    return session;
}

unsigned tls_kit_num_peer_certs(const SSL *ssl)
{
    return (unsigned)sk_CRYPTO_BUFFER_num(SSL_get0_peer_certificates(ssl));
}

void tls_kit_take_ed25519(SSL_CTX *context)
{
    static const uint16_t signatures[] = {SSL_SIGN_ECDSA_SECP256R1_SHA256,
                                          SSL_SIGN_RSA_PSS_RSAE_SHA256, SSL_SIGN_ED25519};

    MUST(SSL_CTX_set_verify_algorithm_prefs(context, signatures, 3));
}

/* tls_kit_flush: a write of nothing sends what is held back, and no record of its own. */
bool tls_kit_flush(SSL *ssl)
{
    return SSL_write(ssl, "", 0) >= 0;
}

static tls_kit_see_fn seeing;

static enum ssl_select_cert_result_t see_hello(const SSL_CLIENT_HELLO *hello)
{
    const uint8_t *data;
    size_t len;

    seeing(SSL_early_callback_ctx_extension_get(hello, TLSEXT_TYPE_early_data, &data, &len),
           SSL_early_callback_ctx_extension_get(hello, TLSEXT_TYPE_pre_shared_key, &data, &len));
    return ssl_select_cert_success;
}

void tls_kit_see_hellos(SSL_CTX *context, tls_kit_see_fn see)
{
    seeing = see;
    SSL_CTX_set_early_data_enabled(context, 1);
    SSL_CTX_set_select_certificate_cb(context, see_hello);
}

void tls_kit_watch(SSL *ssl, uint64_t *num_written)
{
    (void)ssl;
    (void)num_written;
}

void tls_kit_watch_keys(const char *keylog_line, uint64_t *num_written)
{
    (void)keylog_line;
    (void)num_written;
}

uint64_t tls_kit_num_written(const SSL *ssl, uint64_t num_written)
{
    (void)num_written;
    return SSL_get_write_sequence(ssl);
}

void tls_kit_key_block(const SSL *ssl, uint8_t *out, size_t len)
{
    MUST(SSL_get_key_block_len(ssl) == len && SSL_generate_key_block(ssl, out, len));
}

struct tls_kit_seal {
    EVP_AEAD_CTX keys;
};

static const EVP_AEAD *aead_of(const SSL *ssl)
{
    switch (SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(ssl))) {
    case NID_aes_128_gcm:
        return EVP_aead_aes_128_gcm();
    case NID_aes_256_gcm:
        return EVP_aead_aes_256_gcm();
    case NID_chacha20_poly1305:
        return EVP_aead_chacha20_poly1305();
    default:
        MUST(!"a cipher of another kind");
        return NULL;
    }
}

size_t tls_kit_seal_key_len(const SSL *ssl)
{
    return EVP_AEAD_key_length(aead_of(ssl));
}

struct tls_kit_seal *tls_kit_seal_new(const SSL *ssl, const uint8_t *key)
{
    struct tls_kit_seal *seal = calloc(1, sizeof(*seal));
    const EVP_AEAD *aead = aead_of(ssl);

    MUST(seal != NULL && EVP_AEAD_max_overhead(aead) == TLS_KIT_TAG);
    MUST(EVP_AEAD_CTX_init(&seal->keys, aead, key, EVP_AEAD_key_length(aead),
                           EVP_AEAD_DEFAULT_TAG_LENGTH, NULL));
    return seal;
}

void tls_kit_seal_free(struct tls_kit_seal *seal)
{
    EVP_AEAD_CTX_cleanup(&seal->keys);
    free(seal);
}

void tls_kit_seal_run(struct tls_kit_seal *seal, const uint8_t *nonce, const void *data, size_t len,
                      const void *covered, size_t covered_len, uint8_t *out)
{
    size_t sealed = 0;

    MUST(EVP_AEAD_CTX_seal(&seal->keys, out, &sealed, len + TLS_KIT_TAG, nonce, 12, data, len,
                           covered, covered_len));
    MUST(sealed == len + TLS_KIT_TAG);
}

const EVP_MD *tls_kit_digest(const SSL *ssl)
{
    return EVP_get_digestbynid(SSL_CIPHER_get_prf_nid(SSL_get_current_cipher(ssl)));
}
