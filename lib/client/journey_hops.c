/* From one try to the next: what came before is remembered, the body is back at its first byte, the
 * pause is slept, a redirect's URL is taken. Or there is no next, and the caller is told why.
 *
 * While a pause is slept nothing is held: no connection, no place, no lock. What a redirect takes
 * away (credentials, the body) is gone for good. */

#include <inttypes.h>
#include <string.h>

#include "urlpool/status.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/park.h"
#include "client/journey.h"

/* remember notes the last try; `leads_on`: it was redirected to `next_url`. */
static enum urlpool_code remember(struct urlp_journey *journey, bool leads_on,
                                  struct urlpool_error *err)
{
    struct urlp_buf text = {0};
    struct urlp_hop_note note = {
        .method = journey->method,
        .code = journey->tried.code,
        .status = journey->tried.status,
    };
    size_t url_len = 0;
    enum urlpool_code code = urlp_url_append_without_secrets(&journey->url, &text);

    if (code == URLPOOL_OK) {
        url_len = text.len;
        code = leads_on ? urlp_url_append_without_secrets(&journey->next_url, &text) : URLPOOL_OK;
    }
    if (code == URLPOOL_OK) {
        note.url = urlp_span_make(text.data, url_len);
        if (leads_on) {
            note.location = urlp_span_make(text.data + url_len, text.len - url_len);
        }
        code = urlp_hops_add(&journey->hops, &note);
    }
    urlp_buf_deinit(&text);
    return code == URLPOOL_OK ? URLPOOL_OK : urlp_fail_nomem(err);
}

/* rewind makes the body ready for the next try. */
static enum urlpool_code rewind_body(struct urlp_journey *journey, struct urlpool_error *err)
{
    enum urlpool_code code = urlp_body_plan_rewind(&journey->body, err);

    if (code != URLPOOL_OK) {
        err->cause = journey->tried.code;
    }
    return code;
}

/* keep_details adds to `err` what is known of the failure beneath it. */
static void keep_details(const struct urlpool_error *last, struct urlpool_error *err)
{
    err->cause = last->code;
    err->os_errno = last->os_errno;
    err->tls_code = last->tls_code;
    err->http_status = last->http_status;
}

/* sleep_on waits `wait_ms`; also when that is nothing, no try begins after the total deadline.
 * `err` holds the failure of the last try, and keeps its details when the pause does not come to
 * its end. */
static enum urlpool_code sleep_on(const struct urlp_journey *journey, int64_t wait_ms,
                                  struct urlpool_error *err) URLP_MAY_BLOCK
{
    const struct urlpool_error last = *err;
    struct urlpool_error why;
    enum urlpool_code code;

    if (wait_ms <= 0 && !urlp_deadline_has_passed(journey->call.total_by)) {
        return URLPOOL_OK;
    }
    /* At least 1 ms: a pause of none, at the deadline, does not come to its end. */
    code = urlp_park_sleep(&journey->call, urlp_deadline_in(wait_ms > 0 ? wait_ms : 1), &why);
    if (code == URLPOOL_OK) {
        return URLPOOL_OK;
    }
    if (journey->tried.code == URLPOOL_OK) {
        return urlp_fail(err, code, URLPOOL_PHASE_HEAD, "%s: %" PRId64 " ms after status %d",
                         why.message, wait_ms, journey->tried.status);
    }
    (void)urlp_fail(err, code, last.phase, "%s: %s", why.message, last.message);
    keep_details(&last, err);
    return code;
}

/* tell_retry tells the sink why there is another try. */
static void tell_retry(const struct urlp_journey *journey,
                       const struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error status = {0};

    if (journey->tried.code == URLPOOL_OK) {
        (void)urlp_fail(&status, URLPOOL_OK, URLPOOL_PHASE_HEAD, "status %d",
                        journey->tried.status);
        err = &status;
    }
    urlp_call_trace(&journey->call, URLPOOL_TRACE_RETRY, err->message, strlen(err->message),
                    (int64_t)journey->tried.code);
}

/* was_stale says whether the free try is made because the connection had stood idle too long. */
static bool was_stale(const struct urlp_journey *journey, const struct urlp_verdict *verdict)
{
    return verdict->kind == URLP_VERDICT_RETRY_FRESH ||
           (verdict->kind == URLP_VERDICT_RETRY_AT_ONCE &&
            journey->tried.status == URLPOOL_HTTP_REQUEST_TIMEOUT);
}

