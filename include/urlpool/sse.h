#ifndef URLPOOL_SSE_H
#define URLPOOL_SSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/export.h"
#include "urlpool/response.h"

URLPOOL_BEGIN_DECLS

/* struct urlpool_sse pulls server-sent events out of a streamed response. A stream that may be
 * silent for long, but not for ever, is bounded by `read_ms` of its request, without `total_ms`.
 *
 * Threads: one at a time.
 * Spec:    WHATWG HTML, section 9.2. */
struct urlpool_sse;

/* struct urlpool_sse_event is one event; strings are valid until the next call. */
struct urlpool_sse_event {
    const char *event; /* its type; "message" when the server said none */
    const char *data;  /* its lines with LF between them, then a NUL */
    size_t data_len;   /* without that NUL */
    const char *id;    /* the newest so far, for Last-Event-ID; "" when there was none */
    int64_t retry_ms;  /* the newest so far: when to come again; -1 when there was none */
    unsigned char reserved[32];
};

/* urlpool_sse_free ends the reading; accepts NULL. */
URLPOOL_API void urlpool_sse_free(struct urlpool_sse *sse);

/* urlpool_sse_new begins to read events from `response`.
 *
 * Sizes:   an event or a comment takes at most `event_bytes_max` bytes as sent; 0: 16 MiB,
 *          URLPOOL_NO_TIMEOUT: no bound.
 * Owns:    the caller ends it with urlpool_sse_free, before the response, which stays his own.
 * Errors:  NULL with URLPOOL_E_INVALID when the body is not streamed, or when the answer is not 200
 *          with text/event-stream: then it can still be read as any other; NOMEM. */
URLPOOL_API URLPOOL_MUST_USE struct urlpool_sse *urlpool_sse_new(struct urlpool_response *response,
                                                                 int64_t event_bytes_max,
                                                                 struct urlpool_error *err)
    URLPOOL_FREED_BY(urlpool_sse_free, 1);

/* urlpool_sse_next waits for the next event. `*out_at_end` is true, and `out` untouched, when the
 * server has ended the stream in order: at the end of its framing, between two events.
 *
 * Errors:  those of urlpool_response_read; URLPOOL_E_INCOMPLETE_READ too when the stream ends in
 *          the middle of an event, or with the connection and no other sign; DATA_TOO_LARGE; NOMEM.
 *          Sticky.
 * Threads: one at a time; blocks. */
URLPOOL_API URLPOOL_MUST_USE enum urlpool_code urlpool_sse_next(struct urlpool_sse *sse,
                                                                struct urlpool_sse_event *out,
                                                                bool *out_at_end,
                                                                struct urlpool_error *err);

/* urlpool_sse_last_event_id is what to send as Last-Event-ID when the stream is asked for again; ""
 * for none. Valid until the next call. */
URLPOOL_API const char *urlpool_sse_last_event_id(const struct urlpool_sse *sse);

/* urlpool_sse_retry_ms is how long the server asked to wait before that, or -1. */
URLPOOL_API int64_t urlpool_sse_retry_ms(const struct urlpool_sse *sse);

URLPOOL_END_DECLS

#endif /* URLPOOL_SSE_H */
