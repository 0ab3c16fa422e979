/* What is OpenSSL's alone (version 3, linked as a shared library): what BoringSSL does by itself,
 * or as we have told it to, is asked for here by other means.
 *
 * A system's openssl.cnf may have set what a new context begins with; all that urlpool decides is
 * set again. Certificates are judged by urlp_tls_check_peer alone, which OpenSSL would not ask
 * about resumed handshakes, so it is asked once they are done: nothing of ours has been sent by
 * then. */

#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "net/tls.h"
#include "net/tls_library.h"
#include "net/tls_stream.h"
#include "net/tls_verify.h"

/* BoringSSL's bound, and its three groups. */
#define KEY_UPDATES_MAX 32
#define GROUPS          "X25519:P-256:P-384"

/* Nobody anonymous, nothing below 80 bits; what certificates have to be, tls_links.c says. */
#define SECURITY_LEVEL 1

/* BoringSSL's own list without SHA-1, and with the two kinds of key that private CAs like. */
#define SIGNATURES                                                                   \
    "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:RSA-PSS+SHA384:RSA+SHA384:" \
    "ECDSA+SHA512:RSA-PSS+SHA512:RSA+SHA512:ed25519"

/* --- the chain that is shown ------------------------------------------------------------------ */

static const STACK_OF(X509) * of(const struct urlp_tls_shown *shown)
{
    return (const STACK_OF(X509) *)shown;
}

const struct urlp_tls_shown *urlp_tls_shown_by(const SSL *ssl)
{
    return (const struct urlp_tls_shown *)SSL_get_peer_cert_chain(ssl);
}

size_t urlp_tls_shown_num(const struct urlp_tls_shown *shown)
{
    return shown != NULL ? (size_t)sk_X509_num(of(shown)) : 0;
}

void urlp_tls_shown_free(struct urlp_tls_shown *shown)
{
    sk_X509_pop_free((STACK_OF(X509) *)shown, X509_free);
}

struct urlp_tls_shown *urlp_tls_shown_copy(const struct urlp_tls_shown *shown)
{
    return (struct urlp_tls_shown *)(shown != NULL ? X509_chain_up_ref((STACK_OF(X509) *)shown)
                                                   : sk_X509_new_null());
}

bool urlp_tls_shown_equals(const struct urlp_tls_shown *a, const struct urlp_tls_shown *b)
{
    if (urlp_tls_shown_num(a) != urlp_tls_shown_num(b)) {
        return false;
    }
    for (size_t i = 0; i < urlp_tls_shown_num(a); i++) {
        /* By their digests, all of them, and by the bytes that are signed. */
        if (X509_cmp(sk_X509_value(of(a), (int)i), sk_X509_value(of(b), (int)i)) != 0) {
            return false;
        }
    }
    return true;
}

X509 *urlp_tls_shown_certificate(const struct urlp_tls_shown *shown, size_t index)
{
    X509 *certificate = sk_X509_value(of(shown), (int)index);

    X509_up_ref(certificate);
    return certificate;
}

bool urlp_tls_shown_digest(const struct urlp_tls_shown *shown, const EVP_MD *digest,
                           uint8_t out[EVP_MAX_MD_SIZE])
{
    return X509_digest(sk_X509_value(of(shown), 0), digest, out, NULL) == 1;
}

bool urlp_tls_library_keep_leaf(SSL *ssl)
{
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    X509 *certificate = chain != NULL ? sk_X509_value(chain, 0) : NULL;
    struct urlp_tls_stream *stream = SSL_get_app_data(ssl);
    const int len = certificate != NULL ? i2d_X509(certificate, NULL) : 0;
    uint8_t *end;

    if (certificate == NULL) {
        return true;
    }
    stream->leaf = len > 0 ? urlp_alloc((size_t)len) : NULL;
    if (stream->leaf == NULL) {
        return false;
    }
    end = stream->leaf;
    stream->leaf_len = (size_t)i2d_X509(certificate, &end);
    return true;
}

struct urlp_span urlp_tls_library_leaf(const struct urlp_tls_stream *stream)
{
    return urlp_span_make(stream->leaf, stream->leaf_len);
}

/* --- contexts --------------------------------------------------------------------------------- */

/* may_sign says whether the leaf may do what it does in this handshake. RFC 8446 section 4.4.2.2:
 * "If present, the Key Usage extension MUST have the digitalSignature bit set". OpenSSL looks at it
 * in certificates of ECDSA alone. */
