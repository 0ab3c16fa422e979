#ifndef URLP_BASE_BUF_H
#define URLP_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/alloc.h"
#include "base/span.h"

/* struct urlp_buf is a growable run of bytes with a hard limit. Zero bytes are a valid empty buffer
 * without limit. */
struct urlp_buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    size_t max;   /* len never passes it; 0: no limit */
    bool is_lent; /* `data` is somebody else's: neither freed nor moved, but left when it is full */
};

/* urlp_buf_lend gives an empty buffer without limit that uses the `cap` bytes at `data` for as long
 * as they suffice.
 *
 * Owns:    `data` outlives the buffer, and stays its owner's. */
static inline struct urlp_buf urlp_buf_lend(void *data, size_t cap)
{
    return (struct urlp_buf){.data = data, .cap = cap, .is_lent = true};
}

/* urlp_buf_init makes `buf` empty, never to hold more than `max` bytes; 0 sets no limit. */
void urlp_buf_init(struct urlp_buf *buf, size_t max);

/* urlp_buf_deinit gives the memory back and leaves an empty buffer with the same limit. Inline, for
 * most that are given back have none. */
static inline void urlp_buf_deinit(struct urlp_buf *buf)
{
    if (buf->data != NULL && !buf->is_lent) {
        urlp_free(buf->data);
    }
    *buf = (struct urlp_buf){.max = buf->max};
}

/* urlp_buf_reserve makes room for `more` bytes behind len; capacity grows by half at least, and
 * never past `max`.
 *
 * Errors:  URLPOOL_E_NOMEM; URLPOOL_E_DATA_TOO_LARGE past `max`. The buffer is unchanged then, as
 *          after a failure of all that follow. */
URLPOOL_MUST_USE enum urlpool_code urlp_buf_reserve(struct urlp_buf *buf, size_t more);

/* urlp_buf_append puts `len` bytes behind what is there. They do not lie in the buffer itself. */
URLPOOL_MUST_USE enum urlpool_code urlp_buf_append(struct urlp_buf *buf, const void *data,
                                                   size_t len);

/* urlp_buf_append_span is urlp_buf_append for a span. */
URLPOOL_MUST_USE enum urlpool_code urlp_buf_append_span(struct urlp_buf *buf,
                                                        struct urlp_span span);

/* urlp_buf_append_text is urlp_buf_append for a string, without its NUL. */
URLPOOL_MUST_USE enum urlpool_code urlp_buf_append_text(struct urlp_buf *buf, const char *text);

/* urlp_buf_append_number appends `number` in decimal digits. */
URLPOOL_MUST_USE enum urlpool_code urlp_buf_append_number(struct urlp_buf *buf, uint64_t number);

/* urlp_buf_printf appends formatted text, without a NUL. */
URLPOOL_MUST_USE enum urlpool_code urlp_buf_printf(struct urlp_buf *buf, const char *format, ...)
    URLPOOL_PRINTF(2, 3);

#endif /* URLP_BASE_BUF_H */
