#ifndef URLP_NET_TLS_CIPHERS_H
#define URLP_NET_TLS_CIPHERS_H

#include <openssl/ssl.h>

#include "urlpool/error.h"

/* urlp_tls_ciphers_set has `context` offer, over TLS 1.2, what `list` says; NULL is our own choice.
 *
 * Errors:  URLPOOL_E_INVALID when a word of it is no language of cipher lists, or when nothing is
 *          left that proves who the peer is and encrypts; URLPOOL_E_NOMEM. */
enum urlpool_code urlp_tls_ciphers_set(SSL_CTX *context, const char *list,
                                       struct urlpool_error *err);

#endif /* URLP_NET_TLS_CIPHERS_H */
