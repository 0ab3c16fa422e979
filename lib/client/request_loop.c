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

/* judge_redirect asks policy about a response. True: another hop is prepared. False with
 * `*out_code` OK: the response is the caller's. */
static bool judge_redirect(struct urlp_journey *journey, struct urlpool_response *response,
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
static enum urlpool_code sign(const struct urlp_journey *journey, struct urlpool_response *response,
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
static struct urlpool_response *finish(const struct urlp_journey *journey,
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
static struct urlpool_response *follow(struct urlp_journey *journey,
                                       struct urlpool_error *err) URLP_MAY_BLOCK
{
    for (;;) {
        struct urlp_redirect redirect = {0};
        struct urlpool_response *response = urlp_journey_try(journey, err);
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
            code = urlp_journey_go_on(journey, &redirect, err);
        }
        if (code != URLPOOL_OK) {
            return NULL;
        }
    }
}

struct urlpool_response *urlp_request_make(struct urlpool_manager *manager,
                                           struct urlpool_pool *only_pool, const char *method,
                                           const char *url,
                                           const struct urlpool_request_options *options,
                                           struct urlpool_error *err)
{
    static const struct urlpool_request_options defaults;
    struct urlp_journey journey = {.manager = manager,
                                   .options = options != NULL ? options : &defaults,
                                   .only_pool = only_pool};
    struct urlpool_response *response = NULL;
    struct urlpool_error own_error;

    if (err == NULL) {
        err = &own_error; /* the loop itself looks at it */
    }
    (void)urlpool_manager_ref(manager);
    urlp_count(&manager->counters.requests, 1);
    if (urlp_journey_set_out(&journey, method, url, err) == URLPOOL_OK) {
        response = follow(&journey, err);
    }
    if (response == NULL) {
        urlp_count(&manager->counters.failures, 1);
        err->num_attempts = journey.num_attempts;
        err->http_status = err->http_status != 0 ? err->http_status : journey.last_status;
        err->maybe_processed = journey.maybe_processed;
    }
    urlp_body_plan_deinit(&journey.body);
    urlp_buf_deinit(&journey.authorization);
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
