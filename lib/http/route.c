/* Origins and routes as values: how they compare, what they look like as bytes and on the wire.
 * Who makes a route is policy's business, what is done with it conn's. */

#include "http/route.h"

#include <string.h>

enum {
    KEY_STRING_BYTES_MAX = 255,
    PORT_TEXT_BYTES = 6 /* ":65535" */
};

static uint8_t *put_number(uint8_t *end, uint64_t number, size_t num_bytes)
{
    for (size_t i = num_bytes; i > 0; i--) {
        *end++ = (uint8_t)(number >> (8 * (i - 1)));
    }
    return end;
}

static uint8_t *put_string(uint8_t *end, struct urlp_span text)
{
    end = put_number(end, text.len, 1);
    if (text.len > 0) {
        memcpy(end, text.data, text.len);
    }
    return end + text.len;
}

/* put_origin puts what a way that leads to the origin has beside its hops. */
static uint8_t *put_origin(uint8_t *end, const struct urlp_route *route)
{
    const struct urlp_origin *origin = &route->origin;

    end = put_number(end, origin->is_https, 1);
    end = put_number(end, origin->port, 2);
    end = put_number(end, route->tls_serial, 8);
    end = put_string(end, origin->host);
    return put_string(end, origin->zone);
}

bool urlp_pool_key_of(const struct urlp_route *route, struct urlp_pool_key *out)
{
    const struct urlp_origin *origin = &route->origin;
    uint8_t *end = out->bytes;

    _Static_assert(sizeof(out->bytes) >=
                       3 + 8 * URLP_ROUTE_HOPS_MAX + 1 + 2 + 8 + 2 * (1 + KEY_STRING_BYTES_MAX),
                   "a key has room for every field at its longest");
    if (origin->host.len > KEY_STRING_BYTES_MAX || origin->zone.len > KEY_STRING_BYTES_MAX) {
        return false;
    }
    end = put_number(end, route->is_forwarded, 1);
    end = put_number(end, route->is_pinned, 1);
    end = put_number(end, route->num_hops, 1);
    for (size_t i = 0; i < route->num_hops; i++) {
        end = put_number(end, route->hops[i]->serial, 8);
    }
    if (!route->is_forwarded || route->is_pinned) {
        end = put_origin(end, route);
    }
    out->len = (size_t)(end - out->bytes);
    return true;
}

bool urlp_route_is_same(const struct urlp_route *a, const struct urlp_route *b)
{
    if (a->is_forwarded != b->is_forwarded || a->is_pinned != b->is_pinned ||
        a->num_hops != b->num_hops) {
        return false;
    }
    for (size_t i = 0; i < a->num_hops; i++) {
        if (a->hops[i]->serial != b->hops[i]->serial) {
            return false;
        }
    }
    if (a->is_forwarded && !a->is_pinned) {
        return true;
    }
    return a->tls_serial == b->tls_serial && urlp_origin_equals(&a->origin, &b->origin);
}

const struct urlp_proxy_hop *urlp_route_forwarder(const struct urlp_route *route)
{
    return route->is_forwarded && route->num_hops > 0 ? route->hops[route->num_hops - 1] : NULL;
}

struct urlp_origin urlp_origin_of(const struct urlp_url *url)
{
    return (struct urlp_origin){
        .host = url->host,
        .zone = url->zone,
        .port = (uint16_t)urlp_url_effective_port(url),
        .is_https = urlp_url_is_https(url),
    };
}

enum urlpool_code urlp_origin_append_authority(const struct urlp_origin *origin, bool always_port,
                                               struct urlp_buf *out)
{
    bool is_v6 = origin->host.len > 0 && memchr(origin->host.data, ':', origin->host.len) != NULL;
    enum urlpool_code code = urlp_buf_reserve(out, origin->host.len + 2 + PORT_TEXT_BYTES);

    if (code == URLPOOL_OK) {
        code = urlp_buf_append_text(out, is_v6 ? "[" : "");
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append_span(out, origin->host);
    }
    if (code == URLPOOL_OK) {
        code = urlp_buf_append_text(out, is_v6 ? "]" : "");
    }
    if (code == URLPOOL_OK &&
        (always_port || origin->port != urlp_url_default_port(origin->is_https))) {
        code = urlp_buf_append_text(out, ":");
        if (code == URLPOOL_OK) {
            code = urlp_buf_append_number(out, origin->port);
        }
    }
    return code;
}

bool urlp_origin_equals(const struct urlp_origin *a, const struct urlp_origin *b)
{
    return a->is_https == b->is_https && a->port == b->port && urlp_span_equals(a->host, b->host) &&
           urlp_span_equals(a->zone, b->zone);
}
