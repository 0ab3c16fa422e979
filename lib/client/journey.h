#ifndef URLP_CLIENT_JOURNEY_H
#define URLP_CLIENT_JOURNEY_H

#include "base/call.h"
#include "client/manager.h"
#include "client/request_head.h"
#include "conn/body_plan.h"
#include "http/url.h"
#include "policy/redirect.h"
#include "pool/pool.h"

/* A request under way, for the files that make it: request_loop.c has the loop, and each step of
 * it a file of its own, journey_*.c. */

/* What must live as long as the response has a connection: on the stack of a buffered request, on
 * the heap for a streamed one. */
struct urlp_tenure {
    struct urlpool_manager *manager; /* a reference, when on the heap */
    struct urlpool_trace trace;
    struct urlp_call call; /* told if the connection dies at the end */
    struct urlp_lease lease;
    bool is_on_heap;
};

/* One request on its way. */
struct urlp_journey {
    struct urlpool_manager *manager;
    const struct urlpool_request_options *options;
    struct urlp_call call;
    struct urlpool_timeout timeout; /* resolved */
    struct urlp_redirect_rules rules;
    int64_t data_bytes_max;
    struct urlp_given_headers given;
    struct urlp_buf authorization;     /* of the first URL's userinfo; empty: none */
    struct urlpool_pool *only_pool;    /* of a pool's request: no other origin is gone to */
    const struct urlpool_trace *trace; /* NULL: nobody watches */

    struct urlp_span method;
    struct urlp_body_plan body;

    struct urlp_url url, next_url;
    int num_redirects;
    bool cross_origin, to_get; /* once true they stay so, to the end of the chain */
    uint32_t num_attempts;
    uint32_t num_retries;
    int last_status; /* of the last response head, or 0 */
    bool maybe_processed;

    struct urlp_tenure stack_tenure;
    struct urlp_tenure *tenure;
};

/* urlp_journey_set_out resolves the options, checks method and URL and starts the clock. The
 * journey has its first three fields and is zero bytes else.
 *
 * Errors:  URLPOOL_E_INVALID, E_HEADER, E_URL, E_BODY, NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_journey_set_out(struct urlp_journey *journey,
                                                        const char *method, const char *url,
                                                        struct urlpool_error *err);

/* urlp_journey_try gets a connection and an answer for the URL in hand.
 *
 * Owns:    the response is the caller's; its connection goes home by itself.
 * Errors:  NULL with any code of one try; nothing is held then. */
URLPOOL_MUST_USE struct urlpool_response *urlp_journey_try(
    struct urlp_journey *journey, struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_journey_go_on prepares the next hop of a redirect: `next_url` is where it leads.
 *
 * Errors:  URLPOOL_E_UNREWINDABLE. */
URLPOOL_MUST_USE enum urlpool_code urlp_journey_go_on(struct urlp_journey *journey,
                                                      const struct urlp_redirect *redirect,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_CLIENT_JOURNEY_H */
