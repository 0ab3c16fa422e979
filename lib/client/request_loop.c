/* One request, from the caller's words to the response: try, judge, try again; redirects.
 *
 * Every request goes through urlp_request_make, whether by manager or by pool, so that each rule
 * (what is stripped, what is retried, which deadline holds) lives once. The total deadline is set
 * here, at the very start, and only ever shortened below.
 *
 * It knows no sockets, no TLS and no codec; whether a try is repeated or a redirect followed is for
 * lib/policy to say. */

#include "client/request_loop.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/option.h"
#include "client/connector.h"
#include "client/request_head.h"
#include "conn/response.h"
#include "http/method.h"
#include "policy/judge.h"
#include "policy/redirect.h"

/* What must live as long as the response has a connection: on the stack of a buffered request, on
 * the heap for a streamed one. */
struct tenure {
    struct urlpool_manager *manager; /* a reference, when on the heap */
    struct urlpool_trace trace;
    struct urlp_call call; /* told if the connection dies at the end */
    struct urlp_lease lease;
    bool is_on_heap;
};

/* One request on its way. */
struct journey {
    struct urlpool_manager *manager;
    const struct urlpool_request_options *options;
    struct urlp_call call;
    struct urlpool_timeout timeout; /* resolved */
    struct urlp_redirect_rules rules;
    int64_t data_bytes_max;
    const struct urlpool_headers *headers; /* the caller's or the manager's; may be NULL */
    struct urlpool_pool *only_pool;        /* of a pool's request: no other origin is gone to */
    const struct urlpool_trace *trace;     /* NULL: nobody watches */

    struct urlp_span method;
    struct urlp_body_plan body;

    struct urlp_url url, next_url;
    int num_redirects;
    bool cross_origin, to_get; /* once true they stay so, to the end of the chain */
    uint32_t num_attempts;
    uint32_t num_retries;
    int last_status; /* of the last response head, or 0 */
    bool maybe_processed;

    struct tenure stack_tenure;
    struct tenure *tenure;
};

