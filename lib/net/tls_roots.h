#ifndef URLP_NET_TLS_ROOTS_H
#define URLP_NET_TLS_ROOTS_H

#include <openssl/x509.h>

#include "urlpool/error.h"
#include "urlpool/tls.h"

#include "base/environment.h"
#include "base/sync.h"

/* struct urlp_tls_places says where a system keeps its roots: lists that end with NULL, the first
 * that holds any counts, files before directories. */
struct urlp_tls_places {
    const char *const *files;
    const char *const *dirs;
};

/* urlp_tls_roots_given loads the roots that `options` name, and no others.
 *
 * Owns:    the caller's, for X509_STORE_free.
 * Errors:  NULL with URLPOOL_E_TLS_CA_FILE, TLS_NO_ANCHORS, INVALID, NOMEM. */
URLPOOL_MUST_USE X509_STORE *urlp_tls_roots_given(const struct urlpool_tls_options *options,
                                                  struct urlpool_error *err);

/* urlp_tls_roots_system gives the roots that the environment names, else those in `places` (NULL:
 * the usual ones). They are loaded once and shared by the whole process, until a file or directory
 * they came from has changed.
 *
 * Owns:    the caller's reference, for X509_STORE_free; the store is not written to any more.
 * Errors:  as urlp_tls_roots_given.
 * Threads: any number at once. */
URLPOOL_MUST_USE X509_STORE *urlp_tls_roots_system(const struct urlp_environment *environment,
                                                   const struct urlp_tls_places *places,
                                                   struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_NET_TLS_ROOTS_H */
