#ifndef URLP_NET_RESOLVE_H
#define URLP_NET_RESOLVE_H

#include "base/call.h"
#include "base/ip.h"
#include "net/dial.h"

/* urlp_resolve finds one address of `target->host` without connecting to it, for somebody else who
 * will: the first IPv4 address that may be dialled, else, unless `is_v4_only`, the first of IPv6.
 * Tells RESOLVED to the trace for a name; counts as urlp_dial does.
 *
 * Errors:  URLPOOL_E_RESOLVE, ADDRESS_REFUSED, CONNECT_TIMEOUT or TOTAL_TIMEOUT, CANCELLED, SYSTEM,
 *          NOMEM; phase RESOLVE.
 * Threads: any number at once; blocks. */
URLPOOL_MUST_USE enum urlpool_code urlp_resolve(struct urlp_resolver *resolver,
                                                const struct urlp_dial_target *target,
                                                bool is_v4_only, const struct urlp_call *call,
                                                struct urlp_ip *out_ip,
                                                struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_resolve_anew sees to it that the answers for a name are fresh, of both families: asks unless
 * what is kept is still good. That there are none is no failure.
 *
 * Errors:  those of waiting: URLPOOL_E_CONNECT_TIMEOUT, TOTAL_TIMEOUT, CANCELLED, SYSTEM, NOMEM;
 *          RESOLVE for what is no host name. Phase RESOLVE.
 * Threads: any number at once; blocks. */
URLPOOL_MUST_USE enum urlpool_code urlp_resolve_anew(struct urlp_resolver *resolver,
                                                     const struct urlp_dial_target *target,
                                                     const struct urlp_call *call,
                                                     struct urlpool_error *err) URLP_MAY_BLOCK;

#endif /* URLP_NET_RESOLVE_H */
