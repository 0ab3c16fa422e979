/* One try: the pool for the URL in hand, a place in it, the exchange, and what became of the place.
 *
 * The head is made, and refused, before a connection is taken for it. What the connection's end
 * needs (lease, trace, a reference to the manager) is a tenure: it outlives the call when the
 * response is streamed. */

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "client/connector.h"
#include "client/journey.h"
#include "client/request_head.h"
#include "conn/response.h"
#include "http/method.h"
#include "policy/judge.h"
#include "policy/retry_rules.h"

/* connection_ended is called by the response, once, when it needs its connection no more. */
static void connection_ended(void *user, struct urlpool_connection *connection,
                             const struct urlp_connection_verdict *verdict) URLP_MAY_BLOCK
{
    struct urlp_tenure *tenure = user;
    struct urlp_lease_end end = urlp_lease_end_of(verdict);

    (void)connection;
    end.call = &tenure->call;
    urlp_lease_release(&tenure->lease, &end);
    if (tenure->is_on_heap) {
        urlpool_manager_unref(tenure->manager);
        urlp_free(tenure);
    }
}

/* move_in makes the tenure of the next try. */
static enum urlpool_code move_in(struct urlp_journey *journey,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_tenure *tenure = &journey->stack_tenure;

    if (journey->options->stream) {
        tenure = urlp_alloc(sizeof(*tenure));
        if (tenure == NULL) {
            return urlp_fail_nomem(err);
        }
    }
    *tenure =
        (struct urlp_tenure){.manager = journey->manager, .is_on_heap = journey->options->stream};
    if (tenure->is_on_heap) {
        (void)urlpool_manager_ref(journey->manager);
        if (journey->trace != NULL) {
            tenure->trace = *journey->trace; /* the caller's struct is borrowed for the call only */
            journey->call.trace = &tenure->trace;
        }
    }
    tenure->call = journey->call;
    journey->tenure = tenure;
    return URLPOOL_OK;
}

/* hand_over leaves the tenure to the response. */
static void hand_over(struct urlp_journey *journey,
                      struct urlpool_response *response) URLP_MAY_BLOCK
{
    const struct urlp_response_owner owner = {connection_ended, journey->tenure};

    journey->tenure = NULL;
    journey->call.trace = journey->trace;
    urlp_response_set_owner(response, &owner);
}

/* move_out undoes move_in for a try that has come to no response; its lease is over. */
static void move_out(struct urlp_journey *journey) URLP_MAY_BLOCK
{
    struct urlp_tenure *tenure = journey->tenure;

    journey->tenure = NULL;
    journey->call.trace = journey->trace;
    if (tenure != NULL && tenure->is_on_heap) {
        urlpool_manager_unref(tenure->manager);
        urlp_free(tenure);
    }
}

/* draft_head makes the head for the URL in hand: what the caller got wrong in it is refused before
 * a connection is taken for it. */
static enum urlpool_code draft_head(const struct urlp_journey *journey, struct urlp_head_draft *out,
                                    struct urlpool_error *err)
{
    const struct urlp_head_plan plan = {
        .method = journey->method,
        .url = &journey->url,
        .given = journey->given,
        .skip = journey->options->skip,
        .user_agent = journey->manager->user_agent,
        .authorization = urlp_span_make(journey->authorization.data, journey->authorization.len),
        .body = &journey->body,
        .ask_for_codings = !journey->options->keep_encoded,
        .is_redirected = journey->num_redirects > 0,
        .remove_headers =
            journey->cross_origin ? urlp_retry_defaults.remove_headers_on_redirect : NULL,
        .to_get = journey->to_get,
    };

    return urlp_head_draft_make(out, &plan, err);
}

/* exchange sends the request over the lease's connection. On failure the lease is still held. */
static struct urlpool_response *exchange(struct urlp_journey *journey,
                                         const struct urlp_request_head *head,
                                         struct urlp_exchange_facts *facts,
                                         struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_exchange send = {
        .head = head,
        .body = &journey->body,
        .read_ms = journey->timeout.read_ms,
        .write_ms = journey->timeout.write_ms,
        .data_bytes_max = journey->data_bytes_max,
        .keep_encoded = journey->options->keep_encoded,
    };
    return urlp_connection_exchange(journey->tenure->lease.connection, &send, &journey->call, facts,
                                    err);
}

