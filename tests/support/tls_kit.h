#ifndef TESTS_SUPPORT_TLS_KIT_H
#define TESTS_SUPPORT_TLS_KIT_H

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What tests do with BoringSSL and OpenSSL in ways of their own: tls_kit_boring.c or
 * tls_kit_openssl.c, never both. Whatever goes wrong here aborts the test. */

/* tls_kit_is_openssl says which of the two this is, for words that are the library's own. */
bool tls_kit_is_openssl(void);

/* tls_kit_context is a new context for servers, and odd clients, that takes whatever it is given,
 * keys and digests too weak included, and shows no certificate that it was not told to. */
SSL_CTX *tls_kit_context(void);

/* tls_kit_shown_new makes the chain a peer has shown of `num` certificates in DER; of OpenSSL one
 * that is malformed is none. tls_kit_can_show_malformed says whether a chain may hold such. */
struct urlp_tls_shown *tls_kit_shown_new(void);
void tls_kit_shown_add(struct urlp_tls_shown *shown, const uint8_t *der, size_t len);
void tls_kit_shown_free(struct urlp_tls_shown *shown);
bool tls_kit_can_show_malformed(void);

/* tls_kit_session makes a session of `version` with a ticket of `ticket_len` octets. */
SSL_SESSION *tls_kit_session(SSL_CTX *context, uint16_t version, size_t ticket_len);

/* tls_kit_num_peer_certs is how many certificates the client of a server's `ssl` has shown. */
unsigned tls_kit_num_peer_certs(const SSL *ssl);

/* tls_kit_take_ed25519 has a server take the signatures of clients that the tests need. */
void tls_kit_take_ed25519(SSL_CTX *context);

/* tls_kit_flush sends what a server holds back: tickets, key updates. false when it cannot. */
bool tls_kit_flush(SSL *ssl);

/* tls_kit_see_hellos has `see` called for each ClientHello of a server that would take early data;
 * it is told whether the client sends some, and whether it offers a session. */
typedef void (*tls_kit_see_fn)(bool is_early, bool is_resuming);
void tls_kit_see_hellos(SSL_CTX *context, tls_kit_see_fn see);

/* tls_kit_watch has `num_written` count the records that `ssl` writes under its last keys, where
 * the library does not tell. tls_kit_num_written is that number. */
void tls_kit_watch(SSL *ssl, uint64_t *num_written);
void tls_kit_watch_keys(const char *keylog_line, uint64_t *num_written);
uint64_t tls_kit_num_written(const SSL *ssl, uint64_t num_written);

/* tls_kit_key_block writes the key block of TLS 1.2 (RFC 5246 section 6.3), `len` octets. */
void tls_kit_key_block(const SSL *ssl, uint8_t *out, size_t len);

/* struct tls_kit_seal is the AEAD of `ssl`'s cipher under a key. */
struct tls_kit_seal;

#define TLS_KIT_TAG 16 /* octets that sealing adds, of each of them */

size_t tls_kit_seal_key_len(const SSL *ssl);
struct tls_kit_seal *tls_kit_seal_new(const SSL *ssl, const uint8_t *key);
void tls_kit_seal_free(struct tls_kit_seal *seal);

/* tls_kit_seal_run writes `len` + TLS_KIT_TAG octets; `nonce` has 12. */
void tls_kit_seal_run(struct tls_kit_seal *seal, const uint8_t *nonce, const void *data, size_t len,
                      const void *covered, size_t covered_len, uint8_t *out);

/* tls_kit_digest is the hash of `ssl`'s cipher. */
const EVP_MD *tls_kit_digest(const SSL *ssl);

#endif /* TESTS_SUPPORT_TLS_KIT_H */
