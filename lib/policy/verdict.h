#ifndef URLP_POLICY_VERDICT_H
#define URLP_POLICY_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/error.h"

#include "base/span.h"
#include "policy/retry_rules.h"

/* What happened on one try. Facts only, from client/journey_judge.c. */
struct urlp_attempt {
    enum urlpool_code code;  /* URLPOOL_OK when there is a response */
    enum urlpool_code cause; /* of URLPOOL_E_PROXY: what went wrong with the proxy, or OK */
    int proxy_status;        /* of URLPOOL_E_PROXY: by which it refused the tunnel, or 0 */
    struct urlp_span method;
    bool connection_reused;
    bool request_bytes_sent;  /* any of them reached the kernel */
    bool response_bytes_seen; /* any at all */
    bool has_idempotency_key;
    bool body_can_rewind;   /* or there is none */
    bool expected_continue; /* the request carried Expect: 100-continue */
    int status;             /* of the response, or 0 */
    bool says_close;        /* the response ends its connection */
    bool is_redirect;       /* policy/redirect has found where it leads */
    int64_t retry_after_ms; /* what the server asks for; -1: nothing that can be read */
    bool is_over_budget;    /* the budget that all threads share allows no retry now */
    uint32_t chance;        /* drawn by the caller, 0..UINT32_MAX: the jitter */
};

/* struct urlp_retry_state is what was used up so far. Zero bytes: nothing. */
struct urlp_retry_state {
    int total, connect, read, redirect, status, other;
    int row; /* retries since the last redirect */
    bool retried_stale;
    bool retried_without_expect;
};

enum urlp_verdict_kind {
    URLP_VERDICT_RETURN,      /* the response is the caller's */
    URLP_VERDICT_FAIL,        /* the failure is the caller's, as it is */
    URLP_VERDICT_MAX_RETRIES, /* the same, after retries: URLPOOL_E_MAX_RETRIES; for a response
                                 too (raise_on_status) */
    URLP_VERDICT_TOO_MANY_REDIRECTS,
    URLP_VERDICT_RETRY_FRESH,   /* once more at once, on a fresh connection, in the place held */
    URLP_VERDICT_RETRY_AT_ONCE, /* once more at once: 417, without Expect; 408 */
    URLP_VERDICT_RETRY,         /* once more after wait_ms */
    URLP_VERDICT_REDIRECT       /* on to the next URL after wait_ms */
};

struct urlp_verdict {
    enum urlp_verdict_kind kind;
    int64_t wait_ms;               /* 0: none */
    struct urlp_retry_state state; /* this try charged */
};

/* urlp_verdict_of decides what follows a try. Pure: no clock, no chance of its own, no allocation;
 * the same facts always give the same verdict.
 *
 * Spec:    RFC 9110 sections 9.2.2, 10.1.1, 10.2.3; RFC 9112 section 9.3.1.
 * Model:   urllib3 Retry.increment, is_retry, get_backoff_time, sleep. */
struct urlp_verdict urlp_verdict_of(const struct urlp_retry_rules *rules,
                                    const struct urlp_retry_state *used,
                                    const struct urlp_attempt *attempt);

#endif /* URLP_POLICY_VERDICT_H */
