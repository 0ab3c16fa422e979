#ifndef TESTS_SUPPORT_CERT_ROWS_H
#define TESTS_SUPPORT_CERT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/tls.h"

#include "support/certs.h"

/* A table of certificates, each row held against a manager over a socket of its own.
 *
 * Certificates go by letters:
 *
 *   l  the leaf         i  who has signed it (Lower)     u  who has signed that (Upper)
 *   r  the root         o  another root (Other)          f  another root of the same name and
 *   c  `i` as signed by Other                               another key
 *   d  `i` as it was before it was renewed: expired      s  `i` as signed over SHA-1
 *   k  one of the name of `i` with another key, signed by Other */

/* struct cert_row is one of the table. Zero bytes: a good leaf for host.example, signed by the
 * root, which is trusted. */
struct cert_row {
    const char *what;
    const char *host; /* NULL: host.example; addresses of IPv6 in brackets */
    struct test_cert_options leaf, lower, upper, root;
    int depth; /* authorities between leaf and root, 0 to 2; -1: the leaf has signed itself */
    bool lower_is_leaf, root_is_leaf; /* no CA, although it signs */
    const char *shown;                /* letters; NULL: the leaf and all between */
    const char *trusted;              /* letters; NULL: the root */
    enum urlpool_tls_version version; /* 0: the newest */
    enum urlpool_code code;           /* URLPOOL_OK: the peer is taken */
    const char *words;                /* of the message of a refusal */
    enum urlpool_code openssl_code;   /* with OpenSSL, where it is another; URLPOOL_OK: the same */
    const char *openssl_words;        /* NULL: the same */
    bool openssl_takes;               /* the peer, whom BoringSSL refuses */
};

/* cert_rows_check makes, for each row, the certificates, a server and a manager, and expects the
 * verdict; of a refusal the phase too, and that nothing was sent. */
void cert_rows_check(const struct cert_row *rows, size_t num_rows);

#endif /* TESTS_SUPPORT_CERT_ROWS_H */
