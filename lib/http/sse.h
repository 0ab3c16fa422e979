#ifndef URLP_HTTP_SSE_H
#define URLP_HTTP_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/buf.h"

/* struct urlp_sse reads an event stream: bytes in, events out. Zero bytes but for `bytes_max` are a
 * parser before its first byte.
 *
 * Spec:    WHATWG HTML, section 9.2 "Server-sent events". */
struct urlp_sse {
    int64_t bytes_max;     /* of one event or comment, as sent; -1: no bound */
    struct urlp_buf line;  /* of which the end has not come */
    struct urlp_buf data;  /* its lines, each with an LF */
    struct urlp_buf event; /* its type; with a NUL once it is complete, as the next */
    struct urlp_buf id;    /* that a complete event will have */
    struct urlp_buf last_id;
    int64_t retry_ms; /* what the server asked for last, if has_retry */
    int64_t bytes;    /* of the event in hand */
    uint8_t bom_len;  /* bytes of a byte order mark that have come */
    bool is_past_bom; /* the first three bytes are behind */
    bool has_cr;      /* an LF that comes next belongs to the last line's end */
    bool has_retry;
    bool is_shown; /* the event in the buffers was given out */
};

/* urlp_sse_next takes bytes until an event is complete, or all of them. The event is then in
 * `data` (without its last LF), `event` ("message" by default) and `last_id`, each with a NUL
 * behind it that len does not count, until the next call.
 *
 * Sizes:   `*out_used` bytes were taken; the rest is for the next call.
 * Errors:  URLPOOL_E_DATA_TOO_LARGE past `bytes_max`; NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_sse_next(struct urlp_sse *sse, const uint8_t *data,
                                                 size_t len, size_t *out_used, bool *out_has_event,
                                                 struct urlpool_error *err);

/* urlp_sse_is_between says that no part of an event has come since the last one: the only place
 * where a stream may end. */
bool urlp_sse_is_between(const struct urlp_sse *sse);

/* urlp_sse_deinit gives the memory back. */
void urlp_sse_deinit(struct urlp_sse *sse);

#endif /* URLP_HTTP_SSE_H */
