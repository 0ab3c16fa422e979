#ifndef URLP_CLIENT_JOURNEY_H
#define URLP_CLIENT_JOURNEY_H

#include <stddef.h>
#include <string.h>

#include "base/call.h"
#include "client/given_headers.h"
#include "client/manager.h"
#include "conn/body_plan.h"
#include "conn/hops.h"
#include "conn/spares.h"
#include "http/url.h"
#include "policy/redirect.h"
#include "policy/verdict.h"
#include "pool/pool.h"

/* A request under way, for the files that make it: request_loop.c has the loop, and each step of it
 * a file of its own, journey_*.c. */

/* What must live as long as the response has a connection: on the stack of a buffered request, on
 * the heap for a streamed one. */
struct urlp_tenure {
    struct urlpool_manager *manager; /* a reference, when on the heap */
    struct urlpool_trace trace;
    struct urlp_call call; /* told if the connection dies at the end */
    struct urlp_lease lease;
    int64_t try_began_ns; /* of the try whose response this is for; 0: it is counted already */
    bool is_on_heap;
};

/* What became of the last try. */
struct urlp_tried {
    enum urlpool_code code; /* URLPOOL_OK while its answer is good */
    int status;             /* of that answer, or 0 */
    bool connection_reused;
    bool request_bytes_sent;
    bool response_bytes_seen;
    bool expected_continue;
};

/* One request on its way. */
struct urlp_journey {
    struct urlpool_manager *manager;
    const struct urlpool_request_options *options; /* never NULL */
    struct urlpool_pool *only_pool; /* of a pool's request: no other origin is gone to */
    struct urlp_redirect_rules redirect_rules;
    int64_t data_bytes_max;
    struct urlp_given_headers given;
    struct urlp_buf authorization;     /* of the first URL's userinfo; empty: none */
    const struct urlpool_trace *trace; /* NULL: nobody watches */

    struct urlp_span method;
    struct urlp_redirect redirect; /* of the last answer */
    bool cross_origin, to_get;     /* once true they stay so, to the end of the chain */

    struct urlp_tried tried;
    struct urlp_retry_state used;
    enum urlpool_code retried_after; /* the failure that led to this try, or URLPOOL_OK */
    struct urlp_hops hops;
    uint32_t num_attempts;
    uint32_t num_retries;
    int last_status; /* of the last response head, or 0 */
    bool maybe_processed;
    bool is_over_budget; /* a retry was withheld */
    bool wants_fresh;    /* the next try is for a connection that was not idle before */

    struct urlpool_pool *pool;  /* a reference to that of the last try; NULL: none was found yet */
    struct urlp_tenure *tenure; /* NULL: no place is held */

    /* What follows is made whole by urlp_journey_set_out, or by who takes a place, before anybody
     * looks at it. */
    struct urlp_call call;
    struct urlp_purpose purpose; /* of this try, for who looks at the pool */
    struct urlp_spares spares;   /* of `recycle`; nothing without */
    struct urlp_url url;
    struct urlp_url next_url; /* where `redirect` leads */
    struct urlp_body_plan body;
    struct urlp_marks marks;        /* the call's */
    struct urlpool_timeout timeout; /* resolved */
    struct urlp_retry_rules retry_rules;
    struct urlp_tenure stack_tenure;
};

/* urlp_journey_begin makes a journey that knows nothing yet: zero bytes, as far as they matter. */
static inline void urlp_journey_begin(struct urlp_journey *journey)
{
    memset(journey, 0, offsetof(struct urlp_journey, call));
    journey->url.text = (struct urlp_buf){0};
    journey->next_url.text = (struct urlp_buf){0};
    urlp_body_plan_init(&journey->body);
}

/* urlp_journey_set_out resolves the options, checks method and URL and starts the clock. The
 * journey was begun and has its first three fields, and memory for its URL.
 *
 * Errors:  URLPOOL_E_INVALID, HEADER, URL, BODY, NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_journey_set_out(struct urlp_journey *journey,
                                                        const char *method, const char *url,
                                                        struct urlpool_error *err);

/* urlp_journey_try gets a connection and an answer for the URL in hand; `tried` says what became of
 * it. With a place still held it is made there, on a fresh connection.
 *
 * Owns:    the response is the caller's; its connection goes home by itself.
 * Errors:  NULL with any code of one try; a place may be held then. */
URLPOOL_MUST_USE struct urlpool_response *urlp_journey_try(
    struct urlp_journey *journey, struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_journey_leave gives up the place that a failed try holds, if it does. */
void urlp_journey_leave(struct urlp_journey *journey) URLP_MAY_BLOCK;

/* urlp_journey_judge_failure asks policy what follows `tried`, which has failed with `failure`. */
struct urlp_verdict urlp_journey_judge_failure(struct urlp_journey *journey,
                                               const struct urlpool_error *failure) URLP_MAY_BLOCK;

/* urlp_journey_judge_response asks policy what follows `response`. Where it leads to is in
 * `redirect` and `next_url` then.
 *
 * Errors:  those of urlp_redirect_judge. */
URLPOOL_MUST_USE enum urlpool_code urlp_journey_judge_response(
    struct urlp_journey *journey, const struct urlpool_response *response, struct urlp_verdict *out,
    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_journey_go_on does what `verdict` says: remembers the last try, waits, and makes ready for
 * the next.
 *
 * Errors:  what the caller is to be told when there is no next; `err` holds the failure of the last
 *          try, if it failed. */
URLPOOL_MUST_USE enum urlpool_code urlp_journey_go_on(struct urlp_journey *journey,
                                                      const struct urlp_verdict *verdict,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_journey_out_of_retries makes URLPOOL_E_MAX_RETRIES of the failure in `err`, or, when the
 * last try has not failed, of its status. */
enum urlpool_code urlp_journey_out_of_retries(const struct urlp_journey *journey,
                                              struct urlpool_error *err);

#endif /* URLP_CLIENT_JOURNEY_H */
