/* What the numbers in a struct urlpool_retry mean, and what Retry-After says.
 *
 * Pure. The one place that knows the defaults of retrying; behind it zero is zero and -1 is no
 * bound. Strings are checked here and borrowed, so that policy/verdict need not doubt them. */

#include "policy/retry_rules.h"

#include "base/count.h"
#include "base/error.h"
#include "base/option.h"
#include "http/date.h"

enum {
    STATUS_MIN = 100,
    STATUS_MAX = 999,
    MS_PER_S = 1000
};

/* RFC 9110 section 9.2.2 names the idempotent methods. TRACE is among them; urllib3's list. */
const struct urlp_retry_rules urlp_retry_defaults = {
    .total = 3,
    .connect = -1,
    .read = -1,
    .status = -1,
    .other = -1,
    .redirect = -1,
    .redirects_max = 20,
    .allowed_methods = "HEAD, GET, PUT, DELETE, OPTIONS, TRACE",
    .backoff_factor_ms = 0,
    .backoff_max_ms = 120000,
    .backoff_jitter_ms = 0,
    .retry_after_max_ms = 120000,
    .remove_headers_on_redirect = "Authorization, Cookie, Cookie2, Proxy-Authorization",
};

static enum urlpool_code resolve_counts(const struct urlpool_retry *given,
                                        const struct urlp_retry_rules *fallback,
                                        struct urlp_retry_rules *out, struct urlpool_error *err)
{
    const struct {
        const char *name;
        int32_t given;
        int fallback;
        int *out;
    } counts[] = {
        {"retries.total",    given->total,    fallback->total,    &out->total   },
        {"retries.connect",  given->connect,  fallback->connect,  &out->connect },
        {"retries.read",     given->read,     fallback->read,     &out->read    },
        {"retries.redirect", given->redirect, fallback->redirect, &out->redirect},
        {"retries.status",   given->status,   fallback->status,   &out->status  },
        {"retries.other",    given->other,    fallback->other,    &out->other   },
    };

    for (size_t i = 0; i < URLP_COUNT_OF(counts); i++) {
        int64_t value = 0;
        enum urlpool_code code =
            urlp_option_resolve(counts[i].name, counts[i].given, counts[i].fallback, &value, err);

        if (code != URLPOOL_OK) {
            return code;
        }
        *counts[i].out = (int)value;
    }
    return URLPOOL_OK;
}

static enum urlpool_code resolve_times(const struct urlpool_retry *given,
                                       const struct urlp_retry_rules *fallback,
                                       struct urlp_retry_rules *out, struct urlpool_error *err)
{
    const struct {
        const char *name;
        int64_t given, fallback, *out;
        bool is_bound; /* URLPOOL_NO_TIMEOUT says something */
    } times[] = {
        {"retries.backoff_factor_ms",  given->backoff_factor_ms,  fallback->backoff_factor_ms,
         &out->backoff_factor_ms,  false},
        {"retries.backoff_jitter_ms",  given->backoff_jitter_ms,  fallback->backoff_jitter_ms,
         &out->backoff_jitter_ms,  false},
        {"retries.backoff_max_ms",     given->backoff_max_ms,     fallback->backoff_max_ms,
         &out->backoff_max_ms,     true },
        {"retries.retry_after_max_ms", given->retry_after_max_ms, fallback->retry_after_max_ms,
         &out->retry_after_max_ms, true },
    };

    for (size_t i = 0; i < URLP_COUNT_OF(times); i++) {
        enum urlpool_code code = urlp_option_resolve(times[i].name, times[i].given,
                                                     times[i].fallback, times[i].out, err);

        if (code != URLPOOL_OK) {
            return code;
        }
        if (!times[i].is_bound && *times[i].out < 0) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s needs a bound",
                             times[i].name);
        }
    }
    return URLPOOL_OK;
}

/* A list that begins with 0 says nothing: the fallback's stays. */
static enum urlpool_code resolve_statuses(const struct urlpool_retry *given,
                                          struct urlp_retry_rules *out, struct urlpool_error *err)
{
    bool ended = false;

