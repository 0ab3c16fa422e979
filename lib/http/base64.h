#ifndef URLP_HTTP_BASE64_H
#define URLP_HTTP_BASE64_H

#include "base/buf.h"
#include "base/span.h"

/* urlp_base64_append appends `bytes` in base 64, with padding and without line ends.
 *
 * Sizes:   4 characters for every 3 bytes begun.
 * Errors:  those of urlp_buf_reserve; `out` is unchanged then.
 * Spec:    RFC 4648 section 4. */
URLPOOL_MUST_USE enum urlpool_code urlp_base64_append(struct urlp_span bytes, struct urlp_buf *out);

#endif /* URLP_HTTP_BASE64_H */
