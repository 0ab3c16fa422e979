/* What is BoringSSL's alone. It keeps certificates as the bytes that came, judges resumed
 * handshakes by the same callback as full ones, and refuses renegotiation and floods of key updates
 * by itself.
 *
 * Sees to nothing but that: what urlpool wants of TLS is decided in the other files. */

#include <openssl/bytestring.h>
#include <openssl/err.h>
#include <openssl/pkcs8.h>
#include <openssl/pool.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "net/tls.h"
#include "net/tls_library.h"
#include "net/tls_stream.h"
#include "net/tls_verify.h"

static const STACK_OF(CRYPTO_BUFFER) * of(const struct urlp_tls_shown *shown)
{
    return (const STACK_OF(CRYPTO_BUFFER) *)shown;
}

const struct urlp_tls_shown *urlp_tls_shown_by(const SSL *ssl)
{
    return (const struct urlp_tls_shown *)SSL_get0_peer_certificates(ssl);
}

size_t urlp_tls_shown_num(const struct urlp_tls_shown *shown)
{
    return sk_CRYPTO_BUFFER_num(of(shown));
}

void urlp_tls_shown_free(struct urlp_tls_shown *shown)
{
    sk_CRYPTO_BUFFER_pop_free((STACK_OF(CRYPTO_BUFFER) *)shown, CRYPTO_BUFFER_free);
}

struct urlp_tls_shown *urlp_tls_shown_copy(const struct urlp_tls_shown *shown)
{
    STACK_OF(CRYPTO_BUFFER) *copy = sk_CRYPTO_BUFFER_new_null();

    for (size_t i = 0; copy != NULL && i < urlp_tls_shown_num(shown); i++) {
        CRYPTO_BUFFER *bytes = sk_CRYPTO_BUFFER_value(of(shown), i);

        if (!sk_CRYPTO_BUFFER_push(copy, bytes)) {
            sk_CRYPTO_BUFFER_pop_free(copy, CRYPTO_BUFFER_free);
            return NULL;
        }
        CRYPTO_BUFFER_up_ref(bytes);
    }
    return (struct urlp_tls_shown *)copy;
}

static bool are_equal(const CRYPTO_BUFFER *a, const CRYPTO_BUFFER *b)
{
    return CRYPTO_BUFFER_len(a) == CRYPTO_BUFFER_len(b) &&
           memcmp(CRYPTO_BUFFER_data(a), CRYPTO_BUFFER_data(b), CRYPTO_BUFFER_len(a)) == 0;
}

bool urlp_tls_shown_equals(const struct urlp_tls_shown *a, const struct urlp_tls_shown *b)
{
    if (urlp_tls_shown_num(a) != urlp_tls_shown_num(b)) {
        return false;
    }
    for (size_t i = 0; i < urlp_tls_shown_num(a); i++) {
        if (!are_equal(sk_CRYPTO_BUFFER_value(of(a), i), sk_CRYPTO_BUFFER_value(of(b), i))) {
            return false;
        }
    }
    return true;
}

X509 *urlp_tls_shown_certificate(const struct urlp_tls_shown *shown, size_t index)
{
    return X509_parse_from_buffer(sk_CRYPTO_BUFFER_value(of(shown), index));
}

static struct urlp_span leaf_of(const struct urlp_tls_shown *shown)
{
    const CRYPTO_BUFFER *leaf;

    if (urlp_tls_shown_num(shown) == 0) {
        return urlp_span_make(NULL, 0);
    }
    leaf = sk_CRYPTO_BUFFER_value(of(shown), 0);
    return urlp_span_make(CRYPTO_BUFFER_data(leaf), CRYPTO_BUFFER_len(leaf));
}

bool urlp_tls_shown_digest(const struct urlp_tls_shown *shown, const EVP_MD *digest,
                           uint8_t out[EVP_MAX_MD_SIZE])
{
    const struct urlp_span leaf = leaf_of(shown);

    return EVP_Digest(leaf.data, leaf.len, out, NULL, digest, NULL) == 1;
}

bool urlp_tls_library_keep_leaf(SSL *ssl)
{
    (void)ssl;
    return true;
}

struct urlp_span urlp_tls_library_leaf(const struct urlp_tls_stream *stream)
{
    return leaf_of(urlp_tls_shown_by(stream->ssl));
}

static enum ssl_verify_result_t check_peer(SSL *ssl, uint8_t *out_alert)
{
    const int reason = urlp_tls_check_peer(ssl);

    if (reason == X509_V_OK) {
        return ssl_verify_ok;
    }
    *out_alert = (uint8_t)SSL_alert_from_verify_result(reason);
    return ssl_verify_invalid;
}

/* What a peer may sign its handshake with: BoringSSL's own list without SHA-1, and with the two
 * kinds of key that private CAs like and it leaves out. */
