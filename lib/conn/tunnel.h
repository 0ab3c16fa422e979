#ifndef URLP_CONN_TUNNEL_H
#define URLP_CONN_TUNNEL_H

#include "urlpool/headers.h"
#include "urlpool/limits.h"

#include "base/call.h"
#include "base/sync.h"
#include "http/route.h"
#include "net/stream.h"

/* struct urlp_tunnel is where a proxy is to connect us to, and what it wants to know for that. */
struct urlp_tunnel {
    struct urlp_origin target;             /* `is_https` says what is spoken inside */
    const struct urlpool_headers *headers; /* NULL: Host alone */
    struct urlp_span authorization;        /* Proxy-Authorization; empty: none but the headers' */
    struct urlpool_tls *proxy_tls;         /* for urlp_chain_dial: how TLS is spoken with the proxy;
                                              NULL: it is not */
};

/* urlp_tunnel_wrap asks the proxy at the other end of `inner` for a tunnel, and returns the stream
 * that reads and writes inside. `*out_answer` becomes the fields of the proxy's answer, whether it
 * agreed or not; what was there is freed. Without an answer it stays.
 *
 * Owns:    takes `inner` on success only; the caller frees `*out_answer`.
 * Errors:  NULL with URLPOOL_E_PROXY: `http_status` when it refused, else `cause`;
 *          URLPOOL_E_HEADER, CONNECT_TIMEOUT or TOTAL_TIMEOUT, CANCELLED, NOMEM; phase PROXY.
 * Threads: one at a time for `inner`; blocks.
 * Spec:    RFC 9110 section 9.3.6, RFC 9112 section 3.2.3. */
URLPOOL_MUST_USE struct urlp_stream *urlp_tunnel_wrap(struct urlp_stream *inner,
                                                      const struct urlp_tunnel *tunnel,
                                                      const struct urlpool_limits *limits,
                                                      const struct urlp_call *call,
                                                      struct urlpool_headers **out_answer,
                                                      struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_CONN_TUNNEL_H */
