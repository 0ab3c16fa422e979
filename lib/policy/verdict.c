/* What follows a try: the response or the failure is the caller's, or once more, or on to where a
 * redirect leads. The one place where tries are counted.
 *
 * Two questions are kept apart. Whether a try may be made again at all depends on what went wrong,
 * on the method, and on whether the body can be sent again: if not, the caller gets what there is,
 * as it is. Only then do the counts matter: when they are used up after at least one retry, the
 * caller is told so (MAX_RETRIES); where they never allowed one, he gets what there is.
 *
 * docs/decisions/0020 says what is not retried and why. It knows neither clock nor chance, and not
 * where a redirect leads: that is policy/redirect's. */

#include "policy/verdict.h"

#include <limits.h>

#include "urlpool/status.h"

#include "base/count.h"
#include "http/method.h"

/* Which count a failure is charged to. */
enum kind {
    KIND_NONE, /* never made good */
    KIND_CONNECT,
    KIND_READ,
    KIND_OTHER
};

/* Codes with a kind of their own; every other code of class PROTOCOL is KIND_READ, and what is left
 * is never retried: a second try would end the same way (certificates, sizes, usage), or the caller
 * has said that it is over (total time, cancel), or the fault is on this side (memory, system). */
static const struct {
    enum urlpool_code code;
    enum kind kind;
} kinds[] = {
    {URLPOOL_E_RESOLVE,         KIND_CONNECT},
    {URLPOOL_E_CONNECT,         KIND_CONNECT},
    {URLPOOL_E_CONNECT_TIMEOUT, KIND_CONNECT},
    {URLPOOL_E_READ_TIMEOUT,    KIND_READ   },
    {URLPOOL_E_WRITE_TIMEOUT,   KIND_READ   },
    {URLPOOL_E_TLS,             KIND_OTHER  },
};

/* How a connection ends that the peer had closed before it saw the request. A time-out is no sign
 * of that, nor is anything wrong with the request itself. */
static const enum urlpool_code stale_codes[] = {URLPOOL_E_RESET, URLPOOL_E_REMOTE_DISCONNECTED};

/* Answers to CONNECT that tell of a trouble which may pass; all others are the proxy's last word:
 * credentials that are wrong stay wrong, and asking again may lock them out. */
static const int passing_statuses[] = {
    URLPOOL_HTTP_REQUEST_TIMEOUT,       URLPOOL_HTTP_TOO_MANY_REQUESTS,
    URLPOOL_HTTP_INTERNAL_SERVER_ERROR, URLPOOL_HTTP_BAD_GATEWAY,
    URLPOOL_HTTP_SERVICE_UNAVAILABLE,   URLPOOL_HTTP_GATEWAY_TIMEOUT};

/* RFC 9110 section 10.2.3 names 503; 413 and 429 say in their own sections that they may have
 * Retry-After. */
static const int retry_after_statuses[] = {URLPOOL_HTTP_CONTENT_TOO_LARGE,
                                           URLPOOL_HTTP_TOO_MANY_REQUESTS,
                                           URLPOOL_HTTP_SERVICE_UNAVAILABLE};

static struct urlp_verdict verdict(enum urlp_verdict_kind kind, const struct urlp_retry_state *used)
{
    return (struct urlp_verdict){.kind = kind, .state = *used};
}

static bool looks_stale(const struct urlp_attempt *attempt)
{
    if (!attempt->connection_reused || attempt->response_bytes_seen) {
        return false;
    }
    for (size_t i = 0; i < URLP_COUNT_OF(stale_codes); i++) {
        if (attempt->code == stale_codes[i]) {
            return true;
        }
    }
    return false;
}

/* is_repeatable says whether the request may be sent twice, whatever became of it. */
static bool is_repeatable(const struct urlp_attempt *attempt)
{
    return attempt->body_can_rewind &&
           (!attempt->request_bytes_sent || attempt->has_idempotency_key ||
            urlp_method_is_idempotent(attempt->method));
}

/* A server may close an idle connection just as a request goes out on it. Such a failure says
 * nothing about the request, so it is tried once more on a fresh connection, unless that could do
 * twice what was asked once.
 *
 * RFC 9110 section 9.2.2: a client "SHOULD NOT automatically retry a request with a non-idempotent
 * method unless it has some means to know that the request semantics are actually idempotent".
 * Where nothing was sent nothing can be repeated. What the caller allows to be retried has no part
 * in this: it is as if the connection had been found closed before it was taken. */
static bool is_free_try(const struct urlp_retry_state *used, const struct urlp_attempt *attempt)
{
    return !used->retried_stale && looks_stale(attempt) && is_repeatable(attempt);
}

/* is_late_farewell says whether a 408 was meant for the connection, which stood idle too long for
 * its server, and has crossed the request: the request was not answered.
 *
 * RFC 9110 section 15.5.9: "If the client has an outstanding request in transit, it MAY repeat that
 * request on a new connection." There none can come again; a counted try behind it, over a
 * connection that stood idle too, may be told the same. */
