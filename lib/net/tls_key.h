#ifndef URLP_NET_TLS_KEY_H
#define URLP_NET_TLS_KEY_H

#include <openssl/evp.h>
#include <stddef.h>

#include "urlpool/error.h"

/* urlp_tls_key_read finds the private key in `data`: the first that stands there in PEM, or DER
 * which is nothing else. `name` is where it comes from, for messages; `password` may be NULL, and
 * is of no meaning for a key that is not encrypted.
 *
 * Owns:    the caller's, for EVP_PKEY_free.
 * Errors:  NULL with URLPOOL_E_TLS_KEY_PASSWORD (encrypted, and the password is missing or
 * another), TLS_CLIENT_CERT (there is no key, or none we can read), NOMEM. */
URLPOOL_MUST_USE EVP_PKEY *urlp_tls_key_read(const void *data, size_t len, const char *name,
                                             const char *password, struct urlpool_error *err);

#endif /* URLP_NET_TLS_KEY_H */
