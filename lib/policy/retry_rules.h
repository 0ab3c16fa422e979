#ifndef URLP_POLICY_RETRY_RULES_H
#define URLP_POLICY_RETRY_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/error.h"
#include "urlpool/retry.h"

#include "base/span.h"

/* struct urlp_retry_rules is a struct urlpool_retry in which zero means zero and -1 no bound. */
struct urlp_retry_rules {
    int total, connect, read, status, other;
    int redirect;      /* -1: redirects count against redirects_max alone */
    int redirects_max; /* the option of that name, resolved by the caller */
    const char *allowed_methods;
    uint16_t status_forcelist[URLPOOL_RETRY_STATUSES_MAX];
    int64_t backoff_factor_ms, backoff_max_ms, backoff_jitter_ms, retry_after_max_ms;
    bool clamp_retry_after, ignore_retry_after, raise_on_status, return_last_redirect;
    const char *remove_headers_on_redirect;
};

extern const struct urlp_retry_rules urlp_retry_defaults;

/* urlp_retry_resolve resolves every field of `given` against `fallback`; redirects_max is taken
 * from `fallback`. `out` may be `fallback`.
 *
 * Owns:    strings are borrowed.
 * Errors:  URLPOOL_E_INVALID, naming the field: a count or time out of range, a status below 100 or
 *          above 999 (or behind the first 0), a list that is no list of tokens, reserved bytes. */
URLPOOL_MUST_USE enum urlpool_code urlp_retry_resolve(const struct urlpool_retry *given,
                                                      const struct urlp_retry_rules *fallback,
                                                      struct urlp_retry_rules *out,
                                                      struct urlpool_error *err);

/* urlp_retry_after_parse reads a Retry-After field: seconds, or any of the three dates against
 * `now_s` (wall clock). -1 for what is neither; a date in the past is 0.
 *
 * Units:   milliseconds.
 * Spec:    RFC 9110 section 10.2.3. */
int64_t urlp_retry_after_parse(struct urlp_span value, int64_t now_s);

/* urlp_retry_after_bound gives as `out_ms` how long to wait for a server that asks for `asked_ms`
 * (-1 or 0: for nothing). False: it asks for more than the caller waits; `out_ms` is 0 then. */
bool urlp_retry_after_bound(const struct urlp_retry_rules *rules, int64_t asked_ms,
                            int64_t *out_ms);

#endif /* URLP_POLICY_RETRY_RULES_H */
