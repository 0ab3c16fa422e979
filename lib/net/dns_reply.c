/* What a question to the DNS comes to: how long its answer is good, or why there is none, in words.
 */

#include "base/error.h"
#include "net/dns_query.h"

#define TTL_MIN_S     1
#define TTL_MAX_S     3600
#define TTL_PARTIAL_S 10 /* one family was not waited for: ask again soon */

int64_t urlp_dns_ttl_s(const struct urlp_dns_reply replies[])
{
    int64_t ttl_s = TTL_MAX_S;
    bool is_partial = false;

    for (int family = 0; family < URLP_NUM_FAMILIES; family++) {
        is_partial |= !replies[family].answer.is_done;
        if (replies[family].answer.num_ips > 0 && replies[family].ttl_s < ttl_s) {
            ttl_s = replies[family].ttl_s;
        }
    }
    if (is_partial && ttl_s > TTL_PARTIAL_S) {
        return TTL_PARTIAL_S;
    }
    return ttl_s > TTL_MIN_S ? ttl_s : TTL_MIN_S;
}

enum urlpool_code urlp_dns_fail(const struct urlp_dns_failure *failure, struct urlp_span host,
                                struct urlpool_error *err)
{
    struct urlp_quoted name = urlp_quote(host.data, host.len);

    if (failure->code == URLPOOL_E_NOMEM) {
        return urlp_fail_nomem(err);
    }
    if (failure->os_errno != 0) {
        return urlp_fail_errno(err, failure->code, URLPOOL_PHASE_RESOLVE, failure->os_errno,
                               "no address for name %s: %s", name.text, failure->reason);
    }
    return urlp_fail(err, failure->code, URLPOOL_PHASE_RESOLVE, "no address for name %s: %s",
                     name.text, failure->reason);
}
