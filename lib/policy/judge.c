/* What follows a try that brought no response: the stale-connection rule.
 *
 * A server may close an idle connection just as a request goes out on it. Such a failure says
 * nothing about the request, so it is tried once more on a fresh connection, unless that could do
 * twice what was asked once. A failure on a fresh connection is never hidden. */

#include "policy/judge.h"

#include <stddef.h>

/* How a connection ends that the peer had closed before it saw the request. A time-out is no sign
 * of that, nor is anything wrong with the request itself. */
static const enum urlpool_code stale_codes[] = {URLPOOL_E_RESET, URLPOOL_E_REMOTE_DISCONNECTED};

/* RFC 9110 section 9.2.2: a client "SHOULD NOT automatically retry a request with a non-idempotent
 * method unless it has some means to know that the request semantics are actually idempotent".
 * Where nothing was sent nothing can be repeated. */
static const struct {
    bool request_bytes_sent;
    bool repeatable;
    bool body_can_rewind;
    enum urlp_verdict verdict;
} rules[] = {
    {false, false, true,  URLP_VERDICT_RETRY_FRESH},
    {false, true,  true,  URLP_VERDICT_RETRY_FRESH},
    {true,  true,  true,  URLP_VERDICT_RETRY_FRESH},
    {true,  false, true,  URLP_VERDICT_FAIL       },
    {false, false, false, URLP_VERDICT_FAIL       },
    {false, true,  false, URLP_VERDICT_FAIL       },
    {true,  false, false, URLP_VERDICT_FAIL       },
    {true,  true,  false, URLP_VERDICT_FAIL       },
};

static bool looks_stale(const struct urlp_attempt *attempt)
{
    if (!attempt->connection_reused || attempt->response_bytes_seen) {
        return false;
    }
    for (size_t i = 0; i < sizeof(stale_codes) / sizeof(stale_codes[0]); i++) {
        if (attempt->code == stale_codes[i]) {
            return true;
        }
    }
    return false;
}

enum urlp_verdict urlp_judge(const struct urlp_attempt *attempt)
{
    bool repeatable = attempt->method_idempotent || attempt->has_idempotency_key;

    if (attempt->retried_stale || !looks_stale(attempt)) {
        return URLP_VERDICT_FAIL;
    }
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].request_bytes_sent == attempt->request_bytes_sent &&
            rules[i].repeatable == repeatable &&
            rules[i].body_can_rewind == attempt->body_can_rewind) {
            return rules[i].verdict;
        }
    }
    return URLP_VERDICT_FAIL;
}
