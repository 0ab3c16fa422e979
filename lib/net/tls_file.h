#ifndef URLP_NET_TLS_FILE_H
#define URLP_NET_TLS_FILE_H

#include "urlpool/error.h"

#include "base/buf.h"

/* urlp_tls_file_read appends the whole of the file `name` in the directory `dir_fd` (AT_FDCWD:
 * where the process is) to `out`; it may be 16 MiB.
 *
 * Errors:  URLPOOL_E_SYSTEM with `out_errno` set, URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_tls_file_read(int dir_fd, const char *name,
                                                      struct urlp_buf *out, int *out_errno);

/* urlp_tls_file_forget gives the memory back and leaves no secret in it. */
void urlp_tls_file_forget(struct urlp_buf *buf);

#endif /* URLP_NET_TLS_FILE_H */