static bool is_late_farewell(const struct urlp_attempt *attempt)
{
    return attempt->connection_reused && attempt->says_close && is_repeatable(attempt);
}

static bool is_allowed(const struct urlp_retry_rules *rules, const struct urlp_attempt *attempt)
{
    struct urlp_span rest = urlp_span_of(rules->allowed_methods);
    struct urlp_span element;

    if (attempt->has_idempotency_key) {
        return true;
    }
    while (urlp_span_split_list(&rest, &element)) {
        if (urlp_span_is(element, "*") || urlp_span_equals(element, attempt->method)) {
            return true;
        }
    }
    return false;
}

static enum kind kind_of(enum urlpool_code code)
{
    for (size_t i = 0; i < URLP_COUNT_OF(kinds); i++) {
        if (kinds[i].code == code) {
            return kinds[i].kind;
        }
    }
    return urlpool_code_is(code, URLPOOL_CLASS_PROTOCOL) ? KIND_READ : KIND_NONE;
}

/* kind_of_proxy is the kind of a failure at a proxy. By then nothing of the request was sent, so
 * what may be made good is a connect, whatever broke. Without a cause the proxy has refused. */
static enum kind kind_of_proxy(const struct urlp_attempt *attempt)
{
    enum kind kind = kind_of(attempt->cause);

    for (size_t i = 0; i < URLP_COUNT_OF(passing_statuses); i++) {
        if (attempt->proxy_status == passing_statuses[i]) {
            return KIND_CONNECT;
        }
    }
    return kind == KIND_READ ? KIND_CONNECT : kind;
}

static bool is_used_up(int bound, int used)
{
    return bound >= 0 && used >= bound;
}

static void charge(int *count)
{
    if (*count < INT_MAX) {
        (*count)++;
    }
}

static bool has_retried(const struct urlp_retry_state *used)
{
    return used->connect > 0 || used->read > 0 || used->status > 0 || used->other > 0;
}

/* `jitter_ms` times chance / 2^32, in halves so that nothing overflows. */
static int64_t share_of(int64_t jitter_ms, uint32_t chance)
{
    uint64_t jitter = (uint64_t)jitter_ms;

    return (int64_t)((jitter >> 32) * chance + (((jitter & UINT32_MAX) * chance) >> 32));
}

/* The pause before retry `row` of a row; none before the first: most failures are over at once. */
static int64_t backoff_ms(const struct urlp_retry_rules *rules, int row, uint32_t chance)
{
    int64_t max_ms = rules->backoff_max_ms < 0 ? INT64_MAX : rules->backoff_max_ms;
    int64_t wait_ms = rules->backoff_factor_ms;
    int64_t jitter_ms = share_of(rules->backoff_jitter_ms, chance);

    if (row <= 1) {
        return 0;
    }
    for (int i = 1; i < row && wait_ms > 0 && wait_ms < max_ms; i++) {
        wait_ms = wait_ms > max_ms / 2 ? max_ms : wait_ms * 2;
    }
    return jitter_ms < max_ms - wait_ms ? wait_ms + jitter_ms : max_ms;
}

/* Once more, charged to total and to the `count` of its kind, which is within `state`. */
static void charge_retry(struct urlp_verdict *out, int *count)
{
    charge(&out->state.total);
    charge(&out->state.row);
    charge(count);
    out->kind = URLP_VERDICT_RETRY;
}

static struct urlp_verdict judge_failure(const struct urlp_retry_rules *rules,
                                         const struct urlp_retry_state *used,
                                         const struct urlp_attempt *attempt)
{
    struct urlp_verdict out = verdict(URLP_VERDICT_FAIL, used);
    const struct {
        int bound;
        int *count;
        bool any_method;
    } counts[] = {
        [KIND_NONE] = {0,              NULL,               false},
        [KIND_CONNECT] = {rules->connect, &out.state.connect, true },
        [KIND_READ] = {rules->read,    &out.state.read,    false},
        [KIND_OTHER] = {rules->other,   &out.state.other,   false},
    };
    enum kind kind =
        attempt->code == URLPOOL_E_PROXY ? kind_of_proxy(attempt) : kind_of(attempt->code);
    int bound = counts[kind].bound;
    /* What was not sent cannot be done twice. */
    bool any_method = counts[kind].any_method || !attempt->request_bytes_sent;

    if (is_free_try(used, attempt)) {
        out.kind = URLP_VERDICT_RETRY_FRESH;
        out.state.retried_stale = true;
        return out;
    }
    if (rules->total == 0 || bound == 0 || !attempt->body_can_rewind ||
        !(any_method || is_allowed(rules, attempt))) {
        return out;
    }
    if (attempt->is_over_budget) {
        out.kind = URLP_VERDICT_MAX_RETRIES;
        return out;
    }
    if (is_used_up(rules->total, used->total) || is_used_up(bound, *counts[kind].count)) {
        out.kind = has_retried(used) ? URLP_VERDICT_MAX_RETRIES : URLP_VERDICT_FAIL;
        return out;
    }
    charge_retry(&out, counts[kind].count);
    out.wait_ms = backoff_ms(rules, out.state.row, attempt->chance);
    return out;
}

