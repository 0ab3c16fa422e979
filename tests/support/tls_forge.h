#ifndef TESTS_SUPPORT_TLS_FORGE_H
#define TESTS_SUPPORT_TLS_FORGE_H

#include <openssl/base.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records of any content under the keys of a server's connection: what BoringSSL's own server would
 * never send. Whatever goes wrong here aborts the test. */

/* struct tls_forge_secret is what the keys of TLS 1.3 come from; zero bytes before it is known. */
struct tls_forge_secret {
    uint8_t bytes[64];
    size_t len;
};

/* tls_forge_hear takes the secret out of a line of the server's key log, if it is in it. */
void tls_forge_hear(struct tls_forge_secret *secret, const char *line);

/* tls_forge_obey does what one line says; false when it says nothing of this. `ssl` may write no
 * more then.
 *
 *   tickets N     N session tickets, then "done" and a newline as data; 0: without end
 *   renegotiate   a HelloRequest, TLS 1.2 with AES-GCM
 *   whoareyou     a CertificateRequest, TLS 1.3 */
bool tls_forge_obey(SSL *ssl, const struct tls_forge_secret *secret, const char *line);

#endif /* TESTS_SUPPORT_TLS_FORGE_H */
