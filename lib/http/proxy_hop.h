#ifndef URLP_HTTP_PROXY_HOP_H
#define URLP_HTTP_PROXY_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "urlpool/headers.h"

#include "base/span.h"

struct urlpool_tls;

enum urlp_proxy_kind {
    URLP_PROXY_HTTP,
    URLP_PROXY_HTTPS,
    URLP_PROXY_SOCKS4,
    URLP_PROXY_SOCKS4A,
    URLP_PROXY_SOCKS5,
    URLP_PROXY_SOCKS5H
};

/* struct urlp_proxy_hop is a proxy as a plain value, made by policy/proxies, read by conn. It lives
 * as long as the manager, unchanged. */
struct urlp_proxy_hop {
    enum urlp_proxy_kind kind;
    struct urlp_span host, zone; /* canonical */
    uint16_t port;
    bool has_credentials;
    struct urlp_span user, password;       /* decoded */
    struct urlp_span authorization;        /* HTTP, HTTPS: "Basic ..." of them, unless `headers` has
                                              a Proxy-Authorization; len 0: none */
    const struct urlpool_headers *headers; /* NULL: none */
    struct urlpool_tls *tls;               /* HTTPS: how it is spoken to; NULL else */
    uint64_t tls_serial;
    bool forwards_https;
    uint64_t serial; /* of this proxy's settings: what stands for them all in a pool key */
};

#endif /* URLP_HTTP_PROXY_HOP_H */
