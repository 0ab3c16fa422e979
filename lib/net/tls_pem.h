#ifndef URLP_NET_TLS_PEM_H
#define URLP_NET_TLS_PEM_H

#include <openssl/base.h>
#include <stdbool.h>
#include <stddef.h>

#include "urlpool/error.h"

/* struct urlp_tls_origin says where certificates come from, for messages, and how to take what is
 * malformed: refuse (somebody named the source) or pass over (a system's bundle). */
struct urlp_tls_origin {
    const char *name; /* "/etc/ssl/cert.pem", "ca_data" */
    bool is_lenient;
};

/* urlp_tls_pem_add_data adds the certificates in `data` to `store`; what is there already is not
 * added twice, and PEM blocks of other kinds are passed over.
 *
 * Errors:  URLPOOL_E_TLS_CA_FILE (os_errno set when it cannot be read), NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_pem_add_data(X509_STORE *store, const void *data,
                                                         size_t len, struct urlp_tls_origin origin,
                                                         struct urlpool_error *err);

/* urlp_tls_pem_add_file is urlp_tls_pem_add_data for the file `origin.name`. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_pem_add_file(X509_STORE *store,
                                                         struct urlp_tls_origin origin,
                                                         struct urlpool_error *err);

/* urlp_tls_pem_add_dir takes the files that are named by subject hash: "5ad8a5d6.0". */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_pem_add_dir(X509_STORE *store,
                                                        struct urlp_tls_origin origin,
                                                        struct urlpool_error *err);

#endif /* URLP_NET_TLS_PEM_H */
