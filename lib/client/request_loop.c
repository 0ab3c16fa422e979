/* One request, from the caller's words to the response: try, judge, try again; redirects.
 *
 * Every request goes through urlp_request_make, whether by manager or by pool, so that each rule
 * (what is stripped, what is retried, which deadline holds) lives once. The total deadline is set
 * here, at the very start, and only ever shortened below.
 *
 * The steps are in client/journey_*.c; whether a try is repeated or a redirect followed is for
 * lib/policy to say. */

#include "client/request_loop.h"

#include "base/error.h"
#include "client/journey.h"
#include "conn/response.h"

/* A URL that is written in fewer takes nothing from the heap. */
#define URL_BYTES_USUAL 1024

/* sign tells the response how it was come by. Userinfo stays out of its URL: who prints a URL
 * prints no password. */
static enum urlpool_code sign(const struct urlp_journey *journey, struct urlpool_response *response,
                              struct urlpool_error *err)
{
    struct urlp_span url = urlp_span_make(journey->url.text.data, journey->url.text.len);
    struct urlp_buf bare = {0};
    enum urlpool_code code = URLPOOL_OK;

    response->num_redirects = (uint32_t)journey->used.redirect;
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

/* set_place says where the body of the last response is to lie. */
static void set_place(const struct urlpool_request_options *options,
                      struct urlpool_response *response)
{
    const struct urlp_place place = {.into = options->into.buf,
                                     .into_len = options->into.len,
                                     .keep_partial = options->keep_partial};

    urlp_response_set_place(response, &place);
}

/* deliver makes a response the caller's: signed, and its body read unless streamed. When that
 * fails, `*out_is_partial` says that what has arrived may be his. */
static enum urlpool_code deliver(struct urlp_journey *journey, struct urlpool_response *response,
                                 bool *out_is_partial, struct urlpool_error *err) URLP_MAY_BLOCK
{
    enum urlpool_code code = sign(journey, response, err);

    if (code == URLPOOL_OK && !journey->options->stream) {
        set_place(journey->options, response);
        code = urlpool_response_read_all(response, err);
        *out_is_partial = code != URLPOOL_OK && journey->options->keep_partial;
    }
    if (code != URLPOOL_OK) {
        journey->tried.code = code;
        journey->tried.response_bytes_seen = true;
    }
    return code;
}

/* is_the_end says that no try follows. */
static bool is_the_end(const struct urlp_verdict *verdict)
{
    return verdict->kind == URLP_VERDICT_FAIL || verdict->kind == URLP_VERDICT_MAX_RETRIES;
}

/* discard drains a response within its bounds, decodes nothing, and frees it. */
static void discard(struct urlp_journey *journey, struct urlpool_response *response) URLP_MAY_BLOCK
{
    if (journey->options->recycle != NULL) {
        urlp_response_recycle(response, &journey->spares);
    } else {
        urlpool_response_free(response);
    }
}

/* settle returns the response that is the caller's; else NULL, and `out` says what follows, with
 * the failure in `err` if there is one. A body that cannot be read whole is a failure like any
 * other, as long as it is not streamed. */
static struct urlpool_response *settle(struct urlp_journey *journey,
                                       struct urlpool_response *response, struct urlp_verdict *out,
                                       struct urlpool_error *err) URLP_MAY_BLOCK
{
    bool is_partial = false;

    if (response == NULL) {
        *out = urlp_journey_judge_failure(journey, err);
        return NULL;
    }
    if (urlp_journey_judge_response(journey, response, out, err) != URLPOOL_OK) {
        *out = (struct urlp_verdict){.kind = URLP_VERDICT_FAIL, .state = journey->used};
    } else if (out->kind == URLP_VERDICT_RETURN) {
        if (deliver(journey, response, &is_partial, err) == URLPOOL_OK) {
            return response;
        }
        *out = urlp_journey_judge_failure(journey, err);
        if (is_partial && is_the_end(out)) {
            urlp_response_keep_partial(response);
            return response;
        }
    }
    discard(journey, response);
    return NULL;
}

/* run makes the journey: tries until there is a response, or no next try. */
static struct urlpool_response *run(struct urlp_journey *journey,
                                    struct urlpool_error *err) URLP_MAY_BLOCK
{
    for (;;) {
        struct urlp_verdict verdict;
        struct urlpool_response *response = urlp_journey_try(journey, err);

        response = settle(journey, response, &verdict, err);
        if (response != NULL) {
            return response;
        }
        if (verdict.kind != URLP_VERDICT_RETRY_FRESH) {
            urlp_journey_leave(journey);
        }
        if (urlp_journey_go_on(journey, &verdict, err) != URLPOOL_OK) {
            urlp_journey_leave(journey);
            return NULL;
        }
    }
}

/* fail ends the request, and tells `err`, which may be NULL, why. */
static void fail(const struct urlp_journey *journey, struct urlpool_error *why,
                 struct urlpool_error *err)
{
    struct urlp_counters *counters = &journey->manager->counters;

