#ifndef URLP_POLICY_JUDGE_H
#define URLP_POLICY_JUDGE_H

#include <stdbool.h>

#include "urlpool/error.h"

/* What happened on one try that brought no response head. Facts only, from client/request_loop.c.
 */
struct urlp_attempt {
    enum urlpool_code code;
    bool connection_reused;
    bool request_bytes_sent;  /* any of them reached the kernel */
    bool response_bytes_seen; /* any at all */
    bool method_idempotent;   /* RFC 9110 section 9.2.2 */
    bool has_idempotency_key;
    bool body_can_rewind; /* or there is none */
    bool retried_stale;   /* the one free try is used up */
};

enum urlp_verdict {
    URLP_VERDICT_FAIL,
    URLP_VERDICT_RETRY_FRESH /* once more, on a fresh connection, in the place already held */
};

/* urlp_judge decides what follows a try that failed: the stale-connection rule. Pure: the same
 * facts always give the same verdict.
 *
 * Spec:    RFC 9110 section 9.2.2, RFC 9112 section 9.3.1. */
enum urlp_verdict urlp_judge(const struct urlp_attempt *attempt);

#endif /* URLP_POLICY_JUDGE_H */
