#ifndef URLP_NET_TLS_CLIENT_CERT_H
#define URLP_NET_TLS_CLIENT_CERT_H

#include <openssl/ssl.h>

#include "urlpool/error.h"
#include "urlpool/tls.h"

/* urlp_tls_client_cert_use gives `context` the certificate and key that `options` name, to show to
 * servers that ask for one; without any it does nothing.
 *
 * Errors:  URLPOOL_E_TLS_CLIENT_CERT (os_errno set when a file cannot be read),
 *          TLS_KEY_PASSWORD, NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_client_cert_use(
    SSL_CTX *context, const struct urlpool_tls_options *options, struct urlpool_error *err);

#endif /* URLP_NET_TLS_CLIENT_CERT_H */