/* judge_failure asks policy whether a failed try is made once more in the same place. */
static enum urlp_verdict judge_failure(const struct urlp_journey *journey, enum urlpool_code code,
                                       const struct urlp_exchange_facts *facts)
{
    const struct urlp_attempt attempt = {
        .code = code,
        .connection_reused = journey->tenure->lease.is_reused,
        .request_bytes_sent = facts->request_bytes_sent,
        .response_bytes_seen = facts->response_bytes_seen,
        .method_idempotent = urlp_method_is_idempotent(journey->method),
        .has_idempotency_key = urlp_given_headers_get(&journey->given, "Idempotency-Key") != NULL,
        .body_can_rewind = urlp_body_plan_can_rewind(&journey->body),
        .retried_stale = journey->num_retries > 0,
    };
    return urlp_judge(&attempt);
}

/* give_up_lease sends the connection of a failed try home: to be ended, but for one on which not a
 * byte of the request was sent. */
static void give_up_lease(struct urlp_journey *journey) URLP_MAY_BLOCK
{
    struct urlp_connection_verdict verdict;
    struct urlp_lease_end end;

    urlp_connection_judge(journey->tenure->lease.connection, &verdict);
    end = urlp_lease_end_of(&verdict);
    end.call = &journey->call;
    urlp_lease_release(&journey->tenure->lease, &end);
}

/* exchange_in_place makes the try over the lease just given, and the one free try over a fresh
 * connection when the first was stale. On failure the lease is over. */
static struct urlpool_response *exchange_in_place(struct urlp_journey *journey,
                                                  const struct urlp_request_head *head,
                                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_exchange_facts facts;
    struct urlpool_response *response;

    for (;;) {
        enum urlpool_code why;

        journey->num_attempts++;
        response = exchange(journey, head, &facts, err);
        if (response != NULL) {
            return response;
        }
        why = err->code;
        journey->maybe_processed |= facts.request_bytes_sent;
        if (judge_failure(journey, why, &facts) != URLP_VERDICT_RETRY_FRESH) {
            give_up_lease(journey);
            return NULL;
        }
        if (urlp_body_plan_rewind(&journey->body, err) != URLPOOL_OK) {
            err->cause = why;
            give_up_lease(journey);
            return NULL;
        }
        journey->num_retries++;
        URLP_COUNT(&journey->call, stale_retries, 1);
        urlp_call_trace(&journey->call, URLPOOL_TRACE_RETRY, err->message, strlen(err->message),
                        (int64_t)err->code);
        if (urlp_lease_redial(&journey->tenure->lease, journey->timeout.connect_ms, &journey->call,
                              err) != URLPOOL_OK) {
            err->cause = why;
            return NULL;
        }
    }
}

/* check_origin refuses a URL that is not for the pool the request was made to. */
static enum urlpool_code check_origin(const struct urlp_journey *journey, struct urlpool_error *err)
{
    const struct urlp_origin origin = urlp_origin_of(&journey->url);

    if (urlp_origin_equals(&origin, &urlp_pool_route(journey->only_pool)->origin)) {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_HOST_CHANGED,
                     journey->num_redirects > 0 ? URLPOOL_PHASE_REDIRECT : URLPOOL_PHASE_NONE,
                     "%.*s:%u is not this pool's host", (int)origin.host.len, origin.host.data,
                     (unsigned)origin.port);
}

/* find_pool takes a reference to the pool for the URL in hand. */
static struct urlpool_pool *find_pool(const struct urlp_journey *journey,
                                      struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (journey->only_pool == NULL) {
        return urlp_manager_pool(journey->manager, &journey->url, err);
    }
    if (urlp_url_require_http(&journey->url, err) != URLPOOL_OK ||
        check_origin(journey, err) != URLPOOL_OK) {
        return NULL;
    }
    urlp_pool_ref(journey->only_pool);
    return journey->only_pool;
}

struct urlpool_response *urlp_journey_try(struct urlp_journey *journey, struct urlpool_error *err)
{
    struct urlpool_response *response = NULL;
    struct urlp_head_draft draft = {0};
    struct urlpool_pool *pool = find_pool(journey, err);

    if (pool == NULL) {
        return NULL;
    }
    if (draft_head(journey, &draft, err) == URLPOOL_OK && move_in(journey, err) == URLPOOL_OK &&
        urlp_lease_acquire(pool, journey->timeout.pool_ms, journey->timeout.connect_ms,
                           &journey->call, &journey->tenure->lease, err) == URLPOOL_OK) {
        response = exchange_in_place(journey, &draft.head, err);
    }
    urlp_head_draft_deinit(&draft);
    urlp_pool_unref(pool);
    if (response == NULL) {
        move_out(journey);
        return NULL;
    }
    response->connection_reused = journey->tenure->lease.is_reused;
    hand_over(journey, response);
    return response;
}
