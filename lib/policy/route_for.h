#ifndef URLP_POLICY_ROUTE_FOR_H
#define URLP_POLICY_ROUTE_FOR_H

#include "http/route.h"
#include "http/url.h"

/* struct urlp_route_settings is what a manager says about the way: proxies join here. */
struct urlp_route_settings {
    struct urlpool_tls *tls;
    uint64_t tls_serial;
};

/* urlp_route_for makes the route of `url`, which urlp_url_require_http has passed. Spans point into
 * `url`; the TLS settings are left out of the way to an http origin. Pure. */
void urlp_route_for(const struct urlp_url *url, const struct urlp_route_settings *settings,
                    struct urlp_route *out);

#endif /* URLP_POLICY_ROUTE_FOR_H */
