#ifndef URLP_BASE_BUF_H
#define URLP_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/span.h"

/* struct urlp_buf is a growable run of bytes with a hard limit. Zero bytes are a valid empty buffer
 * without limit. */
struct urlp_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max; /* len never passes it; 0: no limit */
};

void urlp_buf_init(struct urlp_buf *buf, size_t max);
void urlp_buf_deinit(struct urlp_buf *buf);

/* urlp_buf_reserve makes room for `more` bytes behind len; capacity grows by half at least.
 *
 * Errors:  URLPOOL_E_NOMEM; URLPOOL_E_DATA_TOO_LARGE past `max`. The buffer is unchanged then. */
URLPOOL_MUST_USE enum urlpool_code urlp_buf_reserve(struct urlp_buf *buf, size_t more);
URLPOOL_MUST_USE enum urlpool_code urlp_buf_append(struct urlp_buf *buf, const void *data,
                                                   size_t len);
URLPOOL_MUST_USE enum urlpool_code urlp_buf_append_span(struct urlp_buf *buf,
                                                        struct urlp_span span);
URLPOOL_MUST_USE enum urlpool_code urlp_buf_append_text(struct urlp_buf *buf, const char *text);
URLPOOL_MUST_USE enum urlpool_code urlp_buf_printf(struct urlp_buf *buf, const char *format, ...)
    URLPOOL_PRINTF(2, 3);
/* urlp_buf_consume removes the first `len` bytes. */
void urlp_buf_consume(struct urlp_buf *buf, size_t len);

#endif /* URLP_BASE_BUF_H */
