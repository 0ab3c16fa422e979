#ifndef URLP_NET_DIAL_H
#define URLP_NET_DIAL_H

#include <stdint.h>

#include "base/ip.h"
#include "base/span.h"
#include "net/stream.h"
#include "net/tcp.h"

/* A resolver: names to addresses by c-ares in the calling thread, with a cache; one per manager, any
 * number of threads at once. `cache_ms` caps how long an answer is kept (0: 1 h); a lookup in
 * progress is shared by all who ask for the same name. */
struct urlp_resolver;

struct urlp_resolver_options {
    const char *servers;   /* "127.0.0.1:5353,…" instead of /etc/resolv.conf; NULL: the system's */
    const char *hosts_file; /* instead of /etc/hosts; NULL: the system's */
};
URLPOOL_MUST_USE struct urlp_resolver *
urlp_resolver_new(const struct urlp_resolver_options *options, struct urlpool_error *err);
void urlp_resolver_free(struct urlp_resolver *resolver);

/* struct urlp_dial_target is what to connect to. */
struct urlp_dial_target {
    struct urlp_span host; /* a name, or an address literal without brackets */
    struct urlp_span zone; /* of a link-local IPv6 literal: an interface name or number */
    uint16_t port;
    struct urlp_tcp_options tcp;
};

/* urlp_dial resolves and connects, racing addresses as RFC 8305 says, names and sockets in one poll
 * loop. Address literals and localhost never go to DNS.
 *
 * Owns:    the stream is the caller's.
 * Errors:  NULL with URLPOOL_E_RESOLVE (phase RESOLVE), URLPOOL_E_CONNECT (the last address's errno),
 *          URLPOOL_E_CONNECT_TIMEOUT or TOTAL_TIMEOUT, CANCELLED, SYSTEM (EMFILE …), NOMEM.
 * Threads: any number at once; blocks.
 * Spec:    RFC 8305. */
URLPOOL_MUST_USE struct urlp_stream *urlp_dial(struct urlp_resolver *resolver,
                                               const struct urlp_dial_target *target,
                                               const struct urlp_call *call,
                                               struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_NET_DIAL_H */
