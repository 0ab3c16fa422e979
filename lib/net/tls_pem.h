#ifndef URLP_NET_TLS_PEM_H
#define URLP_NET_TLS_PEM_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#define URLP_TLS_DER_SEQUENCE 0x30 /* the first octet of a certificate, or a key, in DER */

/* struct urlp_tls_pem_block is what stands between a pair of PEM lines. */
struct urlp_tls_pem_block {
    char *label;  /* "CERTIFICATE" */
    char *header; /* what stands before the data: "" but for old encrypted keys */
    uint8_t *der;
    size_t len;
};

enum urlp_tls_pem_end {
    URLP_TLS_PEM_BLOCK, /* there is one */
    URLP_TLS_PEM_END,   /* there is no other */
    URLP_TLS_PEM_NOMEM,
    URLP_TLS_PEM_MALFORMED /* the next one cannot be read; there may be others behind it */
};

/* urlp_tls_pem_next gives the next block of `text`; what stands between blocks is passed over.
 *
 * Owns:    the caller ends a block with urlp_tls_pem_block_deinit, which accepts one that there was
 *          not. */
enum urlp_tls_pem_end urlp_tls_pem_next(BIO *text, struct urlp_tls_pem_block *out);
void urlp_tls_pem_block_deinit(struct urlp_tls_pem_block *block);

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