static bool may_sign(SSL *ssl, X509 *leaf)
{
    const SSL_CIPHER *cipher = SSL_get_pending_cipher(ssl);

    if ((X509_get_extension_flags(leaf) & EXFLAG_INVALID) != 0) {
        ERR_clear_error();
        return true; /* urlp_tls_check_peer says what is wrong with it */
    }
    if (cipher != NULL && SSL_CIPHER_get_kx_nid(cipher) == NID_kx_rsa) {
        return (X509_get_key_usage(leaf) & KU_KEY_ENCIPHERMENT) != 0;
    }
    return (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) != 0;
}

static int check_peer(X509_STORE_CTX *store_context, void *user)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_context, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509 *leaf = X509_STORE_CTX_get0_cert(store_context);
    const EVP_PKEY *key = X509_get0_pubkey(leaf);
    const bool is_first =
        SSL_version(ssl) >= TLS1_3_VERSION || (key != NULL && EVP_PKEY_get_id(key) == EVP_PKEY_EC);
    int reason = X509_V_OK;

    (void)user;
    if (!is_first || may_sign(ssl, leaf)) { /* BoringSSL asks in this order */
        reason = urlp_tls_check_peer(ssl);
    }
    if (reason == X509_V_OK && !may_sign(ssl, leaf)) {
        ERR_raise(ERR_LIB_SSL, SSL_R_ECC_CERT_NOT_FOR_SIGNING);
        reason = X509_V_ERR_INVALID_PURPOSE;
    }
    X509_STORE_CTX_set_error(store_context, reason);
    return reason == X509_V_OK;
}

/* refuse lets no more be read. */
static void refuse(struct urlp_tls_stream *stream, int reason)
{
    ERR_raise(ERR_LIB_SSL, reason);
    stream->bio.is_refused = true;
}

/* see_message sees every message of a handshake, and those that come after it. A request for
 * another one is refused (OpenSSL would only say no, or pass it over, and go on), and so are key
 * updates without end. */
static void see_message(int is_written, int version, int type, const void *data, size_t len,
                        SSL *ssl, void *user)
{
    struct urlp_tls_stream *stream = SSL_get_app_data(ssl);
    const uint8_t *message = data;

    (void)version;
    (void)user;
    if (is_written || type != SSL3_RT_HANDSHAKE || len == 0 || stream == NULL) {
        return;
    }
    if (message[0] == SSL3_MT_HELLO_REQUEST) {
        refuse(stream, SSL_R_NO_RENEGOTIATION);
    } else if (message[0] == SSL3_MT_KEY_UPDATE &&
               ++stream->bio.num_key_updates > KEY_UPDATES_MAX) {
        refuse(stream, SSL_R_TOO_MANY_KEY_UPDATES);
    }
}

SSL_CTX *urlp_tls_library_context(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL || !SSL_CTX_set1_sigalgs_list(context, SIGNATURES) ||
        !SSL_CTX_set1_groups_list(context, GROUPS)) {
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    /* Whoever cannot renegotiate safely need not: nobody does. */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* As BoringSSL does: no buffers of idle connections, no certificates that nobody named. */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, check_peer, NULL);
    SSL_CTX_set_msg_callback(context, see_message);
    return context;
}

/* --- ciphers ---------------------------------------------------------------------------------- */

const char urlp_tls_library_never[] = ":!aNULL:!eNULL:!aDSS:!PSK:!SRP";

bool urlp_tls_library_set_ciphers(SSL_CTX *context, const char *list)
{
    return SSL_CTX_set_cipher_list(context, list) == 1;
}

/* urlp_tls_library_cipher_name: RFCs' own names are known to OpenSSL, but not in lists. */
const char *urlp_tls_library_cipher_name(const char *word)
{
    const char *own = OPENSSL_cipher_name(word);

    return own != NULL && strcmp(own, "(NONE)") != 0 ? own : word;
}

/* --- the client's own certificate ------------------------------------------------------------- */

bool urlp_tls_library_set_credentials(SSL_CTX *context, X509 *const *certs, size_t num_certs,
                                      EVP_PKEY *key)
{
    if (SSL_CTX_use_certificate(context, certs[0]) != 1 ||
        SSL_CTX_use_PrivateKey(context, key) != 1) {
        return false;
    }
    for (size_t i = 1; i < num_certs; i++) {
        if (!SSL_CTX_add1_chain_cert(context, certs[i])) {
            return false;
        }
    }
    return true;
}

