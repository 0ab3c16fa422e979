/* The way to an origin. Pure: the URL and the settings are all there is to know. */

#include "policy/route_for.h"

/* is_forwarded says whether the last hop is given the request itself. Else it is asked for a way
 * through: always by SOCKS, and for https unless the caller trusts the proxy in the origin's stead.
 */
static bool is_forwarded(const struct urlp_route *route)
{
    const struct urlp_proxy_hop *last =
        route->num_hops > 0 ? route->hops[route->num_hops - 1] : NULL;

    if (last == NULL || (last->kind != URLP_PROXY_HTTP && last->kind != URLP_PROXY_HTTPS)) {
        return false;
    }
    return !route->origin.is_https || last->forwards_https;
}

void urlp_route_for(const struct urlp_url *url, const struct urlp_route_settings *settings,
                    struct urlp_route *out)
{
    *out = (struct urlp_route){.origin = urlp_origin_of(url)};
    if (settings->proxies != NULL) {
        out->num_hops = urlp_proxies_way(settings->proxies, &out->origin, out->hops);
    }
    out->is_forwarded = is_forwarded(out);
    out->is_pinned = out->is_forwarded && settings->is_pinned;
    if (out->origin.is_https && !out->is_forwarded) {
        out->tls = settings->tls;
        out->tls_serial = settings->tls_serial;
    }
}
