#ifndef URLP_NET_RESOLVER_H
#define URLP_NET_RESOLVER_H

#include <poll.h>

#include "base/call.h"
#include "base/ip.h"
#include "base/list.h"
#include "base/span.h"
#include "net/dial.h"

/* What net/dial.c sees of the resolver: a seat at the lookup of a name. Seats of the same name
 * share one lookup; one of them, the driver, moves it along in its own thread, the others follow.
 */

#define URLP_ADDRESSES_MAX 16 /* of one family: kept, and tried */

/* In the order in which they are preferred. */
enum urlp_family {
    URLP_FAMILY_V6,
    URLP_FAMILY_V4,
    URLP_NUM_FAMILIES
};

/* struct urlp_addresses is what is known about one family of a name's addresses. */
struct urlp_addresses {
    struct urlp_ip ips[URLP_ADDRESSES_MAX];
    size_t num_ips;
    bool is_done; /* nothing more will come */
};

/* urlp_addresses_add appends `ip`; one too many, or twice the same, is dropped. */
void urlp_addresses_add(struct urlp_addresses *to, const struct urlp_ip *ip);

struct urlp_lookup;

/* struct urlp_lookup_seat lives on the stack of whoever wants a name's addresses. */
struct urlp_lookup_seat {
    struct urlp_resolver *resolver;
    struct urlp_lookup *lookup; /* NULL when the answer needed none */
    struct urlp_list link;      /* among the followers; guarded by the resolver's mutex */
    int wake_fd;                /* of a seat that follows or did; else -1 */
    uint64_t generation;        /* of urlp_fork_generation, when wake_fd was made */
    bool has_polled_dns; /* what the last urlp_lookup_seat_poll gave: DNS sockets or wake_fd */
    bool is_literal;     /* the host was an address */
};

/* urlp_lookup_seat_take begins to find the addresses of `target->host`: by itself when it is a
 * literal or below localhost, in the hosts file, in the cache, by joining a lookup, or by a new
 * one.
 *
 * Owns:    the seat is to be left with urlp_lookup_seat_leave on success only.
 * Errors:  URLPOOL_E_RESOLVE for what is no host name, URLPOOL_E_SYSTEM, URLPOOL_E_NOMEM,
 *          URLPOOL_E_CANCELLED as of urlp_network_ask; phase RESOLVE. That a name has no addresses
 * shows later. Threads: any number at once; does not wait. */
URLPOOL_MUST_USE enum urlpool_code urlp_lookup_seat_take(struct urlp_lookup_seat *seat,
                                                         struct urlp_resolver *resolver,
                                                         const struct urlp_dial_target *target,
                                                         struct urlp_addresses out_answers[],
                                                         const struct urlp_call *call,
                                                         struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_lookup_seat_poll puts what this seat waits for into `fds`, at most URLP_LOOKUP_FDS_MAX of
 * them, and returns how many; `*wait_ms` is shortened to when urlp_lookup_seat_process is due (-1:
 * never). */
#define URLP_LOOKUP_FDS_MAX 16
size_t urlp_lookup_seat_poll(struct urlp_lookup_seat *seat, struct pollfd fds[],
                             int *wait_ms) URLP_MAY_BLOCK;

/* urlp_lookup_seat_process goes on after poll and brings `answers` up to date. */
void urlp_lookup_seat_process(struct urlp_lookup_seat *seat, const struct pollfd fds[],
                              size_t num_fds, struct urlp_addresses answers[]) URLP_MAY_BLOCK;

/* urlp_lookup_seat_fail says why both answers are done and empty.
 *
 * Errors:  URLPOOL_E_RESOLVE, URLPOOL_E_SYSTEM, URLPOOL_E_NOMEM; phase RESOLVE. */
enum urlpool_code urlp_lookup_seat_fail(struct urlp_lookup_seat *seat, struct urlp_span host,
                                        struct urlpool_error *err) URLP_MAY_BLOCK;

/* urlp_lookup_seat_leave gives the seat up: a driver hands the lookup to the oldest follower, the
 * last one out ends it. */
void urlp_lookup_seat_leave(struct urlp_lookup_seat *seat) URLP_MAY_BLOCK;

/* urlp_lookup_seat_park leaves the seat as urlp_lookup_seat_leave does, but a lookup that is under
 * way does not end for want of seats: whoever takes one for the name next drives it on.
 *
 * Owns:    the lookup is to be given back with urlp_lookup_unpark, before the resolver is freed.
 * Errors:  NULL: nothing is under way. */
URLPOOL_MUST_USE struct urlp_lookup *urlp_lookup_seat_park(struct urlp_lookup_seat *seat)
    URLP_MAY_BLOCK;

/* urlp_lookup_unpark gives back what was parked; it ends then, unless somebody drives it or has
 * parked it, too. Accepts a `lookup` of NULL. */
void urlp_lookup_unpark(struct urlp_resolver *resolver, struct urlp_lookup *lookup) URLP_MAY_BLOCK;

/* urlp_local_answer answers for address literals, for localhost and what is below it (RFC 6761),
 * and, unless `skip_hosts`, for what is in the hosts file, without a query.
 *
 * Errors:  URLPOOL_E_RESOLVE (a zone that is no interface), URLPOOL_E_SYSTEM, URLPOOL_E_NOMEM. */
URLPOOL_MUST_USE enum urlpool_code urlp_local_answer(const struct urlp_dial_target *target,
                                                     bool skip_hosts, const char *hosts_file,
                                                     struct urlp_addresses out_answers[],
                                                     bool *out_is_found, bool *out_is_literal,
                                                     struct urlpool_error *err);

/* urlp_dns_name_of writes `host` in lower case; false for what is no host name: letters, digits,
 * hyphens and underscores in labels of 1 to 63, a dot behind it or not.
 *
 * Sizes:   as many bytes as `host` has; no NUL.
 * Spec:    RFC 1035 section 2.3.4. */
#define URLP_DNS_NAME_BYTES_MAX 254 /* with a dot behind it */
bool urlp_dns_name_of(struct urlp_span host, char out[URLP_DNS_NAME_BYTES_MAX]);

/* urlp_resolver_library_version is the version of c-ares: "1.18.1". */
const char *urlp_resolver_library_version(void);

#endif /* URLP_NET_RESOLVER_H */