/* connection_ended is called by the response, once, when it needs its connection no more. */
static void connection_ended(void *user, struct urlpool_connection *connection,
                             const struct urlp_connection_verdict *verdict) URLP_MAY_BLOCK
{
    struct tenure *tenure = user;
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
static enum urlpool_code move_in(struct journey *journey, struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct tenure *tenure = &journey->stack_tenure;

    if (journey->options->stream) {
        tenure = urlp_alloc(sizeof(*tenure));
        if (tenure == NULL) {
            return urlp_fail_nomem(err);
        }
    }
    *tenure = (struct tenure){.manager = journey->manager, .is_on_heap = journey->options->stream};
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
static void hand_over(struct journey *journey, struct urlpool_response *response) URLP_MAY_BLOCK
{
    const struct urlp_response_owner owner = {connection_ended, journey->tenure};

    journey->tenure = NULL;
    journey->call.trace = journey->trace;
    urlp_response_set_owner(response, &owner);
}

/* move_out undoes move_in for a try that has come to no response; its lease is over. */
static void move_out(struct journey *journey) URLP_MAY_BLOCK
{
    struct tenure *tenure = journey->tenure;

    journey->tenure = NULL;
    journey->call.trace = journey->trace;
    if (tenure != NULL && tenure->is_on_heap) {
        urlpool_manager_unref(tenure->manager);
        urlp_free(tenure);
    }
}

/* draft_head makes the head for the URL in hand: what the caller got wrong in it is refused before
 * a connection is taken for it. */
static enum urlpool_code draft_head(const struct journey *journey, struct urlp_head_draft *out,
                                    struct urlpool_error *err)
{
    const struct urlp_head_plan plan = {
        .method = journey->method,
        .url = &journey->url,
        .headers = journey->headers,
        .user_agent = journey->manager->user_agent,
        .has_body = journey->body.has_body,
        .body_len = journey->body.len,
        .ask_for_codings = !journey->options->keep_encoded,
        .is_redirected = journey->num_redirects > 0,
        .cross_origin = journey->cross_origin,
        .to_get = journey->to_get,
    };

    return urlp_head_draft_make(out, &plan, err);
}

/* exchange sends the request over the lease's connection. On failure the lease is still held. */
static struct urlpool_response *exchange(struct journey *journey,
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
static enum urlp_verdict judge_failure(const struct journey *journey, enum urlpool_code code,
                                       const struct urlp_exchange_facts *facts)
{
    const struct urlp_attempt attempt = {
        .code = code,
        .connection_reused = journey->tenure->lease.is_reused,
        .request_bytes_sent = facts->request_bytes_sent,
        .response_bytes_seen = facts->response_bytes_seen,
        .method_idempotent = urlp_method_is_idempotent(journey->method),
        .has_idempotency_key = urlpool_headers_contains(journey->headers, "Idempotency-Key"),
        .body_can_rewind = urlp_body_plan_can_rewind(&journey->body),
        .retried_stale = journey->num_retries > 0,
    };
    return urlp_judge(&attempt);
}

/* give_up_lease sends the connection of a failed try home: to be ended, but for one on which not a
 * byte of the request was sent. */
static void give_up_lease(struct journey *journey) URLP_MAY_BLOCK
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
static struct urlpool_response *exchange_in_place(struct journey *journey,
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
static enum urlpool_code check_origin(const struct journey *journey, struct urlpool_error *err)
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
static struct urlpool_pool *find_pool(const struct journey *journey,
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

/* attempt gets a connection and an answer for the URL in hand. */
static struct urlpool_response *attempt(struct journey *journey,
                                        struct urlpool_error *err) URLP_MAY_BLOCK
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

/* go_on prepares the next hop of a redirect. */
static enum urlpool_code go_on(struct journey *journey, const struct urlp_redirect *redirect,
                               struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_url done = journey->url;
    struct urlp_buf text = {0};

    journey->url = journey->next_url;
    journey->next_url = done; /* its memory serves the next hop */
    journey->num_redirects++;
    journey->cross_origin |= redirect->cross_origin;
    URLP_COUNT(&journey->call, redirects, 1);
    if (journey->trace != NULL &&
        urlp_url_append_without_secrets(&journey->url, &text) == URLPOOL_OK) {
        urlp_call_trace(&journey->call, URLPOOL_TRACE_REDIRECT, (const char *)text.data, text.len,
                        journey->last_status);
    }
    urlp_buf_deinit(&text);
    if (redirect->to_get) {
        journey->to_get = true;
        journey->method = urlp_span_of("GET");
        urlp_body_plan_deinit(&journey->body);
        return URLPOOL_OK;
    }
    return urlp_body_plan_rewind(&journey->body, err);
}

/* judge_redirect asks policy about a response. True: another hop is prepared. False with
 * `*out_code` OK: the response is the caller's. */
static bool judge_redirect(struct journey *journey, struct urlpool_response *response,
                           struct urlp_redirect *out, enum urlpool_code *out_code,
                           struct urlpool_error *err)
{
    struct urlp_redirect_facts facts = {
        .url = &journey->url,
        .method = journey->method,
        .status = response->status,
        .num_redirects = journey->num_redirects,
        .can_rewind = urlp_body_plan_can_rewind(&journey->body),
    };

    facts.fields = urlp_response_fields(response, &facts.num_fields);
    *out_code = urlp_redirect_judge(&journey->rules, &facts, out, &journey->next_url, err);
    return *out_code == URLPOOL_OK && out->follow;
}

/* sign tells the response how it was come by. Userinfo stays out of its URL: who prints a URL
 * prints no password. */
static enum urlpool_code sign(const struct journey *journey, struct urlpool_response *response,
                              struct urlpool_error *err)
{
    struct urlp_span url = urlp_span_make(journey->url.text.data, journey->url.text.len);
    struct urlp_buf bare = {0};
    enum urlpool_code code = URLPOOL_OK;

    response->num_redirects = (uint32_t)journey->num_redirects;
    response->num_retries = journey->num_retries;
    if (journey->url.userinfo.data != NULL) {
        code = urlp_url_append_without_secrets(&journey->url, &bare);
        url = urlp_span_make(bare.data, bare.len);
    }
    if (code != URLPOOL_OK) {
        (void)urlp_fail_nomem(err);
    } else {
        code = urlp_response_set_url(response, url, err);
    }
    urlp_buf_deinit(&bare);
    return code;
}

/* finish makes a response the caller's: signed, and its body read unless streamed. */
static struct urlpool_response *finish(const struct journey *journey,
                                       struct urlpool_response *response, struct urlpool_error *err)
{
    enum urlpool_code code = sign(journey, response, err);

    if (code == URLPOOL_OK && !journey->options->stream) {
        code = urlpool_response_read_all(response, err);
    }
    if (code == URLPOOL_OK) {
        return response;
    }
    urlpool_response_free(response);
    return NULL;
}

/* follow runs the journey to its last hop. */
static struct urlpool_response *follow(struct journey *journey,
                                       struct urlpool_error *err) URLP_MAY_BLOCK
{
    for (;;) {
        struct urlp_redirect redirect = {0};
        struct urlpool_response *response = attempt(journey, err);
        enum urlpool_code code = URLPOOL_OK;

        if (response == NULL) {
            return NULL;
        }
        journey->last_status = response->status;
        journey->maybe_processed = true; /* whatever becomes of a next hop: this server did act */
        if (!judge_redirect(journey, response, &redirect, &code, err) && code == URLPOOL_OK) {
            return finish(journey, response, err);
        }
        urlpool_response_free(response); /* drains within its bounds, decodes nothing */
        if (code == URLPOOL_OK) {
            code = go_on(journey, &redirect, err);
        }
        if (code != URLPOOL_OK) {
            return NULL;
        }
    }
}

/* resolve_options turns the caller's options and the manager's into the journey's numbers. */
static enum urlpool_code resolve_options(struct journey *journey, struct urlpool_error *err)
{
    const struct urlpool_request_options *options = journey->options;
    const struct urlpool_manager *manager = journey->manager;
    enum urlpool_code code = urlp_option_check_reserved("request options", options->reserved,
                                                        sizeof(options->reserved), err);
    if (code == URLPOOL_OK) {
        code = urlp_timeout_resolve(&options->timeout, &manager->timeout, &journey->timeout, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve_int("redirects_max", options->redirects_max,
                                       manager->redirects_max, &journey->rules.redirects_max, err);
    }
    if (code == URLPOOL_OK) {
        code = urlp_option_resolve("data_bytes_max", options->data_bytes_max,
                                   manager->data_bytes_max, &journey->data_bytes_max, err);
    }
    journey->rules.return_redirects = options->return_redirects;
    journey->rules.allow_downgrade = options->allow_downgrade;
    journey->rules.keep_post = options->keep_post;
    return code;
}

/* resolve_body learns how the body will be sent, before a connection is taken for it. */
static enum urlpool_code resolve_body(struct journey *journey, struct urlpool_error *err)
{
    struct urlpool_body body = journey->options->body;

    body.chunked |= urlp_headers_ask_for_chunked(journey->headers);
    return urlp_body_plan_make(&journey->body, &body, err);
}

static enum urlpool_code set_out(struct journey *journey, const char *method, const char *url,
                                 struct urlpool_error *err)
{
    enum urlpool_code code = resolve_options(journey, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    journey->method = urlp_span_of(method);
    journey->headers =
        journey->options->headers != NULL ? journey->options->headers : journey->manager->headers;
    if (journey->options->trace.event != NULL) {
        journey->trace = &journey->options->trace;
    } else if (journey->manager->trace.event != NULL) {
        journey->trace = &journey->manager->trace;
    }
    journey->call.trace = journey->trace;
    journey->call.counters = &journey->manager->counters;
    journey->call.cancel = journey->options->cancel;
    journey->call.total_by = urlp_deadline_in(journey->timeout.total_ms);
    journey->call.by = journey->call.total_by;
    if (!urlp_method_is_valid(journey->method)) {
        return urlp_fail(err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE, "method \"%s\" is no token",
                         urlp_quote(method, strlen(method)).text);
    }
    if (urlp_span_is(journey->method, "CONNECT")) {
        return urlp_fail(
            err, URLPOOL_E_HEADER, URLPOOL_PHASE_NONE,
            "CONNECT makes a tunnel, not a request: see urlpool_connection_set_tunnel");
    }
    code = urlp_url_parse(urlp_span_of(url), &journey->url, err);
    return code == URLPOOL_OK ? resolve_body(journey, err) : code;
}

struct urlpool_response *urlp_request_make(struct urlpool_manager *manager,
                                           struct urlpool_pool *only_pool, const char *method,
                                           const char *url,
                                           const struct urlpool_request_options *options,
                                           struct urlpool_error *err)
{
    static const struct urlpool_request_options defaults;
    struct journey journey = {.manager = manager,
                              .options = options != NULL ? options : &defaults,
                              .only_pool = only_pool};
    struct urlpool_response *response = NULL;
    struct urlpool_error own_error;

    if (err == NULL) {
        err = &own_error; /* the loop itself looks at it */
    }
    (void)urlpool_manager_ref(manager);
    urlp_count(&manager->counters.requests, 1);
    if (set_out(&journey, method, url, err) == URLPOOL_OK) {
        response = follow(&journey, err);
    }
    if (response == NULL) {
        urlp_count(&manager->counters.failures, 1);
        err->num_attempts = journey.num_attempts;
        err->http_status = err->http_status != 0 ? err->http_status : journey.last_status;
        err->maybe_processed = journey.maybe_processed;
    }
    urlp_body_plan_deinit(&journey.body);
    urlp_url_deinit(&journey.url);
    urlp_url_deinit(&journey.next_url);
    urlpool_manager_unref(manager);
    return response;
}

struct urlpool_response *urlpool_request(struct urlpool_manager *manager, const char *method,
                                         const char *url,
                                         const struct urlpool_request_options *options,
                                         struct urlpool_error *err) URLP_MAY_BLOCK
{
    if (manager == NULL || method == NULL || url == NULL) {
        (void)urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s is NULL",
                        manager == NULL ? "the manager"
                                        : (method == NULL ? "the method" : "the URL"));
        return NULL;
    }
    return urlp_request_make(manager, NULL, method, url, options, err);
}
