#ifndef URLP_HTTP_ROUTE_H
#define URLP_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "http/url.h"

struct urlpool_tls;

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
 * strings and the TLS settings are borrowed, the pool keeps a copy and a reference of its own. */
struct urlp_route {
    struct urlp_origin origin;
    struct urlpool_tls *tls; /* NULL for http */
    uint64_t tls_serial;     /* of the built settings, 0 for http: stands for them in the key */
};

/* struct urlp_pool_key is a route as bytes: equal bytes, same pool. */
struct urlp_pool_key {
    size_t len;
    uint8_t bytes[640];
};

/* urlp_pool_key_of writes the key of `route`: every field of it, lengths before strings; the TLS
 * settings by their serial number, since a pointer may come back as another object's. False when a
 * string is too long (hosts are checked before, so only a zone can be); `out` is untouched then. */
bool urlp_pool_key_of(const struct urlp_route *route, struct urlp_pool_key *out);

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

#endif /* URLP_HTTP_ROUTE_H */
