#ifndef URLP_CONN_BODY_PLAN_H
#define URLP_CONN_BODY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "urlpool/body.h"

#include "base/buf.h"
#include "base/span.h"

/* struct urlp_segment is a run of body bytes from one source. */
struct urlp_segment {
    enum urlp_segment_kind {
        URLP_SEGMENT_BYTES,
        URLP_SEGMENT_FD,
        URLP_SEGMENT_FILE, /* opened anew for each try */
        URLP_SEGMENT_CALLBACK
    } kind;
    struct urlp_span bytes;
    int fd;
    const char *path;
    int64_t start;   /* offset of the first byte, for FD */
    int64_t len;     /* -1: not known */
    bool is_regular; /* a regular file: read at offsets, and any number of times */
};

/* struct urlp_body_plan is how a struct urlpool_body is to be sent: what the head must say of it,
 * and where its bytes come from. Made once a request, before a connection is taken; used for every
 * try. Zero bytes: no body. It points into itself and must not be copied. */
struct urlp_body_plan {
    bool has_body;
    int64_t len; /* -1: chunked */
    bool can_rewind;
    const char *content_type;               /* NULL: none; the caller's own wins */
    const struct urlpool_headers *trailers; /* NULL: none */
    int64_t expect_ms;                      /* -1: does not expect 100-continue */
    struct urlp_segment *segments;          /* `one`, or the heap's */
    size_t num_segments;
    struct urlp_buf text; /* an encoded form, the heads of parts */
    char *own_content_type;
    bool is_begun; /* bytes were taken that do not come again by themselves: rewind before the next
                      try */
    /* Of a plan without a body these are of any content. */
    struct urlpool_body body; /* as given */
    struct urlp_segment one;
};

/* urlp_body_plan_init makes a plan without a body. */
static inline void urlp_body_plan_init(struct urlp_body_plan *plan)
{
    memset(plan, 0, offsetof(struct urlp_body_plan, body));
    plan->expect_ms = -1;
}

/* urlp_body_plan_make plans the sending of `body` (NULL: none). Files are measured from their
 * offset.
 *
 * Owns:    what `body` points to is borrowed; the caller ends it with urlp_body_plan_deinit, also
 *          after a failure.
 * Errors:  URLPOOL_E_INVALID (an option, a form with a file that is to be url-encoded),
 *          URLPOOL_E_BODY (a file cannot be read, phase SEND),
 *          URLPOOL_E_HEADER (a trailer field not allowed), URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_body_plan_make(struct urlp_body_plan *plan,
                                                       const struct urlpool_body *body,
                                                       struct urlpool_error *err);

/* urlp_body_plan_rewind goes back to the first byte, for another try; harmless before the first.
 *
 * Errors:  URLPOOL_E_UNREWINDABLE. */
URLPOOL_MUST_USE enum urlpool_code urlp_body_plan_rewind(struct urlp_body_plan *plan,
                                                         struct urlpool_error *err);

/* urlp_body_plan_free is urlp_body_plan_deinit of a plan that may hold something. */
void urlp_body_plan_free(struct urlp_body_plan *plan);

/* urlp_body_plan_deinit gives its memory back and leaves a plan without a body; zero bytes have
 * none. Inline, for most requests have no body. */
static inline void urlp_body_plan_deinit(struct urlp_body_plan *plan)
{
    if (plan->has_body || plan->segments != NULL || plan->text.data != NULL ||
        plan->own_content_type != NULL) {
        urlp_body_plan_free(plan);
    }
}

/* urlp_body_plan_can_rewind says whether the request can be sent again as far as its body goes:
 * there is a way back, or nothing was taken that would have to come again. */
static inline bool urlp_body_plan_can_rewind(const struct urlp_body_plan *plan)
{
    return plan->can_rewind || !plan->is_begun;
}

/* urlp_body_fail_callback fails with `code` because a callback returned why->code, with the
 * callback's own message if it gave one. */
enum urlpool_code urlp_body_fail_callback(struct urlpool_error *err, enum urlpool_code code,
                                          const struct urlpool_error *why);

#endif /* URLP_CONN_BODY_PLAN_H */
