#ifndef URLPOOL_PROXY_H
#define URLPOOL_PROXY_H

#include <stdbool.h>

#include "urlpool/export.h"
#include "urlpool/headers.h"

URLPOOL_BEGIN_DECLS

struct urlpool_tls;

/* struct urlpool_proxy says through whom requests go; zero bytes are nobody. Everything is copied,
 * `tls` is referenced.
 *
 * http://    gets http requests in absolute form, and CONNECT for https ones
 * https://   the same, over TLS of its own
 * socks4://  is given an IPv4 address that is looked up here; socks4a:// is given the name
 * socks5://  is given an address that is looked up here; socks5h:// is given the name
 *
 * Spec:    RFC 9112 section 3.2.2, RFC 9110 section 9.3.6, RFC 1928, RFC 1929.
 * Model:   urllib3 ProxyManager, SOCKSProxyManager. */
struct urlpool_proxy {
    const char *url;  /* "http://user:password@proxy.example:3128"; without a port 80, 443, 1080.
                         NULL: no proxy, or the environment's, to which the rest then belongs */
    const char *user; /* wins over the URL's; SOCKS4: the user id */
    const char *password;                  /* wins over the URL's */
    const struct urlpool_headers *headers; /* sent to it: with CONNECT, and with each request in
                                              absolute form, whose own win; to nobody else */
    struct urlpool_tls *tls;               /* of https:// itself; NULL: the default configuration */
    bool forward_https;   /* https requests in absolute form too, not by CONNECT: the proxy sees
                             them, and checks the origin in our stead. With https:// only */
    const char *no_proxy; /* hosts that are gone to without it: "localhost, .example.com,
                             10.0.0.0/8, [::1], shop.example:8443", "*" is all. A name covers what
                             is below it, too; a range only hosts that are written as addresses */
    unsigned char reserved[64];
};

URLPOOL_END_DECLS

#endif /* URLPOOL_PROXY_H */
