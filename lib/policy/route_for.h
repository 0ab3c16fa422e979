#ifndef URLP_POLICY_ROUTE_FOR_H
#define URLP_POLICY_ROUTE_FOR_H

#include "http/route.h"
#include "http/url.h"
#include "policy/proxies.h"

/* struct urlp_route_settings is what a manager says about the way. */
struct urlp_route_settings {
    struct urlpool_tls *tls;
    uint64_t tls_serial;
    const struct urlp_proxies *proxies; /* NULL: there are none */
    bool is_pinned;                     /* the pool is for this origin alone, whatever the way */
};

/* urlp_route_for makes the route of `url`, which urlp_url_require_http has passed. Spans point into
 * `url`; the TLS settings are left out of the way to an http origin, and of one that is
 * forwarded. Hops are those of the proxies. Pure.
 *
 * Spec:    RFC 9112 section 3.2.2, RFC 9110 section 9.3.6. */
void urlp_route_for(const struct urlp_url *url, const struct urlp_route_settings *settings,
                    struct urlp_route *out);

#endif /* URLP_POLICY_ROUTE_FOR_H */
