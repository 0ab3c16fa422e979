#ifndef TESTS_SUPPORT_TLS_FORGE_H
#define TESTS_SUPPORT_TLS_FORGE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records of any content under the keys of a server's connection: what a TLS library's own server
 * would never send. Whatever goes wrong here aborts the test. */

/* struct tls_forge_secret is what the keys of TLS 1.3 come from; zero bytes before it is known. */
struct tls_forge_secret {
    uint8_t bytes[64];
    size_t len;
    uint64_t num_written; /* records under the last keys, where the library does not tell */
};

enum {
    TLS_FORGE_RECORD_MAX = 16384 + 64 /* with all that is around it */
};

/* tls_forge_watch is to be called before the handshake. */
void tls_forge_watch(SSL *ssl, struct tls_forge_secret *secret);

/* tls_forge_hear takes the secret out of a line of the server's key log, if it is in it. */
void tls_forge_hear(struct tls_forge_secret *secret, const char *line);

/* tls_forger_new takes over where `ssl` has written its last record; `ssl` may write no more then.
 */
struct tls_forger *tls_forger_new(const SSL *ssl, const struct tls_forge_secret *secret);

/* tls_forger_seal makes the next record, of type `type`, and says how long it is. Of TLS 1.3 it has
 * `padding` zeros behind its content. */
size_t tls_forger_seal(struct tls_forger *forger, uint8_t type, const void *data, size_t len,
                       size_t padding, uint8_t out[TLS_FORGE_RECORD_MAX]);
void tls_forger_free(struct tls_forger *forger);

/* tls_forge_obey does what one line says; false when it says nothing of this. `ssl` may write no
 * more then.
 *
 *   tickets N     N session tickets, then "done" and a newline as data; 0: without end
 *   renegotiate   a HelloRequest, TLS 1.2 with AES-GCM
 *   whoareyou     a CertificateRequest, TLS 1.3
 *   alert         a fatal one: internal_error */
bool tls_forge_obey(SSL *ssl, const struct tls_forge_secret *secret, const char *line);

#endif /* TESTS_SUPPORT_TLS_FORGE_H */
