#ifndef URLP_HTTP_ROUTE_H
#define URLP_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "http/proxy_hop.h"
#include "http/url.h"

struct urlpool_tls;

enum {
    URLP_ROUTE_HOPS_MAX = 2 /* one to reach the proxy by, and the proxy */
};

/* struct urlp_origin is who a request is for. `host` is canonical: lower case, IPv6 without
 * brackets, at most 255 bytes. */
struct urlp_origin {
    struct urlp_span host;
    struct urlp_span zone; /* of an IPv6 literal; for connecting only, never on the wire */
    uint16_t port;
    bool is_https;
};

/* urlp_origin_of makes the origin of `url`, which urlp_url_require_http has passed. Spans point
 * into `url`.
 *
 * Spec:    RFC 9110 section 4.3.1. */
struct urlp_origin urlp_origin_of(const struct urlp_url *url);

/* struct urlp_route is the way there: every thing that changes bytes below HTTP. Values only; the
 * strings and the TLS settings are borrowed, the pool keeps a copy and a reference of its own. The
 * hops live as long as the manager. */
struct urlp_route {
    struct urlp_origin origin;
    struct urlpool_tls *tls; /* NULL for http, and when forwarded */
    uint64_t tls_serial;     /* of the built settings, 0 for none: stands for them in the key */
    const struct urlp_proxy_hop *hops[URLP_ROUTE_HOPS_MAX]; /* in the order they are met */
    size_t num_hops;
    bool is_forwarded; /* the way ends at the last hop, which is told the origin in the target */
    bool is_pinned;    /* forwarded, but for this origin alone: a pool in a user's hands */
};

/* struct urlp_pool_key is a route as bytes: equal bytes, same pool. */
struct urlp_pool_key {
    size_t len;
    uint8_t bytes[640];
};

/* urlp_pool_key_of writes the key of `route`: every field of it, lengths before strings; TLS
 * settings and proxies by their serial numbers, since a pointer may come back as another object's.
 * A forwarded route that is not pinned has no origin in it: all origins behind one proxy share its
 * connections. False when a string is too long (hosts are checked before, so only a zone can be);
 * `out` is untouched then. */
bool urlp_pool_key_of(const struct urlp_route *route, struct urlp_pool_key *out);

/* urlp_route_is_same says whether both have the same key, without writing it. */
bool urlp_route_is_same(const struct urlp_route *a, const struct urlp_route *b);

/* urlp_origin_append_authority appends what Host and CONNECT say: host in brackets if IPv6, and
 * ":port" unless it is the scheme's default and `always_port` is false. No zone.
 *
 * Errors:  those of urlp_buf_reserve; `out` is unchanged then.
 * Spec:    RFC 9110 section 7.2, RFC 9112 section 3.2, RFC 6874 section 4. */
URLPOOL_MUST_USE enum urlpool_code urlp_origin_append_authority(const struct urlp_origin *origin,
                                                                bool always_port,
                                                                struct urlp_buf *out);
/* urlp_origin_equals says whether credentials for `a` may go to `b`: same scheme, host, zone and
 * port. */
bool urlp_origin_equals(const struct urlp_origin *a, const struct urlp_origin *b);

/* urlp_route_forwarder is the hop that is spoken to in absolute form; NULL: the origin itself is
 * spoken to. */
const struct urlp_proxy_hop *urlp_route_forwarder(const struct urlp_route *route);

#endif /* URLP_HTTP_ROUTE_H */
