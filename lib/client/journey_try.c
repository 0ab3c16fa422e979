/* One try: the pool for the URL in hand, a place in it, the exchange, and what became of the place.
 *
 * The head is made, and refused, before a connection is taken for it. What the connection's end
 * needs (lease, trace, a reference to the manager) is a tenure: it outlives the call when the
 * response is streamed. */

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "client/connector.h"
#include "client/journey.h"
#include "client/request_head.h"
#include "conn/response.h"

/* end_tenure is the end of what outlived the call. */
static void end_tenure(struct urlp_tenure *tenure) URLP_MAY_BLOCK
{
    if (tenure->is_on_heap) {
        urlpool_manager_unref(tenure->manager);
        urlp_free(tenure);
    }
}

/* count_try counts a try that has ended, at `ended_ns` or, when that is 0, now. */
static void count_try(const struct urlp_call *call, int64_t began_ns, int64_t ended_ns)
{
    if (call->counters != NULL) {
        ended_ns = ended_ns != 0 ? ended_ns : urlp_now_ns();
        urlp_durations_count(&call->counters->tries, urlp_try_bounds_ns, ended_ns - began_ns);
    }
}

/* connection_ended is called by the response, once, when it needs its connection no more. */
static void connection_ended(void *user, struct urlpool_connection *connection,
                             const struct urlp_connection_verdict *verdict) URLP_MAY_BLOCK
{
    struct urlp_tenure *tenure = user;
    struct urlp_lease_end end = urlp_lease_end_of(verdict);

    (void)connection;
    end.call = &tenure->call;
    if (tenure->try_began_ns != 0) {
        count_try(&tenure->call, tenure->try_began_ns, verdict->ended_ns);
    }
    urlp_lease_release(&tenure->lease, &end);
    end_tenure(tenure);
}

/* keep makes a tenure one that outlives the call: it holds the manager, and has a trace of its own,
 * for the caller's struct is borrowed for the call only. */
