#ifndef URLP_CONN_CHAIN_H
#define URLP_CONN_CHAIN_H

#include "urlpool/limits.h"

#include "base/call.h"
#include "base/sync.h"
#include "conn/tunnel.h"
#include "http/route.h"
#include "net/network.h"
#include "net/stream.h"
#include "net/tls.h"

/* struct urlp_chain_means is what dialling takes; all borrowed. */
struct urlp_chain_means {
    struct urlp_resolver *resolver;
    struct urlp_tls_sessions *sessions;
    const struct urlp_network *network;
    const struct urlpool_limits *limits;
    struct urlpool_headers **proxy_headers; /* what the last answer to CONNECT becomes, freeing what
                                               is there; the caller frees it */
};

/* urlp_chain_dial opens a stream along `route`: TCP to the first hop, each hop asked for the next
 * one or for the origin, TLS to https proxies and, unless the last hop forwards, to an https
 * origin. With a `tunnel` the route has no hops; its origin is a proxy that is asked for that.
 *
 * Units:   `call->by` bounds all of it.
 * Owns:    the stream is the caller's.
 * Errors:  NULL. On the way to a proxy: URLPOOL_E_PROXY with the `cause` beneath, phase PROXY; but
 *          ADDRESS_REFUSED, SYSTEM, NOMEM, INVALID, CANCELLED and TOTAL_TIMEOUT stay what they are.
 *          From a proxy: those of urlp_tunnel_wrap and urlp_socks_connect. Else those of urlp_dial,
 *          urlp_resolve and urlp_tls_wrap.
 * Threads: any number at once; blocks.
 * Spec:    RFC 9110 section 9.3.6, RFC 1928. */
URLPOOL_MUST_USE struct urlp_stream *urlp_chain_dial(const struct urlp_chain_means *means,
                                                     const struct urlp_route *route,
                                                     const struct urlp_tunnel *tunnel,
                                                     const struct urlp_call *call,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_CONN_CHAIN_H */