/* --- handshakes and sessions ------------------------------------------------------------------ */

void urlp_tls_library_prepare(SSL *ssl)
{
    (void)ssl;
}

int urlp_tls_library_shake_hands(SSL *ssl)
{
    const int done = SSL_do_handshake(ssl);

    if (done == 1 && SSL_session_reused(ssl) && urlp_tls_check_peer(ssl) != X509_V_OK) {
        return -1;
    }
    return done;
}

bool urlp_tls_library_is_malformed(uint32_t packed)
{
    const int library = ERR_GET_LIB(packed);

    return library == ERR_LIB_ASN1 || library == ERR_LIB_X509;
}

/* urlp_tls_library_is_single_use: RFC 8446 appendix C.4. */
bool urlp_tls_library_is_single_use(const SSL_SESSION *session)
{
    return SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
}

/* urlp_tls_library_session_end: what a server says of its ticket OpenSSL keeps apart. */
int64_t urlp_tls_library_session_end(const SSL_SESSION *session)
{
    const int64_t begin = SSL_SESSION_get_time(session);
    const int64_t usual = SSL_SESSION_get_timeout(session);
    const int64_t hint = (int64_t)SSL_SESSION_get_ticket_lifetime_hint(session);

    return begin + (hint > 0 && hint < usual ? hint : usual);
}

/* --- keys ------------------------------------------------------------------------------------- */

/* is_odd_way tells a way to encrypt that is not known from a password that is wrong. */
static bool is_odd_way(unsigned long packed)
{
    const int reason = ERR_GET_REASON(packed);

    if (reason == ERR_R_UNSUPPORTED || reason == ERR_R_EVP_LIB) {
        return true;
    }
    return ERR_GET_LIB(packed) == ERR_LIB_EVP && reason != EVP_R_BAD_DECRYPT &&
           reason != EVP_R_WRONG_FINAL_BLOCK_LENGTH;
}

EVP_PKEY *urlp_tls_library_decrypt(const uint8_t *der, size_t len, const char *password,
                                   bool *out_is_odd)
{
    const uint8_t *end = der;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &end, (long)len);
    PKCS8_PRIV_KEY_INFO *opened = NULL;
    EVP_PKEY *key = NULL;

    if (sealed == NULL || end != der + len) {
        X509_SIG_free(sealed);
        *out_is_odd = true;
        return NULL;
    }
    opened = PKCS8_decrypt(sealed, password, (int)strlen(password));
    if (opened != NULL) {
        key = EVP_PKCS82PKEY(opened);
    }
    *out_is_odd = opened == NULL && is_odd_way(ERR_peek_error());
    PKCS8_PRIV_KEY_INFO_free(opened);
    X509_SIG_free(sealed);
    return key;
}

/* --- words ------------------------------------------------------------------------------------ */

const char *urlp_tls_library_words(int reason)
{
    switch (reason) {
    case SSL_R_TOO_MANY_KEY_UPDATES:
        return "the peer changes keys without end";
    case SSL_R_BAD_EXTENSION: /* what OpenSSL says of both */
        return "the peer sent a malformed extension, or chose a protocol other than http/1.1";
    case SSL_R_UNSOLICITED_EXTENSION:
        return "the peer answered what was not asked";
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
        return "bad decrypt";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: /* alerts that OpenSSL has no words for */
        return "the peer sent the alert certificate required";
    case SSL_R_TLSV13_ALERT_MISSING_EXTENSION:
        return "the peer sent the alert missing extension";
    case SSL_R_ECC_CERT_NOT_FOR_SIGNING:
        return "key usage bit incorrect";
    default:
        return NULL;
    }
}

/* urlp_tls_library_verify_words: where OpenSSL has changed its words, those of before. */
const char *urlp_tls_library_verify_words(int reason)
{
    switch (reason) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "self signed certificate";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "self signed certificate in certificate chain";
    case X509_V_ERR_INVALID_PURPOSE:
        return "unsupported certificate purpose";
    default:
        return X509_verify_cert_error_string(reason);
    }
}

void urlp_tls_library(char *out, size_t out_size)
{
    (void)snprintf(out, out_size, "OpenSSL/%s", OpenSSL_version(OPENSSL_VERSION_STRING));
}
