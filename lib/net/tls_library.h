#ifndef URLP_NET_TLS_LIBRARY_H
#define URLP_NET_TLS_LIBRARY_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* What BoringSSL and OpenSSL do in ways of their own: tls_boring.c or tls_openssl.c, never both.
 * Whatever the two have in common the other files call as it is. */

struct urlp_tls_stream;

/* struct urlp_tls_shown is the chain of certificates that a peer has shown, leaf first, as the
 * library keeps it. NULL is an empty one. */
struct urlp_tls_shown;

/* urlp_tls_shown_by. Owns: valid until the next handshake, or the end, of `ssl`. */
const struct urlp_tls_shown *urlp_tls_shown_by(const SSL *ssl);
size_t urlp_tls_shown_num(const struct urlp_tls_shown *shown);

/* urlp_tls_shown_copy. Owns: references of its own, for urlp_tls_shown_free, which accepts NULL.
 * Errors: NULL without memory. */
struct urlp_tls_shown *urlp_tls_shown_copy(const struct urlp_tls_shown *shown);
void urlp_tls_shown_free(struct urlp_tls_shown *shown);

/* urlp_tls_shown_equals says whether the two are the same, byte by byte. */
bool urlp_tls_shown_equals(const struct urlp_tls_shown *a, const struct urlp_tls_shown *b);

/* urlp_tls_shown_certificate. Owns: the caller's reference, for X509_free. Errors: NULL when it is
 * malformed, or without memory. */
X509 *urlp_tls_shown_certificate(const struct urlp_tls_shown *shown, size_t index);

/* urlp_tls_shown_digest is the digest of the leaf, every byte of it, as it was shown. */
bool urlp_tls_shown_digest(const struct urlp_tls_shown *shown, const EVP_MD *digest,
                           uint8_t out[EVP_MAX_MD_SIZE]);

/* urlp_tls_library_keep_leaf makes urlp_tls_library_leaf give the leaf that the peer has shown; to
 * be called when the handshake is over.
 *
 * Errors:  false without memory. */
bool urlp_tls_library_keep_leaf(SSL *ssl);

/* urlp_tls_library_leaf is the leaf in DER, or empty. Owns: valid as long as `stream`. */
struct urlp_span urlp_tls_library_leaf(const struct urlp_tls_stream *stream);

/* urlp_tls_library_context is a new context for clients that judges peers by urlp_tls_check_peer,
 * takes signatures by SHA-2 and Ed25519 alone, and refuses renegotiation.
 *
 * Owns:    the caller's, for SSL_CTX_free.
 * Errors:  NULL without memory. */
SSL_CTX *urlp_tls_library_context(void);

/* urlp_tls_library_never is the end of a list that takes out what proves nobody, does not encrypt,
 * or is for secrets, passwords and keys that nobody has. */
extern const char urlp_tls_library_never[];

/* urlp_tls_library_set_ciphers sets those of TLS 1.2.
 *
 * Errors:  false, with an error in the queue when `list` chooses none. What of a list with several
 *          words the library does not know it may pass over. */
bool urlp_tls_library_set_ciphers(SSL_CTX *context, const char *list);

/* urlp_tls_library_cipher_name is what a list calls what `word` names. Owns: `word`, or static. */
const char *urlp_tls_library_cipher_name(const char *word);

/* urlp_tls_library_set_credentials has clients show `certs`, the leaf first, and sign with `key`,
 * which belongs to it.
 *
 * Errors:  false. */
bool urlp_tls_library_set_credentials(SSL_CTX *context, X509 *const *certs, size_t num_certs,
                                      EVP_PKEY *key);

/* urlp_tls_library_prepare readies `ssl` for a handshake. */
void urlp_tls_library_prepare(SSL *ssl);

/* urlp_tls_library_shake_hands is SSL_do_handshake, for which a resumed handshake too asks
 * urlp_tls_check_peer. */
int urlp_tls_library_shake_hands(SSL *ssl);

/* urlp_tls_library_is_malformed says whether an error of a handshake is that the peer's
 * certificates cannot be read. */
bool urlp_tls_library_is_malformed(uint32_t packed);

/* urlp_tls_library_is_single_use says whether a session may be resumed but once. */
bool urlp_tls_library_is_single_use(const SSL_SESSION *session);

/* urlp_tls_library_session_end is when a session is no good any more, in wall seconds. */
int64_t urlp_tls_library_session_end(const SSL_SESSION *session);

/* urlp_tls_library_decrypt reads an EncryptedPrivateKeyInfo that ends with `der`.
 *
 * Owns:    the caller's, for EVP_PKEY_free.
 * Errors:  NULL; `out_is_odd` says whether that is for the way it is encrypted, or else for the
 *          password, and the queue whether it was memory. */
EVP_PKEY *urlp_tls_library_decrypt(const uint8_t *der, size_t len, const char *password,
                                   bool *out_is_odd);

/* urlp_tls_library_words gives own words for those of the library's reasons (of ERR_LIB_SSL) that
 * users meet, or NULL. */
const char *urlp_tls_library_words(int reason);

/* urlp_tls_library_verify_words are the words for an X509_V_ERR value. */
const char *urlp_tls_library_verify_words(int reason);

#endif /* URLP_NET_TLS_LIBRARY_H */
