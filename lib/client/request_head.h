#ifndef URLP_CLIENT_REQUEST_HEAD_H
#define URLP_CLIENT_REQUEST_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/buf.h"
#include "client/given_headers.h"
#include "conn/body_plan.h"
#include "http/field.h"
#include "http/proxy_hop.h"
#include "http/url.h"

enum {
    URLP_HEAD_FIELDS_INLINE = 32,
    URLP_HEAD_TEXT_INLINE = 1024
};

/* struct urlp_head_plan is everything that decides the head of one try. */
struct urlp_head_plan {
    struct urlp_span method;
    const struct urlp_url *url;
    struct urlp_given_headers given;
    unsigned skip;                          /* an OR of enum urlpool_skip */
    const char *user_agent;                 /* NULL: none */
    struct urlp_span authorization;         /* of the first URL's userinfo; len 0: none */
    const struct urlp_body_plan *body;      /* NULL: none */
    const struct urlp_proxy_hop *forwarder; /* the proxy that is asked for the URL; NULL: the
                                               origin is */
    bool ask_for_codings;
    bool without_expect; /* the server has answered 417 to Expect */
    bool is_redirected;  /* then Host is made anew, and these two say what else is dropped */
    bool to_get;
    const char *remove_headers; /* a list; NULL while the origin is the same */
    bool has_own_headers;       /* the request has brought some: not all are the manager's */
};

/* struct urlp_head_draft holds a head while it is being sent. */
struct urlp_head_draft {
    struct urlp_request_head head;
    bool expects_continue; /* the head says Expect: 100-continue */
    struct urlp_buf text;  /* target, authority, length, names of trailers */
    uint8_t inline_text[URLP_HEAD_TEXT_INLINE];
    struct urlp_field inline_fields[URLP_HEAD_FIELDS_INLINE];
    struct urlp_field *fields; /* the above, or the heap's */
};

/* urlp_head_draft_init makes an empty draft. */
static inline void urlp_head_draft_init(struct urlp_head_draft *draft)
{
    /* Not the arrays: they are never looked at beyond what was written to them. */
    draft->head = (struct urlp_request_head){0};
    draft->expects_continue = false;
    draft->text = urlp_buf_lend(draft->inline_text, sizeof(draft->inline_text));
    draft->fields = draft->inline_fields;
}

/* urlp_head_draft_make builds the head of `plan`: Host, Accept-Encoding, the framing field,
 * User-Agent, Authorization, Content-Type, Trailer and Expect, those of them that there is
 * something to say for and that the caller's fields do not say; then the caller's fields in their
 * order. What goes to a proxy that forwards it asks for the whole URL, and has the proxy's own
 * fields at the end, which win over the library's and give way to the caller's.
 *
 * Owns:    spans point into `plan`'s url, headers, body and strings.
 * Errors:  URLPOOL_E_HEADER when the caller's Content-Length or Transfer-Encoding is not what the
 *          body is, for two Host fields or none with URLPOOL_SKIP_HOST, and for Expect:
 *          100-continue without content; URLPOOL_E_NOMEM.
 * Spec:    RFC 9112 sections 3.2, 6; RFC 9110 sections 6.6.2, 8.3, 10.1.1, 11.7.2. */
URLPOOL_MUST_USE enum urlpool_code urlp_head_draft_make(struct urlp_head_draft *draft,
                                                        const struct urlp_head_plan *plan,
                                                        struct urlpool_error *err);
/* urlp_head_plan_is_usual says whether the fields that urlp_head_draft_make makes of `plan` are the
 * same for every such plan of one manager and one origin: a request without a body, headers and
 * credentials of its own. */
bool urlp_head_plan_is_usual(const struct urlp_head_plan *plan);

/* urlp_head_draft_reuse makes what urlp_head_draft_make would make of `plan`, which is usual, with
 * the fields of an earlier one. False: they are another origin's, or its URL has to be written
 * anew; `draft` is untouched.
 *
 * Owns:    as for urlp_head_draft_make; `ready` outlives the draft. */
bool urlp_head_draft_reuse(struct urlp_head_draft *draft, const struct urlp_head_plan *plan,
                           const struct urlp_ready_fields *ready);

/* urlp_head_draft_deinit gives the memory of a draft back. */
void urlp_head_draft_deinit(struct urlp_head_draft *draft);

#endif /* URLP_CLIENT_REQUEST_HEAD_H */