    for (size_t i = 0; i < URLPOOL_RETRY_STATUSES_MAX; i++) {
        unsigned status = given->status_forcelist[i];

        if (status == 0) {
            ended = true;
        } else if (ended) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                             "retries.status_forcelist has %u behind its end", status);
        } else if (status < STATUS_MIN || status > STATUS_MAX) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE,
                             "retries.status_forcelist may not have %u", status);
        }
    }
    for (size_t i = 0; given->status_forcelist[0] != 0 && i < URLPOOL_RETRY_STATUSES_MAX; i++) {
        out->status_forcelist[i] = given->status_forcelist[i];
    }
    return URLPOOL_OK;
}

/* NULL says nothing, "" is the empty list. */
static enum urlpool_code resolve_list(const char *name, const char *given, const char **out,
                                      struct urlpool_error *err)
{
    struct urlp_span rest = urlp_span_of(given);
    struct urlp_span element;

    if (given == NULL) {
        return URLPOOL_OK;
    }
    while (urlp_span_split_list(&rest, &element)) {
        if (!urlp_span_is_token(element)) {
            return urlp_fail(err, URLPOOL_E_INVALID, URLPOOL_PHASE_NONE, "%s has \"%s\" in it",
                             name, urlp_quote(element.data, element.len).text);
        }
    }
    *out = given;
    return URLPOOL_OK;
}

enum urlpool_code urlp_retry_resolve(const struct urlpool_retry *given,
                                     const struct urlp_retry_rules *fallback,
                                     struct urlp_retry_rules *out, struct urlpool_error *err)
{
    struct urlp_retry_rules result;
    enum urlpool_code code;

    if (urlp_option_is_unset(given, sizeof(*given))) {
        *out = *fallback;
        return URLPOOL_OK;
    }
    result = *fallback;
    code = urlp_option_check_reserved("retries", given->reserved, sizeof(given->reserved), err);
    if (code == URLPOOL_OK) {
        code = resolve_counts(given, fallback, &result, err);
    }
    if (code == URLPOOL_OK) {
        code = resolve_times(given, fallback, &result, err);
    }
    if (code == URLPOOL_OK) {
        code = resolve_statuses(given, &result, err);
    }
    if (code == URLPOOL_OK) {
        code = resolve_list("retries.allowed_methods", given->allowed_methods,
                            &result.allowed_methods, err);
    }
    if (code == URLPOOL_OK) {
        code = resolve_list("retries.remove_headers_on_redirect", given->remove_headers_on_redirect,
                            &result.remove_headers_on_redirect, err);
    }
    if (code != URLPOOL_OK) {
        return code;
    }
    result.clamp_retry_after |= given->clamp_retry_after;
    result.ignore_retry_after |= given->ignore_retry_after;
    result.raise_on_status |= given->raise_on_status;
    result.return_last_redirect |= given->return_last_redirect;
    *out = result;
    return URLPOOL_OK;
}

/* Whole seconds as milliseconds; what is beyond all clocks is as long as can be said. */
static int64_t to_ms(uint64_t seconds)
{
    return seconds > (uint64_t)INT64_MAX / MS_PER_S ? INT64_MAX : (int64_t)seconds * MS_PER_S;
}

static bool is_digits(struct urlp_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!urlp_is_digit((unsigned char)text.data[i])) {
            return false;
        }
    }
    return text.len > 0;
}

int64_t urlp_retry_after_parse(struct urlp_span value, int64_t now_s)
{
    struct urlp_span text = urlp_span_trim(value);
    uint64_t seconds = 0;
    int64_t at_s = 0;

    /* RFC 9110 section 10.2.3: Retry-After = HTTP-date / delay-seconds; delay-seconds = 1*DIGIT. */
    if (is_digits(text)) {
        return urlp_span_to_u64(text, &seconds) ? to_ms(seconds) : INT64_MAX;
    }
    if (!urlp_date_parse(text, now_s, &at_s)) {
        return -1;
    }
    return at_s <= now_s ? 0 : to_ms((uint64_t)at_s - (uint64_t)now_s);
}

bool urlp_retry_after_bound(const struct urlp_retry_rules *rules, int64_t asked_ms, int64_t *out_ms)
{
    int64_t max_ms = rules->retry_after_max_ms;

    *out_ms = 0;
    if (rules->ignore_retry_after || asked_ms <= 0) {
        return true;
    }
    if (max_ms < 0 || asked_ms <= max_ms) {
        *out_ms = asked_ms;
        return true;
    }
    *out_ms = rules->clamp_retry_after ? max_ms : 0;
    return rules->clamp_retry_after;
}
