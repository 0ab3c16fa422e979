#ifndef URLP_NET_DIAL_H
#define URLP_NET_DIAL_H

#include <stdint.h>

#include "urlpool/network.h"

#include "base/ip.h"
#include "base/span.h"
#include "net/stream.h"
#include "net/tcp.h"

/* struct urlp_resolver turns names into addresses, by c-ares in the calling thread, and remembers:
 * an answer for the least TTL of its chain, kept between a second and an hour, a failure for a
 * second. Who asks for a name that another thread is asking for shares its lookup. */
struct urlp_resolver;

/* All borrowed for the call; zero means the system's. */
struct urlp_resolver_options {
    const char *servers;     /* "127.0.0.1:5353,[::1]:53" and no search list, for resolv.conf's */
    const char *hosts_file;  /* for /etc/hosts */
    const char *resolv_conf; /* for /etc/resolv.conf */
    enum urlpool_family family; /* the only one asked for */
};

/* urlp_resolver_new makes a resolver; `options` may be NULL. No file is read before a name is.
 *
 * Owns:    the caller frees it with urlp_resolver_free.
 * Errors:  NULL with URLPOOL_E_INVALID (the servers), URLPOOL_E_NOMEM or URLPOOL_E_SYSTEM. */
URLPOOL_MUST_USE struct urlp_resolver *urlp_resolver_new(
    const struct urlp_resolver_options *options, struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_resolver_forget forgets all answers. Lookups under way go on for who waits for them; what
 * they bring is not kept.
 *
 * Threads: any number at once. */
void urlp_resolver_forget(struct urlp_resolver *resolver) URLP_MAY_BLOCK;

/* urlp_resolver_num_gone changes whenever an address of a name is found to be gone: absent from
 * three fresh answers in a row over at least a minute.
 *
 * Threads: any number at once; takes no lock. */
uint64_t urlp_resolver_num_gone(const struct urlp_resolver *resolver);

/* urlp_resolver_is_gone says whether the DNS has given `ip` for `host`, and gives it no more.
 *
 * Threads: any number at once. */
bool urlp_resolver_is_gone(struct urlp_resolver *resolver, struct urlp_span host,
                           const struct urlp_ip *ip) URLP_MAY_BLOCK;

/* urlp_resolver_fresh_ms is for how long no server will be asked for `host` again; 0: it would be
 * now; -1: it is no name. */
int64_t urlp_resolver_fresh_ms(struct urlp_resolver *resolver,
                               struct urlp_span host) URLP_MAY_BLOCK;

/* urlp_resolver_free forgets all answers. No dial may be under way. Accepts NULL. */
void urlp_resolver_free(struct urlp_resolver *resolver) URLP_MAY_BLOCK;

struct urlp_network;

/* struct urlp_dial_target is what to connect to, and how. */
struct urlp_dial_target {
    struct urlp_span host; /* a name, or an address literal without brackets */
    struct urlp_span zone; /* of a link-local IPv6 literal: an interface name or number */
    uint16_t port;
    const struct urlp_network *network;
};

/* urlp_dial resolves and connects, racing addresses as RFC 8305 says, names and sockets in one poll
 * loop. Address literals and localhost never go to DNS. Tells RESOLVED (names only) and CONNECTED
 * to the trace; counts lookups that went to a server as dns_queries, those that found an answer or
 * joined a lookup as dns_hits. `call->break_off` may bring a half dial to go on with, and is told
 * what is left of this one when it is broken off.
 *
 * Owns:    the stream is the caller's.
 * Errors:  NULL with URLPOOL_E_RESOLVE, URLPOOL_E_CONNECT (os_errno of the most telling address),
 *          URLPOOL_E_CONNECT_TIMEOUT or TOTAL_TIMEOUT, CANCELLED, SYSTEM (EMFILE …), NOMEM; phase
 *          RESOLVE or CONNECT.
 * Threads: any number at once; blocks.
 * Spec:    RFC 8305; RFC 6761 section 6.3. */
URLPOOL_MUST_USE struct urlp_stream *urlp_dial(struct urlp_resolver *resolver,
                                               const struct urlp_dial_target *target,
                                               const struct urlp_call *call,
                                               struct urlpool_error *err) URLP_MAY_BLOCK;

/* struct urlp_half_dial is a dial that was broken off: sockets that are connecting, a lookup under
 * way, and the addresses not yet tried. Whoever dials the same target next goes on with it; it
 * belongs to no thread and no call meanwhile. */

/* urlp_half_dial_free closes what it holds; accepts NULL. */
void urlp_half_dial_free(struct urlp_half_dial *half) URLP_MAY_BLOCK;

#endif /* URLP_NET_DIAL_H */
