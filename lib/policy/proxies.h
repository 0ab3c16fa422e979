#ifndef URLP_POLICY_PROXIES_H
#define URLP_POLICY_PROXIES_H

#include <stdbool.h>
#include <stddef.h>

#include "urlpool/proxy.h"

#include "base/buf.h"
#include "base/environment.h"
#include "http/proxy_hop.h"
#include "http/route.h"
#include "http/url.h"

/* struct urlp_proxy_setting is one proxy with all that its hop points to. */
struct urlp_proxy_setting {
    bool is_set;
    struct urlp_proxy_hop hop;
    char *no_proxy; /* NULL: no host is gone to without it */
    struct urlp_url url;
    struct urlp_buf user, password, authorization;
    struct urlpool_headers *headers;
};

/* struct urlp_proxies is whom a manager's requests go through. Zero bytes: nobody. Never changed
 * once made, but for the TLS of hops, and not to be moved. */
struct urlp_proxies {
    struct urlp_proxy_setting before; /* on the way to the others; alone: the proxy */
    struct urlp_proxy_setting http;   /* for http origins */
    struct urlp_proxy_setting https;  /* for https origins, unless `http` is for all */
    bool is_one;                      /* it is */
};

/* struct urlp_proxies_given is what the caller said. */
struct urlp_proxies_given {
    const struct urlpool_proxy *proxy;
    const struct urlpool_proxy *preproxy;
    const struct urlp_proxy_environment *environment; /* NULL: not to be heard */
};

/* urlp_proxies_make reads and copies `given`. A proxy with a URL wins over the environment's; one
 * without says what the environment's have beside theirs. The environment's list of hosts is for
 * all that bring none. Hops get the `tls` they were given, without a reference and a serial number.
 *
 * Owns:    the caller ends `out` with urlp_proxies_deinit.
 * Errors:  URLPOOL_E_SCHEME, E_URL for a proxy's URL; URLPOOL_E_INVALID, E_HEADER for what goes
 *          with it; URLPOOL_E_NOMEM. `out` is zero bytes then. No message holds a credential. */
URLPOOL_MUST_USE enum urlpool_code urlp_proxies_make(struct urlp_proxies *out,
                                                     const struct urlp_proxies_given *given,
                                                     struct urlpool_error *err);
/* urlp_proxies_deinit gives the memory back and leaves zero bytes. */
void urlp_proxies_deinit(struct urlp_proxies *proxies);

/* urlp_proxies_hop shows hop `index`, for who gives it its TLS; NULL past the last. */
struct urlp_proxy_hop *urlp_proxies_hop(struct urlp_proxies *proxies, size_t index);

/* urlp_proxies_way writes the hops on the way to `origin`, and returns how many. Pure. */
size_t urlp_proxies_way(const struct urlp_proxies *proxies, const struct urlp_origin *origin,
                        const struct urlp_proxy_hop *out_hops[URLP_ROUTE_HOPS_MAX]);

#endif /* URLP_POLICY_PROXIES_H */