/* retry makes ready for the same once more. */
static enum urlpool_code retry(struct urlp_journey *journey, const struct urlp_verdict *verdict,
                               struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlpool_error fault = {0};

    if (remember(journey, false, &fault) != URLPOOL_OK ||
        rewind_body(journey, &fault) != URLPOOL_OK) {
        return urlp_fail_with(err, &fault);
    }
    journey->num_retries++;
    journey->retried_after = journey->tried.code;
    journey->wants_fresh = was_stale(journey, verdict);
    if (journey->wants_fresh) {
        URLP_COUNT(&journey->call, stale_retries, 1);
    } else {
        URLP_COUNT(&journey->call, retries, 1);
    }
    if (journey->trace != NULL) {
        tell_retry(journey, err);
    }
    return sleep_on(journey, verdict->wait_ms, err);
}

/* move_on goes to where the last answer leads. */
static enum urlpool_code move_on(struct urlp_journey *journey, const struct urlp_verdict *verdict,
                                 struct urlpool_error *err) URLP_MAY_BLOCK
{
    struct urlp_url done = journey->url;
    struct urlp_buf text = {0};
    enum urlpool_code code = remember(journey, true, err);

    if (code != URLPOOL_OK) {
        return code;
    }
    journey->url = journey->next_url;
    journey->next_url = done; /* its memory serves the next hop */
    journey->retried_after = URLPOOL_OK;
    journey->cross_origin |= journey->redirect.cross_origin;
    URLP_COUNT(&journey->call, redirects, 1);
    if (journey->trace != NULL &&
        urlp_url_append_without_secrets(&journey->url, &text) == URLPOOL_OK) {
        urlp_call_trace(&journey->call, URLPOOL_TRACE_REDIRECT, (const char *)text.data, text.len,
                        journey->tried.status);
    }
    urlp_buf_deinit(&text);
    if (journey->redirect.to_get) {
        journey->to_get = true;
        journey->method = urlp_span_of("GET");
        urlp_body_plan_deinit(&journey->body);
    }
    code = rewind_body(journey, err);
    return code == URLPOOL_OK ? sleep_on(journey, verdict->wait_ms, err) : code;
}

enum urlpool_code urlp_journey_out_of_retries(const struct urlp_journey *journey,
                                              struct urlpool_error *err)
{
    const struct urlp_retry_state *used = &journey->used;
    const int num = used->connect + used->read + used->status + used->other;
    const char *retries = num == 1 ? "retry" : "retries";
    const char *why = journey->is_over_budget ? "made, and the origin's retry budget is " : "";
    const struct urlpool_error last = *err;

    if (journey->tried.code == URLPOOL_OK) {
        return urlp_fail(err, URLPOOL_E_MAX_RETRIES, URLPOOL_PHASE_HEAD,
                         "%d %s %sused up: status %d", num, retries, why, journey->tried.status);
    }
    (void)urlp_fail(err, URLPOOL_E_MAX_RETRIES, last.phase, "%d %s %sused up: %s", num, retries,
                    why, last.message);
    keep_details(&last, err);
    return URLPOOL_E_MAX_RETRIES;
}

enum urlpool_code urlp_journey_go_on(struct urlp_journey *journey,
                                     const struct urlp_verdict *verdict, struct urlpool_error *err)
{
    journey->used = verdict->state;
    switch (verdict->kind) {
    case URLP_VERDICT_RETRY_FRESH:
    case URLP_VERDICT_RETRY_AT_ONCE:
    case URLP_VERDICT_RETRY:
        return retry(journey, verdict, err);
    case URLP_VERDICT_REDIRECT:
        return move_on(journey, verdict, err);
    case URLP_VERDICT_MAX_RETRIES:
        return urlp_journey_out_of_retries(journey, err);
    case URLP_VERDICT_TOO_MANY_REDIRECTS:
        return urlp_fail(err, URLPOOL_E_TOO_MANY_REDIRECTS, URLPOOL_PHASE_REDIRECT,
                         "more than %d redirect%s", journey->used.redirect,
                         journey->used.redirect == 1 ? "" : "s");
    case URLP_VERDICT_RETURN:
    case URLP_VERDICT_FAIL:
    default:
        if (err->cause == URLPOOL_OK) {
            err->cause = journey->retried_after;
        }
        return err->code;
    }
}