    if (journey->pool != NULL) {
        counters = journey->call.counters;
    } else { /* it belongs to no pool, then */
        urlp_count(&counters->requests, 1);
    }
    urlp_count(&counters->failures, 1);
    why->num_attempts = journey->num_attempts;
    why->http_status = why->http_status != 0 ? why->http_status : journey->last_status;
    why->maybe_processed = journey->maybe_processed;
    (void)urlp_fail_with(err, why);
}

/* set_out is urlp_journey_set_out, with the memory of the response that is recycled. The URL may
 * lie in it, so it is freed when that has been read. */
static enum urlpool_code set_out(struct urlp_journey *journey, const char *method, const char *url,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_response *old = journey->options->recycle;
    enum urlpool_code code;

    if (old == NULL) {
        return urlp_journey_set_out(journey, method, url, err);
    }
    journey->spares = (struct urlp_spares){0};
    urlp_response_take_spares(old, &journey->spares);
    code = urlp_journey_set_out(journey, method, url, err);
    urlp_response_recycle(old, &journey->spares);
    return code;
}

/* part_with gives the response what goes with it: the history, and memory for a request to come. */
static void part_with(struct urlp_journey *journey, struct urlpool_response *response)
{
    urlp_response_set_hops(response, &journey->hops);
    if (journey->options->recycle != NULL) {
        urlp_response_leave_spares(response, &journey->spares);
    }
}

struct urlpool_response *urlp_request_make(struct urlpool_manager *manager,
                                           struct urlpool_pool *only_pool, const char *method,
                                           const char *url,
                                           const struct urlpool_request_options *options,
                                           struct urlpool_error *err)
{
    static const struct urlpool_request_options defaults;
    struct urlp_journey journey;
    uint8_t url_memory[URL_BYTES_USUAL];
    struct urlpool_response *response = NULL;
    struct urlpool_error why; /* the caller's is written only on failure, of all tries */

    urlp_error_clear(&why);
    urlp_journey_begin(&journey);
    journey.manager = manager;
    journey.options = options != NULL ? options : &defaults;
    journey.only_pool = only_pool;
    journey.url.text = urlp_buf_lend(url_memory, sizeof(url_memory));

    (void)urlpool_manager_ref(manager);
    if (only_pool != NULL) {
        urlp_pool_ref(only_pool);
    }
    if (set_out(&journey, method, url, &why) == URLPOOL_OK) {
        response = run(&journey, &why);
    }
    if (response == NULL) {
        fail(&journey, &why, err);
    } else {
        part_with(&journey, response);
    }
    urlp_pool_unref(journey.pool);
    urlp_hops_deinit(&journey.hops);
    urlp_body_plan_deinit(&journey.body);
    urlp_buf_deinit(&journey.authorization);
    urlp_buf_deinit(&journey.url.text); /* nobody looks at the parts any more */
    urlp_buf_deinit(&journey.next_url.text);
    if (journey.options->recycle != NULL) {
        urlp_spares_deinit(&journey.spares);
    }
    urlp_pool_unref(only_pool);
    urlpool_manager_unref(manager);
    return response;
}

void urlp_request_refused(const struct urlpool_request_options *options)
{
    if (options != NULL) {
        urlpool_response_free(options->recycle);
    }
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
        urlp_request_refused(options);
        return NULL;
    }
    return urlp_request_make(manager, NULL, method, url, options, err);
}
