#ifndef URLP_NET_TLS_PINS_H
#define URLP_NET_TLS_PINS_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/tls.h"

#include "base/span.h"
#include "net/tls_library.h"

#define URLP_TLS_PIN_BYTES 32 /* of SHA-256, the longest digest */

/* struct urlp_tls_pins is which certificate, and which keys, a peer may have. Zero bytes: any. */
struct urlp_tls_pins {
    size_t fingerprint_len; /* 16: MD5, 20: SHA-1, 32: SHA-256; 0: none is given */
    uint8_t fingerprint[URLP_TLS_PIN_BYTES];
    uint8_t (*keys)[URLP_TLS_PIN_BYTES]; /* SHA-256 of SubjectPublicKeyInfo: one of them, if any */
    size_t num_keys;
    uint8_t digest[URLP_TLS_PIN_BYTES]; /* of all of these; zero bytes when none is given */
};

/* urlp_tls_pins_init reads assert_fingerprint and pins of `options`.
 *
 * Owns:    the caller ends it with urlp_tls_pins_deinit, after a failure too.
 * Errors:  URLPOOL_E_INVALID, URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_pins_init(struct urlp_tls_pins *pins,
                                                      const struct urlpool_tls_options *options,
                                                      struct urlpool_error *err);
void urlp_tls_pins_deinit(struct urlp_tls_pins *pins);

/* urlp_tls_pins_are_given says whether there is anything to hold a peer against. */
bool urlp_tls_pins_are_given(const struct urlp_tls_pins *pins);

/* urlp_tls_pins_check holds the certificate `leaf`, the first of `shown`, against `pins`; `host` is
 * for the message.
 *
 * Errors:  URLPOOL_E_TLS_PIN, phase TLS. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_pins_check(const struct urlp_tls_pins *pins,
                                                       const struct urlp_tls_shown *shown,
                                                       const X509 *leaf, struct urlp_span host,
                                                       struct urlpool_error *err);

#endif /* URLP_NET_TLS_PINS_H */
