#ifndef URLP_CLIENT_MANAGER_H
#define URLP_CLIENT_MANAGER_H

#include "urlpool/manager.h"

#include "base/counters.h"
#include "base/ref.h"
#include "client/origins.h"
#include "client/tls_slot.h"
#include "conn/opener.h"
#include "http/route.h"
#include "http/url.h"
#include "policy/proxies.h"
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
    struct urlp_counters counters; /* of what got to no pool; the others are the pools' */
    struct urlp_opener *opener;
    struct urlp_pool_set *pools;
    struct urlp_tls_slot tls;
    struct urlp_origins origins; /* budgets and pauses that all threads share */
    struct urlp_proxies proxies; /* hops of https:// hold a reference to their TLS */
};

/* urlp_manager_drop is urlpool_manager_unref, and says whether the manager is gone with it. */
bool urlp_manager_drop(struct urlpool_manager *manager) URLP_MAY_BLOCK;

/* urlp_manager_pool finds or makes the pool for requests to `url`: its origin's, or the one that
 * all origins behind a proxy share.
 *
 * Owns:    the caller gives the reference back with urlp_pool_unref.
 * Errors:  NULL with URLPOOL_E_SCHEME, URLPOOL_E_URL, URLPOOL_E_POOL_CLOSED, NOMEM, TLS_*. */
URLPOOL_MUST_USE struct urlpool_pool *urlp_manager_pool(struct urlpool_manager *manager,
                                                        const struct urlp_url *url,
                                                        struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_manager_pool_of_origin is the same for a pool in a user's hands, which is its origin's alone
 * whatever the way. */
URLPOOL_MUST_USE struct urlpool_pool *urlp_manager_pool_of_origin(
    struct urlpool_manager *manager, const struct urlp_url *url,
    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_manager_read_proxies learns from `options`, and from the environment if they say so, whom
 * requests go through, and builds the TLS of https proxies.
 *
 * Errors:  those of urlp_proxies_make and urlpool_tls_new. */
URLPOOL_MUST_USE enum urlpool_code urlp_manager_read_proxies(
    struct urlpool_manager *manager, const struct urlpool_manager_options *options,
    struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_manager_forget_proxies gives back what they hold. Again is harmless. */
void urlp_manager_forget_proxies(struct urlpool_manager *manager) URLP_MAY_BLOCK;

#endif /* URLP_CLIENT_MANAGER_H */
