#ifndef URLP_NET_TLS_KEYLOG_H
#define URLP_NET_TLS_KEYLOG_H

#include <openssl/ssl.h>

#include "urlpool/error.h"

/* urlp_tls_keylog_open opens the file to which keys are appended; it is made if there is none, for
 * nobody else to read.
 *
 * Owns:    the caller closes `out_fd`.
 * Errors:  URLPOOL_E_SYSTEM with os_errno set. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_keylog_open(const char *path, int *out_fd,
                                                        struct urlpool_error *err);

/* urlp_tls_keylog_write appends one line to the log of the SSL's configuration; what the TLS
 * library calls. It finds the stream in the SSL's app data.
 *
 * Threads: any number at once; lines do not mix. */
void urlp_tls_keylog_write(const SSL *ssl, const char *line);

#endif /* URLP_NET_TLS_KEYLOG_H */