static void keep(struct urlp_tenure *tenure, const struct urlpool_trace *trace)
{
    tenure->is_on_heap = true;
    (void)urlpool_manager_ref(tenure->manager);
    if (trace != NULL) {
        tenure->trace = *trace;
        tenure->call.trace = &tenure->trace;
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
    tenure->manager = journey->manager;
    tenure->call = journey->call;
    tenure->lease = (struct urlp_lease){0};
    tenure->try_began_ns = 0;
    tenure->is_on_heap = false;  /* its trace is written when it is */
    tenure->call.purpose = NULL; /* it goes on without it */
    tenure->call.marks = NULL;   /* the response has its own */
    if (journey->options->stream) {
        keep(tenure, journey->trace);
        journey->call.trace = tenure->call.trace;
    }
    journey->tenure = tenure;
    return URLPOOL_OK;
}

/* move_out makes a tenure that outlives the call of one that would not: the connection of a
 * response that has switched is its user's for as long as he likes. */
static enum urlpool_code move_out(struct urlp_journey *journey,
                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_tenure *tenure = NULL;

    if (journey->tenure->is_on_heap) {
        return URLPOOL_OK;
    }
    tenure = urlp_alloc(sizeof(*tenure));
    if (tenure == NULL) {
        return urlp_fail_nomem(err);
    }
    *tenure = *journey->tenure;
    keep(tenure, journey->trace);
    journey->tenure = tenure;
    return URLPOOL_OK;
}

/* hand_over leaves the tenure to the response. */
static void hand_over(struct urlp_journey *journey,
                      struct urlpool_response *response) URLP_MAY_BLOCK
{
    const struct urlp_response_owner owner = {connection_ended, journey->tenure, true};

    journey->tenure->try_began_ns = journey->marks.try_ns;
    if (urlp_response_has_switched(response)) {
        count_try(&journey->call, journey->marks.try_ns, 0); /* what follows is none */
        journey->tenure->try_began_ns = 0;
    }
    journey->tenure = NULL;
    journey->call.trace = journey->trace;
    urlp_response_set_owner(response, &owner);
}

/* draft_head makes the head for the URL in hand, to go by the way of `pool`: what the caller got
 * wrong in it is refused before a connection is taken for it. */
static enum urlpool_code draft_head(const struct urlp_journey *journey, struct urlpool_pool *pool,
                                    struct urlp_head_draft *out, struct urlpool_error *err)
{
    const struct urlp_ready_fields *ready = urlp_pool_ready_fields(pool);
    const struct urlp_head_plan plan = {
        .method = journey->method,
        .url = &journey->url,
        .given = journey->given,
        .skip = journey->options->skip,
        .user_agent = journey->manager->user_agent,
        .authorization = urlp_span_make(journey->authorization.data, journey->authorization.len),
        .body = &journey->body,
        .forwarder = urlp_route_forwarder(urlp_pool_route(pool)),
        .ask_for_codings = !journey->options->keep_encoded,
        .without_expect = journey->used.retried_without_expect,
        .is_redirected = journey->used.redirect > 0,
        .remove_headers =
            journey->cross_origin ? journey->retry_rules.remove_headers_on_redirect : NULL,
        .to_get = journey->to_get,
        .has_own_headers = journey->options->headers != NULL,
    };
    const bool is_usual = urlp_head_plan_is_usual(&plan);
    enum urlpool_code code = URLPOOL_OK;

    if (!is_usual || ready == NULL || !urlp_head_draft_reuse(out, &plan, ready)) {
        code = urlp_head_draft_make(out, &plan, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_opener_check_head(journey->manager->opener, &out->head, err);
    }
    if (code == URLPOOL_OK && is_usual && ready == NULL) {
        urlp_pool_keep_fields(pool, urlp_opener_ready_fields(&out->head));
    }
    return code;
}

/* exchange sends the request over the lease's connection. On failure the lease is still held. */
static struct urlpool_response *exchange(struct urlp_journey *journey,
                                         const struct urlp_request_head *head,
                                         struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlp_lease *lease = &journey->tenure->lease;
    const struct urlp_exchange send = {
        .head = head,
        .body = &journey->body,
        .read_ms = journey->timeout.read_ms,
        .write_ms = journey->timeout.write_ms,
        .data_bytes_max = journey->data_bytes_max,
        .keep_encoded = journey->options->keep_encoded,
        .spares = journey->options->recycle != NULL ? &journey->spares : NULL,
    };
    struct urlp_exchange_facts facts;
    struct urlpool_response *response =
        urlp_connection_exchange(lease->connection, &send, &journey->call, &facts, err);

    journey->tried.connection_reused = lease->is_reused;
    journey->tried.request_bytes_sent = facts.request_bytes_sent;
    journey->tried.response_bytes_seen = facts.response_bytes_seen;
    return response;
}

/* check_origin refuses a URL that is not for the pool the request was made to. */
static enum urlpool_code check_origin(const struct urlp_journey *journey, struct urlpool_error *err)
{
    const struct urlp_origin origin = urlp_origin_of(&journey->url);

    if (urlp_origin_equals(&origin, &urlp_pool_route(journey->only_pool)->origin)) {
        return URLPOOL_OK;
    }
    return urlp_fail(err, URLPOOL_E_HOST_CHANGED,
                     journey->used.redirect > 0 ? URLPOOL_PHASE_REDIRECT : URLPOOL_PHASE_NONE,
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
    return urlp_pool_here(journey->only_pool, err);
}

/* enter_pool has the next try counted in `pool`, whose reference becomes the journey's. The request
 * itself is one of the first pool it gets to. */
static void enter_pool(struct urlp_journey *journey, struct urlpool_pool *pool) URLP_MAY_BLOCK
{
    journey->call.counters = urlp_pool_counters(pool);
    if (journey->pool == NULL) {
        URLP_COUNT(&journey->call, requests, 1);
    }
    urlp_pool_unref(journey->pool);
    journey->pool = pool;
}

/* lease_place takes a place in `pool`, with a fresh connection where an idle one is known to be
 * stale: those beside it are as old. */
static enum urlpool_code lease_place(struct urlp_journey *journey, struct urlpool_pool *pool,
                                     int64_t pool_ms, bool wants_fresh,
                                     struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlpool_timeout *limits = &journey->timeout;
    struct urlp_lease *lease = &journey->tenure->lease;
    enum urlpool_code code =
        urlp_lease_acquire(pool, pool_ms, limits->connect_ms, &journey->call, lease, err);

    return code == URLPOOL_OK && wants_fresh && lease->is_reused
               ? urlp_lease_redial(lease, limits->connect_ms, &journey->call, err)
               : code;
}

/* take_place gets a connection for the URL in hand, once its head can be made: a place in the pool,
 * or a fresh connection in the place still held. */
static enum urlpool_code take_place(struct urlp_journey *journey, struct urlp_head_draft *draft,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlpool_timeout *limits = &journey->timeout;
    const bool wants_fresh = journey->wants_fresh;
    int64_t pool_ms = limits->pool_ms;
    struct urlpool_pool *pool = NULL;
    enum urlpool_code code;

    journey->wants_fresh = false;
    if (journey->tenure != NULL) {
        journey->num_attempts++;
        code = draft_head(journey, journey->tenure->lease.pool, draft, err);
        return code != URLPOOL_OK ? code
                                  : urlp_lease_redial(&journey->tenure->lease, limits->connect_ms,
                                                      &journey->call, err);
    }
    pool = find_pool(journey, err);
    if (pool == NULL) {
        return err->code;
    }
    enter_pool(journey, pool);
    code = draft_head(journey, pool, draft, err);
    if (code == URLPOOL_OK) {
        const struct urlp_origin origin = urlp_origin_of(&journey->url);

        code =
            urlp_origins_await(&journey->manager->origins, &origin, &pool_ms, &journey->call, err);
    }
    if (code == URLPOOL_OK) {
        code = move_in(journey, err);
    }
    if (code == URLPOOL_OK) {
        journey->num_attempts++;
        code = lease_place(journey, pool, pool_ms, wants_fresh, err);
    }
    return code;
}

struct urlpool_response *urlp_journey_try(struct urlp_journey *journey, struct urlpool_error *err)
{
    struct urlp_head_draft draft;
    struct urlpool_response *response = NULL;
    enum urlpool_code code;

    urlp_head_draft_init(&draft);
    journey->tried = (struct urlp_tried){0};
    if (journey->num_attempts > 0) {
        urlp_marks_begin_try(&journey->marks, urlp_now_ns());
    }
    journey->purpose = (struct urlp_purpose){journey->method, journey->url.path};
    journey->call.purpose = &journey->purpose;
    code = take_place(journey, &draft, err);
    journey->call.purpose = NULL;
    if (code == URLPOOL_OK) {
        journey->tried.expected_continue = draft.expects_continue;
        response = exchange(journey, &draft.head, err);
    }
    if (response != NULL && urlp_response_has_switched(response) &&
        move_out(journey, err) != URLPOOL_OK) {
        urlpool_response_free(response);
        response = NULL;
    }
    urlp_head_draft_deinit(&draft);
    if (response == NULL) {
        count_try(&journey->call, journey->marks.try_ns, 0);
        journey->tried.code = err->code;
        journey->maybe_processed |= journey->tried.request_bytes_sent;
        return NULL;
    }
    journey->tried.status = response->status;
    journey->last_status = response->status;
    journey->maybe_processed = true; /* whatever becomes of a next try: this server did act */
    response->connection_reused = journey->tried.connection_reused;
    hand_over(journey, response);
    return response;
}

void urlp_journey_leave(struct urlp_journey *journey)
{
    struct urlp_connection_verdict verdict;
    struct urlp_tenure *tenure = journey->tenure;
    struct urlp_lease_end end;

    if (tenure == NULL) {
        return;
    }
    if (tenure->lease.connection != NULL) {
        /* It is ended, unless not a byte of the request was sent. */
        urlp_connection_judge(tenure->lease.connection, &verdict);
        end = urlp_lease_end_of(&verdict);
        end.call = &journey->call;
        urlp_lease_release(&tenure->lease, &end);
    }
    journey->tenure = NULL;
    journey->call.trace = journey->trace;
    end_tenure(tenure);
}
