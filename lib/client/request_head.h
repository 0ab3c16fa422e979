#ifndef URLP_CLIENT_REQUEST_HEAD_H
#define URLP_CLIENT_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/body.h"
#include "urlpool/error.h"
#include "urlpool/headers.h"

#include "base/buf.h"
#include "http/field.h"
#include "http/url.h"

enum {
    URLP_HEAD_FIELDS_INLINE = 32
};

/* struct urlp_head_plan is everything that decides the head of one try. */
struct urlp_head_plan {
    struct urlp_span method;
    const struct urlp_url *url;
    const struct urlpool_headers *headers; /* the caller's or the manager's; may be NULL */
    const char *user_agent;                /* NULL: none */
    bool has_body;
    int64_t body_len; /* -1: chunked */
    bool ask_for_codings;
    bool is_redirected; /* then Host is made anew, and these two say what else is dropped */
    bool to_get;
    const char *remove_headers; /* a list of names, once another origin was gone to; else NULL */
};

/* struct urlp_head_draft holds a head while it is being sent. Zero bytes: empty. */
struct urlp_head_draft {
    struct urlp_request_head head;
    struct urlp_buf text; /* target, authority, length */
    struct urlp_field inline_fields[URLP_HEAD_FIELDS_INLINE];
    struct urlp_field *fields; /* the above, or the heap's */
};

/* urlp_head_draft_make builds the head of `plan`: Host first, then Accept-Encoding, the framing
 * field and User-Agent unless the caller's fields say them, then the caller's fields in their
 * order.
 *
 * Owns:    spans point into `plan`'s url, headers and strings.
 * Errors:  URLPOOL_E_HEADER when the caller's Content-Length or Transfer-Encoding is not what the
 *          body is; URLPOOL_E_NOMEM.
 * Spec:    RFC 9112 sections 3.2, 6. */
URLPOOL_MUST_USE enum urlpool_code urlp_head_draft_make(struct urlp_head_draft *draft,
                                                        const struct urlp_head_plan *plan,
                                                        struct urlpool_error *err);
/* urlp_head_draft_deinit gives the memory of a draft back; one of zero bytes has none. */
void urlp_head_draft_deinit(struct urlp_head_draft *draft);

/* urlp_headers_ask_for_chunked says whether the caller's fields say Transfer-Encoding: chunked. */
bool urlp_headers_ask_for_chunked(const struct urlpool_headers *headers);

#endif /* URLP_CLIENT_REQUEST_HEAD_H */