static struct urlp_verdict judge_redirect(const struct urlp_retry_rules *rules,
                                          const struct urlp_retry_state *used,
                                          const struct urlp_attempt *attempt)
{
    struct urlp_verdict out = verdict(URLP_VERDICT_RETURN, used);
    bool is_set = rules->redirect >= 0;

    /* A total of zero forbids redirects too, whatever else is set: that it did not was urllib3's
     * CVE-2025-50181. */
    if (rules->total == 0 || used->redirect >= rules->redirects_max ||
        (is_set &&
         (is_used_up(rules->redirect, used->redirect) || is_used_up(rules->total, used->total)))) {
        out.kind =
            rules->return_last_redirect ? URLP_VERDICT_RETURN : URLP_VERDICT_TOO_MANY_REDIRECTS;
        return out;
    }
    /* RFC 9110 section 10.2.3: with a 3xx, Retry-After is "the minimum time that the user agent is
     * asked to wait before issuing the redirected request". */
    if (!urlp_retry_after_bound(rules, attempt->retry_after_ms, &out.wait_ms)) {
        return out;
    }
    out.kind = URLP_VERDICT_REDIRECT;
    charge(&out.state.redirect);
    if (is_set) {
        charge(&out.state.total);
    }
    out.state.row = 0;
    out.state.retried_stale = false; /* another request, over another connection */
    return out;
}

/* Whether the status asks for another try. As in urllib3, a total of zero does not hear
 * Retry-After: such a response is never an error. */
static bool asks_for_retry(const struct urlp_retry_rules *rules, const struct urlp_attempt *attempt)
{
    for (size_t i = 0; i < URLPOOL_RETRY_STATUSES_MAX && rules->status_forcelist[i] != 0; i++) {
        if (rules->status_forcelist[i] == attempt->status) {
            return true;
        }
    }
    if (rules->total == 0 || rules->ignore_retry_after || attempt->retry_after_ms < 0) {
        return false;
    }
    for (size_t i = 0; i < URLP_COUNT_OF(retry_after_statuses); i++) {
        if (retry_after_statuses[i] == attempt->status) {
            return true;
        }
    }
    return false;
}

static struct urlp_verdict judge_status(const struct urlp_retry_rules *rules,
                                        const struct urlp_retry_state *used,
                                        const struct urlp_attempt *attempt)
{
    struct urlp_verdict out = verdict(URLP_VERDICT_RETURN, used);

    if (!asks_for_retry(rules, attempt) || !is_allowed(rules, attempt) ||
        !attempt->body_can_rewind) {
        return out;
    }
    if (attempt->is_over_budget || is_used_up(rules->total, used->total) ||
        is_used_up(rules->status, used->status)) {
        out.kind = rules->raise_on_status ? URLP_VERDICT_MAX_RETRIES : URLP_VERDICT_RETURN;
        return out;
    }
    if (!urlp_retry_after_bound(rules, attempt->retry_after_ms, &out.wait_ms)) {
        return out;
    }
    charge_retry(&out, &out.state.status);
    if (out.wait_ms == 0) {
        out.wait_ms = backoff_ms(rules, out.state.row, attempt->chance);
    }
    return out;
}

struct urlp_verdict urlp_verdict_of(const struct urlp_retry_rules *rules,
                                    const struct urlp_retry_state *used,
                                    const struct urlp_attempt *attempt)
{
    if (attempt->code != URLPOOL_OK) {
        return judge_failure(rules, used, attempt);
    }
    if (attempt->status == URLPOOL_HTTP_REQUEST_TIMEOUT && is_late_farewell(attempt)) {
        struct urlp_verdict out = verdict(URLP_VERDICT_RETRY_AT_ONCE, used);

        out.state.retried_stale = true;
        return out;
    }
    /* RFC 9110 section 10.1.1: a client that gets 417 to an expectation of 100-continue "SHOULD
     * repeat that request without a 100-continue expectation". Nothing was done, so any method. */
    if (attempt->status == URLPOOL_HTTP_EXPECTATION_FAILED && attempt->expected_continue &&
        attempt->body_can_rewind && !used->retried_without_expect) {
        struct urlp_verdict out = verdict(URLP_VERDICT_RETRY_AT_ONCE, used);

        out.state.retried_without_expect = true;
        return out;
    }
    return attempt->is_redirect ? judge_redirect(rules, used, attempt)
                                : judge_status(rules, used, attempt);
}
