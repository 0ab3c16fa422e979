/* The way to an origin. Pure: the URL and the settings are all there is to know. */

#include "policy/route_for.h"

void urlp_route_for(const struct urlp_url *url, const struct urlp_route_settings *settings,
                    struct urlp_route *out)
{
    *out = (struct urlp_route){.origin = urlp_origin_of(url)};
    if (out->origin.is_https) {
        out->tls = settings->tls;
        out->tls_serial = settings->tls_serial;
    }
}