static const uint16_t signatures[] = {
    SSL_SIGN_ECDSA_SECP256R1_SHA256, SSL_SIGN_RSA_PSS_RSAE_SHA256,
    SSL_SIGN_RSA_PKCS1_SHA256,       SSL_SIGN_ECDSA_SECP384R1_SHA384,
    SSL_SIGN_RSA_PSS_RSAE_SHA384,    SSL_SIGN_RSA_PKCS1_SHA384,
    SSL_SIGN_ECDSA_SECP521R1_SHA512, SSL_SIGN_RSA_PSS_RSAE_SHA512,
    SSL_SIGN_RSA_PKCS1_SHA512,       SSL_SIGN_ED25519,
};

SSL_CTX *urlp_tls_library_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_with_buffers_method());

    if (context == NULL ||
        !SSL_CTX_set_verify_algorithm_prefs(context, signatures, URLP_COUNT_OF(signatures))) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_grease_enabled(context, 1);
    SSL_CTX_set_custom_verify(context, SSL_VERIFY_PEER, check_peer);
    SSL_CTX_set_reverify_on_resume(context, 1);
    return context;
}

const char urlp_tls_library_never[] = ":!aPSK"; /* the others it has not, or only by name */

bool urlp_tls_library_set_ciphers(SSL_CTX *context, const char *list)
{
    return SSL_CTX_set_strict_cipher_list(context, list) == 1;
}

/* urlp_tls_library_cipher_name: all names that it knows stand in lists. */
const char *urlp_tls_library_cipher_name(const char *word)
{
    return word;
}

static CRYPTO_BUFFER *bytes_of(X509 *cert)
{
    uint8_t *der = NULL;
    const int len = i2d_X509(cert, &der);
    CRYPTO_BUFFER *bytes = len > 0 ? CRYPTO_BUFFER_new(der, (size_t)len, NULL) : NULL;

    OPENSSL_free(der);
    return bytes;
}

bool urlp_tls_library_set_credentials(SSL_CTX *context, X509 *const *certs, size_t num_certs,
                                      EVP_PKEY *key)
{
    CRYPTO_BUFFER *chain[URLP_TLS_CHAIN_MAX] = {NULL};
    bool is_set = true;

    for (size_t i = 0; i < num_certs && is_set; i++) {
        chain[i] = bytes_of(certs[i]);
        is_set = chain[i] != NULL;
    }
    is_set = is_set && SSL_CTX_set_chain_and_key(context, chain, num_certs, key, NULL);
    for (size_t i = 0; i < num_certs; i++) {
        CRYPTO_BUFFER_free(chain[i]);
    }
    return is_set;
}

void urlp_tls_library_prepare(SSL *ssl)
{
    /* RFC 8446 section 4.4.2.2: "If present, the Key Usage extension MUST have the digitalSignature
     * bit set". BoringSSL overlooks it in RSA certificates over TLS 1.2 unless told. */
    SSL_set_enforce_rsa_key_usage(ssl, 1);
}

int urlp_tls_library_shake_hands(SSL *ssl)
{
    return SSL_do_handshake(ssl);
}

/* urlp_tls_library_is_malformed: chains are read by us alone. */
bool urlp_tls_library_is_malformed(uint32_t packed)
{
    (void)packed;
    return false;
}

bool urlp_tls_library_is_single_use(const SSL_SESSION *session)
{
    return SSL_SESSION_should_be_single_use(session) == 1;
}

int64_t urlp_tls_library_session_end(const SSL_SESSION *session)
{
    return (int64_t)(SSL_SESSION_get_time(session) + SSL_SESSION_get_timeout(session));
}

EVP_PKEY *urlp_tls_library_decrypt(const uint8_t *der, size_t len, const char *password,
                                   bool *out_is_odd)
{
    uint32_t packed;
    EVP_PKEY *key;
    int reason;
    CBS cbs;

    CBS_init(&cbs, der, len);
    key = PKCS8_parse_encrypted_private_key(&cbs, password, strlen(password));
    if (key != NULL && CBS_len(&cbs) > 0) {
        EVP_PKEY_free(key);
        *out_is_odd = true;
        return NULL;
    }
    packed = ERR_peek_error();
    reason = ERR_GET_REASON(packed);
    *out_is_odd = ERR_GET_LIB(packed) == ERR_LIB_PKCS8 &&
                  (reason == PKCS8_R_DECODE_ERROR ||
                   (reason >= PKCS8_R_UNKNOWN_ALGORITHM && reason <= PKCS8_R_UNSUPPORTED_PRF));
    return key;
}

const char *urlp_tls_library_words(int reason)
{
    switch (reason) {
    case SSL_R_INVALID_ALPN_PROTOCOL:
        return "the peer chose a protocol other than http/1.1";
    case SSL_R_TOO_MANY_KEY_UPDATES:
        return "the peer changes keys without end";
    case SSL_R_UNEXPECTED_EXTENSION:
        return "the peer answered what was not asked";
    default:
        return NULL;
    }
}

const char *urlp_tls_library_verify_words(int reason)
{
    return X509_verify_cert_error_string(reason);
}

void urlp_tls_library(char *out, size_t out_size)
{
    (void)snprintf(out, out_size, "BoringSSL/%d", BORINGSSL_API_VERSION);
}
