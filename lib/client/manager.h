#ifndef URLP_CLIENT_MANAGER_H
#define URLP_CLIENT_MANAGER_H

#include "urlpool/manager.h"

#include "base/counters.h"
#include "base/ref.h"
#include "client/tls_slot.h"
#include "conn/opener.h"
#include "http/route.h"
#include "http/url.h"
#include "policy/retry_rules.h"
#include "pool/pool.h"

/* struct urlpool_manager is what requests share. It has no lock: all but `tls` is written once,
 * before anybody else can see it; counters are atomics, opener and pools look after themselves. */
struct urlpool_manager {
    struct urlp_ref refs;
    struct urlpool_timeout timeout; /* resolved: ms, or -1 */
    struct urlp_retry_rules
        retries; /* its strings are `own_methods`, `own_removed`, or constants */
    char *own_methods, *own_removed;
    int64_t data_bytes_max;          /* -1: none */
    struct urlpool_headers *headers; /* NULL: none */
    char *user_agent;                /* NULL: none is sent */
    struct urlpool_trace trace;
    struct urlp_counters counters;
    struct urlp_opener *opener;
    struct urlp_pool_set *pools;
    struct urlp_tls_slot tls;
};

/* urlp_manager_pool finds or makes the pool for `url`'s origin.
 *
 * Owns:    the caller gives the reference back with urlp_pool_unref.
 * Errors:  NULL with URLPOOL_E_SCHEME, URLPOOL_E_URL, URLPOOL_E_POOL_CLOSED, NOMEM, TLS_*. */
URLPOOL_MUST_USE struct urlpool_pool *urlp_manager_pool(struct urlpool_manager *manager,
                                                        const struct urlp_url *url,
                                                        struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_CLIENT_MANAGER_H */
